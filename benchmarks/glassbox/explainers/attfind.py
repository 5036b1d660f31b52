"""StylEx's AttFind, independent selection: every concept is sent to its bounds by itself.

Lang et al. 2021 (arXiv 2104.13369, Algorithm 1) order coordinates by what each does alone, averaged
over images. Here the coordinates are the surrogate's concepts, latent ones among them.
"""

import torch

from benchmarks.glassbox.explainers.question import Question
from glance_pipeline.explanations.counterfactuals.one_bound import send_to_bounds


def sizes_by_attfind(question: Question) -> dict[str, float]:
    """Return the mean absolute change of the teacher's margin at a concept's bounds.

    Args:
        question: what is asked.

    Returns:
        By active concept, in logits, averaged over the held-out images and both bounds; a bound at
        which a concept is already changes nothing.
    """
    landscape = question.landscape_of_margin()
    nothing = landscape.nothing(torch.arange(len(landscape.codes)))
    at_bounds = send_to_bounds(landscape, nothing).leads
    changes = at_bounds - landscape.estimates(nothing)[:, None, None]
    sizes = changes.masked_fill(~changes.isfinite(), 0.0).abs().mean((0, 1))
    return dict(zip(landscape.names, sizes.tolist(), strict=True))
