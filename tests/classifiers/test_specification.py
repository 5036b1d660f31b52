import math

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from glance_pipeline.classifiers.classifier import Classifier, ClassifierSpecification, margins
from glance_pipeline.classifiers.entrance import Entrance
from glance_pipeline.classifiers.output import to_logits
from glance_pipeline.classifiers.specification import specify
from glance_pipeline.images.form import to_float

NAMES = ["a", "b"]


def entrance(**fields) -> Entrance:
    return Entrance(ClassifierSpecification.model_validate({"class_names": NAMES, **fields}))


def test_images_are_normalised_per_channel():
    seen = entrance(image_shape=(3, 1, 1), mean=(0.5, 0.4, 0.3), std=(0.5, 0.2, 0.1))
    images = torch.tensor([1.0, 0.0, -1.0]).view(1, 3, 1, 1)  # 1, 0.5 and 0 in [0, 1]
    wanted = torch.tensor([1.0, 0.5, -3.0]).view(1, 3, 1, 1)
    torch.testing.assert_close(seen(images), wanted)


def test_a_crop_is_the_middle_and_a_pad_is_black():
    image = torch.arange(16.0).view(1, 1, 4, 4) / 15
    inner = entrance(image_shape=(1, 4, 4), input_size=(2, 2), fit="crop")(image * 2 - 1)
    torch.testing.assert_close(inner, image[:, :, 1:3, 1:3])
    outer = entrance(image_shape=(1, 4, 4), input_size=(6, 5), fit="pad")(image * 2 - 1)
    assert outer.shape == (1, 1, 6, 5)
    torch.testing.assert_close(outer[:, :, 1:5, :4], image)
    assert float(outer.sum()) == pytest.approx(float(image.sum()))


def test_halving_takes_means():
    image = torch.tensor([[0.0, 0.0, 1.0, 1.0]]).expand(4, 4).reshape(1, 1, 4, 4)
    seen = entrance(image_shape=(1, 4, 4), input_size=(2, 2), fit="resize")(image * 2 - 1)
    # Antialiased by a triangle over four pixels, at the border three: 3·0 + 1·1 of 7 and so on.
    torch.testing.assert_close(seen[0, 0, 0], torch.tensor([1 / 7, 6 / 7]))


def test_colours_are_brought_to_what_the_network_takes():
    grey = torch.full((1, 1, 2, 2), 0.5)
    assert entrance(image_shape=(1, 2, 2), colour="rgb")(grey).shape == (1, 3, 2, 2)
    red = torch.tensor([1.0, -1.0, -1.0]).view(1, 3, 1, 1)
    assert float(entrance(image_shape=(3, 1, 1), colour="grey")(red)) == pytest.approx(0.299)
    reversed_ = entrance(image_shape=(3, 1, 1), colour="bgr")(red)
    torch.testing.assert_close(reversed_.flatten(), torch.tensor([0.0, 0.0, 1.0]))


def test_one_logit_becomes_two_of_the_same_margin():
    logit = torch.tensor([[2.0], [-1.0]])
    logits = to_logits(logit, "sigmoid")
    torch.testing.assert_close(logits, torch.tensor([[-1.0, 1.0], [0.5, -0.5]]))
    torch.testing.assert_close(margins(logits), torch.tensor([[-2.0, 2.0], [1.0, -1.0]]))
    torch.testing.assert_close(logits.softmax(1)[:, 1:], logit.sigmoid())


