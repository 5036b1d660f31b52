"""Dataset of the structural causal models: safetensors with a JSON header, no pickle."""

from typing import Any

from kedro.io import Version

from glance_pipeline.datasets.network_weights_dataset import NetworkWeightsDataset

_MODELS = "glance_pipeline.graph.structural.structural_model.StructuralModels"


class StructuralModelsDataset(NetworkWeightsDataset):
    """The structural causal models of the concepts.

    The file holds the concept table that they were fitted to, the graphs, and the knots and
    coefficients of every mechanism: what is loaded predicts the same bytes, without a second fit.
    dowhy's own way is a pickle.

    In the catalog::

        structural_models:
          type: glance_pipeline.datasets.StructuralModelsDataset
          filepath: ${globals:data_root}/07_model_output/structural_models
          versioned: true

    Args:
        filepath: Folder of the versions; a missing suffix is ``.safetensors``.
        version: Given by Kedro where the entry says ``versioned: true``.
        metadata: Not used by Kedro; read by hooks and Kedro-Viz.
    """

    def __init__(
        self,
        *,
        filepath: str,
        version: Version | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(filepath=filepath, network=_MODELS, version=version, metadata=metadata)
