"""The rows of all teachers as one table."""

from typing import Any

import pandas as pd

from benchmarks.architectures.teachers import TEACHERS

_COLUMNS = {
    "format": "file",
    "parameters": "parameters",
    "black_box": "black box",
    "accuracy": "accuracy",
    "told_by_shortcut": "told by shortcut",
    "noise_flips": "noise flips",
    "agreement": "agreement",
    "student_agreement": "student",
    "intervention_agreement": "intervention",
    "shortcut_right": "shortcut right",
    "effect": "true → found",
    "next": "next",
    "queries": "queries",
    "seconds": "seconds",
}


def teacher_table(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Return one row for each teacher.

    ``true → found`` are the effects of the shortcut, in logits for one standard deviation, and
    ``next`` is the concept with the largest found effect beside it.
    """
    table = pd.DataFrame([row | _effects(row) for row in rows])
    table.index = pd.Index([TEACHERS[row["name"]].title for row in rows])
    table = table[list(_COLUMNS)].rename(columns=_COLUMNS)
    table["seconds"] = table["seconds"].round().astype(int)
    table["queries"] = ["" if row["queries"] is None else str(row["queries"]) for row in rows]
    return table


def _effects(row: dict[str, Any]) -> dict[str, str]:
    shortcut = row["shortcut"]
    found = {name: effect["mean"] for name, effect in row["effects"]["found"].items()}
    true = row["effects"]["true"][shortcut]["mean"]
    own = found.pop(shortcut, 0.0)
    largest = max(found, key=lambda name: abs(found[name]), default=None)
    return {
        "effect": f"{true:+.2f} → {own:+.2f}",
        "next": "" if largest is None else f"{largest} {found[largest]:+.2f}",
    }
