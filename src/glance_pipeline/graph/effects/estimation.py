"""From what was measured to estimates: intervals, p-values, and Holm's correction of a family."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from glance_pipeline.graph.effects.average_effects import Effects, Measured
from glance_pipeline.graph.effects.doses import Response, size_of_curve
from glance_pipeline.graph.effects.real_images import RealImages
from glance_pipeline.graph.effects.unnamed import Unnamed
from glance_pipeline.graph.model.evidence import DoseResponse, EffectUnderChoice, Estimate
from glance_pipeline.support.normal_scores import normal_scores
from glance_pipeline.twin.concept_table import ConceptTable


class Finding(NamedTuple):
    """What interventions say of one column of the concept table and one class.

    Attributes:
        effect: average effect.
        stability: share of resamples in which it has the same sign and is not practically null.
        response: dose–response curve of the column's node; None if it was not measured.
        curve_stability: share of resamples in which the curve is not practically flat.
        choices: the effect under other choices of what is held; the last one may be what real
            images say.
        bend: how real images bend, the coefficient of the square in standard deviations of the
            margin, with its standard error; None if they were not asked.
        shares: what goes with each unnamed property of the effect, (P,), in its unit; None if they
            were not measured.
    """

    effect: Estimate
    stability: float
    response: DoseResponse | None
    curve_stability: float
    choices: tuple[EffectUnderChoice, ...] = ()
    bend: tuple[float, float] | None = None
    shares: np.ndarray | None = None


def correlate_with_margins(
    table: ConceptTable, names: Sequence[str]
) -> dict[tuple[str, str], Estimate]:
    """Correlate normal scores of concepts and margins, by concept and output.

    The correlation is marginal on purpose: given the concepts that are used, one that only goes
    along with them would be independent. p-values and intervals are Fisher's, Holm-corrected.
    """
    if not names:
        return {}
    concepts = _standard(normal_scores(table.concepts[list(names)].to_numpy(np.float64)))
    answers = _standard(normal_scores(table.margins.to_numpy(np.float64)))
    correlations = (concepts.T @ answers / len(answers)).ravel()
    z = np.arctanh(np.clip(correlations, -1 + 1e-12, 1 - 1e-12))
    error = 1 / np.sqrt(len(answers) - 3)
    p_values = 2 * stats.norm.sf(np.abs(z) / error)
    low, high = np.tanh(z - 1.96 * error), np.tanh(z + 1.96 * error)
    rows = np.stack([correlations, low, high, p_values, holm(p_values)], axis=1).tolist()
    pairs = [(name, label) for name in names for label in map(str, table.margins)]
    return {
        pair: Estimate(value, below, above, "correlation", value, p_value, adjusted)
        for pair, (value, below, above, p_value, adjusted) in zip(pairs, rows, strict=True)
    }


def estimate(
    measured: Mapping[str, Measured],
    table: ConceptTable,
    minimum: float,
    real: RealImages | None = None,
    unnamed: Unnamed | None = None,
) -> dict[tuple[str, str], Finding]:
    """Estimate effects and curves, by column and output; Holm's family is all tests of both.

    Args:
        measured: by node, on K margins each.
        table: table of all images, on real data; the standard deviations of its margins are the
            scale.
        minimum: smallest standardised effect.
        real: what real images say; None if they are not asked.
        unnamed: properties that no concept names; None if they are not asked.
    """
    spread = spread_of(table.margins)
    labels = [str(label) for label in table.margins]
    units = [table.unit_of(label) for label in labels]
    findings = {}
    for node in measured.values():
        curves = _curves(node.response, spread, minimum)
        for name, effects in node.effects.items():
            estimates = estimate_effects(effects, spread, minimum, units)
            under = node.under_choices.get(name, {})
            slopes = None if real is None else real.slopes.get(name)
            for k, (effect, stability) in enumerate(estimates):
                told = {choice: _interval(found, k) for choice, found in under.items()}
                bend = None
                shares = None
                if unnamed is not None and node.moved is not None:
                    shares = unnamed.shares(node.moved)[:, k]
                    told["unnamed_held"] = _less(_interval(effects, k), float(shares.sum()))
                if slopes is not None:
                    told["real_images"] = slopes.interval(k)
                    bend = slopes.bend[k] / spread[k], slopes.bend_error[k] / spread[k]
                choices = tuple(
                    _under_choice(choice, interval, effect, minimum)
                    for choice, interval in told.items()
                )
                findings[name, labels[k]] = Finding(
                    effect, stability, *curves[k], choices, bend, shares
                )
    return _corrected(findings)


def _interval(effects: Effects, k: int) -> tuple[float, float, float]:
    low, high = np.percentile(effects.resampled[:, k], [2.5, 97.5])
    return float(effects.value[k]), float(low), float(high)


def _less(interval: tuple[float, float, float], share: float) -> tuple[float, float, float]:
    value, low, high = interval
    return value - share, low - share, high - share


def _under_choice(
    choice: str, interval: tuple[float, float, float], effect: Estimate, minimum: float
) -> EffectUnderChoice:
    """Say whether an effect, with its interval, speaks for that of the intervention."""
    value, low, high = interval
    # The intervention's own effect, of the same unit, says what a standard deviation is.
    standardised = value * effect.standardised / effect.value if effect.value else 0.0
    certain = low > 0 or high < 0
    agrees = certain and abs(standardised) >= minimum and value * effect.value > 0
    return EffectUnderChoice(choice, value, low, high, standardised, agrees)


def estimate_effects(
    effects: Effects,
    spread: np.ndarray,
    minimum: float,
    units: Sequence[str] | None = None,
    per: str = "sd",
) -> list[tuple[Estimate, float]]:
    """Estimate the effect and its stability of one concept, output by output; not corrected.

    The interval is the bootstrap's 2.5 and 97.5 % quantiles; the p-value takes the bootstrap's
    standard error, since a share of a thousand resamples cannot be as small as a correction for a
    hundred tests needs, and Student's distribution: the standard error itself is estimated, from
    N images, and a bootstrap's is too small by √(1 − 1/N).

    Args:
        effects: on K margins.
        spread: standard deviations (K,) of the margins on real data; infinite where a margin never
            changes, which has no scale and no effect.
        minimum: smallest standardised effect.
        units: units of the K margins; all logits by default.
        per: what an effect is of, in standard deviations of the concept.
    """
    units = units or ["logits"] * len(spread)
    value, resampled, freedom = effects.value, effects.resampled, effects.images - 1
    low, high = np.percentile(resampled, [2.5, 97.5], axis=0)
    error = resampled.std(0, ddof=1) * np.sqrt(effects.images / freedom)
    with np.errstate(divide="ignore", invalid="ignore"):
        # Without spread over images an effect is either exactly zero or beyond doubt.
        t = np.where(value == 0, 0.0, np.abs(value) / error)
    p_values = 2 * stats.t.sf(t, freedom)
    same = (np.sign(resampled) == np.sign(value)) & (np.abs(resampled) >= minimum * spread)
    columns = [value, low, high, value / spread, p_values, effects.magnitude, same.mean(0)]
    return [
        (Estimate(v, lo, hi, f"{unit} per {per}".strip(), standard, p, magnitude=size), stability)
        for unit, (v, lo, hi, standard, p, size, stability) in zip(
            units, np.stack(columns, axis=1).tolist(), strict=True
        )
    ]


def spread_of(margins: pd.DataFrame) -> np.ndarray:
    """Return the standard deviation (K,) of each margin, infinite where it never changes."""
    spread = margins.to_numpy(np.float64).std(0)
    spread[spread == 0] = np.inf
    return spread


def holm(p_values: np.ndarray) -> np.ndarray:
    """Return p-values (T,) after Holm's correction (1979) for all T tests."""
    from statsmodels.stats.multitest import multipletests  # a second to import

    return multipletests(p_values, method="holm")[1] if len(p_values) else p_values


