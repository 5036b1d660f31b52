"""Context features in standard deviations of the training split."""

import numpy as np
import pandas as pd
import torch
from pandas.api.types import is_numeric_dtype
from torch import Tensor

from glance_pipeline.context import check_context
from glance_pipeline.networks import Concept


def standardise_context(
    context_features: pd.DataFrame, records: pd.DataFrame, units: dict[str, str]
) -> tuple[Tensor, list[Concept]]:
    """Return standardised features (N, J), float32, and the concepts they will be aligned with.

    Args:
        context_features: one row an image, one column a feature.
        records: one row an image, with a column ``split``.
        units: by feature name; empty for those that are not named.

    Raises:
        ValueError: where ``check_context`` refuses the table, or a feature is constant on the
            training split.
    """
    check_context(context_features, records)
    words = [str(c) for c in context_features if not is_numeric_dtype(context_features[c])]
    if words:
        raise ValueError(f"context_features: {words} are not numbers; categories cannot be aligned")
    train = context_features[(records["split"] == "train").to_numpy()]
    mean, std = train.mean(), train.std()
    constant = [name for name in std.index if not std[name] > 0]
    if constant:
        raise ValueError(f"context_features: {constant} do not vary over the training images")
    standardised = ((context_features - mean) / std).to_numpy(np.float32, copy=True)
    concepts = [
        Concept(str(name), "aligned", units.get(str(name), ""), float(mean[name]), float(std[name]))
        for name in context_features.columns
    ]
    return torch.as_tensor(standardised), concepts
