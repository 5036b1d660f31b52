"""The noun that leaves the project: what can be said about one image."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from glance_pipeline.config.explain import Effect
from glance_pipeline.explanations.result.answer import Part, Prediction
from glance_pipeline.explanations.result.notebook import as_html
from glance_pipeline.explanations.result.overlay import overlay
from glance_pipeline.explanations.result.pictures import side_by_side, split_row
from glance_pipeline.support.names import file_names

SCHEMA_VERSION = 5
"""Older versions are read: 1 lacks what has a default value here; in 1 and 2 the values of binary
features and levels are probabilities, 0–1, with the feature's own unit, from 3 on percent; 3 lacks
``is_probability``, which the unit tells there; up to 4 all answers are classes (``kind``)."""

Picture = Annotated[np.ndarray, Field(exclude=True, repr=False)]
"""Images at rest, uint8; they are saved as PNG beside the JSON document."""

Map = Annotated[np.ndarray, Field(exclude=True, repr=False)]
"""A number for each pixel, float32; saved as ``.npy`` beside the JSON document."""

_MAPS = {"map": "saliency.npy", "by_concept": "saliency_by_concept.npy"}


class ConceptValue(Part):
    """One concept as the surrogate reads it off the image.

    Attributes:
        name: name of the concept.
        kind: ``aligned`` or ``latent``.
        unit: unit of ``value``; ``sd`` for a latent concept, ``%`` for a binary feature or a level.
        value: in ``unit``.
        standardised: the same in standard deviations from the mean.
        low: 1 % quantile over the training images, in ``unit``; of a binary feature or a level, a
            clear no.
        high: 99 % quantile; likewise a clear yes.
        feature: the categorical feature that a level belongs to; empty for any other concept.
        is_probability: whether ``value`` is the probability of a binary feature or a level, in
            percent; a continuous feature may be measured in ``%`` too.
    """

    name: str
    kind: str
    unit: str
    value: float
    standardised: float
    low: float
    high: float
    feature: str = ""
    is_probability: bool = False


class Change(Part):
    """One concept that a counterfactual moves.

    Attributes:
        concept: its name.
        unit: unit of ``before`` and ``after``.
        before: value in the image.
        after: value in the counterfactual.
        standard_deviations: signed length of the move.
        is_probability: of ``before`` and ``after``, as in ``ConceptValue``.
    """

    concept: str
    unit: str
    before: float
    after: float
    standard_deviations: float
    is_probability: bool = False


class Flip(Part):
    """A label that was turned.

    Attributes:
        name: name of the label.
        on: whether it is on now.
    """

    name: str
    on: bool


class Counterfactual(Part):
    """A picture that differs in few concepts and that the teacher calls something else.

    Attributes:
        prediction: the teacher's answer to ``picture`` as it is saved, 8 bits a pixel.
        changes: what was moved, longest move first.
        distance: sum of the moves' lengths in standard deviations.
        picture: uint8, (C, H, W).
        following: of the causal effect, what followed from ``changes`` through the graph that the
            search used, longest move first; empty of the direct effect.
        graphs_agreeing: share of the allowed graphs, 0–1, under which the teacher gives the same
            class when what follows does so along that graph; None of the direct effect.
        further_out: as in ``Explanation``, of the concepts in ``picture``.
        warnings: what limits this counterfactual, in words.
        flipped: of labels, all that are otherwise than in the reconstruction, the one aimed at
            first; empty of classes and numbers.
        upwards: of a number, whether it was to rise; None of classes and labels.
    """

    prediction: Prediction
    changes: tuple[Change, ...]
    distance: float
    picture: Picture
    following: tuple[Change, ...] = ()
    graphs_agreeing: float | None = None
    further_out: float | None = None
    warnings: tuple[str, ...] = ()
    flipped: tuple[Flip, ...] = ()
    upwards: bool | None = None


class Counterfactuals(Part):
    """The outcome of one image's search.

    Attributes:
        target: class aimed at, or ``any``; a label, or ``not`` one; a value or a change.
        found: verified counterfactuals, fewest concepts first, then shortest; may be empty.
        note: why none was found or looked for, or none in one direction; else empty.
    """

    target: str
    found: tuple[Counterfactual, ...]
    note: str = ""


class Importance(Part):
    """One concept's Shapley value, or that of a categorical feature with all its levels.

    Attributes:
        concept: name of the concept or the feature.
        contribution: in the unit of the measure.
        standard_error: standard error of the contribution over sampled permutations and background
            codes; 0 where exact.
    """

    concept: str
    contribution: float
    standard_error: float


class Importances(Part):
    """Shapley values of all active concepts of one image, largest magnitude first.

    Attributes:
        measure: ``margin`` or ``logit`` of ``class_name``, or its ``value``.
        class_name: the class the teacher gives the image; the label or number that is explained.
        prediction: the measure on the reconstruction, f(x̂).
        baseline: its mean over the background codes; contributions sum to prediction − baseline.
        exact: whether all coalitions were computed.
        of: one entry per concept; one for all levels of a categorical feature.
        backgrounds: number of background codes; 0 where not recorded.
        unit: unit of the measure.
    """

    measure: str
    class_name: str
    prediction: float
    baseline: float
    exact: bool
    of: tuple[Importance, ...]
    backgrounds: int = 0
    unit: str = "logits"


class EffectStrip(Part):
    """One concept moved over its range, and what the teacher says.

    Attributes:
        concept: its name.
        unit: unit of ``values``.
        values: values of the concept under each picture, rising.
        probabilities: probabilities of the image's predicted class, or of the label that is
            explained, under each picture, 0–1; empty of numbers.
        class_names: what the teacher calls each picture.
        pictures: uint8, (steps, C, H, W).
        effect: ``direct``, the rest held; or ``causal``, what the concept causes follows.
        is_probability: of ``values``, as in ``ConceptValue``.
        numbers: the number that is explained under each picture; empty of classes and labels.
        number_unit: its unit.
    """

    concept: str
    unit: str
    values: tuple[float, ...]
    probabilities: tuple[float, ...]
    class_names: tuple[str, ...]
    pictures: Picture
    effect: Effect = "direct"
    is_probability: bool = False
    numbers: tuple[float, ...] = ()
    number_unit: str = ""


class Saliency(Part):
    """Where the picture changes when the concepts that matter move, and what that does.

    Attributes:
        measure: ``margin`` or ``logit`` of ``class_name``, or its ``value``.
        class_name: the class the teacher gives the image; the label or number that is explained.
        prediction: the measure on the reconstruction.
        baseline: its mean over the pictures that the paths start from.
        shared: what of prediction − baseline was not in the weighted gradients of the steps, and
            was shared among the pixels in proportion to what they had.
        map: float32, (H, W), in ``unit``; positive where the picture speaks for the class. It adds
            up to prediction − baseline.
        concepts: names of the active concepts, a categorical feature once; empty if
            ``by_concept`` is None.
        by_concept: float32, (P, H, W), the part of each of ``concepts``, which add up to ``map``;
            None if not asked for.
        unit: unit of the measure.
    """

    measure: str
    class_name: str
    prediction: float
    baseline: float
    shared: float
    map: Map
    concepts: tuple[str, ...] = ()
    by_concept: Annotated[np.ndarray | None, Field(exclude=True, repr=False)] = None
    unit: str = "logits"

    def of(self, concept: str) -> np.ndarray:
        """Return the part of one concept, (H, W); ``KeyError`` names those there are."""
        if self.by_concept is None or concept not in self.concepts:
            raise KeyError(f"no map of concept {concept!r}; there are {list(self.concepts)}")
        return self.by_concept[self.concepts.index(concept)]


class Explanation(Part):
    """Everything that is said about one image.

    Attributes:
        source: file path as the user gave it, or ``image 12``.
        index: its number among the prepared images, None for a file.
        label: its true class where known.
        prediction: the teacher's answer to the image.
        reconstruction_prediction: the teacher's answer to the reconstruction.
        residual_l1: mean absolute difference of image and reconstruction, both in [−1, 1].
        concepts: active concepts as read off the image.
        counterfactuals: outcome of the search.
        importances: Shapley values.
        strips: an effect strip of each active concept, in the order of ``importances``.
        sentence: all of it in a few words.
        warnings: what limits this explanation, in words; empty if nothing does.
        original: uint8, (C, H, W).
        reconstruction: uint8, (C, H, W).
        effect: ``direct`` or ``causal``, of counterfactuals, importances and strips.
        further_out: share of the training images, 0–1, whose concepts lie further from those of
            other training images than this image's do; None if it was not computed.
        saliency: a map of the image's pixels; None if it was not computed.
        redrawn_alike: whether the teacher's answers to image and reconstruction are the same: the
            class, all labels, or the numbers within a quarter of a standard deviation of the
            answers to the training images. None if it was not recorded, as of classes.
    """

    source: str
    index: int | None
    label: str | None
    prediction: Prediction
    reconstruction_prediction: Prediction
    residual_l1: float
    concepts: tuple[ConceptValue, ...]
    counterfactuals: Counterfactuals
    importances: Importances
    strips: tuple[EffectStrip, ...]
    sentence: str
    warnings: tuple[str, ...]
    original: Picture
    reconstruction: Picture
    effect: Effect = "direct"
    further_out: float | None = None
    saliency: Saliency | None = None
    redrawn_alike: bool | None = None

    @property
    def faithful(self) -> bool:
        """Whether the teacher calls the reconstruction what it calls the image."""
        if self.redrawn_alike is not None:
            return self.redrawn_alike
        return self.prediction.class_name == self.reconstruction_prediction.class_name

    def pictures(self) -> dict[str, np.ndarray]:
        """Return every picture, uint8 (C, H, W), by file name; a strip as one row of frames."""
        named = {"original.png": self.original, "reconstruction.png": self.reconstruction}
        for number, counterfactual in enumerate(self.counterfactuals.found, start=1):
            named[f"counterfactual_{number}.png"] = counterfactual.picture
        for strip, name in zip(self.strips, self._strip_names(), strict=True):
            named[name] = side_by_side(strip.pictures)
        if self.saliency is not None:
            named["saliency.png"] = overlay(self.original, self.saliency.map)
        return named

    def arrays(self) -> dict[str, np.ndarray]:
        """Return every map, float32, by file name."""
        if self.saliency is None:
            return {}
        maps = {name: getattr(self.saliency, part) for part, name in _MAPS.items()}
        return {name: array for name, array in maps.items() if array is not None}

    def to_document(self) -> dict[str, Any]:
        """Return all but pictures and arrays, JSON-able, with their file names in their place."""
        document = {"schema_version": SCHEMA_VERSION, **self.model_dump(mode="json")}
        document |= {"original": "original.png", "reconstruction": "reconstruction.png"}
        for number, found in enumerate(document["counterfactuals"]["found"], start=1):
            found["picture"] = f"counterfactual_{number}.png"
        for strip, name in zip(document["strips"], self._strip_names(), strict=True):
            strip["pictures"] = name
        if self.saliency is not None:
            written = self.arrays()
            document["saliency"] |= {part: n for part, n in _MAPS.items() if n in written}
        return document

    @classmethod
    def from_document(
        cls, document: Mapping[str, Any], read: Callable[[str], np.ndarray]
    ) -> "Explanation":
        """Build the explanation that ``to_document`` described.

        Args:
            document: what ``to_document`` returned; changed in place.
            read: returns the picture, uint8 (C, H, W), or the array of a file name.

        Raises:
            ValueError: if the document has another schema version or does not fit it.
        """
        fields = dict(document)
        version = fields.pop("schema_version", None)
        if version not in range(1, SCHEMA_VERSION + 1):
            raise ValueError(
                f"explanation: schema version {version}; 1 to {SCHEMA_VERSION} is wanted"
            )
        if version == 3:
            _tell_probabilities(fields)
        for part in ("original", "reconstruction"):
            fields[part] = read(fields[part])
        for found in fields["counterfactuals"]["found"]:
            found["picture"] = read(found["picture"])
        for strip in fields["strips"]:
            strip["pictures"] = split_row(read(strip["pictures"]), len(strip["values"]))
        if fields.get("saliency") is not None:
            for part in _MAPS.keys() & fields["saliency"].keys():
                fields["saliency"][part] = read(fields["saliency"][part])
        return cls.model_validate(fields)

    def _repr_html_(self) -> str:
        pictures = [
            (self.source, self.original),
            ("redrawn", self.reconstruction),
            *(
                (f"{found.prediction.verb} {found.prediction.class_name}", found.picture)
                for found in self.counterfactuals.found
            ),
        ]
        return as_html(pictures, self.sentence, self.warnings)

    def _strip_names(self) -> list[str]:
        return [f"strip_{name}.png" for name in file_names([one.concept for one in self.strips])]


def _tell_probabilities(fields: Mapping[str, Any]) -> None:
    """Add ``is_probability`` to what a document of version 3 says of concepts, by their unit."""
    found = fields["counterfactuals"]["found"]
    for said in (
        *fields["concepts"],
        *fields["strips"],
        *(change for one in found for change in (*one["changes"], *one["following"])),
    ):
        said["is_probability"] = said["unit"].startswith("%")
