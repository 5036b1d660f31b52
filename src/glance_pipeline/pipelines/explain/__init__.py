"""Chosen images are explained, and a report is written."""

from glance_pipeline.pipelines.explain.pipeline import create_pipeline

__all__ = ["create_pipeline"]
