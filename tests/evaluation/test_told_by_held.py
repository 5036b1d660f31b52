"""What is held tells of what is moved: codes whose shares are known by hand."""

import numpy as np
import pytest
import torch

from glance_pipeline.evaluation.told_by_held import told_by_held
from glance_pipeline.twin.networks import Codes, Concept, SurrogateShape, TwinSurrogate


def surrogate() -> TwinSurrogate:
    concepts = [
        Concept("size", "aligned", "px"),
        Concept("tilt", "aligned", "rad"),
        Concept("glasses", "aligned", measure="binary", mean=0.5, std=0.5, levels=("no", "yes")),
        Concept("latent_1", "latent"),
    ]
    return TwinSurrogate(SurrogateShape((1, 8, 8), 2, 3, 4, 2, (8, 8), 16, 16), concepts)


def codes_of(count: int, seed: int) -> Codes:
    """The size is told by a product of two dimensions that are held, the tilt by none."""
    code = torch.randn(count, 6, generator=torch.Generator().manual_seed(seed))
    sign = code[:, 3].sign()
    code[:, 4] = sign * (0.8 * code[:, 0] + 0.6 * code[:, 4])
    return Codes(code[:, :4], code[:, 4:])


def test_what_a_product_of_held_dimensions_tells_is_found() -> None:
    told = told_by_held(surrogate(), codes_of(6000, 0), codes_of(2000, 1), np.random.default_rng(0))
    assert set(told) == {"size", "tilt"}
    assert told["size"] == pytest.approx(0.64, abs=0.06)
    assert told["tilt"] == pytest.approx(0, abs=0.05)


def test_of_few_codes_it_says_nothing() -> None:
    assert (
        told_by_held(surrogate(), codes_of(49, 0), codes_of(99, 1), np.random.default_rng()) == {}
    )
