import numpy as np
import pandas as pd
import pytest
import torch

from glance_pipeline.evaluation.aligned_concepts import alignment_accuracy, alignment_r2
from glance_pipeline.evaluation.fidelity import fidelity, random_interventions, reconstruction_l1
from glance_pipeline.evaluation.intervention_matrix import effectiveness, intervention_matrix
from glance_pipeline.images.form import to_uint8
from glance_pipeline.twin.networks import Codes, Concept, SurrogateShape, TwinSurrogate
from glance_pipeline.twin.testing import tiny_classifier, tiny_surrogate


class Drawer(TwinSurrogate):
    """Draws u₁ as brightness and 0.5·u₂ as contrast between left and right; u₂ leaks to u₁."""

    def __init__(self, leak: float) -> None:
        shape = SurrogateShape((1, 8, 8), 3, 3, 2, 1, (4, 4), style=8, hidden=8)
        concepts = [
            Concept("bright", "aligned", "levels", mean=100.0, std=10.0, low=-3, high=3),
            Concept("side", "aligned", "levels", mean=0.0, std=20.0, low=-3, high=3),
        ]
        super().__init__(shape, concepts)
        self.leak = leak

    def generate(self, codes: Codes) -> torch.Tensor:
        bright = 100 + 10 * (codes.concepts[:, 0] + self.leak * codes.concepts[:, 1])
        side = 0.5 * 20 * codes.concepts[:, 1]
        ramp = torch.tensor([-0.5] * 4 + [0.5] * 4)
        grey = bright[:, None, None, None] + side[:, None, None, None] * ramp
        return (grey / 127.5 - 1).expand(-1, 1, 8, 8)


def measure(images: np.ndarray) -> pd.DataFrame:
    values = images.astype(float)
    side = values[..., 4:].mean((1, 2, 3)) - values[..., :4].mean((1, 2, 3))
    return pd.DataFrame({"bright": values.mean((1, 2, 3)), "side": side})


def codes_of(count: int) -> Codes:
    generator = torch.Generator().manual_seed(0)
    return Codes(torch.randn(count, 2, generator=generator).clamp(-1.5, 1.5), torch.zeros(count, 1))


def test_intervention_matrix_of_a_generator_with_known_effects() -> None:
    matrix = intervention_matrix(Drawer(leak=0.3), codes_of(200), measure, delta=1.0)
    assert matrix.loc["bright"].tolist() == pytest.approx([1.0, 0.0], abs=0.02)
    assert matrix.loc["side"].tolist() == pytest.approx([0.3, 0.5], abs=0.02)


def test_effectiveness_of_a_generator_that_moves_half_as_far() -> None:
    codes = codes_of(400)
    found = effectiveness(Drawer(leak=0.0), codes, measure, np.random.default_rng(0))
    errors = found["mae"]
    assert found["unmeasurable"] == {"bright": 0.0, "side": 0.0}
    assert errors["bright"] < 0.5
    wanted = 0.5 * 20 * codes.concepts[:, 1].abs().mean().item()
    assert errors["side"] == pytest.approx(wanted, abs=0.5)


def test_r2_of_concepts_that_are_right_and_that_are_the_mean() -> None:
    codes = Codes(torch.tensor([[0.0, 0.0], [1.0, 0.0], [2.0, 0.0]]), torch.zeros(3, 1))
    context = pd.DataFrame({"bright": [100.0, 110.0, 120.0], "side": [-1.0, 0.0, 1.0]})
    assert alignment_r2(Drawer(0.0), codes, context) == pytest.approx({"bright": 1.0, "side": 0.0})


def test_r2_leaves_out_images_without_a_value() -> None:
    codes = Codes(torch.tensor([[0.0, 0.0], [9.0, 0.0], [2.0, 1.0]]), torch.zeros(3, 1))
    context = pd.DataFrame({"bright": [100.0, np.nan, 120.0], "side": [0.0, np.nan, 20.0]})
    assert alignment_r2(Drawer(0.0), codes, context) == pytest.approx({"bright": 1.0, "side": 1.0})


def levels_of_colour() -> TwinSurrogate:
    shape = SurrogateShape((1, 8, 8), 3, 3, 4, 1, (4, 4), style=8, hidden=8)
    levels = [
        Concept(
            f"colour={name}",
            "aligned",
            std=1.0,
            measure="categorical",
            feature="colour",
            levels=(name,),
        )
        for name in ("red", "green", "blue")
    ]
    smiling = Concept("smiling", "aligned", measure="binary", levels=("no", "yes"))
    return TwinSurrogate(shape, [smiling, *levels])


