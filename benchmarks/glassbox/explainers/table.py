"""The explainers over all cases."""

from typing import Any

import pandas as pd


def explainer_summary(cases: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return how often each explainer was right, in the order of the cases' own lists.

    Args:
        cases: results of ``run_case``.

    Returns:
        One for each: ``name``; ``cases``, those in which it was asked and context features are
        planted; ``top1_right`` and ``context_top1_right``, in how many of them; the mean
        ``rank_correlation`` over those with several planted features, None if there are none;
        mean ``seconds`` of all cases in which it was asked.
    """
    names = dict.fromkeys(name for case in cases for name in case["explainers"])
    rows = []
    for name in names:
        said = [case["explainers"][name] for case in cases if name in case["explainers"]]
        told = [one for one in said if one["top1_right"] is not None]
        ranks = [one["rank_correlation"] for one in said if one["rank_correlation"] is not None]
        rows.append(
            {
                "name": name,
                "cases": len(told),
                "top1_right": sum(one["top1_right"] for one in told),
                "context_top1_right": sum(one["context_top1_right"] for one in told),
                "rank_correlation": sum(ranks) / len(ranks) if ranks else None,
                "seconds": sum(one["seconds"] for one in said) / len(said),
            }
        )
    return rows


def explainer_table(rows: list[dict[str, Any]]) -> str:
    """Return what ``explainer_summary`` says as text, one line for each explainer."""
    table = pd.DataFrame(
        {
            "explainer": [row["name"] for row in rows],
            "on top": [f"{row['top1_right']} of {row['cases']}" for row in rows],
            "on top, context": [f"{row['context_top1_right']} of {row['cases']}" for row in rows],
            "rank corr.": [row["rank_correlation"] for row in rows],
            "seconds": [row["seconds"] for row in rows],
        }
    ).set_index("explainer")
    return table.astype({"rank corr.": float}).to_string(
        float_format=lambda value: f"{value:.2f}", na_rep=""
    )
