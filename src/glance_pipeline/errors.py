"""Errors that are the user's to mend."""


class UserError(ValueError):
    """What was asked for cannot be done: the message alone says why, and what can be done.

    ``kedro run`` shows it without a traceback.
    """
