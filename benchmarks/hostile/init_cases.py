"""What nobody says of a network, which ``kedro glance init`` once took for granted."""

import contextlib
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from benchmarks.hostile.kinds import Case
from glance_pipeline.onboarding.inspection.inspection import Inspected, inspect
from glance_pipeline.onboarding.terminal.asking import Asker
from glance_pipeline.onboarding.terminal.command_options import Wishes
from glance_pipeline.onboarding.trying import telling
from glance_pipeline.onboarding.trying.readings import usual_readings
from glance_pipeline.support.errors import UserError, in_one_line

with contextlib.suppress(ImportError):  # once for all: the processes that run cases are forks
    from transformers import ResNetConfig, ResNetForImageClassification
    from transformers.utils.logging import disable_progress_bar

_NETWORK = "benchmarks.hostile.init_cases.Nearest"
_IMAGES, _SIDE = 15, 8
_FOLDERS = tuple(str(number) for number in range(1, 13))


class Nearest(nn.Module):
    """Answers with the colour that the mean of an image is nearest to.

    Args:
        classes: number of colours.
        sigmoids: whether its answers end in a sigmoid each.
    """

    def __init__(self, classes: int = 12, sigmoids: bool = False) -> None:
        super().__init__()
        self.sigmoids = sigmoids
        self.linear = nn.Linear(3, classes)

    def forward(self, images: Tensor) -> Tensor:
        """Map images (N, 3, H, W) to logits, or shares, (N, K)."""
        said = self.linear(images.mean((2, 3)))
        return said.sigmoid() if self.sigmoids else said


def colours(classes: int = 12) -> np.ndarray:
    """Return colours (K, 3) in [0, 1], none near another, more blue than red."""
    rng = np.random.default_rng(3)
    chosen: list[np.ndarray] = []
    while len(chosen) < classes:
        colour = rng.uniform(0.15, 0.85, 3)
        if all(np.abs(colour - other).max() > 0.16 for other in chosen):
            chosen.append(colour)
    return np.stack(chosen)


def _weights(name: str) -> dict[str, Tensor]:
    """Return weights of a network that takes images normalised in one of the usual ways."""
    readings = usual_readings(3, ((0.5,), (0.5,)), flips=True)
    reading = next(each for each in readings if str(each) == name)
    seen = colours()[:, ::-1] if reading.bgr else colours()
    places = torch.tensor((seen - np.array(reading.mean)) / np.array(reading.std)).float()
    sharp = 40 * float(np.mean(np.broadcast_to(reading.std, 3)) ** 2)
    return {
        "linear.weight": 2 * sharp * places,
        "linear.bias": -sharp * places.pow(2).sum(1),
    }


def _folders(folder: Path, names: Sequence[str]) -> None:
    """Write 15 images of each colour into a folder of its name."""
    rng = np.random.default_rng(0)
    for colour, name in zip(colours(), names, strict=True):
        place = folder / "img" / name
        place.mkdir(parents=True)
        for number in range(_IMAGES):
            pixels = 255 * colour + rng.normal(0, 8, (_SIDE, _SIDE, 3))
            Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(place / f"{number}.png")


def _inspected(folder: Path, **wishes: Any) -> Inspected:
    fields = {"model": str(folder / "net.pth"), "network": _NETWORK, **wishes}
    return inspect(Wishes(images=str(folder / "img"), **fields), folder, 0, Asker(False))


def normalisation(folder: Path, name: str) -> tuple[bool, str]:
    """Bring a state dict of a network that was trained with some normalisation, and labels."""
    _folders(folder, sorted(_FOLDERS))
    torch.save(_weights(name), folder / "net.pth")
    found = _inspected(folder)
    tried = found.reads.tried
    assert tried is not None
    left = [str(tried.readings[cell[0]]) for cell in (tried.chosen, *tried.level)]
    written = "mean" in found.specification and "std" in found.specification
    return tried.told and name in left and written, found.reads.how


def order_of_folders(folder: Path) -> tuple[bool, str]:
    """Bring folders 1 … 12 and a network of which 10 is the second class, as text has it."""
    _folders(folder, sorted(_FOLDERS))
    torch.save(_weights("[0, 1]"), folder / "net.pth")
    found = _inspected(folder)
    return found.classes.names == tuple(sorted(_FOLDERS)), found.classes.how


