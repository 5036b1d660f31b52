"""Reconstruction: L1 in pixels, structural similarity, and the teacher's own features."""

import torch
import torch.nn.functional as F
from torch import Tensor

from glance_pipeline.twin.objectives.twin_pass import TwinPass


class Reconstruction:
    """mean |x̂ − x| + σ · (1 − SSIM(x̂, x)) + ω · |φ(x̂) − φ(x)|² / |φ(x)|², where x̂ = G(E(x)).

    L1 alone lets strokes come out soft, with a peak in the middle and a faint haze around them;
    together with structural similarity images are restored better by either measure (Zhao et al.
    2017, "Loss functions for image restoration with neural networks"). The last term is a
    perceptual loss on the features of the classifier that is explained, so that what it looks at
    is redrawn with the most care (docs: Method; the idea of feature losses is that of Johnson
    et al. 2016, arXiv 1603.08155).

    Args:
        perceptual: ω, weight of the feature term beside the pixel term.
        structural: σ, weight of the structural term.
    """

    name = "reconstruction"

    def __init__(self, perceptual: float = 0.05, structural: float = 0.3) -> None:
        self.perceptual = perceptual
        self.structural = structural

    def __call__(self, step: TwinPass) -> Tensor:
        """Return a scalar for the batch."""
        pixels = F.l1_loss(step.reconstruction, step.batch.images)
        structure = 1.0 - structural_similarity(step.reconstruction, step.batch.images)
        return (
            pixels
            + self.structural * structure
            + self.perceptual
            * relative_square_error(step.reconstruction_answer.features, step.batch.answer.features)
        )


def relative_square_error(found: Tensor, wanted: Tensor) -> Tensor:
    """Return Σ (found − wanted)² / Σ wanted², which no rescaling of the features changes."""
    return (found - wanted).square().sum() / wanted.square().sum().clamp_min(1e-8)


def structural_similarity(found: Tensor, wanted: Tensor, window: int = 7) -> Tensor:
    """Return the mean structural similarity of two batches of images, at most 1.

    Wang et al. 2004, "Image quality assessment: from error visibility to structural similarity",
    eq. 13, with a uniform window and unbiased variances, as scikit-image computes it by default.

    Args:
        found: (N, C, H, W) in [−1, 1].
        wanted: likewise.
        window: height and width of the window; smaller where the images are.
    """
    window = min(window, *found.shape[2:])
    pixels = window**2
    mean_found, mean_wanted = (window_means(x, window) for x in (found, wanted))
    squares, products = (
        window_means(x, window) for x in (found.square() + wanted.square(), found * wanted)
    )
    unbiased = pixels / max(pixels - 1, 1)
    variances = (squares - mean_found.square() - mean_wanted.square()) * unbiased
    covariance = (products - mean_found * mean_wanted) * unbiased
    # The constants of Wang et al. for a range of 2, from −1 to 1.
    c1, c2 = (0.01 * 2) ** 2, (0.03 * 2) ** 2
    luminance = (2 * mean_found * mean_wanted + c1) / (
        mean_found.square() + mean_wanted.square() + c1
    )
    contrast = (2 * covariance + c2) / (variances + c2)
    return (luminance * contrast).mean()


def window_means(x: Tensor, window: int) -> Tensor:
    """Return the mean of every full square window of images, float32.

    Two products with a banded matrix, one for the rows and one for the columns: on a CPU pooling
    with a stride of 1 takes several times as long, and was a third of a training step on a batch
    of 64 px in colour.

    Args:
        x: (N, C, H, W), float32.
        window: height and width of the window.

    Returns:
        (N, C, H − window + 1, W − window + 1).
    """
    down, across = (
        torch.ones(size, size, device=x.device).tril().triu(1 - window)[:, : size - window + 1]
        / window
        for size in x.shape[2:]
    )
    # Variances are differences of these means: half precision would leave nothing of them.
    with torch.autocast(x.device.type, enabled=False):
        return down.T @ x @ across
