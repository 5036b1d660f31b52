"""What stops a run."""

from click import ClickException

from glance_pipeline.support.names import lines_made_visible


class CannotRunError(ClickException):
    """A run that cannot succeed as it was asked for; the command line says why, and only that."""

    def format_message(self) -> str:
        """Return the message as a terminal may show it."""
        return lines_made_visible(self.message)
