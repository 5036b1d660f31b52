"""Train the attribute reader, on images weighted as if the context features were independent."""

import logging
from collections.abc import Sequence
from functools import partial

import numpy as np
import torch
from sklearn.ensemble import HistGradientBoostingClassifier
from torch import Tensor

from glance_pipeline.config.align import ReaderParameters
from glance_pipeline.config.training import StageParameters
from glance_pipeline.context.watched import FEWEST_IMAGES, Watched, watch
from glance_pipeline.support.seeding import (
    numpy_generator,
    seed_sequence,
    seeded_torch,
    torch_generator,
)
from glance_pipeline.twin.networks import Concept
from glance_pipeline.twin.networks.attribute_reader import AttributeReader
from glance_pipeline.twin.networks.concept import by_feature
from glance_pipeline.twin.networks.layers import channels_last
from glance_pipeline.twin.objectives.feature_error import feature_errors
from glance_pipeline.twin.training.supervised import Examples, train_supervised

logger = logging.getLogger(__name__)


def train_reader(
    images: np.ndarray,
    context: Tensor,
    concepts: Sequence[Concept],
    parameters: ReaderParameters,
    seed: int,
    purpose: str = "reader",
    *,
    watched: Watched | None = None,
) -> AttributeReader:
    """Train a reader of the context features on real images and freeze it.

    Where two features go together in the data, a reader fitted to the data as they are learns to
    read one off the other, and an intervention on one would then be asked to move both. Weights
    Π p(c_j) / p(c) make the features independent in the weighted data. The reader answers in codes,
    whose error is that of ``objectives/feature_error.py``.

    Args:
        images: uint8 (N, C, H, W), the training split.
        context: standardised features of those images, (N, J), NaN where not known.
        concepts: that the columns of ``context`` are to be aligned with.
        parameters: size and schedule.
        seed: the run's seed.
        purpose: what the reader is for; another one draws other weights and batches.
        watched: properties that it is to read besides.
    """
    shape: tuple[int, int, int] = (images.shape[1], images.shape[2], images.shape[3])
    aligned = tuple(concepts)
    with seeded_torch(seed, purpose, "weights"):
        names = tuple(concept.name for concept in aligned)
        properties = () if watched is None or not aligned else watched.names
        reader = AttributeReader(names, shape, parameters.widths, parameters.hidden, properties)
    if not aligned:
        logger.info("attribute reader: there is no context feature to read")
        return channels_last(reader).requires_grad_(False).eval()
    columns = one_column_a_feature(context, aligned)
    weights = independence_weights(
        columns, parameters.independence, parameters.largest_weight, seed
    )
    effective = float(weights.sum() ** 2 / (weights**2).sum())
    logger.info(
        "attribute reader: weighted towards independent features, effective sample %.0f of %d",
        effective,
        len(weights),
    )
    targets = context
    if watched is not None:
        reader.watch(watched)
        targets = torch.cat([context, torch.as_tensor(watched.measure(images)).float()], 1)
    train_supervised(
        "attribute reader",
        reader,
        partial(reading_errors, concepts=aligned),
        Examples(images, targets, torch.as_tensor(weights, dtype=torch.float32)),
        parameters,
        torch_generator(seed, purpose, "batches"),
    )
    return reader.requires_grad_(False).eval()


def reading_errors(found: Tensor, wanted: Tensor, concepts: Sequence[Concept]) -> Tensor:
    """Return the error of each image (B,): the mean over features, and that over properties.

    Args:
        found: what is read, (B, J + P).
        wanted: what is measured, (B, J + P), NaN where not known.
        concepts: of the J features.
    """
    count = len(concepts)
    errors = feature_errors(found[:, :count], wanted[:, :count], tuple(concepts)).mean(1)
    if found.shape[1] == count:
        return errors
    return errors + (found[:, count:] - wanted[:, count:]).square().mean(1)


def watched_for(
    images: np.ndarray, context: Tensor, concepts: Sequence[Concept], stage: StageParameters
) -> Watched | None:
    """Return the properties that a stage wants to be held, None where it wants none.

    Args:
        images: uint8 (N, C, H, W), the training split.
        context: standardised features of those images, (N, J), NaN where not known.
        concepts: of its columns.
        stage: says whether properties are held.
    """
    held = stage.objectives.get("unnamed_preservation")
    if held is None or held.weight == 0 or not concepts:
        return None
    if len(images) < FEWEST_IMAGES:
        logger.warning(
            "unnamed_preservation holds nothing: there are %d training images, wanted %d",
            len(images),
            FEWEST_IMAGES,
        )
        return None
    found = watch(images, context.numpy(), tuple(concept.name for concept in concepts))
    if not found.names:
        logger.warning("unnamed_preservation holds nothing: the features tell every property")
        return None
    return found


def one_column_a_feature(context: Tensor, concepts: Sequence[Concept]) -> np.ndarray:
    """Return (N, F): the columns as they are, the levels of a categorical feature as one number.

    Args:
        context: standardised, (N, J), NaN where not known.
        concepts: concepts of its columns.
    """
    features = list(by_feature(concepts).values())
    if len(features) == context.shape[1]:
        return context.numpy()
    columns = []
    for members in features:
        values = context[:, members]
        number = values.argmax(1).float().masked_fill(values.isnan().any(1), torch.nan)
        columns.append(values[:, 0] if len(members) == 1 else number)
    return torch.stack(columns, 1).numpy()


def independence_weights(
    context: np.ndarray, exponent: float, largest: float, seed: int
) -> np.ndarray:
    """Return (Π p(c_j) / p(c))^exponent for each row, clipped, mean 1.

    The density ratio is the odds of a classifier between rows whose columns are permuted
    independently (label 1) and the rows themselves (label 0): Sugiyama et al. 2012, "Density
    Ratio Estimation in Machine Learning", §4.

    Args:
        context: (N, F), one column per feature; what is missing is NaN, a value of its own.
        exponent: 0 gives equal weights, 1 the full ratio.
        largest: clip of the ratio, above; its inverse below.
        seed: the run's seed.

    Returns:
        float64 (N,).
    """
    if exponent == 0 or context.shape[1] < 2:
        return np.ones(len(context))
    rng = numpy_generator(seed, "reader", "permutations")
    copies = 4
    apart = np.concatenate(
        [np.column_stack([rng.permutation(column) for column in context.T]) for _ in range(copies)]
    )
    rows = np.concatenate([np.repeat(context, copies, axis=0), apart])
    labels = np.repeat([0, 1], len(apart))
    model = HistGradientBoostingClassifier(
        max_leaf_nodes=15,
        min_samples_leaf=100,
        random_state=int(seed_sequence(seed, "reader", "ratio").generate_state(1)[0]),
    ).fit(rows, labels)
    probability = model.predict_proba(context)[:, 1]
    ratio = np.clip(probability / (1 - probability), 1 / largest, largest) ** exponent
    return ratio / ratio.mean()
