"""What nobody says of a network's input and classes: told by labels, or not told."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from benchmarks.normalisations import NAMES, SIZE, SmallNet, coloured_shapes, judged, trained
from glance_pipeline.classifiers.as_read import LoadedNetwork
from glance_pipeline.onboarding.terminal.asking import Asker
from glance_pipeline.onboarding.trying import telling
from glance_pipeline.onboarding.trying.deciding import decide
from glance_pipeline.onboarding.trying.finding import Declared, asking, readings_of
from glance_pipeline.onboarding.trying.memory import distances
from glance_pipeline.onboarding.trying.orders import Order, possible_orders
from glance_pipeline.onboarding.trying.readings import Reading, usual_readings, with_what_is_said
from glance_pipeline.onboarding.trying.trial import (
    Tried,
    guess_without_labels,
    try_with_labels,
)
from glance_pipeline.onboarding.trying.verdict import clearly_better, decidedness, matching
from glance_pipeline.support.errors import UserError
from glance_pipeline.support.seeding import numpy_generator
from helpers.onboarding import UsersProject, loaded

ENTRANCE = {"image_shape": [3, SIZE, SIZE]}
NUMBERS = {name: number for number, name in enumerate(NAMES)}
PLAIN = Reading("[0, 1]", (0.0,), (1.0,))


def shown(count: int = 600) -> tuple[np.ndarray, np.ndarray]:
    """Return images and their labels, which no network has learned from."""
    images, numbers = coloured_shapes(count, numpy_generator(1, "shown"))
    return images, np.array([NAMES[number] for number in numbers], dtype=object)


@pytest.fixture(scope="module")
def imagenet() -> LoadedNetwork:
    """A network that was trained on images less ImageNet's mean in BGR."""
    images, classes = coloured_shapes(800, numpy_generator(0, "trained"))
    reading = usual_readings(3, ((0.5,), (0.5,)), True)[12]
    assert str(reading) == "ImageNet's in BGR"
    return LoadedNetwork(trained(reading, images, classes, 0))


def tried(source: LoadedNetwork, said: Declared, *orders: Order) -> Tried:
    """Try all readings on 600 images."""
    images, labels = shown()
    readings = readings_of(source, images, ENTRANCE, said)
    found = try_with_labels(
        asking(source, ENTRANCE, "logits"),
        readings,
        orders or [Order("names", NUMBERS)],
        [(images[:64], labels[:64]), (images[64:], labels[64:])],
    )
    assert found is not None
    return found


def test_fourteen_to_none_is_clear_among_twenty_two_and_twelve_to_none_is_not() -> None:
    """2 · 0.5¹⁴ · 22 = 0.0027 and 2 · 0.5¹² · 22 = 0.0107, wanted below 0.01."""
    worse = np.zeros(40, dtype=bool)
    for wins, is_clear in ((14, True), (13, True), (12, False)):
        better = np.arange(40) < wins
        assert clearly_better(better, worse, 22) is is_clear
        assert not clearly_better(worse, better, 22)


def test_decidedness_is_information_in_bits() -> None:
    sure = 100 * torch.eye(4)
    assert decidedness(sure) == pytest.approx(2)  # four answers, each sure: log₂ 4
    assert decidedness(sure[:1].repeat(4, 1)) == pytest.approx(0)  # sure, but always of one
    assert decidedness(torch.zeros(4, 4)) == pytest.approx(0)


def test_the_reading_that_a_network_was_trained_with_is_taken(imagenet: LoadedNetwork) -> None:
    found = tried(imagenet, Declared(None, None))
    assert judged(found, Reading("", (0.406, 0.456, 0.485), (0.225, 0.224, 0.229), True)) != "wrong"
    assert found.told and found.reading.bgr and found.reading.name != "[0, 1]"
    right = {str(found.readings[r]): each.right for (r, _), each in found.shown.items()}
    assert right["ImageNet's in BGR"] > 0.85 > 0.6 > right["[0, 1]"]
    heading, lines = telling.section(found)
    assert heading == "Normalisation, tried on 600 labelled images"
    assert dict(lines)["ImageNet's"].partition("BGR ")[2].startswith("9")


