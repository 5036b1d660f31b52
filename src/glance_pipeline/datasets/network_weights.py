"""Dataset of one network's weights: safetensors with a JSON header."""

from pathlib import Path, PurePosixPath
from textwrap import shorten
from typing import Any, Protocol, Self

from kedro.io import AbstractVersionedDataset, DatasetError, Version
from kedro.utils import load_obj
from torch import Tensor

from glance_pipeline.datasets.weights_file import read_weights, with_suffix, write_weights


class HasWeights(Protocol):
    """A network that says how it is built again."""

    def to_weights(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Return tensors and a JSON-able header."""

    @classmethod
    def from_weights(cls, tensors: dict[str, Tensor], header: dict[str, Any]) -> Self:
        """Build what ``to_weights`` described."""


class NetworkWeightsDataset(AbstractVersionedDataset[HasWeights, HasWeights]):
    """Weights of any network with ``to_weights`` and ``from_weights``.

    In the catalog::

        surrogate_distilled:
          type: glance_pipeline.datasets.NetworkWeightsDataset
          network: glance_pipeline.networks.TwinSurrogate
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

    def __init__(
        self,
        *,
        filepath: str,
        network: str,
        version: Version | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(PurePosixPath(filepath), version)
        self._network = network
        self.metadata = metadata

    def load(self) -> HasWeights:
        """Build the network from its file."""
        path = Path(self._get_load_path())
        tensors, header = read_weights(path, self._network)
        try:
            return load_obj(self._network).from_weights(tensors, header)
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            raise DatasetError(
                f"weights {path}: found the weights of another architecture than "
                f"{self._network} that is wanted: {shorten(str(error), 400)}"
            ) from error

    def save(self, data: HasWeights) -> None:
        """Write the network to a file of its own, all or nothing."""
        tensors, header = data.to_weights()
        write_weights(Path(self._get_save_path()), tensors, self._network, header)

    def _exists(self) -> bool:
        return Path(self._get_load_path()).is_file()

    def _get_versioned_path(self, version: str) -> PurePosixPath:
        return with_suffix(super()._get_versioned_path(version))

    def _get_load_path(self) -> PurePosixPath:
        return with_suffix(super()._get_load_path())

    def _get_save_path(self) -> PurePosixPath:
        return with_suffix(super()._get_save_path())

    def _describe(self) -> dict[str, Any]:
        return {"filepath": self._filepath, "network": self._network, "version": self._version}
