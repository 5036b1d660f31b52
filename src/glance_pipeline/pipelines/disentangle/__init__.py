"""The disentangle pipeline."""

from glance_pipeline.pipelines.disentangle.pipeline import create_pipeline

__all__ = ["create_pipeline"]
