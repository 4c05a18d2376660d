"""Copies of the project, and commands run in them; as a command, a copy in the folder named."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from nnlib.base.errors import UserError
from stages.common import CHECKED, IMPORTED, OUTPUTS
from stages.git import git

ROOT = Path(__file__).parents[1]

MADE_HERE = [
    ROOT / path
    for path in (
        *(".venv", ".dvc/cache", ".dvc/tmp", "data/trials", "demo", "site", CHECKED, *OUTPUTS),
        # an import too, of which a copy would have no more than its checksum
        *(IMPORTED, IMPORTED.with_suffix(".dvc")),
    )
]
# those that the data go through; before them, `check` looks at the parameters
STAGES = ("download", "normalize", "train", "evaluate", "repeat", "analyse")


class Checkout:
    """A folder with the project's files, and commands run in it as a user would."""

    def __init__(self, path: Path, home: Path) -> None:
        self.path = path
        self.home = home

    def copy_to(self, path: Path) -> "Checkout":
        """Copy the folder, to be changed.

        What is named by its content, and so is never written again, is linked rather than copied:
        Git's objects and the files in DVC's cache.
        """
        named_by_content = (self.path / ".git/objects", self.path / ".dvc/cache/files")

        def copy(source: str, target: str) -> None:
            if any(Path(source).is_relative_to(folder) for folder in named_by_content):
                os.link(source, target)
            else:
                shutil.copy2(source, target)

        shutil.copytree(self.path, path, symlinks=True, copy_function=copy)
        return Checkout(path, self.home)

    def env(self) -> dict[str, str]:
        """The environment of its commands: this one, with a home, a Git and a make of its own."""
        others = ("GIT_", "GITHUB_", "MAKE")
        env = {name: value for name, value in os.environ.items() if not name.startswith(others)}
        env["HOME"] = str(self.home)
        env["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        return env

    def run(self, *command: str | Path, ok: bool = True) -> str:
        """Run a command there and return what it printed; `ok` says whether it must succeed."""
        done = subprocess.run(
            command, cwd=self.path, env=self.env(), check=False, capture_output=True, text=True
        )
        output = done.stdout + done.stderr
        if (done.returncode == 0) != ok:
            raise AssertionError(output)
        return output

    def start(self, *command: str | Path) -> subprocess.Popen[str]:
        """Start a command there, in a process group of its own, so that it can be sent signals."""
        return subprocess.Popen(
            command,
            cwd=self.path,
            env=self.env(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def set_params(self, values: Mapping[str, Any]) -> None:
        """Set values of params.yaml, each named as DVC names it."""
        path = self.path / "params.yaml"
        params = yaml.safe_load(path.read_text())
        set_values(params, values)
        path.write_text(yaml.safe_dump(params, sort_keys=False))


def set_values(params: dict[str, Any], values: Mapping[str, Any]) -> None:
    """Set values in nested sections, in place."""
    for key, value in values.items():
        *sections, name = key.split(".")
        section = params
        for part in sections:
            section = section[part]
        section[name] = value


def copy_project(target: Path) -> None:
    """Copy the files that Git tracks, or would, as they are in the working tree.

    Where there is no Git repository, as in a downloaded archive, those that are not made here.
    """
    listing = ("ls-files", "-z", "--cached", "--others", "--exclude-standard")
    try:
        names = git(*listing, folder=ROOT).split("\0")[:-1]
    except UserError:
        names = [path.relative_to(ROOT).as_posix() for path in _files(ROOT)]
    for name in names:
        # one that is deleted can still be in the index
        if (ROOT / name).exists() and ROOT / name not in MADE_HERE:
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)


def _files(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.name == "__pycache__" or path in MADE_HERE:
            continue
        if path.is_dir():
            yield from _files(path)
        else:
            yield path


if __name__ == "__main__":
    copy_project(Path(sys.argv[1]))