def test_what_is_said_is_taken_and_what_is_clearly_better_is_a_warning(
    imagenet: LoadedNetwork,
) -> None:
    found = tried(imagenet, Declared(((0.0,), (1.0,)), False, "as named"))
    assert found.reading.reads_as(PLAIN) and found.told
    (warning,) = telling.warnings(found)
    assert "BGR is right on 9" in warning and "[0, 1], as was said, on " in warning


def test_classes_in_an_order_without_a_name_are_a_hint_and_not_a_choice(
    imagenet: LoadedNetwork,
) -> None:
    shuffled = [4, 2, 0, 5, 1, 3]
    order = Order("text", dict(zip(NAMES, shuffled, strict=True)))
    found = tried(imagenet, Declared(None, None), order)
    assert found.order is order and found.reading.bgr  # not the reading that is less often wrong
    (warning,) = telling.warnings(found)
    assert f"--class-names {','.join(NAMES)}" in warning
    assert "the answers would fit the labels at 9" in warning


def test_the_order_of_text_is_found(imagenet: LoadedNetwork) -> None:
    images, labels = shown()
    folders = dict(zip(NAMES, ["1", "10", "11", "2", "3", "4"], strict=True))
    labels = np.array([folders[label] for label in labels], dtype=object)
    orders = possible_orders(("1", "2", "3", "4", "10", "11"), tuple(labels), None, 6, None)
    assert [order.name for order in orders][:2] == ["numbers", "text"]
    ask = asking(imagenet, ENTRANCE, "logits")
    readings = readings_of(imagenet, images, ENTRANCE, Declared(None, None))
    found = try_with_labels(ask, readings, orders, [(images, labels)])
    assert found is not None and found.order is not None and found.told
    assert found.order.values() == ("1", "10", "11", "2", "3", "4")


def test_labels_that_tell_nothing_are_refused_with_the_options_and_figures(
    imagenet: LoadedNetwork,
) -> None:
    images, labels = shown()
    ask = asking(imagenet, ENTRANCE, "logits")
    readings = readings_of(imagenet, images, ENTRANCE, Declared(None, None))
    mixed = numpy_generator(0, "mixed").permutation(labels)
    found = try_with_labels(ask, readings, [Order("names", NUMBERS)], [(images, mixed)])
    assert found is not None
    with pytest.raises(UserError, match=r"--mean is missing: .*600 labelled images do not tell"):
        decide(found, Asker(False))


def test_batch_normalisations_remember_how_images_were_read(imagenet: LoadedNetwork) -> None:
    images, _ = shown()
    ask = asking(imagenet, ENTRANCE, "logits")
    readings = readings_of(imagenet, images, ENTRANCE, Declared(None, None))
    found = guess_without_labels(ask, readings, images, imagenet.network)
    assert found is not None and found.guessed_by == "memory" and not found.told
    left = [str(found.readings[cell[0]]) for cell in (found.chosen, *found.level)]
    assert "ImageNet's in BGR" in left and "[0, 1]" not in left
    assert "is a guess, by what its batch normalisations remember" in str(telling.section(found))


def test_what_layers_see_is_measured_in_nats() -> None:
    """Mean 0 and variance 1 remembered; mean 2 and variance 1 seen: 2² / 2."""
    seen = torch.tensor([1.0, 3.0]).repeat(500).view(1000, 1, 1, 1)
    layer = nn.BatchNorm2d(1).eval()
    with distances(layer) as noted:
        layer(seen)
    assert noted == [pytest.approx(2, rel=1e-2)]


