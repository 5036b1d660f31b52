"""Codes of training images: those that stand for "not known", and what lies among them."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from glance_pipeline.support.seeding import numpy_generator, seed_sequence
from glance_pipeline.twin.concept_table import ConceptTable
from glance_pipeline.twin.networks import TwinSurrogate


@dataclass(frozen=True)
class Background:
    """Codes that stand for "not known".

    Attributes:
        values: standardised values of the active concepts, float (B, D).
        weights: weights of each, float64 (B,); they sum to 1.
    """

    values: Tensor
    weights: Tensor

    @classmethod
    def even(cls, values: Tensor) -> "Background":
        """Give all codes (B, D) the same weight."""
        number = len(values)
        return cls(values, torch.full((number,), 1 / number, dtype=torch.float64))

    def __len__(self) -> int:
        return len(self.values)


def training_rows(table: ConceptTable, records: pd.DataFrame) -> list[int]:
    """Return the positions in the table of the training images.

    Args:
        table: concepts of all images.
        records: records of all prepared images, with their ``split``.
    """
    split = records["split"].to_numpy()[table.concepts.index.to_numpy()]
    return np.flatnonzero(split == "train").tolist()


def training_codes(surrogate: TwinSurrogate, table: ConceptTable, rows: list[int]) -> Tensor:
    """Return the codes of training images as the student inferred them.

    Args:
        surrogate: names the active concepts and standardises their values.
        table: concepts of all images.
        rows: positions in the table of the training images, in the order wanted.

    Returns:
        Codes of the active concepts, float (rows, D).

    Raises:
        ValueError: if the table lacks an active concept, or where ``rows`` is empty.
    """
    missing = [name for name in surrogate.active_concepts if name not in table.concepts]
    if missing:
        raise ValueError(
            f"the concept table has no column for {missing}: it belongs to another surrogate; "
            "run the discover pipeline again"
        )
    if not rows:
        raise ValueError("no training image to draw background codes from")
    columns = [
        surrogate.concept(name).to_code(table.concepts[name].to_numpy()[rows])
        for name in surrogate.active_concepts
    ]
    return torch.tensor(np.stack(columns, 1), dtype=torch.float32)


def background_codes(
    surrogate: TwinSurrogate, table: ConceptTable, rows: list[int], number: int, seed: int
) -> Tensor:
    """Draw background codes from the concept table.

    Args:
        surrogate: names the active concepts and standardises their values.
        table: concepts of all images.
        rows: positions in the table that may be drawn, those of the training images.
        number: how many are drawn, without replacement; all of ``rows`` where it has fewer.
        seed: seed of the draw.

    Returns:
        Codes of the active concepts as the student inferred them, float (number, D).

    Raises:
        ValueError: if the table lacks an active concept, or where ``rows`` is empty.
    """
    generator = numpy_generator(seed, "importance", "background")
    return training_codes(surrogate, table, generator.permutation(rows)[:number].tolist())


def representatives(codes: Tensor, number: int, seed: int) -> Background:
    """Choose few codes that stand for many: k-means, and of each cluster the code in its middle.

    The code nearest to the mean of its cluster is taken, weighted by the cluster's share, so that
    every one is that of an image. Columns count by their spread.

    Args:
        codes: codes of training images, float (N, D).
        number: number of codes wanted; all of them where there are fewer.
        seed: seed of the clusters' first middles.
    """
    if len(codes) <= number:
        return Background.even(codes)
    from sklearn.cluster import KMeans

    number = min(number, len(codes.unique(dim=0)))
    points = (codes / codes.std(0).clamp_min(1e-6)).double().numpy()
    state = int(seed_sequence(seed, "importance", "representatives").generate_state(1)[0])
    clusters = KMeans(number, n_init=4, random_state=state).fit(points)
    far = np.linalg.norm(points - clusters.cluster_centers_[clusters.labels_], axis=1)
    of_cluster = [np.flatnonzero(clusters.labels_ == k) for k in range(number)]
    middle = [int(rows[far[rows].argmin()]) for rows in of_cluster if len(rows)]
    shares = [len(rows) / len(points) for rows in of_cluster if len(rows)]
    return Background(codes[middle], torch.tensor(shares, dtype=torch.float64))
