"""Whether a twin is one: where it is not, nothing that rests on it can be told."""

from dataclasses import dataclass

from glance_pipeline.support.number_format import format_fixed

_COMPARED = {
    "reconstruction": "redrawn images are not answered as the images are",
    "student": "the concepts do not tell the classifier's answers",
    "intervention": "pictures with moved concepts are not answered as the concepts say",
    "residual_swap": "answers change when everything but the concepts is swapped",
}
"""What it means that a comparison fails."""

HELP = (
    "Train longer (steps of distill and align), take more images, or a larger surrogate "
    "(distill.surrogate)."
)


@dataclass(frozen=True)
class Gate:
    """How far the twin answers as the classifier does, on held-out images.

    Attributes:
        skill: agreement beyond that of chance, by comparison (``reconstruction``, ``student``,
            ``intervention``, ``residual_swap``): 1 if all answers agree, 0 if they agree as chance
            does. None if all answers are the same, which tells nothing.
        smallest: smallest skill that verdicts can rest on; None asks nothing.
        images: number of held-out images.
    """

    skill: dict[str, float | None]
    smallest: float | None
    images: int

    @property
    def passed(self) -> bool:
        """Whether verdicts can rest on the twin."""
        return not self.reasons

    @property
    def reasons(self) -> tuple[str, ...]:
        """Say of each comparison that fails what it means, with its number."""
        reasons: list[str] = []
        if self.smallest is None:
            return ()
        for name, skill in self.skill.items():
            if skill is None:
                reasons.append(
                    f"the {self.images} held-out images all get the same answer ({name})"
                )
            elif not skill >= self.smallest:
                found, wanted = format_fixed(skill, 2), format_fixed(self.smallest, 2)
                reasons.append(f"{_COMPARED[name]} ({found} of 1 beyond chance, wanted {wanted})")
        return tuple(reasons)

    def __str__(self) -> str:
        """Return what a reader must know first; empty if the gate is passed."""
        if self.passed:
            return ""
        return (
            "Nothing can be told of this classifier's reasons, since the surrogate is no twin of "
            f"it: {'; '.join(self.reasons)}. {HELP}"
        )
