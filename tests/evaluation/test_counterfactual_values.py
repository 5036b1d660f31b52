"""Axioms, true counterfactuals and the Fréchet distance on cases worked out by hand."""

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.linalg import hadamard

from glance_pipeline.digits.render import render_digits
from glance_pipeline.evaluation.axioms import composition_l1, reversibility_l1
from glance_pipeline.evaluation.fidelity import random_interventions
from glance_pipeline.evaluation.frechet import frechet_distance, frechet_of_recombined_images
from glance_pipeline.evaluation.true_counterfactual import (
    RenderedDigits,
    compare,
    rendered_digits,
    true_counterfactual_errors,
)
from glance_pipeline.images.form import to_float, to_uint8
from glance_pipeline.twin.networks import Codes, Concept, SurrogateShape, TwinSurrogate
from glance_pipeline.twin.testing import tiny_classifier, tiny_surrogate


def shape(size: int, concepts: int) -> SurrogateShape:
    widths = (4,) * {8: 2, 32: 4}[size]
    return SurrogateShape((1, size, size), 3, 3, concepts, 1, widths, style=8, hidden=8)


class Fader(TwinSurrogate):
    """Reads the grey level off an image and draws it half as far from the middle, 127.5."""

    def __init__(self) -> None:
        super().__init__(shape(8, 1), [Concept("grey", "aligned")])

    def encode(self, images: torch.Tensor) -> Codes:
        return Codes(images.mean((1, 2, 3))[:, None], torch.zeros(len(images), 1))

    def generate(self, codes: Codes) -> torch.Tensor:
        return (codes.concepts[:, 0, None, None, None] / 2).expand(-1, 1, 8, 8)


class Halves(TwinSurrogate):
    """Draws ``left`` and ``right`` as the grey levels of the two halves, in steps of 1 from 100.

    Where ``left`` is negative it draws ``right`` as 0, so that what was there is lost.
    """

    def __init__(self) -> None:
        super().__init__(shape(8, 2), [Concept("left", "aligned"), Concept("right", "aligned")])

    def encode(self, images: torch.Tensor) -> Codes:
        grey = (images + 1) * 127.5 - 100
        halves = [grey[..., :4].mean((1, 2, 3)), grey[..., 4:].mean((1, 2, 3))]
        return Codes(torch.stack(halves, 1), torch.zeros(len(images), 1))

    def generate(self, codes: Codes) -> torch.Tensor:
        left, right = codes.concepts.T
        right = torch.where(left < 0, 0, right)
        grey = torch.stack([left, right], 1).repeat_interleave(4, 1)[:, None, None, :]
        return ((grey + 100) / 127.5 - 1).expand(-1, 1, 8, 8)


def test_composition_rounds_each_image_and_compares_with_the_first():
    images = np.full((2, 1, 8, 8), 191, np.uint8)
    # 191 → 159.25 ≈ 159 → 143.25 ≈ 143 → 135 → 131 → 129 → 128 → 127.75 ≈ 128 → …
    assert composition_l1(Fader(), images, cycles=1) == pytest.approx(32 / 127.5, abs=1e-6)
    assert composition_l1(Fader(), images, cycles=3) == pytest.approx(56 / 127.5, abs=1e-6)
    assert composition_l1(Fader(), images) == pytest.approx(63 / 127.5, abs=1e-6)


def test_reversibility_counts_what_an_intervention_loses():
    surrogate = Halves()
    codes = Codes(torch.tensor([[50.0, 20.0], [-50.0, 0.0]]), torch.zeros(2, 1))
    images = to_uint8(surrogate.generate(codes))
    swapping = next(s for s in range(9) if np.random.default_rng(s).permutation(2)[0] == 1)
    # do(left = −50) on the first image loses its right half's 20; do(right), and anything on the
    # second image, can be taken back. 20 levels on half of one image of two, in one of two.
    found = reversibility_l1(surrogate, images, np.random.default_rng(swapping))
    assert found == pytest.approx(20 / 2 / 2 / 2 / 127.5, abs=1e-6)
    keeping = next(s for s in range(9) if np.random.default_rng(s).permutation(2)[0] == 0)
    found = reversibility_l1(surrogate, images, np.random.default_rng(keeping))
    assert found == pytest.approx(0.0, abs=1e-6)


