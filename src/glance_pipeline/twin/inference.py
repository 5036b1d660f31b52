"""The concept table: what the student infers from every image, and what the teacher answers."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from tqdm import tqdm

from glance_pipeline.classifiers.classifier import Classifier
from glance_pipeline.images.form import AT_ONCE, in_batches
from glance_pipeline.twin.concept_table import ConceptTable
from glance_pipeline.twin.networks import TwinSurrogate


@torch.no_grad()
def infer_concepts(
    surrogate: TwinSurrogate,
    classifier: Classifier,
    images: np.ndarray,
    outcomes: Sequence[int] | None = None,
) -> ConceptTable:
    """Infer the active concepts and the teacher's margins of all images, with a progress bar.

    Args:
        surrogate: its student infers the codes.
        classifier: the teacher.
        images: uint8, (N, C, H, W), as they are at rest.
        outcomes: numbers of the classes whose margins the table holds; None takes all.

    Returns:
        N rows; aligned concepts in their units, latent ones in standard deviations, margins in
        logits, or numbers in their units. Pruned concepts are left out.

    Raises:
        ValueError: if no concept is active.
    """
    active = [surrogate.concept(name) for name in surrogate.active_concepts]
    if not active:
        raise ValueError(
            "every concept of the surrogate was pruned: none changes the generated image"
        )
    codes: list[Tensor] = []
    answers: list[Tensor] = []
    batches = in_batches(images)
    total = -(-len(images) // AT_ONCE)
    for batch in tqdm(batches, total=total, desc="concepts of images", unit="batch"):
        inferred = surrogate.encode(batch)
        codes.append(torch.stack([surrogate.read(inferred, c.name) for c in active], dim=1))
        answers.append(classifier.task.measures(classifier.logits(batch), outcomes))
    task = classifier.task
    chosen = range(len(task.names)) if outcomes is None else outcomes
    standardised = torch.cat(codes).double().numpy()
    return ConceptTable(
        concepts=pd.DataFrame(
            {c.name: surrogate.to_units(c.name, standardised[:, k]) for k, c in enumerate(active)}
        ),
        margins=pd.DataFrame(
            torch.cat(answers).double().numpy(),
            columns=[task.names[k] for k in chosen],
        ),
        kinds={c.name: c.kind for c in active},
        units={c.name: c.unit for c in active},
        features={c.name: c.feature for c in active if c.feature},
        measure=task.measure,
        outcome_units={task.names[k]: task.unit_of(k) for k in chosen},
    )
