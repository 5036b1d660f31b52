"""The align pipeline."""

from glance_pipeline.pipelines.align.pipeline import create_pipeline

__all__ = ["create_pipeline"]
