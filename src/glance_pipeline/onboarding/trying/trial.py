"""The usual ways of reading images, tried on images with labels, or guessed at without."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from glance_pipeline.onboarding.terminal.kept_messages import watched
from glance_pipeline.onboarding.trying.memory import distances, remembers
from glance_pipeline.onboarding.trying.orders import Order
from glance_pipeline.onboarding.trying.readings import Reading
from glance_pipeline.onboarding.trying.verdict import (
    as_good,
    as_likely,
    better_than_chance,
    clearly_better,
    decidedness,
    likelihoods_of,
    matching,
)

Ask = Callable[[Reading, np.ndarray], Tensor | None]
"""Logits (n, K) of uint8 images (n, C, H, W), read in one way; None if they are of no use."""

Cell = tuple[int, int]
"""Numbers of a reading and of an order of the classes."""

Part = tuple[np.ndarray, np.ndarray | None]
"""Some images, uint8 (n, C, H, W), and their labels (n,), None without."""

_LOOKS = 2
_SECONDS = 60.0  # of a processor, that a look at more images may take
_FEWEST = 16
_ALIKE = 0.8
_AS_NEAR = 2.0  # times the least distance within which others are as near
_SAME_BITS = 0.01
"""Share of the most decided answers' information within which others are as decided."""


@dataclass(frozen=True)
class Shown:
    """What came of one reading and order.

    Attributes:
        right: share of the images.
        images: number of labelled images that it was tried on.
    """

    right: float
    images: int


@dataclass(frozen=True)
class Hint:
    """Another order of the classes that would fit the labels.

    Attributes:
        reading: that it was found with.
        numbers: the answer that fits each value.
        right: share that would be right, of images that it was not found on.
    """

    reading: int
    numbers: dict[str, int]
    right: float


@dataclass(frozen=True)
class Tried:
    """What came of a trial.

    Attributes:
        readings: that were tried.
        orders: that were tried; empty without labels.
        chosen: the one that is taken.
        level: those that might be taken too and are not clearly worse, the likeliest first.
        alike: least share of the images to which one that may well be as good gives the answer of
            the chosen one.
        better: one that may not be taken, for something else was said, and is clearly better.
        shown: accuracies by reading and order.
        scores: without labels, by reading: how far its layers are from their training, nats; or
            how decided the answers are, bits.
        guessed_by: which of them; empty with labels.
        frequent: share of the most frequent label.
        hint: another order of the classes that would fit better by far.
        sure: whether more is right than by always the most frequent label, or nothing was to be
            chosen.
        asked: whether the user chose.
    """

    readings: tuple[Reading, ...]
    orders: tuple[Order, ...]
    chosen: Cell
    level: tuple[Cell, ...] = ()
    alike: float = 1.0
    better: Cell | None = None
    shown: dict[Cell, Shown] = field(default_factory=dict)
    scores: dict[int, float] = field(default_factory=dict)
    guessed_by: Literal["memory", "answers", ""] = ""
    frequent: float = 0.0
    hint: Hint | None = None
    sure: bool = False
    asked: bool = False

    @property
    def reading(self) -> Reading:
        """The way of reading that is taken."""
        return self.readings[self.chosen[0]]

    @property
    def order(self) -> Order | None:
        """The order of the classes that is taken; None without labels."""
        return self.orders[self.chosen[1]] if self.orders else None

    @property
    def by_labels(self) -> bool:
        """Whether there were labels to tell by."""
        return bool(self.shown)

    @property
    def told(self) -> bool:
        """Whether no other one that may well be as good answers otherwise."""
        return self.by_labels and (self.alike >= _ALIKE if self.level else self.sure)


