"""Dose–response curves: the average margin while one concept is set to a few values."""

from typing import NamedTuple

import numpy as np
from scipy import stats

from glance_pipeline.graph.effects.experiment import Experiment

# Margins come from single-precision networks: differences below this share of a margin are noise
# of the arithmetic, whatever their spread over images.
_ROUNDING = 1e-5


class Response(NamedTuple):
    """Average margins of K classes at D values of one concept.

    Attributes:
        values: (D,), in the concept's unit; positions in ``levels`` of a categorical feature.
        codes: (D,), the same in standard deviations.
        levels: D names of a categorical feature's levels; empty for any other concept.
        margins: (D, K), averages over images, in logits.
        resampled: (resamples, D, K), the same on bootstrap resamples of the images.
        p_values: (K,), of the test that a curve is flat; NaN where it was not made.
    """

    values: np.ndarray
    codes: np.ndarray
    levels: tuple[str, ...]
    margins: np.ndarray
    resampled: np.ndarray
    p_values: np.ndarray


def measure_response(
    experiment: Experiment,
    name: str,
    doses: int,
    resamples: int,
    generator: np.random.Generator,
) -> Response:
    """Set one concept to each of a few values on every image, and ask the teacher.

    The values are spaced evenly in the code from the concept's low to its high; a binary feature
    takes the two ends alone.

    Args:
        experiment: the images, and the networks.
        name: name of the concept.
        doses: number D of values, at least 3.
        resamples: bootstrap resamples of the images.
        generator: draws them.
    """
    concept = experiment.surrogate.concept(name)
    points = np.linspace(concept.low, concept.high, 2 if concept.measure == "binary" else doses)
    margins = np.stack([experiment.margins({name: float(point)}) for point in points], axis=1)
    values = np.asarray(concept.to_units(points), dtype=np.float64)
    return summarise_response(margins, values, points, (), resamples, generator)


def summarise_response(
    margins: np.ndarray,
    values: np.ndarray,
    codes: np.ndarray,
    levels: tuple[str, ...],
    resamples: int,
    generator: np.random.Generator,
) -> Response:
    """Average the margins (N, D, K) of N images over images, and over bootstrap resamples.

    Curves of three values or more are tested; with two, and between levels, the average effects
    say the same.
    """
    images, doses, classes = margins.shape
    counts = generator.multinomial(images, np.full(images, 1 / images), size=resamples)
    resampled = (counts @ margins.reshape(images, -1) / images).reshape(-1, doses, classes)
    tested = doses > 2 and not levels
    p_values = [flatness(margins[:, :, k]) if tested else np.nan for k in range(classes)]
    return Response(values, codes, levels, margins.mean(0), resampled, np.array(p_values))


def flatness(margins: np.ndarray) -> float:
    """Return the p-value of the test that the average curve is flat (Hotelling 1931).

    The differences to the first value are D − 1 variables, measured on every image; their means
    are all zero where the curve is flat, whatever the curves of single images are. The statistic
    is N d̄ᵀ S⁻¹ d̄, whose distribution under the null is that of a scaled F. Directions in which the
    curves of all images are alike but for rounding are no variables: a mean in one is certain.

    Args:
        margins: margins of one class, (N, D).

    Returns:
        p-value; NaN where there are not more images than values.
    """
    images, doses = margins.shape
    if images <= doses:
        return float("nan")
    differences = margins[:, 1:] - margins[:, :1]
    rounding = max(_ROUNDING * np.abs(margins).max(), 1e-12) ** 2
    spread, directions = np.linalg.eigh(np.cov(differences, rowvar=False))
    mean = directions.T @ differences.mean(0)
    statistic = images * (mean**2 / (spread + rounding)).sum()
    # Where all curves are straight their differences have one degree of freedom, not D − 1.
    freedom = max(int((spread > rounding).sum()), 1)
    scale = (images - freedom) / (freedom * (images - 1))
    return float(stats.f.sf(scale * statistic, freedom, images - freedom))


def size_of_curve(margins: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Return how much curves move, in logits per standard deviation of the concept.

    √(Σ(m_d − m̄)² / Σ(u_d − ū)²): the absolute slope of a straight line, and as much for a bent
    curve that moves as far.

    Args:
        margins: (…, D, K).
        codes: (D,), in standard deviations.

    Returns:
        (…, K), ≥ 0.
    """
    moved = ((margins - margins.mean(-2, keepdims=True)) ** 2).sum(-2)
    return np.sqrt(moved / ((codes - codes.mean()) ** 2).sum())
