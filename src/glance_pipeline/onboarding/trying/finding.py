"""How a network reads images, found out where nobody says it: the parts put together."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from glance_pipeline.classifiers.as_read import LoadedNetwork
from glance_pipeline.classifiers.entrance import Entrance
from glance_pipeline.classifiers.output import to_logits
from glance_pipeline.classifiers.specification import TASKS, ClassifierSpecification, Output
from glance_pipeline.classifiers.task import Values
from glance_pipeline.images.form import to_float
from glance_pipeline.onboarding.trying.network import answers_to
from glance_pipeline.onboarding.trying.orders import Order
from glance_pipeline.onboarding.trying.readings import (
    Numbers,
    Reading,
    usual_readings,
    with_what_is_said,
)
from glance_pipeline.onboarding.trying.trial import (
    Ask,
    Part,
    Tried,
    guess_without_labels,
    try_with_labels,
)
from glance_pipeline.support.errors import UserError

_FIRST, _MOST = 64, 1024
"""Images of the first look, and of all looks."""


@dataclass(frozen=True)
class Declared:
    """What file or user say of how images reach the network.

    Attributes:
        numbers: mean and std; None if nobody says them.
        bgr: whether it takes BGR; None if nobody says it.
        by: who says the numbers.
    """

    numbers: tuple[Numbers, Numbers] | None
    bgr: bool | None
    by: str = ""


@dataclass(frozen=True)
class Labelled:
    """Images of a sample with their labels.

    Attributes:
        images: uint8 (n, C, H, W).
        labels: their values, (n,), None if not known.
    """

    images: np.ndarray
    labels: np.ndarray

    def known(self) -> "Labelled":
        """Return those whose labels are known."""
        there = np.array([value is not None for value in self.labels], dtype=bool)
        return Labelled(self.images[there], self.labels[there])


def labels_at(values: pd.Series, rows: np.ndarray) -> np.ndarray:
    """Return the labels of rows of the source, None if not known."""
    return values.iloc[rows].to_numpy(dtype=object)


def readings_of(
    source: LoadedNetwork, images: np.ndarray, entrance: Mapping[str, Any], said: Declared
) -> list[Reading]:
    """Return the ways of reading that are tried with a network, marked by what is said.

    Args:
        source: the network and what its file says.
        images: uint8 (n, C, H, W), whose own mean and spread are tried too.
        entrance: fields of ``ClassifierSpecification``: size and colour.
        said: by file or user.
    """
    plain = _specification(source, entrance, Reading("", (0.0,), (1.0,)))
    with torch.no_grad():
        seen = Entrance(plain)(to_float(images[:256]))
    spread = seen.std((0, 2, 3)).clamp_min(1e-3)
    own = tuple(
        tuple(round(float(value), 4) for value in values)
        for values in (seen.mean((0, 2, 3)), spread)
    )
    flips = images.shape[1] == 3 and seen.shape[1] == 3
    readings = usual_readings(seen.shape[1], (own[0], own[1]), flips)
    return with_what_is_said(readings, said.numbers, said.bgr if flips else None)


def asking(source: LoadedNetwork, entrance: Mapping[str, Any], output: Output) -> Ask:
    """Return what asks a network about images that are read in some way."""

    def ask(reading: Reading, images: np.ndarray) -> Tensor | None:
        try:
            said = answers_to(source, images, _specification(source, entrance, reading))
        except (RuntimeError, UserError):
            return None
        logits = to_logits(said, output)
        return logits if bool(torch.isfinite(logits).all()) else None

    return ask


def _specification(
    source: LoadedNetwork, entrance: Mapping[str, Any], reading: Reading
) -> ClassifierSpecification:
    fields = {key: source.known[key] for key in ("fit",) if key in source.known} | dict(entrance)
    if fields.get("colour") == "bgr":
        del fields["colour"]
    return ClassifierSpecification(class_names=("a", "b"), **(fields | reading.fields))


def find_out(
    source: LoadedNetwork,
    entrance: Mapping[str, Any],
    output: Output,
    ways: tuple[Sequence[Reading], Sequence[Order]],
    sample: Labelled,
    more: Callable[[], Labelled],
) -> Tried | None:
    """Try the readings with labels where there are any; without, guess.

    Args:
        source: the network and what its file says.
        entrance: fields of ``ClassifierSpecification``: size and colour.
        output: what the network's numbers are.
        ways: readings, and orders of the classes, that are tried; no orders without labels.
        sample: images, with labels or without.
        more: reads further ones, where those of the sample do not tell.

    Returns:
        What came of it; None if nothing can be told, as of numbers of a regression.
    """
    if TASKS[output] is Values:
        return None
    readings, orders = ways
    ask = asking(source, entrance, output)
    if orders:
        tried = try_with_labels(ask, readings, orders, _parts(sample, more))
        if tried is not None:
            return tried
    return guess_without_labels(ask, readings, sample.images, source.network)


def _parts(sample: Labelled, more: Callable[[], Labelled]) -> Iterator[Part]:
    known = sample.known()
    for rows in (slice(None, _FIRST), slice(_FIRST, None)):
        yield known.images[rows], known.labels[rows]
    if len(known.labels):
        rest = more().known()
        yield rest.images, rest.labels


def further_rows(rows: Iterable[int], sample: np.ndarray) -> list[int]:
    """Return rows beside those of the sample, as many as are looked at altogether."""
    known = set(sample.tolist())
    return [row for row in rows if row not in known][: max(0, _MOST - len(known))]
