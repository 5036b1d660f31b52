"""What is held: a planted linear world whose right answer is known by hand."""

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor

from glance_pipeline.twin.basis.accompanying import Accompanying
from glance_pipeline.twin.basis.held import Told, settle_the_rest
from glance_pipeline.twin.networks import Codes, Concept, SurrogateShape, TwinSurrogate


def surrogate_of(latents: int = 3, classes: int = 2) -> TwinSurrogate:
    torch.manual_seed(0)
    concepts = [Concept("size", "aligned", "px"), Concept("tilt", "aligned", "rad")]
    concepts += [Concept(f"latent_{k + 1}", "latent") for k in range(latents)]
    shape = SurrogateShape((1, 8, 8), classes, 3, len(concepts), 5, (8, 8), style=16, hidden=16)
    return TwinSurrogate(shape, concepts).eval()


def images_of(count: int = 400) -> Tensor:
    return torch.rand(count, 1, 8, 8, generator=torch.Generator().manual_seed(1)) * 2 - 1


def weighted_correlations(codes: Codes, weights: Tensor) -> np.ndarray:
    z = torch.cat([codes.concepts, codes.residual], 1).double()
    share = weights.double() / weights.sum()
    centred = z - share @ z
    covariance = centred.T @ (share[:, None] * centred)
    scale = covariance.diagonal().rsqrt()
    return (covariance * scale[:, None] * scale).numpy()


@torch.no_grad()
def test_the_rest_is_uncorrelated_and_nothing_else_changes() -> None:
    surrogate, images = surrogate_of(), images_of()
    codes = surrogate.encode(images)
    weights = torch.rand(len(images), generator=torch.Generator().manual_seed(2)) + 0.1
    # The answer is what the first latent has of its own, given both aligned concepts.
    aligned, latent = codes.concepts[:, :2].double(), codes.concepts[:, 2].double()
    design = torch.cat([aligned, torch.ones(len(images), 1)], 1) * weights.sqrt()[:, None]
    slopes = torch.linalg.lstsq(design, (latent * weights.sqrt())[:, None]).solution[:, 0]
    own = latent - aligned @ slopes[:2]
    logits = torch.stack([own, -own], 1).float()

    settled = settle_the_rest(surrogate, Told(codes, logits, weights)).eval()
    now = settled.encode(images)
    assert torch.allclose(now.concepts[:, :2], codes.concepts[:, :2], atol=1e-4)
    assert torch.allclose(settled.generate(now), surrogate.generate(codes), atol=1e-4)
    assert torch.allclose(settled.predict(now), surrogate.predict(codes), atol=1e-4)

    found = weighted_correlations(now, weights)
    assert np.abs(found[2:, :2]).max() < 1e-3  # latents and residual with aligned concepts
    assert np.abs(found[5:, 2:5]).max() < 1e-3  # residual with latents
    assert np.abs(found[2:5, 2:5] - np.eye(3)).max() < 1e-3  # latents with each other
    assert found[0, 1] == pytest.approx(weighted_correlations(codes, weights)[0, 1], abs=1e-4)

    share = weights / weights.sum()
    answers = [float(np.corrcoef(now.concepts[:, k], own)[0, 1]) for k in range(2, 5)]
    assert answers[0] == pytest.approx(1, abs=0.02)  # one latent has all of it
    assert max(map(abs, answers[1:])) < 0.1
    assert (share @ now.concepts[:, 2:].square()).numpy() == pytest.approx(1, abs=1e-3)


@torch.no_grad()
def test_latents_that_repeat_one_another_become_one() -> None:
    surrogate, images = surrogate_of(2), images_of()
    codes = surrogate.encode(images)
    # The encoder's last layer makes the second latent nearly the first one.
    weight, bias = surrogate.encoder.exit.effective()
    weight, bias = weight.clone(), bias.clone()
    weight[3] = weight[2] + 0.05 * weight[3]
    bias[3] = bias[2]
    surrogate.encoder.exit.load_effective(weight, bias)
    codes = surrogate.encode(images)
    assert np.corrcoef(codes.concepts[:, 2], codes.concepts[:, 3])[0, 1] > 0.98
    own = (codes.concepts[:, 2] + codes.concepts[:, 3]) / 2
    told = Told(codes, torch.stack([own, -own], 1), torch.ones(len(images)))
    now = settle_the_rest(surrogate, told).eval().encode(images)
    found = weighted_correlations(now, torch.ones(len(images)))
    assert abs(found[2, 3]) < 1e-2
    partial = own - own.mean()
    told_part = now.concepts[:, :2] - now.concepts[:, :2].mean(0)
    partial = partial - told_part @ torch.linalg.lstsq(told_part, partial[:, None]).solution[:, 0]
    assert abs(np.corrcoef(now.concepts[:, 2], partial)[0, 1]) == pytest.approx(1, abs=0.02)


