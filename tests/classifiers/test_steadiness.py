"""Networks whose answer to an image is not its answer to that image alone, each broken its way."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from glance_pipeline.classifiers.black_box import BlackBox, Queries
from glance_pipeline.classifiers.classifier import Classifier, ClassifierSpecification
from glance_pipeline.classifiers.steadiness import plain_pictures
from glance_pipeline.images.form import to_uint8
from helpers.teachers import SPECIFICATION, conv_net, images

WANTED = ClassifierSpecification.model_validate(SPECIFICATION)
DRAWS = np.random.default_rng(0)


def means(batch: np.ndarray) -> np.ndarray:
    """Three numbers of each image that depend on it alone."""
    rows = batch.reshape(len(batch), -1)
    return 5 * np.stack([rows.mean(1), rows[:, :8].mean(1), rows[:, -8:].mean(1)], 1)


def scaled_by_the_batch(batch: np.ndarray) -> np.ndarray:
    """As a service that normalises by the statistics of what it is sent."""
    found = means(batch)
    return (found - found.mean(0)) / (found.std(0) + 1e-3)


def by_place(batch: np.ndarray) -> np.ndarray:
    """Mixes each image with the one before it."""
    found = means(batch)
    return found + 0.3 * np.roll(found, 1, axis=0)


def dropped(batch: np.ndarray) -> np.ndarray:
    found = means(batch)
    return found * (DRAWS.random(found.shape) > 0.5)


def noisy(batch: np.ndarray) -> np.ndarray:
    found = means(batch)
    return found + 0.01 * DRAWS.normal(size=found.shape)


class Counter:
    """Drifts with every question."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, batch: np.ndarray) -> np.ndarray:
        self.asked += 1
        return means(batch) + 0.05 * self.asked


def only_large(batch: np.ndarray) -> np.ndarray:
    """As a service that cuts off what is beyond 32 images, and says the last again."""
    found = means(batch)
    found[32:] = found[min(31, len(found) - 1)]
    return found


def as_teacher(answer: Callable[[np.ndarray], np.ndarray]) -> Classifier:
    return Classifier(BlackBox(lambda batch: (answer(batch), None)), WANTED)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (scaled_by_the_batch, r"differently beside 3 others: found \[.*\] and \[.*\] alone"),
        (by_place, "differently beside 3 others"),
        (dropped, "the same images differently when it is asked again"),
        (noisy, "the same images differently when it is asked again"),
        (Counter(), "the same images differently when it is asked again"),
    ],
)
def test_a_black_box_that_is_not_steady_is_refused(answer, said):
    with pytest.raises(ValueError, match=said):
        as_teacher(answer)


@pytest.mark.parametrize("ask", ["answers", "decisions"])
def test_what_shows_in_large_batches_alone_is_seen_there(ask):
    teacher = as_teacher(only_large)
    pictures = to_uint8(images(60))
    getattr(teacher, ask)(255 - pictures[:30])  # others: known answers are not asked for again
    with pytest.raises(ValueError, match="differently beside 59 others"):
        getattr(teacher, ask)(pictures)


def test_of_one_catalog_entry_it_is_tried_once():
    queries, asked = Queries(), []

    def answer(batch: np.ndarray) -> tuple[np.ndarray, None]:
        asked.append(len(batch))
        return means(batch), None

    for _ in range(3):
        Classifier(BlackBox(answer, queries), WANTED).answers(to_uint8(images(60)))
    assert asked == [1, 4, 4, 60, 1]


class Dropping(nn.Module):
    """Drops features in evaluation mode too, as a network does that calls ``F.dropout`` so."""

    def __init__(self) -> None:
        super().__init__()
        self.network = conv_net()

    def forward(self, seen: Tensor) -> Tensor:
        return self.network(F.dropout(seen, 0.3, training=True))


class OwnStatistics(nn.Module):
    """Normalises by its batch whatever mode it is in."""

    def __init__(self) -> None:
        super().__init__()
        self.network = conv_net()
        self.norm = nn.BatchNorm2d(1, track_running_stats=False)

    def forward(self, seen: Tensor) -> Tensor:
        return self.network(self.norm(seen))


class Remembering(nn.Module):
    """Answers by a running mean of what it has seen."""

    def __init__(self) -> None:
        super().__init__()
        self.network = conv_net()
        self.register_buffer("seen", torch.zeros(()))

    def forward(self, images: Tensor) -> Tensor:
        self.seen = 0.9 * self.seen + images.square().mean().detach()  # type: ignore[has-type]
        return self.network(images) * self.seen


class NumPyInside(nn.Module):
    """Leaves torch on its way, so that no gradient comes back."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(64, 3)

    def forward(self, images: Tensor) -> Tensor:
        scaled = np.tanh(images.detach().flatten(1).numpy())
        return self.linear(torch.from_numpy(scaled))


@pytest.mark.parametrize(
    ("network", "said"),
    [
        (Dropping, "the same images differently when it is asked again"),
        (OwnStatistics, "differently beside 3 others"),
        (Remembering, "the same images differently when it is asked again"),
        (NumPyInside, "no gradient with respect to the image.*give it as a Python callable"),
    ],
)
def test_a_network_that_is_not_steady_or_has_no_slope_is_refused(network, said):
    with pytest.raises(ValueError, match=said):
        Classifier(network(), WANTED)


class Flattened(nn.Module):
    """Colour images, convolved and flattened as older tutorials do it."""

    def __init__(self, flatten: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, padding=1)
        self.logits = nn.Linear(4 * 64, 3)
        self.flatten = flatten

    def forward(self, images: Tensor) -> Tensor:
        return self.logits(self.flatten(self.conv(images)))


@pytest.mark.parametrize(
    "flatten",
    [
        lambda features: features.view(len(features), -1),
        # wrong in another layout without an error
        lambda features: features.as_strided((len(features), 256), (256, 1)),
    ],
)
def test_an_order_of_memory_that_the_network_cannot_read_is_not_shown_to_it(flatten):
    torch.manual_seed(0)
    network = Flattened(flatten).eval()
    specification = ClassifierSpecification(image_shape=(3, 8, 8), class_names=("a", "b", "c"))
    teacher = Classifier(network, specification)
    pictures = np.random.default_rng(0).integers(0, 256, (5, 3, 8, 8), dtype=np.uint8)
    with torch.no_grad():
        wanted = network(torch.from_numpy(pictures) / 255)
    torch.testing.assert_close(teacher.answers(pictures).logits, wanted)


def test_plain_pictures_differ_in_all_that_a_network_may_look_at_alone():
    pictures = plain_pictures((3, 8, 8))
    for seen in (
        pictures.mean((1, 2, 3)),
        *pictures.mean((2, 3)).T,
        pictures.mean(1).std((1, 2)) + pictures[:, :, 0, 0].mean(1),
    ):
        assert len(seen.mul(1e4).round().unique()) == 4
    assert pictures.abs().max() <= 1
    assert (pictures.std((2, 3)) > 0.1).all()
