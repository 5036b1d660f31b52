"""What counterfactuals of N images are to reach: another class, a label turned, a number moved."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from glance_pipeline.classifiers.task import WITHIN, Each, Task, Values, with_unit_of

ANY = "any"


class Goals(ABC):
    """What is wanted of each of N images.

    Attributes:
        halvings: fewest rounds in which a change is shortened.
    """

    halvings: int = 0

    @property
    @abstractmethod
    def searched(self) -> Tensor:
        """Which images are searched for, bool (N,): those that are not there already."""

    @abstractmethod
    def lead_of(self, logits: Tensor, owner: Tensor) -> Tensor:
        """Return how far answers (R, K) are beyond the border of what ``owner`` (R,) wants, (R,).

        Above 0 it is reached. In logits; of numbers, in standard deviations of the answers.
        """

    def reached(self, logits: Tensor, owner: Tensor) -> Tensor:
        """Return which answers (R, K) are what ``owner`` (R,) wants, bool (R,)."""
        return self.lead_of(logits, owner) > 0

    def upwards(self, image: int) -> bool | None:
        """Return whether a number is to rise; None of classes and labels."""
        return None

    @abstractmethod
    def target(self, image: int) -> str:
        """Name what is wanted of an image."""

    @abstractmethod
    def note(self, image: int) -> str:
        """Say why nothing was found for an image, or looked for."""


@dataclass(frozen=True)
class ClassGoals(Goals):
    """Other classes.

    Attributes:
        wanted: which answers count for each image, bool (N, K). Neither the image's own class nor
            its reconstruction's does: a picture that is already called so needs no change, and
            shows nothing.
        names: names of the K classes.
        aims: number of the class aimed at in each image, None for any but its own.
        called: number of each image's own class, (N,).
    """

    wanted: Tensor
    names: Sequence[str] = ()
    aims: Sequence[int | None] = ()
    called: Tensor | None = None

    @classmethod
    def of(
        cls, aims: Sequence[int | None], logits: Tensor, redrawn: Tensor, names: Sequence[str]
    ) -> "ClassGoals":
        """Want the classes ``aims`` of N images with ``logits``, (N, K), ``redrawn`` likewise."""
        wanted = torch.zeros_like(logits, dtype=torch.bool)
        for image, aim in enumerate(aims):
            wanted[image, slice(None) if aim is None else aim] = True
        called = logits.argmax(1)
        wanted.scatter_(1, called[:, None], False)
        wanted.scatter_(1, redrawn.argmax(1, keepdim=True), False)
        return cls(wanted, names, aims, called)

    @property
    def searched(self) -> Tensor:
        """Return the images of which some class is wanted."""
        return self.wanted.any(1)

    def lead_of(self, logits: Tensor, owner: Tensor) -> Tensor:
        """Return how far the best wanted class leads the best other."""
        wanted = self.wanted[owner]
        best = logits.masked_fill(~wanted, -torch.inf).amax(1)
        return best - logits.masked_fill(wanted, -torch.inf).amax(1)

    def reached(self, logits: Tensor, owner: Tensor) -> Tensor:
        """Return where the class with the largest logit is wanted."""
        return self.wanted[owner].gather(1, logits.argmax(1, keepdim=True))[:, 0]

    def target(self, image: int) -> str:
        """Name the class."""
        aim = self.aims[image]
        return ANY if aim is None else self.names[aim]

    def note(self, image: int) -> str:
        """Say why nothing was found for an image, or looked for."""
        aim, target = self.aims[image], self.target(image)
        if bool(self.wanted[image].any()):
            goal = "anything else" if aim is None else target
            return f"No change of the concepts within their range made the classifier say {goal}."
        if self.called is not None and int(self.called[image]) == aim:
            return f"The image is already called {target}."
        if aim is None:
            return (
                "There is no third class: the reconstruction is classified differently from the "
                "image."
            )
        return f"The reconstruction is already called {target}, with no concept changed."


@dataclass(frozen=True)
class LabelGoals(Goals):
    """Labels turned on or off.

    Attributes:
        sides: float (N, K): 1 where a label is to be turned on, −1 where off, 0 where it does not
            matter. A label that the image or its reconstruction has so already is not aimed at.
        task: names the labels.
        named: the label aimed at in each image and whether it is to be on; None for any.
        had: whether the image's own labels are so already, bool (N,).
    """

    sides: Tensor
    task: Each
    named: Sequence[tuple[int, bool] | None]
    had: Tensor

    @classmethod
    def of(
        cls,
        named: Sequence[tuple[int, bool] | None],
        logits: Tensor,
        redrawn: Tensor,
        task: Each,
    ) -> "LabelGoals":
        """Want labels of N images with ``logits``, (N, K), and ``redrawn`` likewise, turned."""
        flips = 1.0 - 2.0 * (logits > 0).float()
        sides = torch.zeros_like(flips)
        for image, aim in enumerate(named):
            if aim is None:
                sides[image] = flips[image]
            else:
                sides[image, aim[0]] = 1.0 if aim[1] else -1.0
        had = ((sides != 0) & (sides != flips)).any(1)
        # What the reconstruction has already shows nothing.
        alike = (logits > 0) == (redrawn > 0)
        return cls(torch.where((sides == flips) & alike, sides, 0.0), task, named, had)

    @property
    def searched(self) -> Tensor:
        """Return the images with a label to turn."""
        return (self.sides != 0).any(1)

    def lead_of(self, logits: Tensor, owner: Tensor) -> Tensor:
        """Return how far the label that is turned furthest is beyond its threshold."""
        sides = self.sides[owner]
        return (sides * logits).masked_fill(sides == 0, -torch.inf).amax(1)

    def turned(self, image: int, logits: Tensor) -> int:
        """Return the label, of those aimed at in an image, that logits (K,) turn furthest."""
        sides = self.sides[image]
        return int((sides * logits).masked_fill(sides == 0, -torch.inf).argmax())

    def target(self, image: int) -> str:
        """Name the label, with ``not`` where it is to be off."""
        aim = self.named[image]
        if aim is None:
            return ANY
        return self.task.names[aim[0]] if aim[1] else f"not {self.task.names[aim[0]]}"

    def note(self, image: int) -> str:
        """Say why nothing was found for an image, or looked for."""
        aim = self.named[image]
        what = "any label" if aim is None else self.task.names[aim[0]]
        turned = "" if aim is None else " on" if aim[1] else " off"
        if bool(self.searched[image]):
            return f"No change of the concepts within their range turned {what}{turned}."
        if bool(self.had[image]):
            return f"In the image {what} is{turned} already."
        if aim is None:
            return "In the reconstruction every label is turned already."
        return f"In the reconstruction {what} is{turned} already, with no concept changed."


@dataclass(frozen=True)
class ValueGoals(Goals):
    """A number moved beyond a value, and no further than a tolerance.

    Attributes:
        output: number of the output.
        wanted: value wanted of each image, (N,), in units.
        ways: 1 where the number is to rise, −1 where to fall, 0 where it is there already, (N,).
        redrawn: what the reconstructions are answered with, (N,).
        task: with its spread.
        name: name of what is wanted, the same for all images; the value where empty.
    """

    output: int
    wanted: Tensor
    ways: Tensor
    redrawn: Tensor
    task: Values
    name: str = ""

    halvings = 6
    """To end within the tolerance: at 1/64 of a change that may be of several spreads."""

    @property
    def searched(self) -> Tensor:
        """Return the images that are not there, nor beyond it when redrawn."""
        return (self.ways != 0) & (self.ways * (self.redrawn - self.wanted) <= 0)

    @property
    def spread(self) -> float:
        """Standard deviation of the answers to the training images, in units."""
        return self.task.spread[self.output]

    def lead_of(self, logits: Tensor, owner: Tensor) -> Tensor:
        """Return how far the number is beyond the value wanted, in spreads."""
        beyond = logits[:, self.output] - self.wanted[owner]
        return self.ways[owner] * beyond / self.spread

    def reached(self, logits: Tensor, owner: Tensor) -> Tensor:
        """Return where the number is beyond the value by no more than the tolerance."""
        lead = self.lead_of(logits, owner)
        return (lead > 0) & (lead <= WITHIN)

    def upwards(self, image: int) -> bool | None:
        """Return whether the number is to rise."""
        return bool(self.ways[image] > 0)

    def target(self, image: int) -> str:
        """Name the change or the value."""
        return self.name or f"{self._value(image)}"

    def note(self, image: int) -> str:
        """Say why nothing was found for an image, or looked for."""
        value = self._value(image)
        if bool(self.searched[image]):
            return f"No change of the concepts within their range made the answer {value}."
        if not bool(self.ways[image]):
            return f"The answer to the image is {value} already."
        return f"The answer to the reconstruction is beyond {value}, with no concept changed."

    def _value(self, image: int) -> str:
        value = with_unit_of(float(self.wanted[image]), self.task.unit_of(self.output))
        return value if len(self.task.names) == 1 else f"{self.task.names[self.output]} {value}"


def turned_labels(task: Task, before: Tensor, after: Tensor, first: int) -> list[tuple[str, bool]]:
    """Return the labels that differ between logits (K,) and are on now, ``first`` before others."""
    changed = ((before > 0) != (after > 0)).nonzero().flatten().tolist()
    order = [k for k in changed if k == first] + [k for k in changed if k != first]
    return [(task.names[k], bool(after[k] > 0)) for k in order]
