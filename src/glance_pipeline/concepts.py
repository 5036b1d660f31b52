"""The concept table: the concepts and the prediction of every image."""

import json
from dataclasses import dataclass, field

import pandas as pd

_BOTH = " and unit "
_LEVEL = "level of "
_DECODER = json.JSONDecoder()


@dataclass(frozen=True)
class ConceptTable:
    """One row per image; the input of causal discovery.

    Attributes:
        concepts: a column per active concept; aligned ones in the units of their context
            feature, latent ones in standard deviations. Index: image number.
        margins: a column per class name, the teacher's logit margin on the real image.
        kinds: ``aligned`` or ``latent`` for each column of ``concepts``.
        units: the unit of each column of ``concepts``, empty for latent ones.
        features: of each column that is one level of a categorical feature, that feature; columns
            of other concepts are absent.
    """

    concepts: pd.DataFrame
    margins: pd.DataFrame
    kinds: dict[str, str]
    units: dict[str, str]
    features: dict[str, str] = field(default_factory=dict)

    def nodes(self) -> dict[str, tuple[str, ...]]:
        """Return the columns of each node of a causal graph, in the order of the columns.

        A categorical feature is one node with a column for each level; any other concept is one
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
        """Return one frame with a column for each concept and each margin.

        They are called ``aligned:NAME [UNIT]``, ``latent:NAME``, ``level of "FEATURE":NAME`` (the
        feature as JSON has it) and ``margin:CLASS``.
        """
        names = {}
        for name in map(str, self.concepts):
            # A name with a bracket of its own has a unit behind it always, be it an empty one.
            unit = f" [{self.units[name]}]" if self.units[name] or " [" in name else ""
            names[name] = f"{self.kinds[name]}:{name}{unit}"
            if " [" in self.units[name]:  # of two brackets none tells where the unit begins
                both = json.dumps([name, self.units[name]])
                names[name] = f"{self.kinds[name]}{_BOTH}{both}"
            if name in self.features:
                names[name] = f"{_LEVEL}{json.dumps(self.features[name])}:{name}"
        return pd.concat(
            [
                self.concepts.rename(columns=names),
                self.margins.rename(columns=lambda name: f"margin:{name}"),
            ],
            axis=1,
        )

    @classmethod
    def from_frame(cls, frame: pd.DataFrame) -> "ConceptTable":
        """Read what ``to_frame`` wrote.

        Raises:
            ValueError: where a column has none of the four prefixes.
        """
        kinds, units, features, concepts, margins = {}, {}, {}, {}, {}
        for column in map(str, frame):
            prefix, found, rest = column.partition(":")
            if column.startswith((f"aligned{_BOTH}", f"latent{_BOTH}")):
                prefix, _, rest = column.partition(_BOTH)
                name, unit = json.loads(rest)
                kinds[name], units[name], concepts[name] = prefix, unit, frame[column]
                continue
            if column.startswith(_LEVEL):
                feature, end = _DECODER.raw_decode(column, len(_LEVEL))
                name = column[end + 1 :]
                kinds[name], units[name], concepts[name] = "aligned", "", frame[column]
                features[name] = feature
                continue
            if not found or prefix not in ("aligned", "latent", "margin"):
                raise ValueError(
                    f"concept table: column {column!r} does not start with "
                    "aligned:, latent:, level of or margin:"
                )
            if prefix == "margin":
                margins[rest] = frame[column]
                continue
            name, bracket, unit = rest.rpartition(" [")
            if not bracket:
                name, unit = rest, ""
            kinds[name], units[name], concepts[name] = prefix, unit.removesuffix("]"), frame[column]
        return cls(
            pd.DataFrame(concepts, index=frame.index),
            pd.DataFrame(margins, index=frame.index),
            kinds,
            units,
            features,
        )
