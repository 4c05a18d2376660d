"""The project's own exception."""


class UserError(Exception):
    """What the user can mend: the message says what is wrong, where, and what to do.

    A stage prints it without a traceback; any other exception is a bug.
    """
