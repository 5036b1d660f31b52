"""Kedro datasets of this project's nouns."""

from glance_pipeline.datasets.causal_graph_dataset import CausalGraphDataset
from glance_pipeline.datasets.checkpoint_folder_dataset import CheckpointFolderDataset
from glance_pipeline.datasets.classifier_dataset import ClassifierDataset
from glance_pipeline.datasets.concept_table_dataset import ConceptTableDataset
from glance_pipeline.datasets.explanation_folder_dataset import ExplanationFolderDataset
from glance_pipeline.datasets.image_array_dataset import ImageArrayDataset
from glance_pipeline.datasets.json_dataset import JsonDataset
from glance_pipeline.datasets.network_weights_dataset import NetworkWeightsDataset
from glance_pipeline.datasets.optional_dataset import OptionalDataset
from glance_pipeline.datasets.structural_models_dataset import StructuralModelsDataset

__all__ = [
    "CausalGraphDataset",
    "CheckpointFolderDataset",
    "ClassifierDataset",
    "ConceptTableDataset",
    "ExplanationFolderDataset",
    "ImageArrayDataset",
    "JsonDataset",
    "NetworkWeightsDataset",
    "OptionalDataset",
    "StructuralModelsDataset",
]