def test_probabilities_become_their_logarithms():
    found = to_logits(torch.tensor([[0.25, 0.75], [0.0, 1.0]]), "probabilities")
    wanted = torch.tensor([[math.log(0.25), math.log(0.75)], [math.log(1e-6), 0.0]])
    torch.testing.assert_close(found, wanted)
    single = to_logits(torch.tensor([0.8, 1.0]), "probabilities")
    torch.testing.assert_close(single.softmax(1)[0], torch.tensor([0.2, 0.8]))
    assert single.isfinite().all()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"class_names": ["a"]}, r"found 1 \['a'\], wanted at least 2.*`output: sigmoid`"),
        ({"class_names": ["a", "b", "a"]}, r"found \['a'\] more than once"),
        ({"class_names": [], "output": "label_logits"}, "class_names: found none, wanted a name"),
        ({"units": ["px"]}, r"units: found \['px'\] with `output: logits`; only the numbers"),
        ({"units": ["px"] * 3, "output": "values"}, r"units: found 3 .*, wanted 2, one for each"),
        ({"mean": [0.1, 0.2]}, r"mean: found 2 values, wanted 1 or 3"),
        ({"std": [0.0]}, r"std: found \(0.0,\), wanted values above 0"),
        ({"input_size": [4, 4]}, r"images of 8×8 .* takes 4×4 .*`fit: resize`, `crop` or `pad`"),
        ({"input_size": [4, 4], "fit": "pad"}, r"fit: pad cannot bring images of 8×8 to 4×4"),
        ({"input_size": [16, 4], "fit": "crop"}, r"fit: crop cannot bring images of 8×8 to 16×4"),
        ({"colour": "bgr", "image_shape": [1, 8, 8]}, r"colour: bgr: found images of 1 channels"),
    ],
)
def test_fields_that_do_not_hold_together_are_refused(changes, said):
    fields = {"image_shape": [3, 8, 8], "class_names": NAMES}
    with pytest.raises(ValueError, match=said):
        specify({}, fields | changes)


def test_file_and_catalog_fill_each_other_in():
    found = specify(
        {"mean": (0.5, 0.5, 0.5), "network_shape": (3, 8, 8)},
        {"class_names": NAMES, "mean": [0.5], "std": [0.2]},
    )
    assert (found.image_shape, found.mean, found.std) == ((3, 8, 8), (0.5, 0.5, 0.5), (0.2,))


@pytest.mark.parametrize(
    ("known", "told", "said"),
    [
        ({"std": (0.2,)}, {"std": [0.3]}, r"std: found \[0.3\] in the catalog.*says \[0.2\]"),
        ({"network_shape": (3, None, None)}, {"image_shape": [1, 8, 8]}, r"takes 3: name `colour`"),
        ({"network_shape": (1, 4, 4)}, {"image_shape": [1, 8, 8]}, r"takes 4×4 \(input_size\)"),
        ({}, {"image_shape": [1, 8, 8], "class_names": None}, "class_names"),
    ],
)
def test_file_and_catalog_must_agree(known, told, said):
    with pytest.raises(ValueError, match=said):
        specify(known, {"class_names": NAMES} | told)


def test_what_neither_says_is_asked_for():
    with pytest.raises(ValueError, match="does not say its image_shape and class_names: name them"):
        specify({"mean": (0.0,)}, {})


class Says(nn.Module):
    """Answers every image with what it was told to."""

    def __init__(self, answer) -> None:
        super().__init__()
        self.linear = nn.Linear(4, 1)
        self.answer_to = answer

    def forward(self, images: Tensor):
        self.linear(images.flatten(1))
        said = self.answer_to(len(images))
        # a network's answer has a gradient, be it 0
        return said + 0 * images.sum() if isinstance(said, Tensor) else said


