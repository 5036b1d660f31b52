import itertools

import numpy as np
import pandas as pd
import pytest
import torch

from glance_pipeline.config.explain import ImportanceParameters
from glance_pipeline.explanations import ShapleyImportance, Subjects, background_codes
from glance_pipeline.images.form import to_uint8
from glance_pipeline.twin.concept_table import ConceptTable
from glance_pipeline.twin.networks import Codes
from glance_pipeline.twin.testing import glass_box

ROUNDING = 0.06  # 8-bit pictures shift a concept by up to 0.03 sd
BACKGROUND = torch.tensor([[0.5, -0.5, 0.2], [-0.3, 1.1, 0.4], [0.9, 0.3, -1.2]])
NAMES = ["shade", "tilt", "latent_1"]


def additive(u):
    """The logit of a is 2·shade − tilt."""
    zero = torch.zeros_like(u[:, 0])
    return torch.stack([2 * u[:, 0] - u[:, 1] + 9, zero, zero - 50], 1)


def interacting(u):
    zero = torch.zeros_like(u[:, 0])
    return torch.stack([u[:, 0] * u[:, 1] * u[:, 2] + u[:, 1] * u[:, 2] + 9, zero, zero - 50], 1)


def importances(answer, code, exact_up_to, measure="logit", permutations=48):
    surrogate, classifier = glass_box(answer)
    images = to_uint8(surrogate.generate(Codes(torch.tensor([code]), torch.zeros(1, 4))))
    subjects = Subjects.see(surrogate, classifier, images)
    parameters = ImportanceParameters(
        measure=measure, exact_up_to=exact_up_to, permutations=permutations, backgrounds=3
    )
    method = ShapleyImportance(surrogate, classifier, BACKGROUND, parameters)
    return method.explain(subjects)[0]


@pytest.mark.parametrize("exact_up_to", [5, 0], ids=["exact", "sampled"])
@pytest.mark.parametrize("measure", ["logit", "margin"])
def test_additive_function_gives_its_terms(exact_up_to, measure):
    result = importances(additive, [1.5, -0.7, 0.4], exact_up_to, measure)
    values = {i.concept: i.contribution for i in result.of}
    mean = BACKGROUND.mean(0)
    assert values["shade"] == pytest.approx(2 * (1.5 - float(mean[0])), abs=2 * ROUNDING)
    assert values["tilt"] == pytest.approx(-(-0.7 - float(mean[1])), abs=ROUNDING)
    assert values["latent_1"] == pytest.approx(0, abs=ROUNDING)
    assert result.of[0].concept == "shade"
    assert result.exact is (exact_up_to == 5)


@pytest.mark.parametrize("exact_up_to", [5, 0], ids=["exact", "sampled"])
def test_contributions_sum_to_prediction_minus_baseline(exact_up_to):
    result = importances(interacting, [1.5, -0.7, 0.8], exact_up_to, permutations=6)
    total = sum(i.contribution for i in result.of)
    assert total == pytest.approx(result.prediction - result.baseline, abs=1e-4)


def test_exact_values_are_the_mean_over_all_orders():
    code = torch.tensor([1.5, -0.7, 0.8])
    expected = np.zeros(3)
    for background in BACKGROUND:
        for order in itertools.permutations(range(3)):
            now = background.clone()
            for j in order:
                before = float(interacting(now[None])[0, 0])
                now[j] = code[j]
                expected[j] += float(interacting(now[None])[0, 0]) - before
    expected /= 6 * len(BACKGROUND)
    result = importances(interacting, code.tolist(), 5)
    values = {i.concept: i.contribution for i in result.of}
    np.testing.assert_allclose([values[n] for n in NAMES], expected, atol=2 * ROUNDING)
    assert all(i.standard_error == 0 for i in result.of)


def test_sampling_agrees_with_exact_within_its_stated_error():
    exact = {i.concept: i for i in importances(interacting, [1.5, -0.7, 0.8], 5).of}
    sampled = importances(interacting, [1.5, -0.7, 0.8], 0, permutations=96)
    assert any(i.standard_error > 0 for i in sampled.of)
    for i in sampled.of:
        gap = abs(i.contribution - exact[i.concept].contribution)
        assert gap < 4 * i.standard_error + ROUNDING


def test_background_is_drawn_from_training_rows_and_standardised():
    surrogate, _ = glass_box(additive)
    frame = pd.DataFrame({"shade": [3.0, 3.5, 9.0], "tilt": [0.1, 0.4, 9.0], "latent_1": [0, 1, 9]})
    table = ConceptTable(frame, pd.DataFrame(), dict.fromkeys(NAMES, "aligned"), {})
    drawn = background_codes(surrogate, table, rows=[0, 1], number=10, seed=0)
    assert sorted(drawn.tolist()) == [[0, 0, 0], [1, pytest.approx(1), 1]]


def test_table_of_another_surrogate_is_an_error():
    surrogate, _ = glass_box(additive)
    table = ConceptTable(pd.DataFrame({"shade": [3.0]}), pd.DataFrame(), {"shade": "aligned"}, {})
    with pytest.raises(ValueError, match=r"no column for \['tilt', 'latent_1'\]"):
        background_codes(surrogate, table, rows=[0], number=1, seed=0)