def test_accuracy_is_the_mean_over_levels() -> None:
    red, green, blue = [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]
    said = torch.tensor([red, red, red, green, blue, blue])
    yes = torch.tensor([[1.0], [0.4], [0.6], [0.0], [0.0], [1.0]])
    codes = Codes(torch.cat([yes, said], 1), torch.zeros(6, 1))
    context = pd.DataFrame(
        {
            "colour": ["red", "red", "green", "green", "blue", None],
            "smiling": ["yes", "yes", "yes", "no", "no", "no"],
        }
    )
    # Of red 2 of 2, of green 1 of 2, of blue 1 of 1; of yes 2 of 3 (0.4 is no), of no 2 of 3.
    found = alignment_accuracy(levels_of_colour(), codes, context)
    assert found == pytest.approx({"smiling": 2 / 3, "colour": (1 + 0.5 + 1) / 3})
    assert alignment_r2(levels_of_colour(), codes, context) == {}


def test_a_feature_that_is_known_of_no_image_has_no_accuracy(caplog) -> None:
    codes = Codes(torch.tensor([[1.0, 1, 0, 0], [0, 0, 1, 0]]), torch.zeros(2, 1))
    context = pd.DataFrame({"colour": [None, None], "smiling": ["yes", "no"]}, dtype=object)
    assert alignment_accuracy(levels_of_colour(), codes, context) == {"smiling": 1.0}
    assert "alignment: colour left out" in caplog.text


def test_a_feature_with_fewer_than_two_known_values_has_no_r2(caplog) -> None:
    codes = Codes(torch.tensor([[0.0, 0, 0], [1, 1, 0]]), torch.zeros(2, 4))
    # In units 3 ± 0.5 and 0.1 ± 0.3.
    context = pd.DataFrame({"size": [3.0, 3.5], "tilt": [np.nan, 0.4]})
    assert alignment_r2(tiny_surrogate(), codes, context) == pytest.approx({"size": 1.0})
    assert "alignment: tilt left out, 1 known values" in caplog.text
    context["tilt"] = pd.array([None, None], "Int64")
    assert alignment_r2(tiny_surrogate(), codes, context) == pytest.approx({"size": 1.0})


def test_random_interventions_take_all_levels_of_another_image() -> None:
    surrogate = levels_of_colour()
    codes = Codes(
        torch.randn(60, 4, generator=torch.Generator().manual_seed(0)), torch.zeros(60, 1)
    )
    moved = random_interventions(surrogate, codes, np.random.default_rng(0)).concepts
    rows = {tuple(row) for row in codes.concepts[:, 1:].tolist()}
    assert all(tuple(row) in rows for row in moved[:, 1:].tolist())
    changed = (moved != codes.concepts).float().mean(0)
    assert changed[0].item() == pytest.approx(0.5, abs=0.15)
    assert changed[1:].tolist() == [pytest.approx(0.5, abs=0.15)] * 3


def test_fidelity_is_a_share_of_agreements() -> None:
    surrogate, classifier = tiny_surrogate(), tiny_classifier()
    images = np.random.default_rng(0).integers(0, 256, (30, 1, 8, 8), dtype=np.uint8)
    found = fidelity(surrogate, classifier, images, np.random.default_rng(0))
    codes = surrogate.encode_array(images)
    drawn = to_uint8(surrogate.generate_batched(codes))
    answers = [classifier.answers(x).logits.argmax(1) for x in (images, drawn)]
    assert found["reconstruction_agreement"] == pytest.approx(
        (answers[0] == answers[1]).float().mean().item()
    )
    student = surrogate.predict(codes).argmax(1)
    assert found["student_agreement"] == pytest.approx(
        (answers[0] == student).float().mean().item()
    )
    assert set(found) == {
        "reconstruction_agreement",
        "student_agreement",
        "intervention_agreement",
        "residual_swap_agreement",
    }


def test_random_interventions_move_one_concept_of_each_image() -> None:
    surrogate = tiny_surrogate()
    codes = Codes(torch.randn(50, 3), torch.zeros(50, 4))
    moved = random_interventions(surrogate, codes, np.random.default_rng(0))
    changed = (moved.concepts != codes.concepts).sum(1)
    assert changed.max() == 1 and changed.float().mean() > 0.9


def test_reconstruction_error_of_a_grey_drawer() -> None:
    drawer = Drawer(leak=0.0)
    drawer.encode_array = lambda images: Codes(  # type: ignore[method-assign]
        torch.zeros(len(images), 2), torch.zeros(len(images), 1)
    )
    images = np.full((2, 1, 8, 8), 151, np.uint8)
    assert reconstruction_l1(drawer, images) == pytest.approx(51 / 127.5, abs=1e-3)


def test_images_on_which_nothing_can_be_measured_are_counted() -> None:
    def half_blank(images: np.ndarray) -> pd.DataFrame:
        table = measure(images)
        table.iloc[::2] = np.nan
        return table

    found = effectiveness(Drawer(0.0), codes_of(40), half_blank, np.random.default_rng(0))
    assert found["unmeasurable"] == {"bright": 0.5, "side": 0.5}
