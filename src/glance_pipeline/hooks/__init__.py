"""What happens around every run: checks before it, tracking during it, where to look after it."""

from glance_pipeline.hooks.checks import ChecksHooks
from glance_pipeline.hooks.console import ConsoleHooks
from glance_pipeline.hooks.origins import LineageHooks
from glance_pipeline.hooks.rehearsed import RehearsalHooks
from glance_pipeline.hooks.tracked import TrackingHooks

__all__ = ["ChecksHooks", "ConsoleHooks", "LineageHooks", "RehearsalHooks", "TrackingHooks"]
