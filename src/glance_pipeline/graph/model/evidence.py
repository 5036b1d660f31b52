"""The kinds of evidence that an edge of the causal graph can carry."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Estimate:
    """A number with what is known of its uncertainty.

    Attributes:
        value: in ``unit``.
        low: lower end of the 95 % interval of ``value``.
        high: upper end.
        unit: ``correlation`` (of normal scores, −1 to 1) or ``logits per sd``; of a number
            ``UNIT per sd``.
        standardised: ``value`` on a scale that edges can be compared on: a correlation, or
            standard deviations of the margin for one standard deviation of the concept.
        p_value: of the test that it is zero; None if no such test was made.
        adjusted_p_value: the same after Holm's correction for all tests of its family.
        magnitude: for an effect, the mean over images of its absolute value, in ``unit``. Far above
            |value|, it tells of an effect whose sign differs between images.
    """

    value: float
    low: float
    high: float
    unit: str
    standardised: float
    p_value: float | None = None
    adjusted_p_value: float | None = None
    magnitude: float | None = None


@dataclass(frozen=True)
class EffectUnderChoice:
    """An effect under another choice of what is held while the concept is moved.

    Attributes:
        choice: ``regauged``, ``smallest_change``, ``unnamed_held`` or ``real_images``; see
            ``discover.intervention.choices``.
        value: in the unit of the edge's effect.
        low: lower end of its 95 % interval.
        high: upper end.
        standardised: as an effect's.
        agrees: whether it speaks for an effect of the same sign and of a size that counts.
    """

    choice: str
    value: float
    low: float
    high: float
    standardised: float
    agrees: bool


@dataclass(frozen=True)
class Moved:
    """A property of the picture that an intervention moved, though no feature names it.

    Attributes:
        property: its name, as ``context/properties.py`` has it.
        by: how far, in its standard deviations for one of the concept.
        share: part of the effect that goes with it, 1 for all of it; none at an effect of 0.
    """

    property: str
    by: float
    share: float | None


@dataclass(frozen=True)
class Reexamination:
    """A nonparametric test of an edge that Fisher's Z held in the resamples.

    Attributes:
        test: its name.
        p_value: the largest over the conditioning sets that were tried.
        given: the conditioning set with that p-value.
        kept: whether the edge stays.
    """

    test: str
    p_value: float
    given: tuple[str, ...]
    kept: bool


@dataclass(frozen=True)
class Suggestion:
    """A direction that functional asymmetry prefers: a hint to ask after, never a finding.

    Attributes:
        method: that suggests it.
        source: suggested cause.
        target: suggested effect.
        p_source_first: that the residual of target given source is independent of source, in the
            suggested direction.
        p_target_first: the same the other way round.
    """

    method: str
    source: str
    target: str
    p_source_first: float
    p_target_first: float


@dataclass(frozen=True)
class DoseResponse:
    """The average margin of a class while one concept is set to a few values on every image.

    Of a label it is the logit, of a number the number itself.

    Attributes:
        values: that the concept was set to, in its unit (latent ones in standard deviations).
        margins: average over images, in the unit of the prediction, at each value.
        low: lower ends of their 95 % bootstrap intervals.
        high: upper ends.
        levels: level of a categorical feature at each value; ``values`` are then
            positions.
        size: how far the curve moves, as an effect is standardised; None for a categorical feature.
        p_value: of the test that the curve is flat; None if it was not made.
        adjusted_p_value: the same after Holm's correction, together with all effects.
        decisive: whether the concept is *used* for its curve alone: its average effect is not
            significant or practically null, as where the curve is shaped like a U.
    """

    values: tuple[float, ...]
    margins: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    levels: tuple[str, ...] = ()
    size: float | None = None
    p_value: float | None = None
    adjusted_p_value: float | None = None
    decisive: bool = False


@dataclass(frozen=True)
class Interaction:
    """How far two concepts together move a prediction otherwise than one by one.

    Attributes:
        concepts: names of the two.
        prediction: name of the prediction's node.
        effect: average second difference of the margin under a joint do, ``logits per sd²``.
    """

    concepts: tuple[str, str]
    prediction: str
    effect: Estimate

    def __str__(self) -> str:
        """Return ``a × b → prediction``."""
        return f"{self.concepts[0]} × {self.concepts[1]} → {self.prediction}"
