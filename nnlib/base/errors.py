"""The project's own exception."""

from pathlib import Path

SHOWN = 100  # characters of a value


class UserError(Exception):
    """A problem that the user can fix: the message says what is wrong, where, and what to do.

    A stage prints it without a traceback; any other exception is a bug.

    Parameters
    ----------
    message : str
    file : str or Path, optional
        The file that is missing or broken: whoever writes it can say how to write it again.
    """

    def __init__(self, message: str, file: str | Path | None = None) -> None:
        super().__init__(message)
        self.file = None if file is None else Path(file)


def shown(value: object) -> str:
    """A value as a message shows it: on one line, escaped if need be, and cut if it is long."""
    text = str(value)[: SHOWN + 1]
    text = text if text and text.isprintable() else repr(text)
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 3]}..."
