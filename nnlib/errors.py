"""The project's own exception."""

# What to do about a file that a stage has made, at the end of a message.
ANEW = "`dvc repro` makes it anew"


class UserError(Exception):
    """What the user can mend: the message says what is wrong, where, and what to do.

    A stage prints it without a traceback; any other exception is a bug.
    """
