"""The distill pipeline."""

from glance_pipeline.pipelines.distill.pipeline import create_pipeline

__all__ = ["create_pipeline"]
