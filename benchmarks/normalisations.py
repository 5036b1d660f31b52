"""Does ``kedro glance init`` find the normalisation that a network was trained with?

python -m benchmarks.normalisations

A small network is trained on coloured shapes under each of the usual normalisations and orders of
channels, and labelled images are tried with all of them, as ``init`` does.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks.command_line import command_line, write_result
from glance_pipeline.classifiers.as_read import LoadedNetwork
from glance_pipeline.classifiers.entrance import Entrance
from glance_pipeline.classifiers.specification import ClassifierSpecification
from glance_pipeline.images.form import to_float
from glance_pipeline.onboarding.trying.finding import Declared, asking, readings_of
from glance_pipeline.onboarding.trying.orders import Order
from glance_pipeline.onboarding.trying.readings import Reading
from glance_pipeline.onboarding.trying.trial import (
    Tried,
    guess_without_labels,
    try_with_labels,
)
from glance_pipeline.support.seeding import numpy_generator, seeded_torch

SIZE, BATCH, EPOCHS = 16, 50, 16
NAMES = ("disc", "square", "cross", "warm disc", "warm square", "warm cross")


class SmallNet(nn.Module):
    """Two convolutions with batch normalisation, and a linear layer.

    Args:
        channels: channels of the images.
        classes: number of the answers.
    """

    def __init__(self, channels: int = 3, classes: int = len(NAMES)) -> None:
        super().__init__()
        self.body = nn.Sequential(
            *(nn.Conv2d(channels, 12, 3, padding=1, bias=False), nn.BatchNorm2d(12), nn.ReLU()),
            *(nn.MaxPool2d(2), nn.Conv2d(12, 24, 3, padding=1), nn.BatchNorm2d(24), nn.ReLU()),
            nn.AdaptiveAvgPool2d(2),
        )
        self.linear = nn.Linear(96, classes)

    def forward(self, images: Tensor) -> Tensor:
        """Map images (N, C, H, W) to logits (N, K)."""
        return self.linear(self.body(images).flatten(1))


def coloured_shapes(
    count: int, rng: np.random.Generator, channels: int = 3
) -> tuple[np.ndarray, np.ndarray]:
    """Return images (count, C, 16, 16), uint8, of shapes in two tones, and their classes.

    Tones overlap, and so do shape and background: no network is right on all.
    """
    classes = rng.integers(0, len(NAMES), count)
    images = np.zeros((count, 3, SIZE, SIZE))
    grid = np.arange(SIZE) - SIZE / 2 + 0.5
    for image, number in zip(images, classes, strict=True):
        x, y = grid[None] - rng.normal(), grid[:, None] - rng.normal()
        half = rng.uniform(3, 5.5)
        inside = (
            x**2 + y**2 < half**2,
            (abs(x) < half * 0.9) & (abs(y) < half * 0.9),
            ((abs(x) < half / 3) | (abs(y) < half / 3)) & (abs(x) < half) & (abs(y) < half),
        )[number % 3]
        tone = np.array([165, 125, 100]) if number >= 3 else np.array([130, 130, 125])
        tone = tone + rng.normal(0, 12, 3)
        ground = rng.uniform(30, 100) + rng.normal(0, 10, 3)
        image[:] = np.where(inside, tone[:, None, None], ground[:, None, None])
    images += rng.normal(0, 10, images.shape)
    images = images.clip(0, 255).round().astype(np.uint8)
    return (images if channels == 3 else images.mean(1, keepdims=True).astype(np.uint8)), classes


def entrance_of(reading: Reading, channels: int) -> Entrance:
    """Return what brings images in [−1, 1] into a network's range as a reading says."""
    shape = (channels, SIZE, SIZE)
    return Entrance(ClassifierSpecification(image_shape=shape, class_names=NAMES, **reading.fields))


def trained(reading: Reading, images: np.ndarray, classes: np.ndarray, seed: int) -> nn.Module:
    """Return a network that was trained on images that are read in one way."""
    channels = images.shape[1]
    inputs = entrance_of(reading, channels)(to_float(images))
    told = torch.from_numpy(classes)
    with seeded_torch(seed, "normalisations"):
        network = SmallNet(channels)
        optimiser = torch.optim.Adam(network.parameters(), 5e-3)
        # To 0, so that the batch normalisations' running means are those of the last weights.
        rate = torch.optim.lr_scheduler.LinearLR(optimiser, 1, 0.01, EPOCHS)
        for _ in range(EPOCHS):
            for rows in torch.randperm(len(inputs)).split(BATCH):
                optimiser.zero_grad()
                F.cross_entropy(network(inputs[rows]), told[rows]).backward()
                optimiser.step()
            rate.step()
    return network.eval()


def judged(tried: Tried | None, truth: Reading) -> str:
    """Return what came of a trial: ``right``, ``right, with others``, ``not told`` or ``wrong``."""
    assert tried is not None
    left = [tried.readings[cell[0]] for cell in (tried.chosen, *tried.level)]
    if not any(each.reads_as(truth) for each in left):
        return "wrong"
    if not tried.told:
        return "not told"
    if not tried.reading.reads_as(truth):
        return "one that reads alike"
    return "right, with others that read alike" if tried.level else "right"


def rows(channels: int, quick: bool, seed: int) -> Iterator[dict[str, Any]]:
    """Yield what was found of a network trained under each reading."""
    rng = numpy_generator(seed, "normalisations", channels)
    images, classes = coloured_shapes(800, rng, channels)
    shown, numbers = coloured_shapes(400, rng, channels)
    labels = np.array([NAMES[number] for number in numbers], dtype=object)
    entrance = {"image_shape": [channels, SIZE, SIZE]}
    order = Order("names", {name: number for number, name in enumerate(NAMES)})
    truths = readings_of(LoadedNetwork(nn.Identity()), images, entrance, Declared(None, None))
    for truth in truths[:: 4 if quick else 1]:
        source = LoadedNetwork(trained(truth, images, classes, seed))
        readings = readings_of(source, shown, entrance, Declared(None, None))
        ask = asking(source, entrance, "logits")
        parts = [(shown[part], labels[part]) for part in (slice(64), slice(64, None))]
        tried = try_with_labels(ask, readings, [order], parts)
        guess = guess_without_labels(ask, readings, shown[:256], source.network)
        assert tried is not None and guess is not None
        near = truth if truth.name != "the images' own" else _own(readings, truth)
        yield {
            "channels": channels,
            "trained with": str(truth),
            "found": judged(tried, near),
            "taken": str(tried.reading),
            "left": 1 + len(tried.level),
            "accuracy": round(tried.shown[tried.chosen].right, 3),
            "guess without labels": str(guess.reading),
        }


def _own(readings: list[Reading], truth: Reading) -> Reading:
    """Return the reading by the shown images' own mean, which are not those of the training."""
    return next(each for each in readings if (each.name, each.bgr) == (truth.name, truth.bgr))


def main() -> None:
    """Train, try and print the table."""
    arguments = command_line("normalisations", __doc__.partition("\n")[0]).parse_args()
    torch.set_num_threads(1)
    found = [row for c in (3, 1) for row in rows(c, arguments.quick, arguments.seed)]
    print(pd.DataFrame(found).to_string(index=False))
    print(pd.Series([row["found"] for row in found]).value_counts().to_string())
    write_result({"found": found}, arguments.json)


if __name__ == "__main__":
    main()
