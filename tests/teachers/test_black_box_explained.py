import numpy as np
import torch
from torch import Tensor

from glance_pipeline.classifier import Answer, Classifier
from glance_pipeline.explanations.intervention import DirectIntervention
from glance_pipeline.explanations.landscape import Landscape
from glance_pipeline.networks import Codes
from glance_pipeline.teachers.black_box import BlackBox
from glance_pipeline.testing import glass_box


def three_ways(concepts: Tensor) -> Tensor:
    return torch.stack([concepts[:, 0], concepts[:, 1] - 1.0, 0.5 * concepts[:, 2] - 2.0], 1)


def test_a_walk_guided_by_a_stand_in_goes_where_the_teachers_own_gradient_goes():
    surrogate, teacher = glass_box(three_ways)

    @torch.no_grad()
    def answer(batch: np.ndarray) -> tuple[np.ndarray, None]:
        return teacher.network(torch.from_numpy(batch)).numpy(), None

    def itself(images: Tensor) -> Answer:
        return teacher(images)

    black_box = Classifier(BlackBox(answer), teacher.specification).guided_by(itself)
    codes = Codes(torch.tensor([[0.5, 0.0, 0.0], [1.0, -0.5, 0.5]]), torch.zeros(2, 3))
    wanted = torch.tensor([[False, True, False]] * 2)
    ends = []
    for classifier in (teacher, black_box):
        landscape = Landscape(surrogate, classifier, codes, wanted, DirectIntervention(surrogate))
        owner, allowed = torch.arange(2), torch.ones(2, 3, dtype=torch.bool)
        there, reached = landscape.walk(owner, allowed, steps=40, step=0.2)
        assert reached.all()
        assert (landscape.margins(there) > 0).all()  # said by the teacher of what was drawn
        ends.append(there.moves)
    torch.testing.assert_close(*ends, rtol=0, atol=0.05)