class Stripes(TwinSurrogate):
    """Draws the levels a, b, c of ``kind``, 50 grey levels a step, and ``right``, 1 a step.

    Each is a quarter of the image. Where it is an a, ``right`` is drawn as 0.
    """

    def __init__(self) -> None:
        levels = [
            Concept(f"kind={k}", "aligned", measure="categorical", feature="kind", levels=(k,))
            for k in "abc"
        ]
        super().__init__(shape(8, 4), [*levels, Concept("right", "aligned")])
        self.steps = torch.tensor([50.0, 50, 50, 1])

    def encode(self, images: torch.Tensor) -> Codes:
        grey = (images + 1) * 127.5 - 100
        quarters = grey.mean((1, 2)).reshape(-1, 4, 2).mean(2)
        return Codes(quarters / self.steps, torch.zeros(len(images), 1))

    def generate(self, codes: Codes) -> torch.Tensor:
        grey = codes.concepts * self.steps
        grey[:, 3] = torch.where(codes.concepts[:, 0] > 0.5, 0, grey[:, 3])
        columns = grey.repeat_interleave(2, 1)[:, None, None, :]
        return ((columns + 100) / 127.5 - 1).expand(-1, 1, 8, 8)


def test_reversibility_moves_the_levels_of_a_feature_together_and_counts_them_once():
    surrogate = Stripes()
    codes = Codes(torch.tensor([[0.0, 1, 0, 20], [1, 0, 0, 0]]), torch.zeros(2, 1))
    images = to_uint8(surrogate.generate(codes))
    swapping = next(s for s in range(9) if np.random.default_rng(s).permutation(2)[0] == 1)
    # do(kind = a) on the first image loses its 20, on a quarter of one image of two, in one
    # feature of two; do(right), and anything on the second image, can be taken back.
    found = reversibility_l1(surrogate, images, np.random.default_rng(swapping))
    assert found == pytest.approx(20 / 4 / 2 / 2 / 127.5, abs=1e-6)


def spread(means: list[float], deviations: list[float]) -> np.ndarray:
    """Return 8 rows with exactly these means and standard deviations, uncorrelated."""
    columns = hadamard(8)[:, 1 : len(means) + 1] * np.sqrt(7 / 8)
    return columns * deviations + means


def test_frechet_distance_of_diagonal_gaussians():
    first, second = spread([0, 1, 2], [1, 2, 0]), spread([3, 1, 2], [2, 5, 0.5])
    # Σ (μ₁ − μ₂)² + Σ (σ₁ − σ₂)²
    wanted = 9 + 1 + 9 + 0.25
    assert frechet_distance(first, second) == pytest.approx(wanted)
    assert frechet_distance(second, first) == pytest.approx(wanted)
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]
    assert frechet_distance(first @ turn, second @ turn) == pytest.approx(wanted)
    assert frechet_distance(first, first) == pytest.approx(0, abs=1e-9)


def test_frechet_distance_of_covariances_that_do_not_commute():
    # Σ₁ = diag(4, 1) and Σ₂ = [[2, 1], [1, 2]]: Σ₁Σ₂ has trace 10 and determinant 12, and the
    # trace of the root of a 2 × 2 matrix is √(trace + 2 √determinant).
    first = spread([0, 0], [2, 1])
    second = spread([0, 0], [1, 1]) @ np.linalg.cholesky([[2.0, 1.0], [1.0, 2.0]]).T
    wanted = 5 + 4 - 2 * np.sqrt(10 + 2 * np.sqrt(12))
    assert frechet_distance(first, second) == pytest.approx(wanted)


def test_frechet_distance_of_a_single_feature_and_of_sets_of_other_width():
    assert frechet_distance(spread([1], [1]), spread([3], [2])) == pytest.approx(4 + 1)
    with pytest.raises(ValueError, match=r"\(8, 1\) and \(8, 2\)"):
        frechet_distance(spread([1], [1]), spread([1, 1], [1, 1]))


def test_frechet_distance_of_more_features_than_a_covariance_matrix_could_hold():
    first, second = spread([0, 1, 2], [1, 2, 0]), spread([3, 1, 2], [2, 5, 0.5])
    wide = np.zeros((8, 100_000))  # whose covariance would take 80 GB
    found = frechet_distance(np.hstack([first, wide]), np.hstack([second, wide]))
    assert found == pytest.approx(9 + 1 + 9 + 0.25)


