"""How right labels and numbers are, where the context table has columns of their names."""

import logging

import numpy as np
import pandas as pd
from sklearn.metrics import mean_absolute_error, r2_score
from torch import Tensor

from glance_pipeline.classifiers.task import Task
from glance_pipeline.context.table import as_levels

logger = logging.getLogger(__name__)

_ON = ("1", "true", "yes", "on")
_OFF = ("0", "false", "no", "off")


def accuracy_by_columns(
    task: Task, decided: Tensor, context: pd.DataFrame, splits: pd.Series
) -> dict[str, float]:
    """Compare labels or numbers with the columns that have their names, split by split.

    Args:
        task: task of labels or numbers.
        decided: labels bool (N, K), or numbers (N, K).
        context: one row per image; columns of other names are left aside, and so are images without
            a value.
        splits: splits of the images.

    Returns:
        Of labels ``accuracy_SPLIT``, the share of images with all of them right, and
        ``label_accuracy_SPLIT``, the share over images and labels; of numbers ``r2_SPLIT``, the
        mean over them, and where there is one alone ``mean_absolute_error_SPLIT``, in its unit.
        Empty without such a column; the log then says so.
    """
    columns = {
        output: column
        for output, name in enumerate(task.names)
        if name in context and (column := _read(context[name], task)) is not None
    }
    if not columns:
        logger.warning(
            "accuracy is not measured: no context feature has the name of one of the "
            "classifier's %s, %s",
            task.nouns[1],
            list(task.names[:10]),
        )
        return {}
    truth = np.stack(list(columns.values()), 1)
    found = decided[:, list(columns)].double().numpy()
    known = np.isfinite(truth).all(1)
    scores: dict[str, float] = {}
    for split in sorted(splits[known].unique()):
        rows = known & (splits == split).to_numpy()
        measure = _of_labels if task.kind == "each" else _of_numbers
        scores |= {f"{name}_{split}": v for name, v in measure(truth[rows], found[rows]).items()}
    return scores


def _read(column: pd.Series, task: Task) -> np.ndarray | None:
    """Return a column as float64 (N,), NaN where missing; None if it cannot be compared."""
    if task.kind == "values":
        numbers = pd.to_numeric(column, errors="coerce")
        return None if numbers.isna().all() else numbers.to_numpy(np.float64)
    said = as_levels(column).map(lambda level: level if level is None else level.lower())
    strange = sorted(set(said.dropna()) - {*_ON, *_OFF})
    if strange:
        logger.warning("accuracy: %s has %s, wanted 0 and 1, or no and yes", column.name, strange)
        return None
    values = said.map(dict.fromkeys(_ON, 1.0) | dict.fromkeys(_OFF, 0.0))
    return values.to_numpy(np.float64, na_value=np.nan)


def _of_labels(truth: np.ndarray, found: np.ndarray) -> dict[str, float]:
    right = truth == found
    return {"accuracy": float(right.all(1).mean()), "label_accuracy": float(right.mean())}


def _of_numbers(truth: np.ndarray, found: np.ndarray) -> dict[str, float]:
    scores: dict[str, float] = {}
    if len(truth) > 1 and (np.ptp(truth, axis=0) > 0).all():
        scores["r2"] = float(r2_score(truth, found))
    if truth.shape[1] == 1:
        scores["mean_absolute_error"] = float(mean_absolute_error(truth, found))
    return scores
