import numpy as np
import pytest
import torch
from torch import Tensor

from glance_pipeline.classifiers.black_box import BlackBox
from glance_pipeline.classifiers.classifier import Answer, Classifier
from glance_pipeline.config.explain import CounterfactualSearchParameters
from glance_pipeline.explanations import CounterfactualSearch, Subjects
from glance_pipeline.explanations.counterfactuals.goals import ClassGoals
from glance_pipeline.explanations.counterfactuals.landscape import Landscape
from glance_pipeline.explanations.interventions.intervention import DirectIntervention
from glance_pipeline.images.form import to_uint8
from glance_pipeline.twin.networks import Codes
from glance_pipeline.twin.testing import glass_box


def three_ways(concepts: Tensor) -> Tensor:
    return torch.stack([concepts[:, 0], concepts[:, 1] - 1.0, 0.5 * concepts[:, 2] - 2.0], 1)


@pytest.fixture
def both():
    """A glass box, and the same behind a black box that it guides itself."""
    surrogate, teacher = glass_box(three_ways)

    @torch.no_grad()
    def answer(batch: np.ndarray) -> tuple[np.ndarray, None]:
        return teacher.network(torch.from_numpy(batch)).numpy(), None

    def itself(images: Tensor) -> Answer:
        return teacher(images)

    return surrogate, teacher, Classifier(BlackBox(answer), teacher.specification).guided_by(itself)


def test_slope_is_that_of_the_stand_in_and_the_lead_is_the_teachers(both):
    surrogate, teacher, black_box = both
    codes = Codes(torch.tensor([[0.5, 0.0, 0.0], [1.0, -0.5, 0.5]]), torch.zeros(2, 3))
    goals = ClassGoals(torch.tensor([[False, True, False]] * 2))
    found = []
    for classifier in (teacher, black_box):
        landscape = Landscape(surrogate, classifier, codes, goals, DirectIntervention(surrogate))
        here = landscape.nothing(torch.arange(2))
        leads, slopes = landscape.slopes(here)
        # b − 1 leads the larger of a and c/2 − 2: it rises with b and falls with a.
        torch.testing.assert_close(leads, torch.tensor([-1.5, -2.5]), rtol=0, atol=0.1)
        torch.testing.assert_close(slopes, torch.tensor([[-1.0, 1.0, 0.0]] * 2), rtol=0, atol=0.1)
        found.append(slopes)
    torch.testing.assert_close(*found, rtol=0, atol=0.05)


def test_walks_through_a_black_box_reach_what_its_teacher_confirms(both):
    surrogate, teacher, black_box = both
    images = to_uint8(surrogate.generate(Codes(torch.tensor([[0.5, 0.0, 0.0]]), torch.zeros(1, 3))))
    parameters = CounterfactualSearchParameters(strategy="gradient")
    for classifier in (teacher, black_box):
        search = CounterfactualSearch(surrogate, classifier, "b", parameters=parameters)
        (outcome,) = search.explain(Subjects.see(surrogate, classifier, images))
        first = outcome.found[0]
        assert first.prediction.class_name == "b"
        assert teacher.answers(first.picture[None]).logits.argmax() == 1