def test_frechet_distance_is_between_real_images_and_images_under_intervention():
    surrogate, classifier = tiny_surrogate(), tiny_classifier()
    images = np.random.default_rng(0).integers(0, 256, (20, 1, 8, 8), dtype=np.uint8)
    found = frechet_of_recombined_images(surrogate, classifier, images, np.random.default_rng(3))
    codes = surrogate.encode_array(images)
    moved = random_interventions(surrogate, codes, np.random.default_rng(3))
    drawn = to_uint8(surrogate.generate_batched(moved))
    features = [classifier.answers(x).features.numpy() for x in (images, drawn)]
    assert found == pytest.approx(frechet_distance(*features), rel=1e-4)
    assert found > 0


@pytest.fixture(scope="module")
def digits() -> RenderedDigits:
    """Six bars as source digits, drawn by the renderer with different features."""
    sources = np.zeros((6, 28, 28), np.uint8)
    for index, source in enumerate(sources):
        source[5:23, 12:15] = 255
        source[5 + 2 * index : 8 + 2 * index, 8:20] = 255
    intended = pd.DataFrame(
        {
            "thickness": [1.5, 2.0, 2.5, 3.0, 3.5, 4.0],
            "slant": [-0.4, 0.3, 0.0, 0.2, -0.1, 0.4],
            "intensity": [100.0, 120, 140, 160, 180, 200],
        }
    )
    images = render_digits(sources, intended, n_jobs=1, progress=False)[:, None]
    return RenderedDigits(images, sources, intended)


class Renderer(TwinSurrogate):
    """Draws by the renderer itself, with the features that the code says; a perfect surrogate.

    With ``obedience`` 0 it draws every image as it was, whatever the code says. The residual code
    is the number of the digit.
    """

    def __init__(self, digits: RenderedDigits, obedience: float) -> None:
        concepts = [
            Concept("slant", "aligned", "rad", mean=0.1, std=0.5),
            Concept("length", "aligned", "px", mean=40, std=10),
            Concept("thickness", "aligned", "px", mean=2.0, std=0.5),
        ]
        super().__init__(shape(32, 3), concepts)
        self.digits, self.obedience = digits, obedience

    def encode_array(self, images: np.ndarray) -> Codes:
        assert np.array_equal(images, self.digits.images)
        intended = self.digits.intended.assign(length=40.0)
        values = [self.standardise(c.name, intended[c.name].to_numpy()) for c in self.concepts]
        return Codes(torch.as_tensor(np.stack(values, 1)), torch.arange(len(images))[:, None])

    def generate_batched(self, codes: Codes, size: int = 256) -> torch.Tensor:
        rows = codes.residual[:, 0].numpy()
        own = self.digits.intended.iloc[rows]
        said = {
            name: own[name]
            + self.obedience * (self.to_units(name, self.read(codes, name).numpy()) - own[name])
            for name in ("thickness", "slant")
        }
        sources = self.digits.sources[rows]
        drawn = render_digits(sources, own.assign(**said), n_jobs=1, progress=False)
        return to_float(drawn[:, None])


def test_a_perfect_surrogate_draws_the_true_counterfactual(digits):
    context = digits.intended.assign(length=40.0)
    rng = np.random.default_rng(0)
    found = true_counterfactual_errors(Renderer(digits, 1.0), digits, context, rng, workers=1)
    assert set(found) == {"reconstruction", "thickness", "slant"}
    for errors in found.values():
        # Into standard deviations and back, a feature is rounded: a pixel may be a level off.
        assert errors["mae"] == pytest.approx(0.0, abs=1e-4)
        assert errors["ssim"] == pytest.approx(1.0, abs=1e-4)


