"""Counterfactual images against the true ones, where our own renderer drew the images.

The renderer can draw the same digit with one feature changed and nothing else: that is what
do(feature = v) should look like, pixel by pixel. One limit: length is measured, not set, so the
renderer lets it follow thickness and slant, while do() holds the concept of length. Where length is
a concept, part of what is found is that difference.
"""

import logging
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from skimage.metrics import structural_similarity

from glance_pipeline.digits.render import render_digits
from glance_pipeline.evaluation.axioms import l1
from glance_pipeline.evaluation.intervention_matrix import aligned_names
from glance_pipeline.twin.networks import TwinSurrogate

logger = logging.getLogger(__name__)

SETTABLE = ("thickness", "slant", "intensity")
"""The features that the renderer sets, each on its own."""

_TRIED = 8  # images that are drawn anew to see that they are the renderer's
_SAME = 1.0  # grey levels on average; the renderer gives the same bytes on the same machine


@dataclass(frozen=True)
class RenderedDigits:
    """N images and what the renderer drew them from.

    Attributes:
        images: uint8 (N, 1, H, H).
        sources: uint8 (N, h, w), the digits that they are drawings of.
        intended: N rows, the columns of ``SETTABLE`` that they were drawn with; what is measured
            on the drawing differs a little.
    """

    images: np.ndarray
    sources: np.ndarray
    intended: pd.DataFrame

    def select(self, rows: np.ndarray) -> "RenderedDigits":
        """Return the digits for which ``rows``, bool (N,), is true."""
        intended = self.intended[rows].reset_index(drop=True)
        return RenderedDigits(self.images[rows], self.sources[rows], intended)

    def redraw(self, name: str, values: np.ndarray, workers: int | None) -> np.ndarray:
        """Draw all of them with feature ``name`` at ``values`` (N,): uint8 (N, 1, H, H)."""
        features = self.intended.assign(**{name: values})
        size = self.images.shape[-1]
        return render_digits(self.sources, features, size, workers, progress=False)[:, None]


def rendered_digits(
    images: np.ndarray, sources: np.ndarray, records: pd.DataFrame, rows: np.ndarray
) -> RenderedDigits:
    """Return images ``rows`` with what they were drawn from, having made sure that they were.

    Args:
        images: uint8 (N, C, H, W), all of them.
        sources: uint8 (N, h, w), the source digit of each.
        records: N rows with the columns ``intended_<feature>``.
        rows: numbers of the images that are wanted.

    Raises:
        ValueError: if the images cannot be our renderer's drawings of the sources; it says why.
    """
    columns = {f"intended_{name}": name for name in SETTABLE}
    missing = sorted(set(columns) - set(records.columns))
    if missing:
        raise ValueError(f"image_records has no columns {missing}, so no renderer drew the images")
    if len(sources) != len(images) or images.shape[1] != 1:
        raise ValueError(
            f"images of shape {images.shape} are no drawings of {len(sources)} grey source digits"
        )
    intended = records.iloc[rows][list(columns)].rename(columns=columns).reset_index(drop=True)
    found = RenderedDigits(np.asarray(images[rows]), np.asarray(sources[rows]), intended)
    few = RenderedDigits(found.images[:_TRIED], found.sources[:_TRIED], intended[:_TRIED])
    again = few.redraw("thickness", few.intended["thickness"].to_numpy(), workers=1)
    difference = 127.5 * l1(again, few.images)
    if difference > _SAME:
        raise ValueError(
            f"the renderer draws the source digits {difference:.1f} grey levels off the images, "
            "so it did not draw them"
        )
    return found


def true_counterfactual_errors(
    surrogate: TwinSurrogate,
    digits: RenderedDigits,
    context: pd.DataFrame,
    rng: np.random.Generator,
    workers: int | None,
) -> dict[str, dict[str, float]]:
    """Return how far images of do(feature = v) are from the digit drawn anew with feature = v.

    v is the value measured on another image, and where that has none the image takes no part; the
    other features are drawn as they were for the image itself, so that the drawing with nothing
    changed *is* the image.

    Args:
        surrogate: after alignment.
        digits: N held-out images with what they were drawn from.
        context: their measured features, N rows.
        rng: says whose value each image is given.
        workers: processes of the renderer; None takes every available core.

    Returns:
        ``mae``, mean absolute error of images in [−1, 1], and ``ssim`` for each aligned continuous
        concept that the renderer can set and an image has a value of, with ``mae_unchanged`` and
        ``ssim_unchanged`` of the image itself, which is what doing nothing would read; and under
        ``reconstruction`` the first two between G(E(x)) and x, which no intervention can be
        expected to beat.
    """
    codes = surrogate.encode_array(digits.images)
    donors = rng.permutation(len(codes))
    redrawn = surrogate.pictures(codes)
    errors = {"reconstruction": compare(redrawn, digits.images)}
    for name in aligned_names(surrogate):
        if name not in SETTABLE or surrogate.concept(name).measure != "continuous":
            continue
        values = context[name].to_numpy(np.float64, na_value=np.nan)[donors]
        known = np.isfinite(values)
        if not known.any():
            logger.warning("true counterfactuals: %s left out, no known value", name)
            continue
        values, own = values[known], codes[torch.as_tensor(known)]
        wanted = torch.as_tensor(surrogate.standardise(name, values), dtype=own.concepts.dtype)
        drawn = surrogate.pictures(surrogate.intervene(own, {name: wanted}))
        these = digits.select(known)
        true = these.redraw(name, values, workers)
        unchanged = compare(these.images, true)
        errors[name] = compare(drawn, true) | {
            f"{measure}_unchanged": value for measure, value in unchanged.items()
        }
    return errors


def compare(drawn: np.ndarray, true: np.ndarray) -> dict[str, float]:
    """Return ``mae``, of images in [−1, 1], and ``ssim`` of uint8 images (N, 1, H, W), averaged.

    SSIM as in Wang et al., "Image quality assessment: from error visibility to structural
    similarity", IEEE TIP 13 (2004): Gaussian window of 1.5 px (11×11), grey levels, range 255.
    """
    similarities = [
        structural_similarity(
            a, b, data_range=255, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
        )
        for a, b in zip(drawn[:, 0], true[:, 0], strict=True)
    ]
    return {"mae": l1(drawn, true), "ssim": float(np.mean(similarities))}
