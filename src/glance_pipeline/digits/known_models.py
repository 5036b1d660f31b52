"""The structural causal models that digits are drawn from, with what can be known of their graphs.

``standard`` is that of Pawlowski et al., "Deep structural causal models for tractable
counterfactual inference", NeurIPS 2020, with a slant that depends on nothing beside it;
``collider`` lets the slant act on the intensity as well. Length and the other measured features
are no nodes: they follow from the digit and the drawing, not from these equations.
"""

from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy import stats
from scipy.special import expit

THICKNESS_RANGE = (1.2, 4.5)
"""px. Thinner strokes vanish between pixels at 32 px, thicker ones fill the loops of an 8."""

SLANT_RANGE = (-0.7, 0.7)
"""rad. Strokes that lean further run into the next line of the digit."""

_THICKNESS_OFFSET, _THICKNESS_SHAPE, _THICKNESS_RATE = 0.5, 10, 5
_SLANT_SPREAD = 0.3  # rad; people's own slant spreads by 0.25
Mark = Literal["tail", "arrow", "circle"]


@dataclass(frozen=True)
class ObservableEdge:
    """An edge of the partial ancestral graph: what observations alone can tell of it.

    Attributes:
        source: a node.
        target: the other node.
        mark_at_source: ``arrow``, ``tail``, or ``circle`` where observations cannot tell.
        mark_at_target: the same at the other end.
    """

    source: str
    target: str
    mark_at_source: Mark
    mark_at_target: Mark


@dataclass(frozen=True)
class StructuralModel:
    """A structural model of thickness (px), slant (rad) and intensity (grey level).

    Attributes:
        scenario: its name.
        slant_weight: how much a radian of slant adds to the intensity, on the logit scale.
        edges: the true causes, (cause, effect).
        observable_edges: the partial ancestral graph of the same, FCI's best possible answer.
    """

    scenario: str
    slant_weight: float
    edges: tuple[tuple[str, str], ...]
    observable_edges: tuple[ObservableEdge, ...]

    nodes = ("thickness", "slant", "intensity")

    def draw(self, number: int, generator: np.random.Generator) -> pd.DataFrame:
        """Draw ``number`` digits' features.

        Thickness and slant come from distributions truncated to ``THICKNESS_RANGE`` (which
        leaves out 1 % of the Gamma's mass) and ``SLANT_RANGE`` (2 %), never clipped: clipping
        would pile digits up at the bounds.

        Returns:
            Frame of ``number`` rows, float64 columns thickness, slant, intensity (64–255).
        """
        thickness = stats.gamma(_THICKNESS_SHAPE, _THICKNESS_OFFSET, 1 / _THICKNESS_RATE)
        slant = stats.norm(0, _SLANT_SPREAD)
        frame = pd.DataFrame(
            {
                "thickness": _truncated(thickness, THICKNESS_RANGE, number, generator),
                "slant": _truncated(slant, SLANT_RANGE, number, generator),
            }
        )
        noise = generator.standard_normal(number)
        frame["intensity"] = self.intensity(frame["thickness"], frame["slant"], noise)
        return frame

    def intensity(self, thickness: Any, slant: Any, noise: Any) -> Any:
        """Return 64 + 191 σ(½ noise + 2 thickness − 5 + slant weight · slant), elementwise."""
        return 64 + 191 * expit(noise / 2 + 2 * thickness - 5 + self.slant_weight * slant)

    def known_graph(self) -> dict[str, Any]:
        """Return nodes, edges, observable edges and equations as plain JSON."""
        slant_term = f" + {self.slant_weight:g}·slant" if self.slant_weight else ""
        (thin, thick), (left, right) = THICKNESS_RANGE, SLANT_RANGE
        return {
            "scenario": self.scenario,
            "nodes": list(self.nodes),
            "edges": [{"source": source, "target": target} for source, target in self.edges],
            "observable_edges": [asdict(edge) for edge in self.observable_edges],
            "equations": {
                "thickness": f"0.5 + Gamma(shape 10, rate 5), truncated to {thin}–{thick} px",
                "slant": f"Normal(0, {_SLANT_SPREAD}), truncated to {left}–{right} rad",
                "intensity": f"64 + 191·σ(½·ε + 2·thickness − 5{slant_term}), ε ~ Normal(0, 1)",
            },
        }


def _truncated(
    distribution: Any, bounds: tuple[float, float], number: int, generator: np.random.Generator
) -> np.ndarray:
    """Draw from ``distribution`` within ``bounds``, by its quantiles."""
    low, high = (float(distribution.cdf(bound)) for bound in bounds)
    return distribution.ppf(generator.uniform(low, high, number))


STRUCTURAL_MODELS = {
    "standard": StructuralModel(
        scenario="standard",
        slant_weight=0.0,
        edges=(("thickness", "intensity"),),
        observable_edges=(ObservableEdge("thickness", "intensity", "circle", "circle"),),
    ),
    "collider": StructuralModel(
        scenario="collider",
        slant_weight=4.0,
        edges=(("thickness", "intensity"), ("slant", "intensity")),
        observable_edges=(
            ObservableEdge("thickness", "intensity", "circle", "arrow"),
            ObservableEdge("slant", "intensity", "circle", "arrow"),
        ),
    ),
}
