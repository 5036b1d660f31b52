"""Prepare: real digits, redrawn from a known structural model, measured and split."""

from glance_pipeline.pipelines.prepare.pipeline import create_pipeline

__all__ = ["create_pipeline"]
