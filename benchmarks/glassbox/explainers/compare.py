"""Every explainer asked about one case, timed and scored against the renderer's effects."""

import importlib.util
import time
from typing import Any

from benchmarks.glassbox.cases import Case
from benchmarks.glassbox.effects import Effect
from benchmarks.glassbox.explainers.attfind import sizes_by_attfind
from benchmarks.glassbox.explainers.dice import sizes_by_dice
from benchmarks.glassbox.explainers.integrated_gradients import sizes_by_integrated_gradients
from benchmarks.glassbox.explainers.question import Explainer, Question
from benchmarks.glassbox.explainers.tcav import sizes_by_tcav
from benchmarks.glassbox.score import planted_on_top, rank_correlation, size_of

OURS = "GLANCE"
ORACLE = "oracle"

RIVALS: dict[str, Explainer] = {
    "AttFind": sizes_by_attfind,
    "TCAV": sizes_by_tcav,
    "Integrated Gradients over concept masks": sizes_by_integrated_gradients,
    "DiCE on codes": sizes_by_dice,
}
"""By the names that the table has; Integrated Gradients is left out where Captum, an extra, is not
installed."""


def compare_explainers(
    case: Case,
    question: Question,
    found: dict[str, Effect],
    true: dict[str, Effect],
    seconds: dict[str, float],
) -> dict[str, dict[str, Any]]:
    """Ask the rivals, and score them beside the surrogate's effects and the renderer's.

    Args:
        case: what is planted.
        question: what is asked.
        found: the surrogate's effects, by concept.
        true: the renderer's effects, by context feature.
        seconds: that found and true effects took, by the names ``OURS`` and ``ORACLE``.

    Returns:
        By explainer: its sizes by concept (``effects``) and what is scored of them; see
        ``scored``.
    """
    true_sizes = {name: size_of(effect, case) for name, effect in true.items()}
    ours = {name: size_of(effect, case) for name, effect in found.items()}
    results = {OURS: scored(case, ours, true_sizes, seconds[OURS])}
    for name, explain in RIVALS.items():
        if explain is sizes_by_integrated_gradients and not importlib.util.find_spec("captum"):
            continue
        began = time.perf_counter()
        sizes = explain(question)
        results[name] = scored(case, sizes, true_sizes, time.perf_counter() - began)
    return {**results, ORACLE: scored(case, true_sizes, true_sizes, seconds[ORACLE])}


def scored(
    case: Case, sizes: dict[str, float], true: dict[str, float], seconds: float
) -> dict[str, Any]:
    """Score the sizes that one explainer gives.

    Args:
        case: what is planted.
        sizes: by concept that the explainer knows, context features and perhaps latent concepts.
        true: the renderer's sizes by context feature.
        seconds: that the explainer took.

    Returns:
        ``effects``, the sizes; ``top1_right``, whether the planted features are larger than all
        else that the explainer knows; ``context_top1_right``, than all other context features;
        ``rank_correlation`` over the context features, None where one is planted; ``seconds``.
        Neither of the first two can be said, and is None, where the reason is in no table.
    """
    context = {name: size for name, size in sizes.items() if name in true}
    told = case.reason != "other"
    return {
        "effects": sizes,
        "top1_right": _alone_on_top(case, sizes) if told else None,
        "context_top1_right": _alone_on_top(case, context) if told else None,
        "rank_correlation": rank_correlation(case, sizes, true),
        "seconds": seconds,
    }


def _alone_on_top(case: Case, sizes: dict[str, float]) -> bool:
    """Say whether the planted concepts are on top, and none of the others as large."""
    others = max((size for name, size in sizes.items() if name not in case.planted), default=-1.0)
    return planted_on_top(case, sizes) and min(sizes[name] for name in case.planted) > others
