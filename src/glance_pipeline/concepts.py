"""The concept table: the concepts and the prediction of every image."""

from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True)
class ConceptTable:
    """One row per image; the input of causal discovery.

    Attributes:
        concepts: a column per active concept; aligned ones in the units of their context
            feature, latent ones in standard deviations. Index: image number.
        margins: a column per class name, the teacher's logit margin on the real image.
        kinds: ``aligned`` or ``latent`` for each column of ``concepts``.
        units: the unit of each column of ``concepts``, empty for latent ones.
    """

    concepts: pd.DataFrame
    margins: pd.DataFrame
    kinds: dict[str, str]
    units: dict[str, str]

    def to_frame(self) -> pd.DataFrame:
        """Return one frame: columns ``aligned:NAME [UNIT]``, ``latent:NAME``, ``margin:CLASS``."""
        names = {}
        for name in map(str, self.concepts):
            unit = f" [{self.units[name]}]" if self.units[name] else ""
            names[name] = f"{self.kinds[name]}:{name}{unit}"
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
            ValueError: where a column has none of the three prefixes.
        """
        kinds, units, concepts, margins = {}, {}, {}, {}
        for column in frame:
            prefix, found, rest = str(column).partition(":")
            if not found or prefix not in ("aligned", "latent", "margin"):
                raise ValueError(
                    f"concept table: column {column!r} does not start with "
                    "aligned:, latent: or margin:"
                )
            if prefix == "margin":
                margins[rest] = frame[column]
                continue
            name, _, unit = rest.partition(" [")
            kinds[name], units[name], concepts[name] = prefix, unit.rstrip("]"), frame[column]
        return cls(
            pd.DataFrame(concepts, index=frame.index),
            pd.DataFrame(margins, index=frame.index),
            kinds,
            units,
        )
