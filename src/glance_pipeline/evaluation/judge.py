"""A judge of interventions for images that no morphometry measures: a network of its own."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from glance_pipeline.evaluation.aligned_concepts import alignment_accuracy, alignment_r2
from glance_pipeline.evaluation.intervention_matrix import Measure, aligned_names
from glance_pipeline.images.form import in_batches
from glance_pipeline.support.errors import UserError
from glance_pipeline.twin.networks import Codes, Concept, TwinSurrogate
from glance_pipeline.twin.networks.attribute_reader import AttributeReader
from glance_pipeline.twin.networks.concept import shares


def as_aligned(
    context: Tensor, concepts: Sequence[Concept], surrogate: TwinSurrogate
) -> tuple[Tensor, list[Concept]]:
    """Bring standardised features into the codes of the surrogate, in its concepts' order.

    The table may be newer than the alignment: then its mean and standard deviation are others, and
    it may have more features.

    Args:
        context: (N, J), NaN where not known.
        concepts: concepts of its columns, with the mean and standard deviation that it was
            standardised by.
        surrogate: after alignment.

    Returns:
        (N, aligned concepts), and these concepts.

    Raises:
        UserError: if a concept is aligned with a feature that the table does not have.
    """
    columns = {concept.name: index for index, concept in enumerate(concepts)}
    aligned = [concept for concept in surrogate.concepts if concept.kind == "aligned"]
    missing = [concept.name for concept in aligned if concept.name not in columns]
    if missing:
        raise UserError(
            f"context_features: found {list(columns)}, wanted {missing} too, which the surrogate "
            "was aligned with: run the pipeline align again"
        )
    values = shares(context, concepts)[:, [columns[concept.name] for concept in aligned]]
    mean, std = (torch.tensor([getattr(c, field) for c in aligned]) for field in ("mean", "std"))
    return (values - mean) / std, aligned


def measure_by(judge: AttributeReader, surrogate: TwinSurrogate) -> Measure:
    """Return a measure of the aligned features by a network that took no part in training.

    Args:
        judge: trained on real images alone.
        surrogate: after alignment, on the same features.

    Returns:
        A function of uint8 images (N, C, H, W): one row per image, one column per aligned concept,
        in its units; of binary features and levels, a probability.
    """
    names = aligned_names(surrogate)

    def measure(images: np.ndarray) -> pd.DataFrame:
        codes = _read(judge, images)
        return pd.DataFrame(
            {name: surrogate.to_units(name, codes[:, i]).numpy() for i, name in enumerate(names)}
        )

    return measure


def quality_of(
    judge: AttributeReader, surrogate: TwinSurrogate, images: np.ndarray, context: pd.DataFrame
) -> dict[str, Any]:
    """Return how well the judge reads real held-out images: its word is worth no more.

    Args:
        judge: as for ``measure_by``.
        surrogate: likewise.
        images: uint8 (N, C, H, W), held out.
        context: their features, one column for each, in units.

    Returns:
        ``r2`` of numbers and ``balanced_accuracy`` of the others, by feature, as in alignment.
    """
    read = _read(judge, images)
    missing = len(surrogate.concepts) - read.shape[1]
    codes = Codes(torch.cat([read, torch.zeros(len(read), missing)], 1), torch.zeros(len(read), 0))
    found = {
        "r2": alignment_r2(surrogate, codes, context),
        "balanced_accuracy": alignment_accuracy(surrogate, codes, context),
    }
    return {name: scores for name, scores in found.items() if scores}


@torch.no_grad()
def _read(judge: AttributeReader, images: np.ndarray) -> Tensor:
    return torch.cat([judge(batch) for batch in in_batches(images)])
