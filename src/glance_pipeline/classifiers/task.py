"""What a network's answers mean: one class of several, labels each on or off, or numbers.

Everything that depends on it is asked of the task: what is decided, when two answers are the same,
what the causal graph and the importances measure, how far two answers are apart in training, and
what an answer is called.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Literal, NamedTuple, Self

import torch
import torch.nn.functional as F
from torch import Tensor

from glance_pipeline.support.number_format import format_number

Kind = Literal["one_of", "each", "values"]
"""``one_of``: one class of several, by softmax. ``each``: labels that are on or off each by itself,
by sigmoids. ``values``: numbers, of a regression."""

Measure = Literal["margin", "logit", "value"]
"""What is measured of an output: a class's lead over the best other, a label's logit, a number."""

WITHIN = 0.25
"""Numbers are taken to be the same that differ by no more than this many standard deviations of the
network's own answers to the training images. Errors of this size leave an R² of about 0.94."""

NO_LABEL = "no label"


class OutputSaid(NamedTuple):
    """One output of an answer to one image.

    Attributes:
        name: name of the label or the number.
        value: probability, 0–1, of a label; a number in ``unit``.
        unit: unit of a number; empty for a label.
        on: whether a label is on; None for a number.
    """

    name: str
    value: float
    unit: str = ""
    on: bool | None = None


class Said(NamedTuple):
    """An answer to one image in words.

    Attributes:
        name: what is decided: the class, the labels that are on, the numbers with their units.
        probability: probability of the class; None for labels and numbers.
        outputs: outputs of labels and numbers, all of them.
    """

    name: str
    probability: float | None = None
    outputs: tuple[OutputSaid, ...] = ()


@dataclass(frozen=True)
class Task(ABC):
    """How the outputs of a network are read.

    Attributes:
        names: names of the K outputs.
    """

    names: tuple[str, ...]

    kind: ClassVar[Kind]
    measure: ClassVar[Measure]
    nouns: ClassVar[tuple[str, str]]
    """What messages call one output, and several."""

    @abstractmethod
    def decisions(self, logits: Tensor) -> Tensor:
        """Return what is decided: numbers of classes (N,), labels bool (N, K), or numbers (N, K).

        Args:
            logits: as the classifier has them, (N, K).
        """

    @abstractmethod
    def same(self, one: Tensor, other: Tensor) -> Tensor:
        """Return which of N pairs of decisions are the same, bool (N,)."""

    def agreement(self, found: Tensor, wanted: Tensor) -> dict[str, float]:
        """Return how far N decisions agree with those wanted, by the name of the measure.

        ``agreement`` is the share of images whose decisions are the same.
        """
        return {"agreement": float(self.same(found, wanted).float().mean())}

    @abstractmethod
    def skill(self, found: Tensor, wanted: Tensor) -> float | None:
        """Return how much better than chance N decisions agree with those wanted.

        Unlike a share of agreement it cannot be had by always giving the most frequent answer.

        Returns:
            1 if they always agree, about 0 if they agree as chance does, less if they agree more
            rarely. None if all decisions, found and wanted, are the same, which tells nothing.
        """

    @abstractmethod
    def measures(self, logits: Tensor, outcomes: Sequence[int] | None = None) -> Tensor:
        """Return what is measured of O outputs, (N, O), in their units.

        Args:
            logits: logits of all outputs, (N, K).
            outcomes: numbers of the outputs wanted; None takes all.
        """

    @abstractmethod
    def called(self, logits: Tensor) -> Tensor:
        """Return which outputs an image is called by, (N, K) of 0 and 1: the most frequent matter.

        Args:
            logits: as the classifier has them, (N, K).
        """

    @abstractmethod
    def divergence(self, wanted: Tensor, found: Tensor) -> Tensor:
        """Return how far logits (N, K) are from those wanted, averaged over images, a scalar."""

    @abstractmethod
    def figures(self, logits: Tensor, outputs: Tensor) -> Tensor:
        """Return the figure that tells of ``outputs`` (R,) in answers (R, K), (R,).

        The probability of a class or of a label, 0–1; a number in its unit.
        """

    @abstractmethod
    def in_question(self, logits: Tensor) -> Tensor:
        """Return the output that an image is explained for where none is named, int64 (N,)."""

    @abstractmethod
    def said(self, logits: Tensor) -> Said:
        """Say the answer to one image, logits (K,), in words."""

    def unit_of(self, output: int) -> str:
        """Return the unit of what is measured of an output."""
        return "logits"

    def scaled(self, spread: Tensor | None) -> Self:
        """Return the task with the standard deviations (K,) of the answers to training images.

        Only numbers are measured on that scale.
        """
        return self


