"""What limits an explanation, in words."""

from collections.abc import Sequence
from typing import NamedTuple

from glance_pipeline.explanations.result.answer import Prediction
from glance_pipeline.explanations.result.explanation import ConceptValue, Counterfactual
from glance_pipeline.explanations.result.values import written
from glance_pipeline.support.number_format import format_share

_READ = {"one_of": "read as", "each": "seen with", "values": "read as"}
"""How a picture with an answer is spoken of, by the kind of the answer."""


class Doubt(NamedTuple):
    """One reason why an explanation is poor.

    Attributes:
        reason: half a sentence, for the one that sums an explanation up.
        warning: the whole of it.
    """

    reason: str
    warning: str


class Rarity(NamedTuple):
    """How far out concept values lie.

    Attributes:
        further_out: training images that lie further out.
        number: number of training images.
        few: share of them that is few, 0–1.
    """

    further_out: int
    number: int
    few: float

    @property
    def share(self) -> float:
        """Share of the training images that lie further out, 0–1."""
        return self.further_out / self.number

    @property
    def is_rare(self) -> bool:
        """Whether few lie further out.

        The values themselves are counted in, as in a permutation test (Phipson & Smyth 2010), so
        that nothing is rare where there are few training images.
        """
        return (self.further_out + 1) / (self.number + 1) < self.few

    def __str__(self) -> str:
        if self.further_out == 0:
            return f"none of the {self.number:,} training images lies further out"
        verb = "lies" if self.further_out == 1 else "lie"
        return f"{self.further_out:,} of the {self.number:,} training images {verb} further out"


def doubts_about(
    prediction: Prediction,
    redrawn: Prediction,
    residual: float,
    much: float,
    rarity: Rarity | None,
    alike: bool | None = None,
) -> list[Doubt]:
    """Return why an explanation is poor, none where it is not.

    Args:
        prediction: the teacher's answer to the image.
        redrawn: its answer to the reconstruction.
        residual: mean absolute difference of the two, both in [−1, 1].
        much: residual above which it is poor.
        rarity: of the image's concept values, where known.
        alike: whether the two answers count as the same; by default where their names are.
    """
    doubts = []
    if not (redrawn.class_name == prediction.class_name if alike is None else alike):
        doubts.append(_told_apart(prediction, redrawn))
    if residual > much:
        doubts.append(
            Doubt(
                "part of the image is missing in the reconstruction",
                f"The reconstruction differs from the image by {residual:.2f} on average (images "
                f"in −1 to 1; more than {much:.2f} is much): part of the image is not explained.",
            )
        )
    if rarity is not None and rarity.is_rare:
        doubts.append(
            Doubt(
                "few training images are like it",
                f"The concept values of this image, taken together, are rare: {rarity} (fewer "
                f"than {100 * rarity.few:g} % are few). The surrogate has seen little of the kind.",
            )
        )
    return doubts


def _told_apart(prediction: Prediction, redrawn: Prediction) -> Doubt:
    """Return the doubt that the teacher answers the reconstruction otherwise than the image."""
    but = "what is said here about concepts holds for the reconstruction and may not hold for the"
    calls = {
        "one_of": "calls the reconstruction",
        "each": "sees in the reconstruction",
        "values": "reads the reconstruction as",
    }[redrawn.kind]
    sure = "" if redrawn.probability is None else f" ({redrawn.probability:.2f})"
    return Doubt(
        f"the classifier {calls} {redrawn.class_name}",
        f"The classifier {calls} {redrawn.class_name}{sure}, not {prediction.class_name}: {but} "
        "image.",
    )


def outside_the_ranges(numbers: Sequence[ConceptValue]) -> list[str]:
    """Name the concepts that lie outside their range over the training images."""
    outside = [c for c in numbers if not c.low <= c.value <= c.high]
    if not outside:
        return []
    listed = ", ".join(f"{c.name} {written(c)}" for c in outside)
    return [f"Outside what 98 % of the training images show: {listed}."]


def limits_of(found: Counterfactual, rarity: Rarity | None) -> tuple[str, ...]:
    """Say what limits a counterfactual: rare values, and graphs under which it does not hold."""
    limits = []
    if rarity is not None and rarity.is_rare:
        limits.append(f"Taken together, its concept values are rare: {rarity}.")
    if found.graphs_agreeing is not None and found.graphs_agreeing < 1:
        limits.append(
            f"It is {_READ[found.prediction.kind]} {found.prediction.class_name} in "
            f"{format_share(found.graphs_agreeing)} of the causal graphs that the evidence allows; "
            "in the others it is not, as something else follows."
        )
    return tuple(limits)
