"""Kedro datasets of this project's nouns."""

from glance_pipeline.datasets.checkpoint_folder import CheckpointFolderDataset
from glance_pipeline.datasets.classifier import ClassifierDataset
from glance_pipeline.datasets.network_weights import NetworkWeightsDataset

__all__ = ["CheckpointFolderDataset", "ClassifierDataset", "NetworkWeightsDataset"]
