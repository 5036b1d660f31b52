import json

import numpy as np
import pytest
import torch

from glance_pipeline.twin.networks import Codes, Concept, SurrogateShape, TwinSurrogate
from glance_pipeline.twin.testing import tiny_surrogate


def test_do_changes_one_concept_and_nothing_else() -> None:
    surrogate = tiny_surrogate()
    codes = surrogate.encode(torch.rand(5, 1, 8, 8) * 2 - 1)
    moved = surrogate.intervene(codes, {"tilt": 1.5})
    assert torch.equal(surrogate.read(moved, "tilt"), torch.full((5,), 1.5))
    for name in ("size", "latent_1"):
        assert torch.equal(surrogate.read(moved, name), surrogate.read(codes, name))
    assert torch.equal(moved.residual, codes.residual)
    assert not torch.equal(surrogate.read(codes, "tilt"), torch.full((5,), 1.5))


def test_units_of_an_aligned_concept() -> None:
    surrogate = tiny_surrogate()
    assert surrogate.to_units("size", 2.0) == 4.0
    assert surrogate.standardise("size", 4.0) == 2.0


def test_an_unknown_concept_is_named_with_those_there_are() -> None:
    with pytest.raises(KeyError, match=r"colour.*size.*tilt"):
        tiny_surrogate().concept("colour")


def test_weights_and_header_rebuild_the_same_surrogate() -> None:
    surrogate = tiny_surrogate()
    tensors, header = surrogate.to_weights()
    again = TwinSurrogate.from_weights(tensors, json.loads(json.dumps(header)))
    images = torch.rand(3, 1, 8, 8) * 2 - 1
    assert torch.equal(
        again.generate(again.encode(images)), surrogate.generate(surrogate.encode(images))
    )
    assert again.concepts == surrogate.concepts


@pytest.mark.parametrize(("size", "channels"), [(8, 1), (64, 3)])
def test_any_power_of_two_grey_or_rgb(size: int, channels: int) -> None:
    widths = (8,) * {8: 2, 64: 5}[size]
    surrogate = TwinSurrogate(SurrogateShape((channels, size, size), 4, 6, 3, 5, widths))
    images = torch.rand(2, channels, size, size)
    codes = surrogate.encode(images)
    assert surrogate.generate(codes).shape == images.shape
    assert surrogate.predict(codes).shape == (2, 4)


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        (SurrogateShape((1, 24, 24), 2, 2, 2, 2, (8, 8)), "24 is no power of two"),
        (SurrogateShape((1, 32, 32), 2, 2, 2, 2, (8, 8)), "2 values .* wants 4"),
    ],
)
def test_sizes_that_do_not_fit_are_explained(shape: SurrogateShape, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TwinSurrogate(shape)


def test_concepts_must_match_the_code() -> None:
    shape = SurrogateShape((1, 8, 8), 2, 2, 3, 2, (8, 8))
    with pytest.raises(ValueError, match="1 concepts are described, but the code has 3"):
        TwinSurrogate(shape, [Concept("size", "aligned")])


def test_pictures_are_what_is_drawn_rounded_whatever_the_batches():
    surrogate = tiny_surrogate()
    generator = torch.Generator().manual_seed(0)
    codes = Codes(torch.randn(5, 3, generator=generator), torch.randn(5, 4, generator=generator))
    drawn = surrogate.generate_batched(codes, 2).detach().numpy()
    pictures = surrogate.pictures(codes, 2)
    assert pictures.dtype == np.uint8
    assert np.array_equal(pictures, np.round((drawn + 1) * 127.5).astype(np.uint8))