@pytest.mark.parametrize(
    ("answer", "fields", "said"),
    [
        (lambda n: torch.zeros(n, 5), {}, r"shape \(1, 5\); \(1, 2\) was wanted: one logit for"),
        (lambda n: torch.zeros(n, 2, 7, 7), {}, r"shape \(1, 2, 7, 7\); \(1, 2\) was wanted"),
        (lambda n: torch.zeros(1, 2), {}, r"shape \(1, 2\); \(4, 2\) was wanted"),
        (lambda n: {"y": torch.zeros(n, 2)}, {}, r"answers with dict; a tensor \(1, K\)"),
        (lambda n: torch.full((n, 2), math.nan), {}, r"answers 1 of 1 images with .*not finite"),
        (lambda n: torch.zeros(n, 1), {}, r"one number per image: say `output: sigmoid`"),
        (lambda n: torch.zeros(n), {}, r"shape \(1,\), one number per image: say"),
        (lambda n: torch.zeros(n, 2), {"output": "sigmoid"}, "sigmoid is of one number per image"),
        (
            lambda n: torch.zeros(n, 1),
            {"output": "sigmoid", "class_names": ["a", "b", "c"]},
            "found 3, .* 2 were wanted for a network with one output",
        ),
        (lambda n: torch.zeros(n, 2), {"output": "probabilities"}, "that add up to 1 were wanted"),
        (lambda n: torch.full((n, 2), 0.5), {}, r"add up to 1 .* say `output: probabilities`"),
        (lambda n: torch.zeros(n, 1), {}, r"or `output: values` where it is a number to be expl"),
        (lambda n: torch.zeros(n, 2), {"output": "sigmoid"}, "say `output: label_logits` where"),
        (
            lambda n: torch.full((n, 2), 0.9),
            {"output": "probabilities"},
            r"\[0.9, 0.9\]; .* wanted; say `output: label_probabilities` where",
        ),
        (lambda n: torch.full((n, 2), 0.9), {}, r"0.9\], numbers from 0 to 1 whatever it is shown"),
        (lambda n: torch.full((n, 2), 0.9), {}, "say `output: label_probabilities`"),
        (lambda n: torch.full((n, 2), 0.9), {"output": "label_logits"}, "label_probabilities`"),
        (
            lambda n: torch.full((n, 2), 1.5),
            {"output": "label_probabilities"},
            "numbers from 0 to 1 were wanted: say `output: label_logits`",
        ),
        (
            lambda n: torch.full((n, 2), 0.5),
            {"output": "label_probabilities"},
            "add up to 1 on every image: say `output: probabilities`",
        ),
        (
            lambda n: torch.zeros(n, 1),
            {"output": "label_logits"},
            r"shape \(1, 1\); \(1, 2\) was wanted: one number for each of the 2 names",
        ),
        (lambda n: torch.zeros(n, 3), {"output": "values"}, r"\(1, 2\) was wanted: one number for"),
        (lambda n: torch.rand(n, 2) * 9, {}, "differently when it is asked again.*training mode"),
    ],
)
def test_outputs_that_do_not_fit_the_specification_are_refused(answer, fields, said):
    torch.manual_seed(0)
    specification = ClassifierSpecification.model_validate(
        {"image_shape": (1, 2, 2), "class_names": NAMES} | fields
    )
    with pytest.raises(ValueError, match=said):
        Classifier(Says(answer), specification)


@pytest.mark.parametrize(
    ("answer", "fields", "logits"),
    [
        ([0.25, 0.9], {"output": "logits"}, [0.25, 0.9]),  # the user says so
        ([0.75, 0.5], {"output": "label_probabilities"}, [math.log(3), 0.0]),
        ([2.0, -1.0], {"output": "label_logits"}, [2.0, -1.0]),
        ([0.5, 0.5], {"output": "values"}, [0.5, 0.5]),
        ([-2.0], {"output": "label_logits", "class_names": ["a"]}, [-2.0]),
        ([0.25], {"output": "label_probabilities", "class_names": ["a"]}, [-math.log(3)]),
        ([40.0], {"output": "values", "class_names": ["a"], "units": ["px"]}, [40.0]),
    ],
)
@pytest.mark.parametrize("flat", [False, True])
def test_outputs_are_read_as_the_specification_says(answer, fields, logits, flat):
    row = torch.tensor(answer)
    specification = ClassifierSpecification.model_validate(
        {"image_shape": (1, 2, 2), "class_names": NAMES} | fields
    )
    shape = (-1,) if flat and len(row) == 1 else (-1, len(row))
    teacher = Classifier(Says(lambda n: row.repeat(n, 1).view(shape)), specification)
    found = teacher.logits(torch.zeros(3, 1, 2, 2))
    torch.testing.assert_close(found, torch.tensor(logits).expand(3, -1))


