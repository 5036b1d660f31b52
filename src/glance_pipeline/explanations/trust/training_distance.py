"""How far an image's concepts lie from those of the training images, all concepts taken together.

The distance to the k-th nearest training image, a measure that assumes no shape of the cloud (Sun
et al. 2022, "Out-of-distribution detection with deep nearest neighbors", arXiv 2204.06507; there in
a network's features). Directions count by their spread, so that what always goes together in the
training images is far where it does not. What a distance means is read off the training images'
own, each to the others: which share of them lies further out.
"""

import numpy as np
from torch import Tensor

_SAME = 1e-3
"""Distance within which a training image is taken for the image itself."""

_NARROWEST = 0.1
"""Least spread a direction is taken to have, where each concept has 1: what is narrower may be the
student's noise."""


class TrainingDistance:
    """Compares codes with those of the training images.

    Args:
        codes: codes of the active concepts of T training images, (T, D).
        neighbours: k; fewer where there are no more training images.

    Raises:
        ValueError: if there are fewer than 2 training images.
    """

    def __init__(self, codes: Tensor, neighbours: int = 10) -> None:
        from sklearn.decomposition import PCA
        from sklearn.neighbors import NearestNeighbors
        from sklearn.preprocessing import StandardScaler

        if len(codes) < 2:
            raise ValueError(
                f"distance from the training images: found {len(codes)}, at least 2 are wanted"
            )
        self.number = len(codes)
        self._neighbours = min(neighbours, len(codes) - 1)
        self._scaler = StandardScaler().fit(codes.double().numpy())
        self._directions = PCA().fit(self._scaler.transform(codes.double().numpy()))
        self._nearest = NearestNeighbors(n_neighbors=self._neighbours + 1)
        self._nearest.fit(self._points(codes))
        own, _ = self._nearest.kneighbors(n_neighbors=self._neighbours)
        self._distances = np.sort(own[:, -1])

    def further_out(self, codes: Tensor) -> np.ndarray:
        """Return how many training images lie further out than each of N codes (N, D).

        A training image is compared with the others, as if it were not among them.
        """
        if not len(codes):
            return np.zeros(0, np.int64)
        found, _ = self._nearest.kneighbors(self._points(codes))
        distances = np.where(found[:, 0] < _SAME, found[:, -1], found[:, -2])
        # Rounding makes nothing further out.
        return self.number - np.searchsorted(self._distances, distances * (1 + 1e-6), side="right")

    def _points(self, codes: Tensor) -> np.ndarray:
        """Return codes (N, D) along the directions of the training images, by their spread."""
        along = self._directions.transform(self._scaler.transform(codes.double().numpy()))
        return along / np.sqrt(self._directions.explained_variance_).clip(_NARROWEST)
