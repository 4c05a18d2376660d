"""Files that are there whole or not at all."""

import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nnlib.errors import UserError

# What NumPy and zipfile raise for a file that is not an array or an archive of arrays.
BROKEN_ARRAYS = (
    *(OSError, EOFError, ValueError, MemoryError),
    *(zipfile.BadZipFile, zlib.error, struct.error, NotImplementedError, RuntimeError),
)


@contextmanager
def whole_file(path: str | Path) -> Iterator[Path]:
    """Give a path to write to, whose file takes the place of `path` when all is written.

    Its folder is made where it is missing. What stops in between, even a SIGKILL, leaves `path` as
    it was.

    Raises
    ------
    UserError
        If the file cannot be written: the disk is full, say, or the folder is read-only.
    """
    path = Path(path)
    part = path.with_name(f"{path.stem}.part{path.suffix}")
    try:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            yield part
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise UserError(
            f"{path} cannot be written: {error.strerror or error}; "
            "make room or give the right to write, and run `dvc repro` again"
        ) from error


def write_text(path: str | Path, text: str) -> None:
    """Write a text in UTF-8, on every system the same bytes."""
    with whole_file(path) as part:
        part.write_text(text, encoding="utf-8", newline="\n")
