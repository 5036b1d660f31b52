"""Discover: the causal graph over concepts and predictions."""

from glance_pipeline.pipelines.discover.pipeline import create_pipeline

__all__ = ["create_pipeline"]