def test_logits_that_are_from_0_to_1_by_chance_are_taken():
    network = nn.Sequential(nn.Flatten(), nn.Linear(4, 2))
    with torch.no_grad():
        network[1].weight.copy_(torch.tensor([[1.0, -1.0, 1.0, -1.0], [-1.0, 1.0, -1.0, 1.0]]))
        network[1].bias.copy_(torch.tensor([0.5, 0.4]))
    specification = ClassifierSpecification(image_shape=(1, 2, 2), class_names=("a", "b"))
    falling = torch.linspace(1, -1, 2)[:, None].expand(1, 1, 2, 2)
    assert network((falling + 1) / 2).min() > 0  # one of the two images that are tried first
    Classifier(network, specification)


@pytest.mark.parametrize("told", ["label_probabilities", "values"])
def test_what_an_activation_shows_is_no_more_than_a_range(told):
    found = specify(
        {"output": "probabilities", "network_shape": (1, 8, 8)},
        {"class_names": NAMES, "output": told},
    )
    assert found.output == told
    with pytest.raises(ValueError, match=r"output: found 'logits' in the catalog.*'probabilities'"):
        specify({"output": "probabilities"}, {"class_names": NAMES, "output": "logits"})


@pytest.mark.parametrize("shape", [(1, 4, 4), (3, 8, 8)])
def test_a_shape_that_does_not_fit_is_said_beside_one_that_does(shape):
    network = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.Flatten(), nn.Linear(2 * 64, 2))
    specification = ClassifierSpecification(image_shape=shape, class_names=("a", "b"))
    said = rf"does not take a batch of 1 of the shape \({shape[0]}, .*; it does take \(1, 8, 8\)$"
    with pytest.raises(ValueError, match=said):
        Classifier(network, specification)


def test_a_binary_network_answers_with_two_logits():
    specification = ClassifierSpecification(
        image_shape=(1, 2, 2), class_names=("no", "yes"), output="sigmoid"
    )
    network = nn.Sequential(nn.Flatten(), nn.Linear(4, 1))
    teacher = Classifier(network, specification)
    images = torch.rand(3, 1, 2, 2)
    logit = network((images + 1) / 2)
    torch.testing.assert_close(teacher(images).logits, torch.cat([-logit / 2, logit / 2], 1))
    assert teacher(images).features.shape == (3, 4)


class Reciprocal(nn.Module):
    """1 / (1 − the darkest pixel): infinite where all are white."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(4, 2)

    def forward(self, images: Tensor) -> Tensor:
        flat = images.flatten(1)
        return self.linear(flat) + 1 / (1 - flat.amin(1, keepdim=True))


def test_numbers_that_are_not_finite_are_found_among_images():
    specification = ClassifierSpecification(image_shape=(1, 2, 2), class_names=("a", "b"))
    teacher = Classifier(Reciprocal(), specification)
    pictures = np.zeros((3, 1, 2, 2), np.uint8)
    pictures[1] = 255
    said = r"answers 1 of 3 images with .* the first is number 1 of them: \[inf, inf\]"
    with pytest.raises(ValueError, match=said):
        teacher.answers(pictures)
    with pytest.raises(ValueError, match=said), torch.no_grad():
        teacher.logits(to_float(pictures))


def test_a_mean_of_grey_levels_is_refused():
    with pytest.raises(ValueError, match=r"mean: found \(123\.7.*divide mean and std by 255"):
        entrance(image_shape=(3, 8, 8), mean=(123.7, 116.8, 103.9), std=(58.4, 57.1, 57.4))