def order_without_a_name(folder: Path) -> tuple[bool, str]:
    """Bring folders whose classes are in no order that has a name: a hint, and not a choice."""
    mixed = [_FOLDERS[number] for number in (3, 7, 1, 0, 11, 5, 9, 2, 10, 4, 8, 6)]
    _folders(folder, mixed)
    torch.save(_weights("ImageNet's"), folder / "net.pth")
    found = _inspected(folder)
    assert found.reads.tried is not None
    said = "; ".join(telling.warnings(found.reads.tried))
    kept = found.classes.names in (_FOLDERS, tuple(sorted(_FOLDERS)))
    return kept and f"--class-names {','.join(mixed)}" in said, said


def labels_of_something_else(folder: Path) -> tuple[bool, str]:
    """Bring labels that have nothing to do with the answers."""
    _folders(folder, _FOLDERS)
    shuffled = np.random.default_rng(0).permutation(sorted(folder.glob("img/*/*.png")))
    for number, path in enumerate(shuffled):
        path.rename(folder / "img" / _FOLDERS[number % 12] / f"new{number}.png")
    torch.save(_weights("ImageNet's"), folder / "net.pth")
    try:
        found = _inspected(folder)
    except UserError as error:
        return "labelled images do not tell" in str(error), in_one_line(error)
    return False, found.reads.how


def no_labels(folder: Path) -> tuple[bool, str]:
    """Bring no labels: what is taken is called a guess."""
    _folders(folder, _FOLDERS)
    torch.save(_weights("ImageNet's"), folder / "net.pth")
    names = ",".join(_FOLDERS)
    found = _inspected(folder, labels="none", class_names=names)
    tried = found.reads.tried
    assert tried is not None
    warned = any(name == "warning" for name, _ in telling.section(tried)[1])
    return warned and "a guess without labels" in found.reads.how, found.reads.how


def sigmoid_of_several(folder: Path) -> tuple[bool, str]:
    """Bring a state dict of a network that ends in a sigmoid for each of several labels."""
    _folders(folder, _FOLDERS)
    torch.save(_weights("[0, 1]"), folder / "net.pth")
    arguments = "{sigmoids: true}"
    found = _inspected(folder, arguments=arguments, mean="0", std="1", class_order="numbers")
    outputs = found.reads.outputs
    return outputs.kind == "label_probabilities", f"{outputs.kind}: {outputs.how}"


def folder_without_processor(folder: Path) -> tuple[bool, str]:
    """Bring a folder of transformers as a trainer's checkpoint is: nothing says how it reads."""
    _folders(folder, _FOLDERS)
    config = ResNetConfig(embedding_size=4, hidden_sizes=[4], depths=[1], layer_type="basic")
    config.num_labels = len(_FOLDERS)
    torch.manual_seed(0)
    disable_progress_bar()
    ResNetForImageClassification(config).eval().save_pretrained(folder / "checkpoint")
    wishes = {"model": str(folder / "checkpoint"), "network": None, "labels": "none"}
    found = _inspected(folder, class_names=",".join(_FOLDERS), **wishes)
    return "guess" in found.reads.how, found.reads.how


def _of(name: str) -> Callable[[Path], tuple[bool, str]]:
    return partial(normalisation, name=name)


CASES = (
    *(
        Case(
            f"normalisation unsaid: {name}",
            "it is found by the labels, or those that cannot be told apart are named",
            _of(name),
        )
        for name in ("[−1, 1]", "ImageNet's", "0 … 255", "0 … 255 less ImageNet's mean in BGR")
    ),
    Case(
        "imagefolder_order",
        "both orders of the folders are tried, the better one taken and said",
        order_of_folders,
    ),
    Case(
        "an order of classes without a name",
        "it is a hint with --class-names, and not taken",
        order_without_a_name,
    ),
    Case(
        "labels of something else",
        "a refusal with the figures and the options that settle it",
        labels_of_something_else,
    ),
    Case("normalisation unsaid, no labels", "a guess, which is called one", no_labels),
    Case("sigmoid_of_several_in_init", "labels each by itself, said", sigmoid_of_several),
    Case(
        "transformers folder without preprocessor_config.json",
        "its normalisation is found out, and how is said",
        folder_without_processor,
    ),
)
