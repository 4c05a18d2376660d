"""The project's own exception."""

# What to do about a file that a stage has made, at the end of a message.
REBUILD = "`dvc repro` rebuilds it"


class UserError(Exception):
    """What the user can mend: the message says what is wrong, where, and what to do.

    A stage prints it without a traceback; any other exception is a bug.
    """
