"""What an intervention moved beside the concept that it names.

Measured properties of the picture (``context/properties.py``) that no aligned concept tells are
unnamed: an intervention on one concept ought to leave them where they are. Where it moves one, some
of its effect may go with that. How much is reckoned from real images: the teacher's margin is
regressed on aligned concepts and unnamed properties together, and a property's slope times how far
it was moved is what went with it. The rest is the effect with the unnamed properties held.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from glance_pipeline.context.properties import measure_properties
from glance_pipeline.context.watched import unnamed_properties
from glance_pipeline.graph.effects.experiment import Experiment
from glance_pipeline.twin.concept_table import ConceptTable

_RIDGE = 1e-3  # of the number of rows; properties may nearly repeat one another


@dataclass(frozen=True, eq=False)
class Unnamed:
    """The P unnamed properties of a set of images.

    Attributes:
        names: their names.
        spread: their standard deviations over real images, (P,).
        slopes: what one standard deviation of each does to K margins, aligned concepts and the
            other properties held, (P, K).
    """

    names: tuple[str, ...]
    spread: np.ndarray
    slopes: np.ndarray

    def shares(self, moved: np.ndarray) -> np.ndarray:
        """Return what goes with each property of an effect, (P, K), in units of the margins."""
        return moved[:, None] * self.slopes

    def moved(self, experiment: Experiment, name: str, step: float) -> np.ndarray:
        """Return how far an intervention moves each property, (P,), in standard deviations of both.

        Args:
            experiment: images and networks.
            name: continuous concept that is moved either way.
            step: in standard deviations.
        """
        above, below = experiment.either_side(name, step)
        sides = [self._measured(experiment, name, side) for side in (above, below)]
        return (sides[0] - sides[1]).sum(0) / float((above - below).sum()) / self.spread

    def _measured(self, experiment: Experiment, name: str, side: object) -> np.ndarray:
        pictures = experiment.surrogate.pictures(experiment.moved({name: side}))  # type: ignore[dict-item]
        return measure_properties(pictures)[list(self.names)].to_numpy()


def find_unnamed(images: np.ndarray, table: ConceptTable) -> Unnamed:
    """Measure properties of real images, and regress the margins on those that are unnamed.

    Args:
        images: uint8 (N, C, H, W).
        table: concepts and margins of those images.
    """
    properties = measure_properties(images)
    aligned = [name for name in table.concepts if table.kinds[str(name)] == "aligned"]
    concepts = table.concepts[aligned].astype(np.float64).reset_index(drop=True)
    concepts = concepts.loc[:, concepts.std() > 0]
    names = tuple(unnamed_properties(properties, concepts))
    spread = properties[list(names)].std(ddof=0).to_numpy()
    scores = _standard(properties[list(names)])
    told = _standard(concepts)
    terms = np.hstack([scores, told, told**2 - 1])
    margins = table.margins.to_numpy(np.float64)
    penalty = _RIDGE * len(terms) * np.eye(terms.shape[1])
    slopes = np.linalg.solve(terms.T @ terms + penalty, terms.T @ (margins - margins.mean(0)))
    return Unnamed(names, spread, slopes[: len(names)])


def _standard(columns: pd.DataFrame) -> np.ndarray:
    values = columns.to_numpy(np.float64)
    return (values - values.mean(0)) / values.std(0)
