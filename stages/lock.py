"""What only one process in this folder may do at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from zc.lockfile import LockError, LockFile

from nnlib.base.errors import UserError

LOCKS = Path("data/locks")  # ignored by Git, like all of data


@contextmanager
def only_one(what: str) -> Iterator[None]:
    """Hold a lock until the end, or until this process ends, in whatever way.

    Parameters
    ----------
    what : str
        What two must not work on, in a word, which is also the name of the lock's file.

    Raises
    ------
    UserError
        If another process holds it.
    """
    path = LOCKS / what
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        lock = LockFile(str(path))  # which holds the process's id
    except LockError as error:
        holder = path.read_text().strip()
        raise UserError(
            f"another process ({holder}) is working on the {what} in this folder: wait until it "
            "has ended, or use another clone"
        ) from error
    try:
        yield
    finally:
        lock.close()
