"""What happens around every run: checks before it, tracking during it, where to look after it."""

from glance_pipeline.project.hooks.checks_hooks import ChecksHooks
from glance_pipeline.project.hooks.console_hooks import ConsoleHooks
from glance_pipeline.project.hooks.lineage_hooks import LineageHooks
from glance_pipeline.project.hooks.rehearsal_hooks import RehearsalHooks
from glance_pipeline.project.hooks.tracking_hooks import TrackingHooks

__all__ = ["ChecksHooks", "ConsoleHooks", "LineageHooks", "RehearsalHooks", "TrackingHooks"]