class _Evidence:
    """Answers of all readings to the images so far, and what is still in question."""

    def __init__(self, readings: Sequence[Reading], orders: Sequence[Order]) -> None:
        self.readings = readings
        self.orders = orders
        self.logits: dict[int, Tensor] = {}
        self.labels = np.zeros(0, dtype=object)
        self.open = [(r, o) for r in range(len(readings)) for o in range(len(orders))]
        self.tests = max(1, len(self.open) - 1)
        self.out: dict[Cell, Shown] = {}

    def numbers(self, cell: Cell) -> np.ndarray:
        """Return the answers that the labels stand for, of the images that a cell was tried on."""
        known, count = self.orders[cell[1]].numbers, len(self.logits[cell[0]])
        return np.array([known.get(label, -1) for label in self.labels[:count]], dtype=np.int64)

    def right(self, cell: Cell) -> np.ndarray:
        """Return which images are right, bool (n,)."""
        return self.logits[cell[0]].argmax(1).numpy() == self.numbers(cell)

    def likelihoods(self, cell: Cell) -> np.ndarray:
        """Return logarithms of those of the labels, (n,)."""
        return likelihoods_of(self.logits[cell[0]], self.numbers(cell))

    def likelihood(self, cell: Cell) -> float:
        """Return their mean, to a thousandth: what differs by less is equal."""
        found = self.likelihoods(cell)
        return round(float(found.mean()), 3) if len(found) else float("-inf")

    def rivals(self, cells: Iterable[Cell], chosen: Cell) -> list[Cell]:
        """Return those that may well be as good as the chosen one, by either measure."""
        right, likely = self.right(chosen), self.likelihoods(chosen)
        return [
            cell
            for cell in cells
            if as_good(self.right(cell), right)
            and (cell[1] != chosen[1] or as_likely(self.likelihoods(cell), likely))
        ]

    def answers_alike(self, one: Cell, other: Cell) -> float:
        """Return the share of images that both give the same label."""
        said = [self._labels_said(cell) for cell in (one, other)]
        return float(np.mean([a == b for a, b in zip(*said, strict=True)]))

    def _labels_said(self, cell: Cell) -> list[str]:
        names = {number: value for value, number in self.orders[cell[1]].numbers.items()}
        return [names.get(int(k), f"answer {k}") for k in self.logits[cell[0]].argmax(1)]

    def add(self, ask: Ask, part: Part) -> None:
        """Ask about more images, as many as the time allows; drop readings that are of no use."""
        images, labels = part
        readings = sorted({reading for reading, _ in self.open})
        began = time.process_time()  # what others take of the machine is not to change the verdict
        ask(self.readings[readings[0]], images[:_FEWEST])
        spent = (time.process_time() - began) / torch.get_num_threads()
        seconds = spent / len(images[:_FEWEST])
        images = images[: max(_FEWEST, int(_SECONDS / max(1e-9, seconds * len(readings))))]
        if labels is not None:
            self.labels = np.concatenate([self.labels, labels[: len(images)]])
        what = f"normalisations, each tried on {len(images)} images"
        for reading in watched(readings, what, "normalisation"):
            said = ask(self.readings[reading], images)
            if said is None:
                self.open = [cell for cell in self.open if cell[0] != reading]
                self.logits.pop(reading, None)
            else:
                before = [self.logits[reading]] if reading in self.logits else []
                self.logits[reading] = torch.cat([*before, said])

    def drop_the_clearly_worse(self) -> None:
        best = self.best(self.open)
        good = self.right(best)
        for cell in list(self.open):
            if clearly_better(good, self.right(cell), self.tests):
                self.open.remove(cell)
                self.out[cell] = self.shown(cell)

    def best(self, cells: Iterable[Cell]) -> Cell:
        """Return the most accurate, of equals the one under which the labels are likeliest."""
        right = {cell: float(self.right(cell).mean()) for cell in cells}
        most = max(right.values())
        return max((c for c in right if right[c] == most), key=self.likelihood)

    def shown(self, cell: Cell) -> Shown:
        right = self.right(cell)
        return Shown(float(right.mean()), len(right))

    def allowed(self, cell: Cell) -> bool:
        return self.readings[cell[0]].allowed and self.orders[cell[1]].allowed


def try_with_labels(
    ask: Ask, readings: Sequence[Reading], orders: Sequence[Order], parts: Iterable[Part]
) -> Tried | None:
    """Try all readings and orders on labelled images, part by part, until one is clearly best.

    After each part those go out that are clearly worse than the best, by McNemar's exact test,
    two-sided, at 1 % for all that are compared with it (Bonferroni).

    Args:
        ask: the network.
        readings: some of them allowed.
        orders: of the classes, some of them allowed.
        parts: labelled images; no more are read than are needed.

    Returns:
        What came of it; None if there is no labelled image or no answer.
    """
    found = _Evidence(readings, orders)
    for number, part in enumerate(parts):
        allowed = sum(map(found.allowed, found.open))
        if len(found.open) == 1 or (number >= _LOOKS and allowed <= 1):
            break  # further images cost more, and are for what is in question alone
        if len(part[0]):
            found.add(ask, part)
            if not found.open:
                return None
            found.drop_the_clearly_worse()
    return _judged(found) if len(found.labels) else None