def test_a_surrogate_that_does_nothing_is_as_far_off_as_the_truth_moved(digits):
    context = digits.intended.assign(length=40.0)
    rng = np.random.default_rng(0)
    found = true_counterfactual_errors(Renderer(digits, 0.0), digits, context, rng, workers=1)
    assert found["reconstruction"] == pytest.approx({"mae": 0.0, "ssim": 1.0}, abs=1e-6)
    donors = np.random.default_rng(0).permutation(6)
    for name in ("thickness", "slant"):
        features = digits.intended.copy()
        features[name] = features[name].to_numpy()[donors]
        true = render_digits(digits.sources, features, n_jobs=1, progress=False)
        moved = np.abs(true.astype(float) - digits.images[:, 0]).mean() / 127.5
        assert found[name]["mae"] == pytest.approx(moved, abs=1e-6)
        assert found[name]["mae_unchanged"] == pytest.approx(moved, abs=1e-6)
        assert found[name]["ssim_unchanged"] == pytest.approx(found[name]["ssim"], abs=1e-6)
        assert moved > 0.01 and found[name]["ssim"] < 0.95


def test_an_image_whose_donor_has_no_value_takes_no_part(digits, caplog):
    context = digits.intended.assign(length=40.0)
    context.loc[[1, 4], "thickness"] = np.nan
    context["slant"] = pd.array([None] * 6, "Float64")
    rng = np.random.default_rng(0)
    found = true_counterfactual_errors(Renderer(digits, 0.0), digits, context, rng, workers=1)
    assert set(found) == {"reconstruction", "thickness"}
    assert "true counterfactuals: slant left out" in caplog.text
    donors = np.random.default_rng(0).permutation(6)
    rows = np.flatnonzero(~np.isin(donors, [1, 4]))
    features = digits.intended.assign(thickness=context["thickness"].to_numpy()[donors]).iloc[rows]
    true = render_digits(digits.sources[rows], features, n_jobs=1, progress=False)
    moved = np.abs(true.astype(float) - digits.images[rows, 0]).mean() / 127.5
    assert found["thickness"]["mae"] == pytest.approx(moved, abs=1e-6)


def test_a_binary_feature_of_the_same_name_is_not_what_the_renderer_sets(digits):
    surrogate = Renderer(digits, 1.0)
    thick = Concept("thickness", "aligned", mean=1.0, measure="binary", levels=("thick", "thin"))
    surrogate.concepts = (*surrogate.concepts[:2], thick)
    context = digits.intended.assign(length=40.0, thickness=["thick", "thin"] * 3)
    codes = Codes(torch.zeros(6, 3, dtype=torch.float64), torch.arange(6)[:, None])
    surrogate.encode_array = lambda images: codes  # type: ignore[method-assign]
    rng = np.random.default_rng(0)
    found = true_counterfactual_errors(surrogate, digits, context, rng, workers=1)
    assert set(found) == {"reconstruction", "slant"}


def test_similarity_of_even_images():
    # Without variance SSIM is (2ab + C₁) / (a² + b² + C₁), C₁ = (0.01 · 255)².
    first, second = (np.full((2, 1, 16, 16), grey, np.uint8) for grey in (100, 200))
    constant = (0.01 * 255) ** 2
    wanted = (2 * 100 * 200 + constant) / (100**2 + 200**2 + constant)
    assert compare(first, second) == pytest.approx({"mae": 100 / 127.5, "ssim": wanted}, abs=1e-6)


def test_the_renderers_own_images_are_known(digits):
    records = digits.intended.add_prefix("intended_").assign(label=0)
    rows = np.array([1, 4])
    found = rendered_digits(digits.images, digits.sources, records, rows)
    assert np.array_equal(found.images, digits.images[rows])
    assert np.array_equal(found.sources, digits.sources[rows])
    assert found.intended["thickness"].tolist() == [2.0, 3.5]


def test_images_of_another_origin_are_refused_and_it_says_why(digits):
    records, rows = digits.intended.add_prefix("intended_"), np.arange(6)
    with pytest.raises(ValueError, match=r"no columns.*intended_slant"):
        rendered_digits(digits.images, digits.sources, records[["intended_thickness"]], rows)
    with pytest.raises(ValueError, match="no drawings of 5"):
        rendered_digits(digits.images, digits.sources[:5], records, rows)
    colour = np.repeat(digits.images, 3, axis=1)
    with pytest.raises(ValueError, match="no drawings"):
        rendered_digits(colour, digits.sources, records, rows)
    with pytest.raises(ValueError, match="grey levels off"):
        rendered_digits(digits.images[::-1], digits.sources, records, rows)
