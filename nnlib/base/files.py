"""Files and folders that are written whole or not at all."""

import shutil
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nnlib.base.errors import UserError

# What NumPy and zipfile raise for a file that is not an array or an archive of arrays.
BROKEN_ARRAYS = (
    *(OSError, EOFError, ValueError, MemoryError),
    *(zipfile.BadZipFile, zlib.error, struct.error, NotImplementedError, RuntimeError),
)


@contextmanager
def whole_file(path: str | Path) -> Iterator[Path]:
    """Give a path to write to; its file replaces `path` once all is written.

    Its folder is made if it is missing. An interruption, even by a SIGKILL, leaves `path` as it
    was.

    Raises
    ------
    UserError
        If the file cannot be written: for example, the disk is full, the folder read-only,
        or the path a folder.
    """
    path = Path(path)
    # The same for each write of this file, so that the next one removes what a SIGKILL has left.
    # Hidden, so that it is not a user's file; with the same suffix, as some writers depend on it.
    part = path.parent / f".part.{path.name}"
    with _errors_of_writing(path):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            yield part
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)


@contextmanager
def whole_folder(path: str | Path) -> Iterator[Path]:
    """Give an empty folder to write into, which replaces the folder `path` once all is written.

    Raises
    ------
    UserError
        As for `whole_file`.
    """
    path = Path(path)
    part, old = (path.parent / f".{name}.{path.name}" for name in ("part", "old"))
    with _errors_of_writing(path):
        for left in (part, old):  # by a SIGKILL
            shutil.rmtree(left, ignore_errors=True)
        try:
            part.mkdir(parents=True)
            yield part
            if path.exists():
                path.rename(old)
            part.rename(path)
        finally:
            for left in (part, old):
                shutil.rmtree(left, ignore_errors=True)


@contextmanager
def _errors_of_writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UserError(
            f"{path} cannot be written: {error.strerror or error}; "
            "free some space, allow writing there or choose another name, and run this again"
        ) from error


def write_text(path: str | Path, text: str) -> None:
    """Write a text in UTF-8, with the same bytes on every system."""
    with whole_file(path) as part:
        part.write_text(text, encoding="utf-8", newline="\n")
