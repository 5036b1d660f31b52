"""What becomes of an image's codes when some of its concepts are set: the rest held, or not."""

from collections.abc import Mapping
from typing import Any, Protocol

from torch import Tensor

from glance_pipeline.config.explain import Effect
from glance_pipeline.twin.networks import Codes, TwinSurrogate


class Intervention(Protocol):
    """A rule by which codes answer to do(u_j = v).

    Attributes:
        effect: which of the two effects it is.
    """

    effect: Effect

    def __call__(
        self,
        codes: Codes,
        values: Mapping[str, Tensor],
        moved: Mapping[str, Tensor] | None = None,
    ) -> Codes:
        """Return new codes of the same N images; the given ones stay as they are.

        Gradients flow from ``values`` to what is returned.

        Args:
            codes: codes of N images.
            values: standardised values by concept name, (N,) each.
            moved: by concept name, the images in which it is set, bool (N,); elsewhere its value
                is the image's own. All images where not named.
        """

    def identity(self) -> dict[str, Any]:
        """Return all that the rule depends on beside the surrogate, for a fingerprint."""


class DirectIntervention:
    """The direct effect: change a concept, hold the rest.

    Args:
        surrogate: whose codes they are.
    """

    effect: Effect = "direct"

    def __init__(self, surrogate: TwinSurrogate) -> None:
        self._surrogate = surrogate

    def __call__(
        self,
        codes: Codes,
        values: Mapping[str, Tensor],
        moved: Mapping[str, Tensor] | None = None,
    ) -> Codes:
        """Return ``TwinSurrogate.intervene`` of the same."""
        return self._surrogate.intervene(codes, values, moved)

    def identity(self) -> dict[str, Any]:
        """Return its effect: it depends on nothing else."""
        return {"effect": self.effect}
