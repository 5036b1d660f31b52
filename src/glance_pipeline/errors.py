"""Errors that are the user's to mend."""


class UserError(ValueError):
    """What was asked for cannot be done: the message alone says why, and what can be done.

    ``kedro run`` shows it without a traceback.
    """


def last_line(error: Exception) -> str:
    """Return what an error says in the end; TorchScript's shows its program first."""
    return str(error).strip().rpartition("\n")[2].strip()
