"""Errors that are the user's to mend."""


class UserError(ValueError):
    """What was asked for cannot be done: the message alone says why, and what can be done.

    ``kedro run`` shows it without a traceback.
    """


def in_one_line(error: Exception) -> str:
    """Return what an error says; TorchScript's shows its program first, which is left out."""
    text = str(error).strip()
    if "TorchScript" in text:
        text = text.rpartition("\n")[2]
    return " ".join(text.split())
