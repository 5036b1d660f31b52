"""The report: one HTML page with everything on it, which opens offline."""

from glance_pipeline.report.page import render_report

__all__ = ["render_report"]
