"""The cases: teachers whose reasons are known, and the images on which they are explained."""

from dataclasses import dataclass
from typing import Literal

from benchmarks.glassbox.teachers import Term

Scenario = Literal[
    "independent", "standard", "marked", "mark_moves", "mark_follows_thickness", "mark_dims"
]
"""``independent``: thickness, slant and intensity drawn independently, each as in the standard
structural model by itself. ``standard``: that model, in which intensity follows thickness. The
others are independent, with a mark. ``marked``: a square in the corner whose brightness is
independent as well, and a context feature. In the rest no table has the mark: ``mark_moves``: its
place in the uppermost rows is independent; ``mark_follows_thickness``: that place goes with
thickness (correlation 0.8); ``mark_dims``: the square's brightness goes with intensity (0.7)."""

Reason = Literal["context", "other", "interaction"]
"""What a teacher looks at: context features, something that no table has, or features whose effect
depends on each other's."""


@dataclass(frozen=True)
class Case:
    """A teacher and what is planted in it.

    Attributes:
        name: name of the case.
        planted: the context features that the teacher uses; what it looks at instead, where that
            is in no table.
        terms: terms of the margin of a teacher that is not trained; empty for a trained one.
        scenario: what the images are drawn from that the surrogate learns from.
        split_by: for an interaction, the feature by whose value the images are halved for each
            planted one. Effects then are mean absolute ones, and signs those within each half.
        noise: share of a trained teacher's labels that are drawn at random.
        reason: of which kind the planted reason is.
    """

    name: str
    planted: tuple[str, ...]
    terms: tuple[Term, ...] = ()
    scenario: Scenario = "independent"
    split_by: tuple[tuple[str, str], ...] = ()
    noise: float = 0.0
    reason: Reason = "context"

    @property
    def is_trained(self) -> bool:
        """Whether the teacher is a CNN trained on the planted shortcut."""
        return not self.terms


def _linear(name: str, scenario: Scenario = "independent", **weights: float) -> Case:
    terms = tuple(Term(weight, (moment,)) for moment, weight in weights.items())
    return Case(name, tuple(weights), terms, scenario)


def _other(name: str, moment: str, scenario: Scenario = "independent") -> Case:
    return Case(name, (moment,), (Term(1.0, (moment,)),), scenario, reason="other")


CASES = {
    case.name: case
    for case in (
        _linear("slant", slant=1.0),
        _linear("intensity", intensity=1.0),
        _linear("thickness", thickness=1.0),
        _linear("intensity_in_standard", "standard", intensity=1.0),
        _linear("thickness_in_standard", "standard", thickness=1.0),
        _linear("thickness_and_slant", thickness=0.7, slant=1.0),
        _linear("intensity_against_slant", intensity=1.0, slant=-0.7),
        _linear("three_weights", thickness=1.0, slant=-0.6, intensity=0.35),
        Case(
            "intensity_times_slant",
            ("intensity", "slant"),
            (Term(1.0, ("intensity", "slant")),),
            split_by=(("intensity", "slant"), ("slant", "intensity")),
            reason="interaction",
        ),
        Case("saturating_slant", ("slant",), (Term(1.0, ("slant",), saturating=True),)),
        Case("shortcut_thickness", ("thickness",)),
        Case("shortcut_intensity", ("intensity",)),
        Case("shortcut_slant", ("slant",)),
        Case("corner_mark", ("mark",), scenario="marked"),
        Case("kinked_thickness", ("thickness",), (Term(1.0, ("thickness",), kinked=True),)),
        Case("noisy_shortcut_slant", ("slant",), noise=0.3),
        _other("spread", "spread"),
        _other("elongation", "elongation"),
        _other("left_heaviness", "left_heaviness"),
        _other("top_heaviness", "top_heaviness"),
        _other("middle", "middle"),
        _other("mark_place", "mark_place", "mark_moves"),
        _other("mark_place_with_thickness", "mark_place", "mark_follows_thickness"),
        _other("mark_light_with_intensity", "mark_light", "mark_dims"),
        Case("holes", ("holes",), reason="other"),
        Case("ends", ("ends",), reason="other"),
    )
}
"""All cases, by name; those without terms are CNNs, trained."""

QUICK = ("slant", "thickness_and_slant")
"""What ``--quick`` runs."""
