import numpy as np
import pytest
import torch
from torch import Tensor

from glance_pipeline.classifiers.black_box import BlackBox, Queries, QueriesSpentError
from glance_pipeline.classifiers.classifier import Answer, Classifier, ClassifierSpecification
from glance_pipeline.images.form import to_uint8
from helpers.teachers import SPECIFICATION, conv_net, images, reference

TRIED = 9
"""Images that a black box is asked about when a teacher is made of it."""


class Counting:
    """Answers as the network does, and counts the images it sees."""

    def __init__(self) -> None:
        self.network = conv_net()
        self.seen = 0

    @torch.no_grad()
    def __call__(self, batch: np.ndarray) -> tuple[np.ndarray, None]:
        self.seen += len(batch)
        return self.network(torch.from_numpy(batch)).numpy(), None


def black_box(queries: Queries | None = None) -> tuple[Classifier, Counting, Queries]:
    function, queries = Counting(), queries or Queries()
    teacher = Classifier(
        BlackBox(function, queries), ClassifierSpecification.model_validate(SPECIFICATION)
    )
    return teacher, function, queries


def linear_stand_in(seen: Tensor) -> Answer:
    total = seen.flatten(1).sum(1, keepdim=True)
    return Answer(total * torch.tensor([1.0, 2.0, 3.0]), total * torch.tensor([4.0, 5.0, 6.0]))


def test_it_answers_as_its_network_with_its_logits_as_features():
    teacher, _, _ = black_box()
    assert not teacher.differentiable
    wanted = reference(conv_net()).logits(images())
    torch.testing.assert_close(teacher.logits(images()), wanted)
    torch.testing.assert_close(teacher(images()).features, wanted)


def test_every_image_is_asked_about_once_and_counted():
    teacher, function, queries = black_box()
    # Four plain images were asked about twice when the teacher was made, one of them alone too.
    assert (function.seen, queries.asked, queries.recalled) == (TRIED, TRIED, 0)
    pictures = to_uint8(images(5))
    first = teacher.answers(pictures[[0, 1, 2, 1]])
    assert (function.seen, queries.asked) == (TRIED + 3, TRIED + 3)
    again = teacher.answers(pictures)
    # of five images, more than ever together, the last is also asked about alone
    assert (function.seen, queries.asked) == (TRIED + 6, TRIED + 6)
    assert queries.recalled == 3
    torch.testing.assert_close(again.logits[:3], first.logits[:3], rtol=0, atol=0)
    torch.testing.assert_close(first.logits[1], first.logits[3], rtol=0, atol=0)


def test_it_is_shown_pictures_of_8_bits():
    teacher, function, _ = black_box()
    teacher.logits(images())
    seen = function.seen
    teacher.logits(images() + 0.003)  # less than half a grey level, 1/127.5
    assert function.seen == seen


def test_the_cache_lets_go_of_what_was_not_used_for_longest():
    # An answer of three float32 counts as 412 bytes: two of them have room.
    teacher, function, _ = black_box(Queries(cache_mb=0.0009))
    for row in (0, 1, 0, 2):
        teacher.logits(images()[[row]])
    seen = function.seen
    teacher.logits(images()[[0]])
    assert function.seen == seen
    teacher.logits(images()[[1]])
    assert function.seen == seen + 1


def test_a_cap_is_kept_to_and_said():
    teacher, function, queries = black_box(Queries(most=TRIED + 4, origin="classifier mine.onnx"))
    teacher.logits(images(4))
    with pytest.raises(
        QueriesSpentError, match=r"mine.onnx: it was asked about 13 .* 1 more.* is 13"
    ):
        teacher.logits(images(5))
    assert (function.seen, queries.asked) == (13, 13)
    teacher.logits(images(4))  # what is known may still be asked
    with pytest.raises(ValueError, match="most_queries: found 0, wanted 1 or more"):
        Queries(most=0)


def test_a_stand_in_lends_its_slope_and_not_its_values():
    teacher, _, _ = black_box()
    guided = teacher.guided_by(linear_stand_in)
    seen = images().requires_grad_(True)
    answer = guided(seen)
    wanted = reference(conv_net()).logits(images())
    torch.testing.assert_close(answer.logits, wanted)
    torch.testing.assert_close(answer.features, wanted)
    (slope,) = torch.autograd.grad(guided.logits(seen)[:, 1].sum(), seen)
    torch.testing.assert_close(slope, torch.full_like(seen, 2.0))
    with pytest.raises(RuntimeError, match="no gradients of its own"):
        teacher.logits(seen)


def test_values_are_the_teachers_to_the_last_bit():
    teacher, _, _ = black_box()
    guided = teacher.guided_by(lambda seen: Answer(*(1e6 * part for part in linear_stand_in(seen))))
    found = guided.logits(images().requires_grad_(True))
    assert torch.equal(found.detach(), teacher.logits(images()))


def test_a_teacher_with_gradients_needs_no_stand_in():
    teacher = reference(conv_net())
    assert teacher.guided_by(linear_stand_in) is teacher


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda batch: (np.zeros((len(batch), 4)), None), r"\(1, 4\); \(1, 3\) was wanted"),
        (lambda batch: (np.full((len(batch), 3), np.nan), None), "not finite.*nan"),
        (lambda batch: (np.zeros(3), None), r"shape \(3,\); a row for each of 1 images"),
        (lambda batch: ({"a": 1}, None), "outputs are of the type dict; an array of numbers"),
        (
            lambda batch: ([["a", "b", "c"]] * len(batch), None),
            "outputs are of the type list; an array",
        ),
    ],
)
def test_answers_that_are_no_answers_are_refused(answer, said):
    with pytest.raises(ValueError, match=said):
        Classifier(BlackBox(answer), ClassifierSpecification.model_validate(SPECIFICATION))
