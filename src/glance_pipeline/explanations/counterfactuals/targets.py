"""What ``explain.target`` says: which class, label or number counterfactuals aim at."""

import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from glance_pipeline.classifiers.task import WITHIN, Each, Task, Values, with_unit_of
from glance_pipeline.explanations.counterfactuals.goals import (
    ANY,
    ClassGoals,
    Goals,
    LabelGoals,
    ValueGoals,
)
from glance_pipeline.support.did_you_mean import known_instead
from glance_pipeline.support.errors import UserError

RUNNER_UP = "runner_up"

_AMOUNT = re.compile(
    r"(?P<way>=|to\b|by\b|)\s*(?P<sign>[+−-]?)\s*(?P<number>\d*\.?\d+(?:e[+-]?\d+)?)\s*(?P<unit>\D.*)?",
    re.IGNORECASE,
)


class Target(ABC):
    """What counterfactuals aim at, in whatever images.

    Attributes:
        output: number of the output that images are explained for; None leaves it to the task.
    """

    output: int | None = None

    @abstractmethod
    def goals(self, logits: Tensor, redrawn: Tensor, task: Task) -> Sequence[Goals]:
        """Return what is to be reached, one search after the other.

        Args:
            logits: logits of N images, (N, K).
            redrawn: of their reconstructions, (N, K).
            task: how they are read, with the spread of numbers.
        """


@dataclass(frozen=True)
class ClassTarget(Target):
    """A class: by its number, the second choice, or any other."""

    said: str | int

    def goals(self, logits: Tensor, redrawn: Tensor, task: Task) -> Sequence[Goals]:
        """Return the one goal that there is."""
        aims: list[int | None]
        if self.said == ANY:
            aims = [None] * len(logits)
        elif self.said == RUNNER_UP:
            aims = logits.topk(2, dim=1).indices[:, 1].tolist()
        else:
            aims = [int(self.said)] * len(logits)
        return [ClassGoals.of(aims, logits, redrawn, task.names)]


@dataclass(frozen=True)
class LabelTarget(Target):
    """A label: on, off, or the other way than it is.

    Attributes:
        output: its number; None for the one nearest to its threshold, or any.
        on: whether it is to be on; None for the other way than it is.
        any: whether any label will do.
    """

    output: int | None = None
    on: bool | None = None
    any: bool = False

    def goals(self, logits: Tensor, redrawn: Tensor, task: Task) -> Sequence[Goals]:
        """Return the one goal that there is."""
        assert isinstance(task, Each)
        if self.any:
            return [LabelGoals.of([None] * len(logits), logits, redrawn, task)]
        if self.output is None:
            labels = task.in_question(logits).tolist()
        else:
            labels = [self.output] * len(logits)
        named = [
            (label, not bool(logits[image, label] > 0) if self.on is None else self.on)
            for image, label in enumerate(labels)
        ]
        return [LabelGoals.of(named, logits, redrawn, task)]


@dataclass(frozen=True)
class ValueTarget(Target):
    """A number: a value, a change, or a change of one standard deviation either way.

    Attributes:
        output: its number among the outputs.
        value: wanted, in units; None for a change.
        change: wanted, in units; None for a value, or for one standard deviation either way.
    """

    output: int = 0
    value: float | None = None
    change: float | None = None

    def goals(self, logits: Tensor, redrawn: Tensor, task: Task) -> Sequence[Goals]:
        """Return one goal; two where a change may go either way."""
        assert isinstance(task, Values)
        now = logits[:, self.output]
        if self.value is not None:
            wanted = torch.full_like(now, self.value)
            away = (wanted - now) / task.spread[self.output]
            ways = torch.where(away.abs() <= WITHIN, 0.0, away.sign())
            return [ValueGoals(self.output, wanted, ways, redrawn[:, self.output], task)]
        spread = task.spread[self.output]
        changes = [self.change] if self.change is not None else [spread, -spread]
        return [
            ValueGoals(
                self.output,
                now + change,
                torch.full_like(now, 1.0 if change > 0 else -1.0),
                redrawn[:, self.output],
                task,
                self._name(change, task),
            )
            for change in changes
        ]

    def _name(self, change: float, task: Values) -> str:
        """Name a change, ``+1.50 px``, with its output where there are several."""
        text = with_unit_of(change, task.unit_of(self.output))
        text = text if change < 0 else f"+{text}"
        return text if len(task.names) == 1 else f"{task.names[self.output]} {text}"


