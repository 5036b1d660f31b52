"""A user's own images and context table, in place of ``prepare``."""

from glance_pipeline.pipelines.ingest.pipeline import create_pipeline

__all__ = ["create_pipeline"]
