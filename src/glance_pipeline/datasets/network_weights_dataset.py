"""Dataset of one network's weights: safetensors with a JSON header."""

from textwrap import shorten
from typing import Any, Protocol, Self

from kedro.io import DatasetError, Version
from kedro.utils import load_obj
from torch import Tensor, nn

from glance_pipeline.datasets.versioned_path import VersionedPathDataset
from glance_pipeline.datasets.weights_file import SUFFIX, read_weights, write_weights
from glance_pipeline.support.compute import chosen_device


class HasWeights(Protocol):
    """A network that says how it is built again."""

    def to_weights(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Return tensors and a JSON-able header."""

    @classmethod
    def from_weights(cls, tensors: dict[str, Tensor], header: dict[str, Any]) -> Self:
        """Build what ``to_weights`` described."""


class NetworkWeightsDataset(VersionedPathDataset[HasWeights]):
    """Weights of any network with ``to_weights`` and ``from_weights``.

    In the catalog::

        surrogate_distilled:
          type: glance_pipeline.datasets.NetworkWeightsDataset
          network: glance_pipeline.twin.networks.TwinSurrogate
          filepath: ${globals:data_root}/06_models/surrogate_distilled
          versioned: true

    The file is ``<filepath>/<version>/<name>.safetensors``, or ``<filepath>.safetensors`` where
    it is not versioned.

    Args:
        filepath: Folder of the versions; a missing suffix is ``.safetensors``.
        network: Import path of the network's class.
        version: Given by Kedro where the entry says ``versioned: true``.
        metadata: Not used by Kedro; read by hooks and Kedro-Viz.
    """

    suffix = SUFFIX

    def __init__(
        self,
        *,
        filepath: str,
        network: str,
        version: Version | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(filepath=filepath, version=version, metadata=metadata)
        self._network = network

    def load(self) -> HasWeights:
        """Build the network from its file, on the chosen device."""
        path = self.load_path
        tensors, header = read_weights(path, self._network)
        try:
            built: HasWeights = load_obj(self._network).from_weights(tensors, header)
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            raise DatasetError(
                f"weights {path}: found the weights of another architecture than "
                f"{self._network} that is wanted: {shorten(str(error), 400)}"
            ) from error
        if isinstance(built, nn.Module):
            built.to(chosen_device())
        return built

    def save(self, data: HasWeights) -> None:
        """Write the network to a file of its own, all or nothing."""
        tensors, header = data.to_weights()
        write_weights(self.save_path, tensors, self._network, header)

    def _describe(self) -> dict[str, Any]:
        return {**super()._describe(), "network": self._network}
