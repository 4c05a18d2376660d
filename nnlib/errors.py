"""The project's own exception."""

# The end of a message about a file that a stage has made: what to do.
REBUILD = "`dvc repro` rebuilds it"


class UserError(Exception):
    """A problem that the user can fix: the message says what is wrong, where, and what to do.

    A stage prints it without a traceback; any other exception is a bug.
    """
