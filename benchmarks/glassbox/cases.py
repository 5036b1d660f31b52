"""The cases: teachers whose reasons are known, and the images on which they are explained."""

from dataclasses import dataclass
from typing import Literal

from benchmarks.glassbox.teachers import Term

Scenario = Literal["independent", "standard", "marked"]
"""``independent``: thickness, slant and intensity drawn independently, each as in the standard
structural model by itself. ``standard``: that model, in which intensity follows thickness.
``marked``: independent, with a square in the corner whose brightness is independent as well."""


@dataclass(frozen=True)
class Case:
    """A teacher and what is planted in it.

    Attributes:
        name: name of the case.
        planted: the context features that the teacher uses.
        terms: terms of the margin of a teacher that is not trained; empty for a trained one.
        scenario: what the images are drawn from that the surrogate learns from.
        split_by: for an interaction, the feature by whose value the images are halved for each
            planted one. Effects then are mean absolute ones, and signs those within each half.
    """

    name: str
    planted: tuple[str, ...]
    terms: tuple[Term, ...] = ()
    scenario: Scenario = "independent"
    split_by: tuple[tuple[str, str], ...] = ()

    @property
    def is_trained(self) -> bool:
        """Whether the teacher is a CNN trained on the planted shortcut."""
        return not self.terms


def _linear(name: str, scenario: Scenario = "independent", **weights: float) -> Case:
    terms = tuple(Term(weight, (moment,)) for moment, weight in weights.items())
    return Case(name, tuple(weights), terms, scenario)


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
        ),
        Case("saturating_slant", ("slant",), (Term(1.0, ("slant",), saturating=True),)),
        Case("shortcut_thickness", ("thickness",)),
        Case("shortcut_intensity", ("intensity",)),
        Case("shortcut_slant", ("slant",)),
        Case("corner_mark", ("mark",), scenario="marked"),
    )
}
"""All cases, by name; the last four are CNNs, trained."""

QUICK = ("slant", "thickness_and_slant")
"""What ``--quick`` runs."""