def _judged(found: _Evidence) -> Tried:
    """Choose among those that are allowed; the plainest of equals."""
    every = [cell for cell in (*found.open, *found.out) if cell[0] in found.logits]
    best = found.best(every)
    tried = Tried(
        tuple(found.readings),
        tuple(found.orders),
        best,
        shown={cell: found.out.get(cell) or found.shown(cell) for cell in every},
        frequent=float(np.unique(found.labels.astype(str), return_counts=True)[1].max())
        / len(found.labels),
        hint=_hint(found, best),
    )
    allowed = [cell for cell in every if found.allowed(cell)]
    # In a wrong order of the classes, a wrong reading may be right more often than the right one.
    by = tried.hint.reading if tried.hint else best[0]
    of_best = [cell for cell in allowed if cell[0] == by]
    if of_best and (tried.hint or _clearly(found, best, found.best(of_best))):
        chosen = found.best(of_best)
        return replace(tried, chosen=chosen, better=None if tried.hint else best, sure=True)
    left = [cell for cell in allowed if cell in found.open]
    ranked = sorted(left, key=lambda cell: (-found.likelihood(cell), cell))
    chosen = ranked[0] if ranked else found.best(allowed)
    rivals = found.rivals(ranked, chosen)
    return replace(
        tried,
        chosen=chosen,
        level=tuple(cell for cell in ranked if cell != chosen),
        alike=min((found.answers_alike(chosen, cell) for cell in rivals), default=1.0),
        better=best if _clearly(found, best, chosen) else None,
        sure=len(allowed) == 1 or better_than_chance(found.right(chosen), tried.frequent),
    )


def _clearly(found: _Evidence, best: Cell, chosen: Cell) -> bool:
    """Say whether what may not be taken is clearly better than what is."""
    shared = min(len(found.logits[cell[0]]) for cell in (best, chosen))
    one, other = (found.right(cell)[:shared] for cell in (best, chosen))
    return not found.allowed(best) and clearly_better(one, other, found.tests)


def _hint(found: _Evidence, best: Cell) -> Hint | None:
    """Return the order of classes that fits clearly better than all that have a name, if any."""
    matched = {
        reading: matching(logits.argmax(1).numpy(), found.labels[: len(logits)], logits.shape[1])
        for reading, logits in found.logits.items()
    }
    reading = max(matched, key=lambda number: matched[number][1].mean())
    numbers, fits = matched[reading]
    first = len(found.logits[reading]) // 2
    named = found.right(best)[first:]
    shared = min(len(fits), len(named))
    better = clearly_better(fits[:shared], named[:shared], len(matched))
    return Hint(reading, numbers, float(fits.mean())) if better else None


def guess_without_labels(
    ask: Ask, readings: Sequence[Reading], images: np.ndarray, network: nn.Module
) -> Tried | None:
    """Guess a reading, no more: where what a network sees is most like what it was trained with.

    By its batch normalisations, where it has any; else the one under which the answers are the
    most decided, the plainest of those that are as decided.

    Returns:
        What came of it; None if the network answers to no reading.
    """
    found = _Evidence(readings, [Order("names", {})])
    found.open = [cell for cell in found.open if readings[cell[0]].allowed]
    found.add(ask, (images, None))
    if not found.logits:
        return None
    if remembers(network):
        far = {}
        for reading in found.logits:
            with distances(network) as noted:
                ask(readings[reading], images[: len(found.logits[reading])])
            far[reading] = float(np.mean(noted))
        chosen = min(far, key=lambda reading: far[reading])
        near = [r for r in far if r != chosen and far[r] <= _AS_NEAR * far[chosen]]
        return _guessed(readings, chosen, near, far, "memory")
    bits = {reading: decidedness(logits) for reading, logits in found.logits.items()}
    most = max(bits.values())
    as_decided = [r for r in sorted(bits) if bits[r] >= most - _SAME_BITS * most]
    return _guessed(readings, as_decided[0], as_decided[1:], bits, "answers")


def _guessed(
    readings: Sequence[Reading],
    chosen: int,
    level: Sequence[int],
    scores: dict[int, float],
    by: Literal["memory", "answers"],
) -> Tried:
    cells = tuple((reading, 0) for reading in level)
    return Tried(tuple(readings), (), (chosen, 0), cells, scores=scores, guessed_by=by)