def _curves(
    response: Response | None, spread: np.ndarray, minimum: float
) -> list[tuple[DoseResponse | None, float]]:
    """Return the curve of each class, not corrected, and the share of resamples that it is in."""
    if response is None:
        return [(None, 0.0)] * len(spread)
    low, high = np.percentile(response.resampled, [2.5, 97.5], axis=0)
    sizes = size_of_curve(response.margins, response.codes) / spread
    held = size_of_curve(response.resampled, response.codes) >= minimum * spread
    return [
        (
            DoseResponse(
                values=tuple(response.values.tolist()),
                margins=tuple(response.margins[:, k].tolist()),
                low=tuple(low[:, k].tolist()),
                high=tuple(high[:, k].tolist()),
                levels=response.levels,
                size=None if response.levels else float(sizes[k]),
                p_value=None if np.isnan(p_value) else p_value,
            ),
            float(held[:, k].mean()),
        )
        for k, p_value in enumerate(response.p_values.tolist())
    ]


def _corrected(
    findings: Mapping[tuple[str, str], Finding],
) -> dict[tuple[str, str], Finding]:
    """Put the p-values after Holm's correction into all effects and all tested curves."""
    effects = [finding.effect.p_value for finding in findings.values()]
    curves = [f.response.p_value if f.response else None for f in findings.values()]
    tested = [p for p in curves if p is not None]
    adjusted = holm(np.array([*effects, *tested], dtype=np.float64)).tolist()
    of_curves = iter(adjusted[len(effects) :])
    corrected = {}
    for (pair, finding), p_effect, p_curve in zip(findings.items(), adjusted, curves, strict=False):
        response = finding.response
        if response is not None and p_curve is not None:
            response = replace(response, adjusted_p_value=next(of_curves))
        effect = replace(finding.effect, adjusted_p_value=p_effect)
        corrected[pair] = finding._replace(effect=effect, response=response)
    return corrected


def _standard(columns: np.ndarray) -> np.ndarray:
    """Standardise; a constant column becomes zero, which correlates with nothing."""
    spread = columns.std(0)
    return (columns - columns.mean(0)) / np.where(spread > 0, spread, 1.0)
