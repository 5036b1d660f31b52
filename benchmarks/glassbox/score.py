"""The score of a case: is what was found what was planted?"""

import math
from dataclasses import asdict, dataclass

from scipy.stats import spearmanr

from benchmarks.glassbox.cases import Case
from benchmarks.glassbox.effects import Effect


@dataclass(frozen=True)
class Score:
    """How far found effects agree with what is known.

    Attributes:
        top1_right: the planted concepts have the largest effects of all active ones, aligned and
            latent.
        signs_right: every planted concept has the sign of its true effect; for an interaction, in
            each half of the images.
        leak: largest effect of any concept that is not planted, aligned or latent, over the
            largest of a planted one; infinite where no planted concept has an effect.
        leak_context: the same over context features alone, latent concepts left out.
        true_leak: the same of the true effects: what the teacher itself, or the drawing, lets
            through.
        rank_correlation: Spearman's, of the sizes of found and true effects over the context
            features, signs left to ``signs_right``; 0 where all sizes are equal, and None if one
            feature alone is planted.
    """

    top1_right: bool
    signs_right: bool
    leak: float
    leak_context: float
    true_leak: float
    rank_correlation: float | None

    def to_dict(self) -> dict[str, bool | float | None]:
        """Return all values by name; an infinite leak as None, which JSON can hold."""
        values = asdict(self)
        return {
            name: None if isinstance(value, float) and not math.isfinite(value) else value
            for name, value in values.items()
        }


def score(case: Case, found: dict[str, Effect], true: dict[str, Effect]) -> Score:
    """Compare found with true effects.

    The size of an effect is its absolute mean; for an interaction, whose mean says little, it is
    the mean absolute effect.

    Args:
        case: what is planted.
        found: by concept, context features and latent concepts; one that is pruned has no effect.
        true: by context feature.
    """

    def size(effects: dict[str, Effect], name: str) -> float:
        return size_of(effects[name], case) if name in effects else 0.0

    def leak(effects: dict[str, Effect], names: list[str]) -> float:
        planted = max(size(effects, name) for name in case.planted)
        others = max((size(effects, name) for name in names if name not in case.planted), default=0)
        return others / planted if planted else math.inf

    features = list(true)
    sizes = {name: size(found, name) for name in found}
    return Score(
        top1_right=planted_on_top(case, sizes),
        signs_right=all(
            name in found and _signs(found[name], case) == _signs(true[name], case)
            for name in case.planted
        ),
        leak=leak(found, list(found)),
        leak_context=leak(found, features),
        true_leak=leak(true, features),
        rank_correlation=rank_correlation(case, sizes, {name: size(true, name) for name in true}),
    )


def size_of(effect: Effect, case: Case) -> float:
    """Return the size of an effect: its absolute mean; for an interaction its magnitude."""
    return effect.magnitude if case.split_by else abs(effect.mean)


def rank_correlation(case: Case, sizes: dict[str, float], true: dict[str, float]) -> float | None:
    """Return Spearman's correlation of sizes with the true ones over the context features.

    Args:
        case: what is planted.
        sizes: by concept; one that is missing has no effect.
        true: by context feature.

    Returns:
        0 where all sizes are equal: no order at all was found, which is a failure and not a missing
        value. None if one feature alone is planted.
    """
    if len(case.planted) < 2:
        return None
    found = [sizes.get(name, 0.0) for name in true]
    statistic = float(spearmanr(found, list(true.values())).statistic)
    return 0.0 if math.isnan(statistic) else round(statistic, 6)


def planted_on_top(case: Case, sizes: dict[str, float]) -> bool:
    """Say whether the planted concepts, and no others, have the largest sizes.

    Args:
        case: what is planted.
        sizes: by concept, context features and latent concepts, at least 0.
    """
    order = sorted(sizes, key=lambda name: sizes[name], reverse=True)
    return set(order[: len(case.planted)]) == set(case.planted)


def _signs(effect: Effect, case: Case) -> tuple[float, ...]:
    values = (effect.low_half, effect.high_half) if case.split_by else (effect.mean,)
    return tuple(math.copysign(1.0, value) for value in values if value is not None)