def test_a_network_that_reads_all_alike_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def ask(reading: Reading, images: np.ndarray) -> Tensor:
        return torch.eye(2)[torch.from_numpy(images[:, 0, 0, 0] > 100).long()]

    images = np.zeros((40, 3, 1, 1), dtype=np.uint8)
    images[20:] = 200
    labels = np.array(["dark"] * 20 + ["light"] * 20, dtype=object)
    readings = usual_readings(3, ((0.5,), (0.5,)), True)
    order = Order("numbers", {"dark": 0, "light": 1})
    found = try_with_labels(ask, readings, [order], [(images, labels)])
    assert found is not None and found.told and found.alike == 1
    assert found.reading.name == "[0, 1]" and len(found.level) == len(readings) - 1
    monkeypatch.setattr("click.prompt", lambda *_, value_proc, **__: value_proc("2"))
    assert decide(found, Asker(True)).reading.name == "ImageNet's"  # asked where it can be


def test_readings_that_are_said_have_the_name_that_they_are_known_by() -> None:
    readings = usual_readings(3, ((0.4,), (0.3,)), True)
    marked = with_what_is_said(readings, ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)), False)
    assert [str(each) for each in marked if each.allowed] == ["ImageNet's"]
    marked = with_what_is_said(readings, ((0.3,), (0.2,)), False)
    assert [str(each) for each in marked if each.allowed] == ["as said"]
    assert len(marked) == len(readings) + 1


ORDERS: list[tuple[tuple[str, ...], int, Callable[[list[Order]], bool]]] = [
    (("a", "B"), 2, lambda found: [o.values() for o in found] == [("B", "a"), ("a", "B")]),
    (("1", "2"), 3, lambda found: [o.numbers["2"] for o in found] == [2, 1]),
    (("class2", "class10"), 2, lambda found: found[0].values() == ("class2", "class10")),
]


@pytest.mark.parametrize(("values", "count", "as_wanted"), ORDERS)
def test_orders_that_have_a_name_are_each_tried_once(values, count, as_wanted) -> None:
    assert as_wanted(possible_orders(values, values, None, count, None))


def test_labels_that_fit_no_order_are_refused() -> None:
    with pytest.raises(UserError, match=r"the 3 values .* are no class names"):
        possible_orders(("x", "y", "z"), ("x", "y", "z"), ("a", "b"), 2, None)


def test_matching_is_judged_on_images_that_it_was_not_made_from() -> None:
    answers = np.array([0, 1, 0, 1, 0, 1, 1, 1])
    labels = np.array(["b", "a"] * 4, dtype=object)
    numbers, fits = matching(answers, labels, 2)
    assert numbers == {"a": 1, "b": 0}
    assert fits.tolist() == [True, True, False, True]


def test_a_checkpoint_with_three_things_unsaid_is_read_rightly(
    users: UsersProject, imagenet: LoadedNetwork
) -> None:
    """Keys under ``module.``, a normalisation, and a suffix that nobody knows."""
    state = {f"module.{name}": part for name, part in imagenet.network.state_dict().items()}
    torch.save({"state_dict": state, "best_prec1": 92.5}, "data/01_raw/net.th")
    for number, (image, label) in enumerate(zip(*shown(), strict=True)):
        folder = users.root / "data" / "01_raw" / "shapes" / label
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image.transpose(1, 2, 0)).save(folder / f"{number}.png")
    result = users.init(
        "--no-timing",
        model="data/01_raw/net.th",
        network="benchmarks.normalisations.SmallNet",
        images="data/01_raw/shapes",
        table=None,
        class_names=",".join(NAMES),
    )
    assert result.exit_code == 0, result.output
    assert "Normalisation, tried on 600 labelled images" in result.output
    entry = loaded(users)[0]["classifier"]
    assert entry["prefix"] == "module." and entry["key"] == "state_dict"
    told = entry["specification"]
    assert (told["mean"], told["std"]) == ([0.406, 0.456, 0.485], [0.225, 0.224, 0.229])
    assert told["colour"] == "bgr"
    text = (users.root / "conf" / "pets" / "catalog.yml").read_text()
    assert "# of images in [0, 1]; ImageNet's in BGR: tried, right on 9" in text


def test_small_net_takes_grey_images() -> None:
    assert SmallNet(1)(torch.zeros(2, 1, SIZE, SIZE)).shape == (2, 6)
