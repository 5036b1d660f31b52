"""How far a code is from the context features, each kind in its own way."""

import torch
import torch.nn.functional as F
from torch import Tensor

from glance_pipeline.twin.networks import Concept
from glance_pipeline.twin.networks.concept import binary_logits, by_feature, level_logits, shares


def feature_errors(found: Tensor, wanted: Tensor, concepts: tuple[Concept, ...]) -> Tensor:
    """Return the error of each image and feature, (B, F); 0 where no value is known.

    Continuous: (u − c)². Binary: cross-entropy of σ(ℓ(u)) against σ(ℓ(c)), the probabilities that
    found and wanted code stand for. Categorical: cross-entropy of softmax(ℓ(u)) against
    softmax(ℓ(c)), and (Σ b_k(u) − 1)², since a softmax does not say what its logits add up to. ℓ
    and b are those of ``networks/concept.py``; each error is least where u = c.

    Args:
        found: codes of the aligned concepts, (B, J).
        wanted: standardised context features or intended codes, (B, J), NaN where not known.
        concepts: all concepts of the code; the first J are the aligned ones.
    """
    known = ~wanted.isnan()
    complete = bool(known.all())
    if not complete:
        wanted = torch.where(known, wanted, found.detach())
    aligned = concepts[: wanted.shape[1]]
    if all(concept.measure == "continuous" for concept in aligned):
        errors = (found - wanted).square()
        return errors if complete else errors * known
    features = list(by_feature(aligned).values())
    errors = torch.stack(
        [_error(found[:, i], wanted[:, i], [aligned[k] for k in i]) for i in features], 1
    )
    return errors if complete else errors * known[:, [members[0] for members in features]]


def mean_feature_error(found: Tensor, wanted: Tensor, concepts: tuple[Concept, ...]) -> Tensor:
    """Return the mean over features of each one's mean error over the images with a value.

    It is 0 where there is no feature.

    Args:
        found: codes of the aligned concepts, (B, J).
        wanted: standardised context features or intended codes, (B, J), NaN where not known.
        concepts: all concepts of the code; the first J are the aligned ones.
    """
    if not wanted.shape[1]:
        return found.sum()
    errors = feature_errors(found, wanted, concepts)
    missing = wanted.isnan()
    if not missing.any():
        return errors.mean()
    first = [members[0] for members in by_feature(concepts[: wanted.shape[1]]).values()]
    known = (~missing[:, first]).sum(0)
    return (errors.sum(0) / known.clamp_min(1)).mean()


def _error(found: Tensor, wanted: Tensor, members: list[Concept]) -> Tensor:
    """Return the error (B,) of one feature from the codes (B, K) of its K dimensions."""
    measure = members[0].measure
    if measure == "continuous":
        return (found - wanted).square()[:, 0]
    if measure == "binary":
        said, meant = (binary_logits(codes[:, 0], members[0]) for codes in (found, wanted))
        return F.binary_cross_entropy_with_logits(said, meant.sigmoid(), reduction="none")
    meant = level_logits(wanted, members).softmax(1)
    total = shares(found, members).sum(1)
    return (
        F.cross_entropy(level_logits(found, members), meant, reduction="none")
        + (total - 1).square()
    )