class OneOf(Task):
    """One class of several: the largest logit decides."""

    kind = "one_of"
    measure = "margin"
    nouns = ("class", "classes")

    def decisions(self, logits: Tensor) -> Tensor:
        """Return the number of the class with the largest logit, int64 (N,)."""
        return logits.argmax(1)

    def same(self, one: Tensor, other: Tensor) -> Tensor:
        """Return where the classes are the same, bool (N,)."""
        return one == other

    def skill(self, found: Tensor, wanted: Tensor) -> float | None:
        """Return Cohen's κ of the classes."""
        return cohens_kappa(found, wanted)

    def measures(self, logits: Tensor, outcomes: Sequence[int] | None = None) -> Tensor:
        """Return the margins of classes, in logits, see ``margins``."""
        return margins(logits, outcomes)

    def called(self, logits: Tensor) -> Tensor:
        """Return 1 for the class, 0 for all others."""
        return F.one_hot(logits.argmax(1), logits.shape[1])

    def divergence(self, wanted: Tensor, found: Tensor) -> Tensor:
        """Return the mean of KL(softmax(wanted) ‖ softmax(found)) over rows."""
        return F.kl_div(
            found.log_softmax(1), wanted.log_softmax(1), log_target=True, reduction="batchmean"
        )

    def figures(self, logits: Tensor, outputs: Tensor) -> Tensor:
        """Return the softmax probability of each class."""
        return logits.softmax(1).gather(1, outputs[:, None])[:, 0]

    def in_question(self, logits: Tensor) -> Tensor:
        """Return the class with the largest logit."""
        return logits.argmax(1)

    def said(self, logits: Tensor) -> Said:
        """Name the class, with its softmax probability."""
        top = int(logits.argmax())
        return Said(self.names[top], float(torch.softmax(logits.double(), 0)[top]))


class Each(Task):
    """Labels that are on or off each by itself: on where its logit is above 0."""

    kind = "each"
    measure = "logit"
    nouns = ("label", "labels")

    def decisions(self, logits: Tensor) -> Tensor:
        """Return which labels are on, bool (N, K)."""
        return logits > 0

    def same(self, one: Tensor, other: Tensor) -> Tensor:
        """Return where all labels are the same, bool (N,)."""
        return (one == other).all(1)

    def agreement(self, found: Tensor, wanted: Tensor) -> dict[str, float]:
        """Return also ``label_agreement``, the share over images and labels."""
        share = float((found == wanted).float().mean())
        return {**super().agreement(found, wanted), "label_agreement": share}

    def skill(self, found: Tensor, wanted: Tensor) -> float | None:
        """Return the mean over labels of Cohen's κ; labels that never change are left out."""
        each = (cohens_kappa(*pair) for pair in zip(found.T, wanted.T, strict=True))
        known = [kappa for kappa in each if kappa is not None]
        return sum(known) / len(known) if known else None

    def measures(self, logits: Tensor, outcomes: Sequence[int] | None = None) -> Tensor:
        """Return the labels' own logits."""
        return logits if outcomes is None else logits[:, list(outcomes)]

    def called(self, logits: Tensor) -> Tensor:
        """Return 1 for the labels that are on."""
        return (logits > 0).long()

    def divergence(self, wanted: Tensor, found: Tensor) -> Tensor:
        """Return the mean of KL(Bernoulli(σ(wanted)) ‖ Bernoulli(σ(found))) over all labels."""
        sides = ((F.logsigmoid(s * wanted), F.logsigmoid(s * found)) for s in (1, -1))
        return torch.stack([w.exp() * (w - f) for w, f in sides]).sum(0).mean()

    def figures(self, logits: Tensor, outputs: Tensor) -> Tensor:
        """Return the probability of each label."""
        return logits.sigmoid().gather(1, outputs[:, None])[:, 0]

    def in_question(self, logits: Tensor) -> Tensor:
        """Return the label that is nearest to its threshold."""
        return logits.abs().argmin(1)

    def said(self, logits: Tensor) -> Said:
        """Name the labels that are on; all have a probability."""
        probabilities = logits.double().sigmoid().tolist()
        outputs = tuple(
            OutputSaid(name, probability, on=on)
            for name, probability, on in zip(
                self.names, probabilities, (logits > 0).tolist(), strict=True
            )
        )
        return Said(", ".join(o.name for o in outputs if o.on) or NO_LABEL, None, outputs)


