"""Typed parameters of the discover pipeline."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from glance_pipeline.config.background_knowledge import Knowledge

MOST_OUTCOMES = 50
"""Classes that are all predictions of the graph where ``outcomes`` says nothing."""

Outcomes = int | tuple[str, ...] | None
"""How many predictions the graph has, or which."""


Choice = Literal["regauged", "smallest_change", "unnamed_held", "real_images"]
"""A way to tell an effect, beside the intervention with everything else held."""


class GraphSearchParameters(BaseModel):
    """How the graph among concepts is searched.

    Attributes:
        method: ``fci``, which allows for hidden common causes, or ``pc``, ``ges``, ``boss``, which
            do not.
        resamples: bootstrap resamples, each searched on its own.
        rows_per_resample: rows drawn for each, with replacement; null draws as many as there are.
        alpha: level of each conditional independence test, in (0, 1); used by ``fci``, ``pc`` and
            the re-examination.
        penalty: penalty of an edge in the score of ``ges`` and ``boss``; 1 is that of the Bayesian
            information criterion.
        threshold: share of resamples that must hold an edge for the graph to keep it.
        depth: largest conditioning set of a test.
        reexamination: nonparametric test of the edges that the resamples hold: ``rcit``, or
            null for none.
        reexamination_rows: largest number of rows in that test; it needs at least 500.
        reexamination_sets: largest number of conditioning sets tried per edge.
        asymmetry: functional asymmetry that suggests a direction of edges left open,
            ``additive_noise`` or ``lingam``; null suggests nothing.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    method: Literal["fci", "pc", "ges", "boss"] = "fci"
    resamples: int = Field(100, ge=1)
    rows_per_resample: int | None = Field(5000, ge=30)
    alpha: float = Field(0.01, gt=0, lt=1)
    threshold: float = Field(0.5, gt=0, le=1)
    depth: int = Field(3, ge=0)
    penalty: float = Field(1.0, gt=0)
    reexamination: Literal["rcit"] | None = "rcit"
    reexamination_rows: int = Field(5000, ge=500)
    reexamination_sets: int = Field(16, ge=1)
    asymmetry: Literal["additive_noise", "lingam"] | None = None


class InterventionParameters(BaseModel):
    """How concept → prediction edges are tested.

    Attributes:
        images: largest number of held-out images to intervene on.
        step: size of the intervention to either side, in standard deviations of the code.
        resamples: bootstrap resamples of the images.
        alpha: family-wise level of the tests, in (0, 1), after Holm's correction.
        minimum_effect: smallest effect called *used*, in standard deviations of the class's margin,
            the label's logit or the number for one standard deviation of the concept.
        minimum_correlation: smallest rank correlation called *only associated*.
        doses: values of the dose–response curve of each concept, 3 or more; 0 measures no curves.
            Each costs one generated image per image and concept.
        interactions: largest number of concept pairs tested for interactions; each costs four
            generated images per image.
        choices: further ways to tell an effect, all of which must agree for *used*; otherwise the
            verdict is *cannot be told*. ``regauged``: what is held are the parts of latent concepts
            and residual code that the aligned concepts do not tell. ``smallest_change``: those
            follow so that the picture changes least. ``unnamed_held``: less what goes with measured
            properties of the picture that no feature names and that were moved all the same.
            ``real_images``: the slope of the margin on the images as they are, other concepts held.
            Empty asks the intervention alone.
        tolerance: how far a do() may move an unnamed property, in standard deviations of both,
            before the edge says so.
        largest_determination: held-out R² with which the other aligned concepts may tell one before
            it counts as one that cannot be moved by itself, and its verdict as *cannot be told*;
            null lets it be moved. It stays a concept, since leaving out what was asked for would
            hide it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    images: int = Field(500, ge=2)
    step: float = Field(1.0, gt=0)
    resamples: int = Field(1000, ge=20)
    alpha: float = Field(0.05, gt=0, lt=1)
    minimum_effect: float = Field(0.05, ge=0)
    minimum_correlation: float = Field(0.1, ge=0, le=1)
    doses: int = Field(7, ge=0)
    interactions: int = Field(10, ge=0)
    choices: tuple[Choice, ...] = (
        "regauged",
        "smallest_change",
        "unnamed_held",
        "real_images",
    )
    tolerance: float = Field(0.25, ge=0)
    largest_determination: float | None = Field(0.95, gt=0, le=1)

    @field_validator("choices", mode="before")
    @classmethod
    def _as_tuple(cls, found: Any) -> Any:
        return tuple(found) if isinstance(found, list) else found

    @field_validator("doses")
    @classmethod
    def _enough_doses(cls, doses: int) -> int:
        if doses in (1, 2):
            raise ValueError(f"{doses} was found; 3 or more was wanted, or 0 for no curves")
        return doses


class GateParameters(BaseModel):
    """What a twin must be like for a verdict to rest on it.

    Attributes:
        smallest_skill: smallest agreement with the classifier beyond that of chance, on held-out
            images: Cohen's kappa of classes and labels, R² of numbers. It is asked of four
            comparisons: redrawn images, the student's answers, pictures with moved concepts, and
            pictures in which everything but the concepts is swapped. If one of them has less, every
            verdict is *cannot be told*. From about 0.6 on agreement is called substantial (Landis &
            Koch 1977); null asks nothing.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    smallest_skill: float | None = Field(0.6, le=1)


