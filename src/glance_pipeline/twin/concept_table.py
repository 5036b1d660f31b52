"""The concept table: the concepts and the prediction of every image."""

import json
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

_LEVEL = "level of "
_MEASURES = ("margin", "logit", "value")
_DECODER = json.JSONDecoder()


@dataclass(frozen=True)
class ConceptTable:
    """One row per image; the input of causal discovery.

    Attributes:
        concepts: a column per active concept; aligned ones in the units of their context
            feature, latent ones in standard deviations. Index: image number.
        margins: a column per class name, the teacher's logit margin on the real image; of labels
            their logits, of a regression its numbers.
        kinds: ``aligned`` or ``latent`` for each column of ``concepts``.
        units: the unit of each column of ``concepts``, empty for latent ones.
        features: the categorical feature of each column that is one level of it;
            columns of other concepts are absent.
        measure: what ``margins`` are: ``margin`` of classes, ``logit`` of labels, ``value``.
        outcome_units: the unit of each column of ``margins``; ``logits`` where absent.
    """

    concepts: pd.DataFrame
    margins: pd.DataFrame
    kinds: dict[str, str]
    units: dict[str, str]
    features: dict[str, str] = field(default_factory=dict)
    measure: str = "margin"
    outcome_units: dict[str, str] = field(default_factory=dict)

    def unit_of(self, outcome: str) -> str:
        """Return the unit of a column of ``margins``."""
        return self.outcome_units.get(outcome, "logits")

    def rows(self, numbers: np.ndarray) -> "ConceptTable":
        """Return the table of some images, by their places."""
        return replace(
            self, concepts=self.concepts.iloc[numbers], margins=self.margins.iloc[numbers]
        )

    def with_measured(self, context: pd.DataFrame) -> "ConceptTable":
        """Return the table with aligned concepts as they were measured, not as they are read.

        What the student reads has its errors, and a regression on it gives a part of one concept's
        effect to those that go along with it. Levels of a categorical feature, and images without a
        value, keep what was read.

        Args:
            context: context features, one row per image, in the order of the table.
        """
        concepts = self.concepts.copy()
        for name in concepts:
            if self.kinds[str(name)] == "aligned" and name in context:
                values = pd.to_numeric(context[name], errors="coerce").to_numpy(np.float64)
                concepts[name] = np.where(np.isnan(values), concepts[name], values)
        return replace(self, concepts=concepts)

    def nodes(self) -> dict[str, tuple[str, ...]]:
        """Return the columns of each node of a causal graph, in the order of the columns.

        A categorical feature is one node with one column for each level; any other concept is one
        with one column.
        """
        nodes: dict[str, tuple[str, ...]] = {}
        for column in map(str, self.concepts):
            name = self.features.get(column, column)
            nodes[name] = (*nodes.get(name, ()), column)
        return nodes

    def levels(self, node: str) -> tuple[str, ...]:
        """Return the levels of a node that is a categorical feature; empty for any other."""
        columns = self.nodes()[node]
        if columns[0] not in self.features:
            return ()
        return tuple(column.removeprefix(f"{node}=") for column in columns)

    def to_frame(self) -> pd.DataFrame:
        """Return one frame with one column for each concept and each margin.

        They are called ``aligned:NAME [UNIT]``, ``latent:NAME``, ``level of "FEATURE":NAME`` (the
        feature as JSON has it), and ``margin:CLASS``, ``logit:LABEL`` or ``value:NAME [UNIT]``.
        """
        names = {}
        for name in map(str, self.concepts):
            names[name] = f"{self.kinds[name]}:{_with_unit(name, self.units[name])}"
            if name in self.features:
                names[name] = f"{_LEVEL}{json.dumps(self.features[name])}:{name}"
        return pd.concat(
            [
                self.concepts.rename(columns=names),
                self.margins.rename(columns=self._margin),
            ],
            axis=1,
        )

    def _margin(self, name: str) -> str:
        if self.measure == "value":
            name = _with_unit(name, self.unit_of(name))
        return f"{self.measure}:{name}"

    @classmethod
    def from_frame(cls, frame: pd.DataFrame) -> "ConceptTable":
        """Read what ``to_frame`` wrote.

        Raises:
            ValueError: if a column has none of these prefixes.
        """
        kinds, units, features, concepts, margins = {}, {}, {}, {}, {}
        measure, outcome_units = "margin", {}
        for column in map(str, frame):
            prefix, found, rest = column.partition(":")
            if column.startswith(_LEVEL):
                feature, end = _DECODER.raw_decode(column, len(_LEVEL))
                name = column[end + 1 :]
                kinds[name], units[name], concepts[name] = "aligned", "", frame[column]
                features[name] = feature
                continue
            if not found or prefix not in ("aligned", "latent", *_MEASURES):
                raise ValueError(
                    f"concept table: column {column!r} does not start with "
                    "aligned:, latent:, level of, margin:, logit: or value:"
                )
            if prefix in _MEASURES:
                name, unit = _without_unit(rest) if prefix == "value" else (rest, "logits")
                measure, margins[name], outcome_units[name] = prefix, frame[column], unit
                continue
            name, unit = _without_unit(rest)
            kinds[name], units[name], concepts[name] = prefix, unit, frame[column]
        return cls(
            pd.DataFrame(concepts, index=frame.index),
            pd.DataFrame(margins, index=frame.index),
            kinds,
            units,
            features,
            measure,
            outcome_units,
        )


def _with_unit(name: str, unit: str) -> str:
    if " [" in unit or name.startswith('["'):  # else nothing tells where the unit begins
        return json.dumps([name, unit])
    # A name with a bracket of its own has a unit behind it always, be it an empty one.
    return f"{name} [{unit}]" if unit or " [" in name else name


def _without_unit(text: str) -> tuple[str, str]:
    if text.startswith('["'):
        name, unit = json.loads(text)
        return name, unit
    name, bracket, unit = text.rpartition(" [")
    return (name, unit.removesuffix("]")) if bracket else (text, "")