@dataclass(frozen=True)
class Values(Task):
    """Numbers of a regression, in their units.

    Attributes:
        units: one for each output, empty if it has none.
        spread: standard deviations of the answers to the training images, one for each output;
            empty if they are not known yet.
    """

    units: tuple[str, ...] = ()
    spread: tuple[float, ...] = ()

    kind = "values"
    measure = "value"
    nouns = ("output", "outputs")

    def decisions(self, logits: Tensor) -> Tensor:
        """Return the numbers themselves, (N, K)."""
        return logits

    def same(self, one: Tensor, other: Tensor) -> Tensor:
        """Return where all numbers are within ``WITHIN`` standard deviations, bool (N,)."""
        return (self.in_spreads(one - other).abs() <= WITHIN).all(1)

    def agreement(self, found: Tensor, wanted: Tensor) -> dict[str, float]:
        """Return also ``r2``, the mean over outputs that vary of R²; absent where none does."""
        shares = super().agreement(found, wanted)
        found, wanted = found.double(), wanted.double()
        total = (wanted - wanted.mean(0)).square().sum(0)
        varies = total > 0
        if not bool(varies.any()):
            return shares
        left = (found - wanted).square().sum(0)
        return {**shares, "r2": float((1 - left[varies] / total[varies]).mean())}

    def skill(self, found: Tensor, wanted: Tensor) -> float | None:
        """Return R² as ``agreement`` has it: 0 for the mean number on every image."""
        return self.agreement(found, wanted).get("r2")

    def measures(self, logits: Tensor, outcomes: Sequence[int] | None = None) -> Tensor:
        """Return the numbers in their units."""
        return logits if outcomes is None else logits[:, list(outcomes)]

    def called(self, logits: Tensor) -> Tensor:
        """Return 1 throughout: every image has every number."""
        return torch.ones_like(logits, dtype=torch.int64)

    def divergence(self, wanted: Tensor, found: Tensor) -> Tensor:
        """Return half the squared error in standard deviations, linear beyond one (Huber 1964).

        What a network answers to the first, poor pictures of a generator may be far from anything
        it answers to images: the square of that would drown all other objectives.
        """
        return F.huber_loss(self.in_spreads(found), self.in_spreads(wanted))

    def figures(self, logits: Tensor, outputs: Tensor) -> Tensor:
        """Return the number itself."""
        return logits.gather(1, outputs[:, None])[:, 0]

    def in_question(self, logits: Tensor) -> Tensor:
        """Return the first number."""
        return torch.zeros(len(logits), dtype=torch.int64, device=logits.device)

    def said(self, logits: Tensor) -> Said:
        """Name the numbers with their units; a single one without its name."""
        outputs = tuple(
            OutputSaid(name, value, self.unit_of(k))
            for k, (name, value) in enumerate(zip(self.names, logits.tolist(), strict=True))
        )
        texts = [with_unit_of(output.value, output.unit) for output in outputs]
        if len(texts) > 1:
            texts = [f"{o.name} {text}" for o, text in zip(outputs, texts, strict=True)]
        return Said(", ".join(texts), None, outputs)

    def unit_of(self, output: int) -> str:
        """Return the unit of a number; one unit stands for all."""
        if not self.units:
            return ""
        return self.units[output if len(self.units) > 1 else 0]

    def scaled(self, spread: Tensor | None) -> "Values":
        """Return the task with the standard deviations (K,) of the answers to training images."""
        return self if spread is None else replace(self, spread=tuple(spread.tolist()))

    def in_spreads(self, numbers: Tensor) -> Tensor:
        """Bring differences of numbers (N, K) to standard deviations of the answers.

        Raises:
            RuntimeError: if those are not known yet.
        """
        if not self.spread:
            raise RuntimeError("the spread of the answers to the training images is not known")
        return numbers / numbers.new_tensor(self.spread)


def with_unit_of(value: float, unit: str) -> str:
    """Write a number that a network answers, with its unit."""
    return f"{format_number(value, 3)} {unit}".rstrip()


def margins(logits: Tensor, outcomes: Sequence[int] | None = None) -> Tensor:
    """Return the margins of classes: each one's logit minus the largest of all the others.

    Args:
        logits: logits of all classes, (N, K).
        outcomes: numbers of the O classes wanted; None takes all K. The largest of the others is
            that of all K, wanted or not.

    Returns:
        (N, O), in the order of ``outcomes``.
    """
    top = logits.topk(2, dim=1)
    wanted = torch.as_tensor(
        range(logits.shape[1]) if outcomes is None else outcomes, device=logits.device
    )
    best_other = torch.where(wanted == top.indices[:, :1], top.values[:, 1:], top.values[:, :1])
    return (logits if outcomes is None else logits[:, wanted]) - best_other


def cohens_kappa(found: Tensor, wanted: Tensor) -> float | None:
    """Return Cohen's κ (1960) of N pairs of categories, (N,): agreement beyond that of chance.

    Returns:
        At most 1; None if both name one and the same category throughout.
    """
    number = int(torch.cat([found, wanted]).max()) + 1
    shares = (F.one_hot(one.long(), number).double().mean(0) for one in (found, wanted))
    by_chance = float(torch.stack(list(shares)).prod(0).sum())
    if by_chance == 1:
        return None
    return (float((found == wanted).double().mean()) - by_chance) / (1 - by_chance)
