"""What a commit, an experiment or the workspace holds, as DVC and Git know it."""

import subprocess
import tempfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from dvc.api import DVCFileSystem
from dvc.exceptions import DvcException, NotDvcRepoError
from dvc.repo import Repo
from dvc.scm import NoSCM, RevError, SCMError, resolve_rev

from nnlib.analysis.predictions import OF_SAMPLE, of_classes, read_predictions
from nnlib.data.datasets import DATASETS, Dataset
from nnlib.errors import UserError
from nnlib.tables import read_csv
from stages.common import PARAMS, PREDICTIONS, RAW
from stages.params.sections import parse_params
from stages.params.whole import Params

NO_REPOSITORY = (
    "this is not a Git repository, so it has no revisions to compare: run this in a clone of the "
    "project"
)
TEST_PREDICTIONS = PREDICTIONS / "test.csv"


@dataclass(frozen=True)
class Revision:
    """A commit, or the workspace."""

    name: str  # as the user calls it
    commit: str | None  # the SHA; None for the workspace

    @cached_property
    def label(self) -> str:
        """What the report calls it."""
        if self.commit is not None:
            return f"{self.name} ({git('log', '-1', '--format=%h, %s', self.commit)})"
        dirty = git("status", "--porcelain", "--untracked-files=no")
        return f"the workspace, {'with uncommitted changes' if dirty else 'as committed'}"

    @cached_property
    def _files(self) -> DVCFileSystem:
        return DVCFileSystem(rev=self.commit) if self.commit else DVCFileSystem()

    def read(self, path: Path) -> bytes:
        """Content of a file that Git or DVC tracks, from the workspace or wherever it is kept.

        Raises
        ------
        UserError
            If the revision has no such file, or its content is in no cache.
        """
        if not self._files.exists(path.as_posix()):
            raise UserError(
                f"{self.name} has no {path}: it is older than this file, or from another "
                "project; compare with a later revision"
            )
        try:
            return bytes(self._files.read_bytes(path.as_posix()))
        except (OSError, DvcException) as error:
            ways = "`dvc repro` makes it"
            if self.commit is not None:
                ways = (
                    f"run `git checkout {self.name}` (for an experiment, `dvc exp apply "
                    f"{self.name}`), then `dvc pull {path}` if a remote has it, or else `dvc repro`"
                )
            raise UserError(f"{path} of {self.name} is in no cache: {ways}") from error

    @cached_property
    def params(self) -> Params:
        """Its parameters.

        Raises
        ------
        UserError
            If the code of the workspace does not accept them.
        """
        text = self.read(PARAMS).decode("utf-8")
        return parse_params(Params, text, f"{PARAMS} of {self.name}")

    @property
    def dataset(self) -> Dataset:
        """Its data set."""
        return DATASETS[self.params.data.source]

    @cached_property
    def test_images(self) -> bytes:
        """Its images of the test set, as an IDX file.

        Raises
        ------
        UserError
            If they are missing.
        """
        return self.read(RAW / self.dataset.test.images)

    @cached_property
    def predictions(self) -> pd.DataFrame:
        """Its predictions of the test set.

        Raises
        ------
        UserError
            If they are missing, or are not predictions.
        """
        content, classes = self.read(TEST_PREDICTIONS), self.dataset.classes
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / TEST_PREDICTIONS.name
            path.write_bytes(content)
            try:
                # the labels as they are there; one that is not a class is changed, and so refused
                table = read_csv(path, [*OF_SAMPLE, *of_classes(classes)])
                labels = pd.to_numeric(table["actual"], errors="coerce")
                labels = labels.fillna(0).clip(0, classes - 1).astype(np.int64)
                return read_predictions(path, labels.to_numpy(), classes)
            except UserError as error:
                message = str(error).replace(str(path), f"{TEST_PREDICTIONS} of {self.name}")
                raise UserError(message) from error


def open_revision(name: str | None) -> Revision:
    """The revision that the user names; the workspace for None.

    Raises
    ------
    UserError
        If there is no such revision, or no repository.
    """
    try:
        repo = Repo()
        scm = repo.scm
    except (NotDvcRepoError, SCMError) as error:
        raise UserError(NO_REPOSITORY) from error
    if isinstance(scm, NoSCM):
        raise UserError(NO_REPOSITORY)
    if name in (None, "workspace"):  # the latter as DVC calls it
        if repo.status(["evaluate"], with_deps=True):
            raise UserError(
                "the workspace's predictions are not those of its parameters and code: run "
                "`dvc repro` first"
            )
        return Revision("the workspace", None)
    try:
        return Revision(name, resolve_rev(scm, name))
    except RevError as error:
        raise UserError(
            f"{name} is neither a commit, a tag nor a branch (`git log --all --oneline` lists "
            "them), nor an experiment (`dvc exp list --all-commits`)"
        ) from error


def changed_parameters(before: Revision, after: Revision) -> list[tuple[str, Any, Any]]:
    """Each parameter that differs, in the order of their names, with both values."""
    diff = Repo().params.diff(a_rev=before.commit or "workspace", b_rev=after.commit or "workspace")
    changes = diff.get("diff", {}).get(PARAMS.as_posix(), {})
    return [(name, changes[name].get("old"), changes[name].get("new")) for name in sorted(changes)]


def commits_between(before: Revision, after: Revision) -> list[dict[str, str]]:
    """The commits that only one of the two has, the latest first."""
    span = f"{before.commit or 'HEAD'}...{after.commit or 'HEAD'}"
    lines = git("log", "--left-right", "--format=%m%x09%h%x09%s", span).splitlines()
    sides = {"<": "before", ">": "after"}
    commits = [line.split("\t", 2) for line in lines]
    return [
        {"side": sides[mark], "hash": sha, "subject": subject} for mark, sha, subject in commits
    ]


def git(*arguments: str) -> str:
    """What a Git command prints; its arguments are ours, or commits that Git has named."""
    command = ["git", *arguments]
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
    return done.stdout.rstrip("\n")
