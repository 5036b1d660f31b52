"""The attribute reader learns from generated images what they measure.

A generator that is trained against a frozen reader learns what that reader mistakes. What a
function measures can be asked of generated images as well: some are measured every few steps, and
the reader learns from the newest, from older ones and from real ones. A feature that comes from a
table alone is not known of a generated image, and is learned from real ones as before.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from glance_pipeline.config.align import ReaderParameters
from glance_pipeline.context.watched import FURTHEST
from glance_pipeline.images.form import to_float, to_uint8
from glance_pipeline.twin.networks import Concept
from glance_pipeline.twin.networks.attribute_reader import AttributeReader
from glance_pipeline.twin.objectives.twin_pass import TwinPass
from glance_pipeline.twin.training.data import TrainingData
from glance_pipeline.twin.training.reader_training import reading_errors
from glance_pipeline.twin.training.rows import sum_gradients
from glance_pipeline.twin.training.supervised import Examples

Measure = Callable[[np.ndarray], pd.DataFrame]
"""Measures context features of uint8 images (N, C, H, W): a row per image, NaN where it cannot."""

KEPT = 512
"""Measured images that are kept, the newest."""

_REPEATED = 2
"""Of these, and of real images, as many times the newest are learned from at a time."""


@dataclass(frozen=True, eq=False)
class MeasuredCodes:
    """What can be measured of a generated image, as the reader is to read it.

    Attributes:
        reader: names the properties.
        concepts: of the J context features.
        measure: of the context features; None where they come from a table alone.
    """

    reader: AttributeReader
    concepts: tuple[Concept, ...]
    measure: Measure | None

    def __call__(self, images: np.ndarray) -> Tensor:
        """Return codes of uint8 images, (N, J + P), NaN where nothing measures them."""
        parts = [np.full((len(images), len(self.concepts)), np.nan)]
        if self.measure is not None:
            table = self.measure(images)[[concept.name for concept in self.concepts]].to_numpy()
            mean, std = (
                np.array([getattr(c, of) for c in self.concepts]) for of in ("mean", "std")
            )
            parts = [np.clip((table - mean) / std, -FURTHEST, FURTHEST)]
        if (watched := self.reader.watched) is not None:
            parts.append(watched.measure(images))
        return torch.as_tensor(np.concatenate(parts, 1), dtype=torch.float32)


class ReaderRefresh:
    """Refreshes a reader, in place, while the surrogate trains.

    Args:
        measured: the reader, and what can be measured.
        real: training images with what the reader is to read off them.
        parameters: how often, and how fast.
    """

    def __init__(
        self, measured: MeasuredCodes, real: Examples, parameters: ReaderParameters
    ) -> None:
        self.measured = measured
        self.real = real
        self.every = parameters.refresh_every
        self.rate = parameters.refresh_rate
        self.images = np.empty((0, *real.images.shape[1:]), np.uint8)
        self.codes = torch.empty(0, real.targets.shape[1])
        self._optimiser: torch.optim.Adam | None = None

    @property
    def optimiser(self) -> torch.optim.Adam:
        """Made when first asked for: by then the reader is on its device."""
        if self._optimiser is None:
            self._optimiser = torch.optim.Adam(self.measured.reader.parameters(), self.rate)
        return self._optimiser

    def __call__(self, step: TwinPass) -> dict[str, float]:
        """Measure the recombination of a step and learn; return the error before, by name."""
        newest = to_uint8(step.recombination)
        codes = self.measured(newest)
        self.images = np.concatenate([newest, self.images])[:KEPT]
        self.codes = torch.cat([codes, self.codes])[:KEPT]
        count = _REPEATED * len(newest)
        older = torch.randint(len(self.images), (count,), generator=step.generator)
        rows = torch.randint(len(self.real.images), (count,), generator=step.generator)
        images = [newest, self.images[older.numpy()], self.real.images[rows.numpy()]]
        wanted = torch.cat([codes, self.codes[older], self.real.targets[rows]])
        weights = torch.ones(len(wanted))
        if self.real.weights is not None:
            weights[-count:] = self.real.weights[rows]
        reader, device = self.measured.reader, step.batch.images.device
        reader.requires_grad_(True)
        found = reader(to_float(np.concatenate(images)).to(device)).float()
        errors = reading_errors(found, wanted.to(device), self.measured.concepts)
        self.optimiser.zero_grad(set_to_none=True)
        (errors * weights.to(device)).mean().backward()
        sum_gradients(self.optimiser)
        self.optimiser.step()
        reader.requires_grad_(False)
        return {"reader": float(errors[: len(newest)].detach().mean())}

    def state_dict(self) -> dict[str, Any]:
        """Return all that changes."""
        return {
            "reader": self.measured.reader.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "images": torch.as_tensor(self.images),
            "codes": self.codes,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up what ``state_dict`` returned."""
        self.measured.reader.load_state_dict(state["reader"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.images, self.codes = state["images"].numpy(), state["codes"]


def refresh_on(
    data: TrainingData, measured: MeasuredCodes, parameters: ReaderParameters
) -> ReaderRefresh | None:
    """Return what refreshes a reader beside a training, None where nothing can be measured.

    Args:
        data: the images that are trained on, with their context.
        measured: the reader, and what can be measured.
        parameters: how often, and how fast.
    """
    watched = measured.reader.watched
    if parameters.refresh_every == 0 or not measured.concepts:
        return None
    if watched is None and measured.measure is None:
        return None
    assert data.context is not None
    targets = data.context
    if watched is not None:
        targets = torch.cat([targets, torch.as_tensor(watched.measure(data.images)).float()], 1)
    return ReaderRefresh(measured, Examples(data.images, targets, data.weights), parameters)
