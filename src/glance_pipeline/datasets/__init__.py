"""Kedro datasets of this project's nouns."""

from glance_pipeline.datasets.causal_graph import CausalGraphDataset
from glance_pipeline.datasets.checkpoint_folder import CheckpointFolderDataset
from glance_pipeline.datasets.classifier import ClassifierDataset
from glance_pipeline.datasets.concept_table import ConceptTableDataset
from glance_pipeline.datasets.explanation_folder import ExplanationFolderDataset
from glance_pipeline.datasets.image_array import ImageArrayDataset
from glance_pipeline.datasets.json_file import JsonDataset
from glance_pipeline.datasets.network_weights import NetworkWeightsDataset
from glance_pipeline.datasets.optional import OptionalDataset
from glance_pipeline.datasets.structural_model import StructuralModelsDataset

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