class StructuralModelParameters(BaseModel):
    """How the structural causal models of the concepts are fitted.

    Attributes:
        largest_number_of_graphs: largest number of directed graphs that are fitted; if the concept
            graph allows more, that many are drawn at random.
        knots: number of knots of each cause's spline.
        permutations: permutations of the nodes in dowhy's falsification test; 0 leaves it out.
        falsification_rows: largest number of images in that test.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    largest_number_of_graphs: int = Field(50, ge=1)
    knots: int = Field(5, ge=3)
    permutations: int = Field(20, ge=0)
    falsification_rows: int = Field(1000, ge=50)


class FigureParameters(BaseModel):
    """What the figure of the graph shows.

    Attributes:
        used_per_class: strongest *used* concepts drawn for each class.
        associated_per_class: strongest *only associated* concepts drawn for each class.
        untold_per_class: strongest concepts drawn for each class that *cannot be told*.
        interactions: strongest interactions listed under the graph.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    used_per_class: int = Field(3, ge=0)
    associated_per_class: int = Field(1, ge=0)
    untold_per_class: int = Field(1, ge=0)
    interactions: int = Field(3, ge=0)


class DiscoverParameters(BaseModel):
    """Everything under the key ``discover``.

    Attributes:
        outcomes: classes, labels or numbers that are predictions of the graph: a list of names, on
            the command line with semicolons between them; a number, which takes those that the
            held-out images are most often called; null takes all if there are at most 50, and
            otherwise 50 of those that some image is called.
        search: search of the graph among concepts.
        knowledge: what is known of causes beforehand.
        gate: what the twin must be like for a verdict to rest on it.
        intervention: tests of concept → prediction edges.
        structural_model: structural causal models of the concepts.
        figure: figure of the graph.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    outcomes: Outcomes = None
    search: GraphSearchParameters = GraphSearchParameters()
    knowledge: Knowledge = Knowledge()
    gate: GateParameters = GateParameters()
    intervention: InterventionParameters = InterventionParameters()
    structural_model: StructuralModelParameters = StructuralModelParameters()
    figure: FigureParameters = FigureParameters()

    @field_validator("outcomes", mode="before")
    @classmethod
    def _number_or_names(cls, found: Any) -> Any:
        if found is None or (isinstance(found, int) and not isinstance(found, bool)):
            if found is not None and found < 1:
                raise ValueError(f"{found} was found; 1 or more was wanted, or null")
            return found
        if isinstance(found, str):
            found = [name.strip() for name in found.split(";") if name.strip()]
        if not isinstance(found, (list, tuple)) or not found:
            raise ValueError(f"{found!r} was found; names of classes, a number or null was wanted")
        strange = [name for name in found if isinstance(name, bool) or name is None]
        if strange:
            raise ValueError(
                f"{strange[0]!r} was found for the name of a class: YAML reads yes, no, true, "
                "false and null so; put the name in quotes"
            )
        # YAML reads the names of digits as numbers.
        names = tuple(map(str, found))
        twice = [name for name in names if names.count(name) > 1]
        if twice:
            raise ValueError(f"{twice[0]!r} was found more than once; wanted each class once")
        return names
