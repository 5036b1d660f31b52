"""The result of all cases as one JSON-able mapping and as a table."""

from typing import Any

import pandas as pd

LARGEST_LEAK = 0.25
"""A leak that counts as small."""

_COLUMNS = {
    "planted": "planted",
    "scenario": "images",
    "planted_right": "planted used",
    "false_used": "falsely used",
    "cannot_be_told": "cannot be told",
    "largest_context_effect_ratio": "context / own",
    "latent_share": "latent / own",
    "top1_right": "on top",
    "shapley_top1_right": "Shapley on top",
    "signs_right": "signs",
    "leak": "leak",
    "leak_context": "leak, context",
    "true_leak": "true leak",
    "rank_correlation": "rank corr.",
    "reconstruction_agreement": "agreement",
    "seconds": "seconds",
}


def summary(cases: list[dict[str, Any]]) -> dict[str, Any]:
    """Count over all cases what came out right."""
    ranks = [case["rank_correlation"] for case in cases if case.get("rank_correlation")]
    told = [case for case in cases if case["reason"] != "other"]
    other = [case for case in cases if case["reason"] == "other"]
    judged = sum(len(case["verdicts"]) for case in cases)
    return {
        "cases": len(cases),
        "top1_right": sum(case["top1_right"] for case in told),
        "shapley_top1_right": sum(case["shapley_top1_right"] for case in told),
        "signs_right": sum(case["signs_right"] for case in told),
        "planted_used": sum(case["planted_right"] for case in told),
        "false_used": sum(len(case["false_used"]) for case in cases),
        "cannot_be_told": sum(len(case["cannot_be_told"]) for case in cases) / max(judged, 1),
        "leak_small": sum(_is_small(case["leak"]) for case in told),
        "leak_context_small": sum(_is_small(case["leak_context"]) for case in told),
        "smallest_rank_correlation": min(ranks, default=None),
        "largest_context_effect_ratio": max(
            (case["largest_context_effect_ratio"] for case in other), default=None
        ),
        "smallest_latent_share": min((case["latent_share"] for case in other), default=None),
        "seconds": sum(case["seconds"] for case in cases),
    }


def score_table(cases: list[dict[str, Any]]) -> pd.DataFrame:
    """Return one row for each case: its scores."""
    rows = pd.DataFrame(cases).set_index("name")
    for name in ("planted", "false_used", "cannot_be_told"):
        rows[name] = rows[name].map(", ".join)
    table = rows.reindex(columns=list(_COLUMNS)).rename(columns=_COLUMNS)
    table["seconds"] = table["seconds"].round().astype(int)
    return table


def effect_table(cases: list[dict[str, Any]]) -> pd.DataFrame:
    """Return one row for each case and one column for each context feature: true → found effect.

    Planted ones carry a star; the last column has the latent concept with the largest effect.
    """
    rows = {}
    for case in cases:
        row, latent = {}, {"none": 0.0}
        for effect in case["effects"]:
            found = 0.0 if effect["found"] is None else effect["found"]["mean"]
            if effect["true"] is None:
                latent[effect["concept"]] = found
                continue
            star = "*" if effect["planted"] else ""
            row[effect["concept"]] = f"{effect['true']['mean']:+.2f} → {found:+.2f}{star}"
        row["largest latent"] = f"{max(latent.values(), key=abs):+.2f}"
        rows[case["name"]] = row
    table = pd.DataFrame.from_dict(rows, orient="index").fillna("")
    return table[[*(name for name in table if name != "largest latent"), "largest latent"]]


def _is_small(leak: float | None) -> bool:
    return leak is not None and leak <= LARGEST_LEAK
