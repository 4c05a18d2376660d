"""Git, run so that neither its user's settings nor the environment change what it prints."""

import os
import subprocess
from pathlib import Path

from nnlib.base.errors import UserError

# Those that lead Git elsewhere than to the repository of the folder, which is the one that DVC
# finds. A hook of Git sets some. What holds settings stays, as safe.directory may be among them.
ELSEWHERE = (
    *("GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR", "GIT_INDEX_FILE", "GIT_PREFIX"),
    *("GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_NAMESPACE"),
)


def git(*arguments: str, folder: Path | None = None) -> str:
    """What a command of Git prints, without the last line's end.

    Parameters
    ----------
    *arguments : str
        A plumbing command or `status --porcelain`, whose output no setting changes, and its
        arguments, which are ours, or commits that Git has named.
    folder : Path, optional
        In which it runs, instead of this process's own.

    Raises
    ------
    UserError
        With what Git says, if it fails or is not installed.
    """
    return git_bytes(*arguments, folder=folder).decode(errors="replace").rstrip("\n")


def git_bytes(*arguments: str, folder: Path | None = None) -> bytes:
    """As `git`, but all that it prints, as bytes."""
    command = ["git", *arguments]
    try:
        done = subprocess.run(  # noqa: S603
            command, cwd=folder, env=own_repository(), check=True, capture_output=True
        )
    except FileNotFoundError as error:
        raise UserError("there is no `git` on the PATH: install Git") from error
    except subprocess.CalledProcessError as error:
        raise UserError(
            f"Git says: {' '.join(error.stderr.decode(errors='replace').split())}"
        ) from error
    return done.stdout


def own_repository() -> dict[str, str]:
    """The environment, but for what leads Git to another repository, or to another language."""
    kept = {name: value for name, value in os.environ.items() if name not in ELSEWHERE}
    return kept | {"LC_ALL": "C"}
