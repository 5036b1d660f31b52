"""What stops a run."""

from click import ClickException


class CannotRunError(ClickException):
    """A run that cannot succeed as it was asked for; the command line says why, and only that."""