@torch.no_grad()
def test_each_class_gets_a_latent_of_its_own() -> None:
    surrogate, images = surrogate_of(3, classes=4), images_of()
    codes = surrogate.encode(images)
    settled = settle_the_rest(
        surrogate, Told(codes, torch.zeros(len(images), 4), torch.ones(len(images)))
    ).eval()
    white = settled.encode(images).concepts[:, 2:]
    # Two classes follow mixtures of whitened latents; after the rotation each has one latent.
    mixed = torch.stack([white[:, 0] + white[:, 1], white[:, 0] - white[:, 1]], 1)
    logits = torch.cat([mixed, -mixed], 1)
    told = Told(settled.encode(images), logits, torch.ones(len(images)))
    now = settle_the_rest(settled, told).eval().encode(images)
    found = np.corrcoef(now.concepts[:, 2:].T, mixed.T)[:3, 3:]
    assert np.sort(np.abs(found).max(0)) == pytest.approx([1, 1], abs=0.02)
    assert np.abs(found[2]).max() < 0.05


def world(images: Tensor, surrogate: TwinSurrogate, share: float) -> tuple[Codes, Tensor, Tensor]:
    """Return codes; what the first latent has of its own; a place that goes with size by ``share``.

    Both have variance 1, and so has the size.
    """
    codes = surrogate.encode(images)
    aligned, latent = codes.concepts[:, :2].double(), codes.concepts[:, 2].double()
    aligned, latent = aligned - aligned.mean(0), latent - latent.mean()
    own = latent - aligned @ torch.linalg.lstsq(aligned, latent[:, None]).solution[:, 0]
    own, size = own / own.std(), aligned[:, 0] / aligned[:, 0].std()
    return codes, own, share * size + (1 - share**2) ** 0.5 * own


@torch.no_grad()
@pytest.mark.parametrize(("share", "held"), [(0.8, True), (0.93, False)])
def test_a_measured_property_that_goes_with_a_concept_by_accident_is_held(
    share: float, held: bool
) -> None:
    surrogate, images = surrogate_of(), images_of(1000)
    codes, _, place = world(images, surrogate, share)
    logits, weights = torch.stack([place, -place], 1).float(), torch.ones(len(images))
    context = codes.concepts[:, :2]
    context = (context - context.mean(0)) / context.std(0)
    properties = pd.DataFrame({"place": place.numpy(), "size": context[:, 0].numpy()})
    beside = Accompanying.of(properties, context, ("size", "tilt"))
    assert beside.properties.shape == (1000, 1), "size is a feature, and no property beside them"
    assert beside.held.tolist() == [[held], [True]]

    def held_in(told: Told) -> tuple[float, float]:
        now = settle_the_rest(surrogate, told).eval().encode(images).concepts
        assert torch.allclose(now[:, :2], codes.concepts[:, :2], atol=1e-4)
        # What moves the place where the size moves and the first latent stays, and the other way.
        terms = torch.stack([context[:, 0], now[:, 2]], 1).double()
        of_size, of_latent = torch.linalg.lstsq(terms, place[:, None]).solution[:, 0]
        return float(of_size), abs(float(of_latent))

    left = (1 - share**2) ** 0.5
    assert held_in(Told(codes, logits, weights)) == pytest.approx((share, left), abs=0.02)
    wanted = (0, 1) if held else (share, left)
    assert held_in(Told(codes, logits, weights, beside)) == pytest.approx(wanted, abs=0.05)


@torch.no_grad()
def test_nothing_is_told_by_properties_that_know_nothing() -> None:
    surrogate, images = surrogate_of(), images_of(1000)
    codes = surrogate.encode(images)
    noise = torch.randn(1000, 5, generator=torch.Generator().manual_seed(3))
    properties = pd.DataFrame(noise.numpy(), columns=list("abcde"))
    context = (codes.concepts[:, :2] - codes.concepts[:, :2].mean(0)) / codes.concepts[:, :2].std(0)
    beside = Accompanying.of(properties, context, ("size", "tilt"))
    assert beside.held.all() and beside.held.shape == (2, 5)
    told = beside.tell(context, torch.ones(1000))
    assert float(told.var(0).max()) < 0.02