def parse_target(text: str, task: Task) -> Target:
    """Read ``explain.target``.

    Args:
        text: for classes ``runner_up``, ``any`` or a name; for labels the same, ``not NAME`` or
            ``flip NAME``; of numbers ``runner_up`` or ``any`` (one standard deviation either way),
            or ``+1.5``, ``-2``, ``=40``, ``by 1.5``, ``to 40``, with a unit behind it and the name
            of an output before it if need be.
        task: what the classifier's outputs are.

    Raises:
        UserError: if counterfactuals cannot aim at it.
    """
    if isinstance(task, Values):
        return _value_target(text, task)
    known = {name: number for number, name in enumerate(task.names)}
    if isinstance(task, Each):
        return _label_target(text, task, known)
    if text not in (RUNNER_UP, ANY, *known):
        raise UserError(
            f"explain.target: the classifier has no class {text!r}; give {RUNNER_UP}, {ANY}, or "
            f"the name of a class: {known_instead(text, task.names)}"
        )
    return ClassTarget(known.get(text, text))


def check_target(text: str, task: Task) -> None:
    """Raise ``UserError`` if counterfactuals cannot aim at ``text``."""
    parse_target(text, task)


def _label_target(text: str, task: Task, known: dict[str, int]) -> LabelTarget:
    if text in known:
        return LabelTarget(known[text], True)
    if text in (RUNNER_UP, ANY):
        return LabelTarget(any=text == ANY)
    word, _, name = text.partition(" ")
    if word in ("not", "flip") and name.strip() in known:
        return LabelTarget(known[name.strip()], False if word == "not" else None)
    meant = name.strip() if word in ("not", "flip") else text
    raise UserError(
        f"explain.target: the classifier has no label {meant!r}; give {RUNNER_UP} (the label "
        f"nearest to its threshold), {ANY}, or NAME, `not NAME` or `flip NAME` with the name of a "
        f"label: {known_instead(meant, task.names)}"
    )


def _value_target(text: str, task: Values) -> ValueTarget:
    output, rest = _output_of(text.strip(), task)
    if not rest or rest in (RUNNER_UP, ANY):
        return ValueTarget(output)
    found = _AMOUNT.fullmatch(rest)
    if found is None:
        raise UserError(
            f"explain.target: found {text!r}, wanted a change (`by 1.5`, `by -2`), a value "
            f"(`to 40`), or {RUNNER_UP} for one standard deviation either way" + _among(task)
        )
    unit, given = task.unit_of(output), (found["unit"] or "").strip()
    if given not in ("", unit):
        own = f"is in {unit!r}" if unit else "has no unit (`specification.units`)"
        raise UserError(
            f"explain.target: found the unit {given!r} in {text!r}, but {task.names[output]} {own}"
        )
    number = float(found["number"]) * (1 if found["sign"] in ("", "+") else -1)
    if found["way"].lower() in ("=", "to"):
        return ValueTarget(output, value=number)
    if not found["way"] and not found["sign"]:
        raise UserError(
            f"explain.target: {text!r} may be a change or a value: say `by {rest}` or `to {rest}`"
        )
    if number == 0:
        raise UserError(f"explain.target: found {text!r}, wanted a change other than 0")
    return ValueTarget(output, change=number)


def _output_of(text: str, task: Values) -> tuple[int, str]:
    """Return the number of the output that a text begins with the name of, and what follows."""
    for name in sorted(task.names, key=len, reverse=True):
        if text == name or text.startswith(f"{name} "):
            return task.names.index(name), text.removeprefix(name).strip()
    return 0, text


def _among(task: Values) -> str:
    if len(task.names) == 1:
        return ""
    return f", behind the name of an output: one of {list(task.names[:6])}"
