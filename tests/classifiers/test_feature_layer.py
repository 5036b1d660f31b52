"""Features are what enters the layer that answers, wherever a network lists that layer."""

import pytest
import torch
from torch import Tensor, nn

from glance_pipeline.classifiers.classifier import Classifier, ClassifierSpecification
from helpers.teachers import assert_same, export, reference, script, trusted


class Listed(nn.Module):
    """The head is listed before an auxiliary head that images pass through after it."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.body = nn.Linear(64, 5)
        self.head = nn.Linear(5, 3)
        self.auxiliary = nn.Linear(64, 3)

    def forward(self, images: Tensor) -> Tensor:
        seen = images.flatten(1)
        said = self.head(self.body(seen))
        self.auxiliary(seen)
        return said


class Scaled(Listed):
    """Its answer is no layer's output; the last layer is that of the features all the same."""

    def forward(self, images: Tensor) -> Tensor:
        return 0.5 * self.head(self.body(images.flatten(1)))


class Squeezed(nn.Module):
    """A linear layer weighs channels in the midst; a convolution answers."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3)
        self.weigh = nn.Linear(4, 4)
        self.answer = nn.Conv2d(4, 3, 1)

    def forward(self, images: Tensor) -> Tensor:
        seen = self.conv(images)
        seen = seen * self.weigh(seen.mean((2, 3)))[:, :, None, None]
        return self.answer(seen).mean((2, 3))


class Pooled(Squeezed):
    """Images are pooled to one pixel before the convolution that answers."""

    def forward(self, images: Tensor) -> Tensor:
        seen = self.conv(images)
        seen = seen * self.weigh(seen.mean((2, 3))).unsqueeze(2).unsqueeze(3)
        return self.answer(seen.mean((2, 3), keepdim=True)).flatten(1)


class Stacked(Listed):
    """Two rows an image enter its first layer."""

    def forward(self, images: Tensor) -> Tensor:
        rows = self.body(torch.cat([images, -images]).flatten(1))
        return self.head(rows[: len(images)] + rows[len(images) :])


def teacher(network: nn.Module, feature_layer: str | None = None) -> Classifier:
    specification = ClassifierSpecification(
        image_shape=(1, 8, 8), class_names=("a", "b", "c"), feature_layer=feature_layer
    )
    return Classifier(network.eval(), specification)


@pytest.mark.parametrize("kind", [Listed, Scaled])
def test_the_layer_that_answers_has_the_features(kind):
    network, images = kind(), torch.rand(2, 1, 8, 8) * 2 - 1
    wanted = network.body((images.flatten(1) + 1) / 2)
    assert torch.allclose(teacher(network)(images).features, wanted, atol=1e-6)


def test_a_linear_layer_in_the_midst_is_not_taken_for_the_last():
    with pytest.raises(
        ValueError, match=r"last layer with .* is 'answer', no nn\.Linear but a con"
    ):
        teacher(Squeezed())
    features = teacher(Squeezed(), "answer")(torch.zeros(2, 1, 8, 8)).features
    assert features.shape == (2, 4 * 6 * 6)


def test_where_all_layers_are_convolutions_the_last_is_named():
    network = nn.Sequential(nn.Conv2d(1, 3, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    with pytest.raises(ValueError, match=r"last layer with .* is '0', no nn\.Linear but a con"):
        teacher(network)


def pooled() -> nn.Module:
    torch.manual_seed(0)
    return Pooled().eval()


def test_a_convolution_of_one_pixel_answers_as_a_linear_layer_does():
    network, images = pooled(), torch.rand(2, 1, 8, 8) * 2 - 1
    seen = network.conv((images + 1) / 2)
    wanted = (seen * network.weigh(seen.mean((2, 3)))[:, :, None, None]).mean((2, 3))
    assert torch.allclose(teacher(network)(images).features, wanted, atol=1e-6)


@pytest.mark.parametrize(
    ("form", "changes"),
    [("pt", {}), ("pt", {"trace": True}), ("pt2", {}), ("pt2", {"decompose": True})],
    ids=str,
)
def test_a_convolution_of_one_pixel_answers_in_a_program_too(tmp_path, form, changes):
    network = pooled()
    write = script if form == "pt" else export
    loaded = trusted(write(network, tmp_path / f"net.{form}", **changes)).load()
    assert_same(loaded, reference(network, feature_layer="answer"))


def test_what_has_not_a_row_for_each_image_is_no_feature():
    with pytest.raises(ValueError, match=r"of shape \(8, 64\) for 4 images; a row for each"):
        teacher(Stacked(), "body")


def test_a_layer_that_is_unknown_is_refused_with_the_closest():
    with pytest.raises(ValueError, match=r"no module 'haed'; there are \['body', 'head', 'auxil"):
        teacher(Listed(), "haed")


def test_output_of_another_shape_is_said_before_a_layer_is_missed():
    network = nn.Conv2d(1, 2, 3)
    with pytest.raises(ValueError, match=r"output of shape \(1, 2, 6, 6\); \(1, 3\) was wanted"):
        teacher(network)


def test_whatever_a_network_raises_is_said():
    class Fussy(Listed):
        def forward(self, images: Tensor) -> Tensor:
            assert images.shape[-1] == 16, "found the wrong size"
            return super().forward(images)

    with pytest.raises(ValueError, match=r"does not take a batch of 1 .* found the wrong size"):
        teacher(Fussy())
