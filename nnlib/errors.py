"""The project's own exception."""

from pathlib import Path


class UserError(Exception):
    """A problem that the user can fix: the message says what is wrong, where, and what to do.

    A stage prints it without a traceback; any other exception is a bug.

    Parameters
    ----------
    message : str
    file : str or Path, optional
        The file that is missing or broken: who has made it can say how to make it again.
    """

    def __init__(self, message: str, file: str | Path | None = None) -> None:
        super().__init__(message)
        self.file = None if file is None else Path(file)
