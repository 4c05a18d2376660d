"""What a commit, an experiment or the workspace holds, as DVC and Git know it."""

import tempfile
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import numpy as np
import pandas as pd
from dvc.dependency.base import Dependency
from dvc.exceptions import DvcException, NotDvcRepoError, OutputNotFoundError
from dvc.output import Output
from dvc.repo import Repo
from dvc.scm import NoSCM, RevError, SCMError, resolve_rev
from dvc_data.hashfile.build import build
from dvc_data.hashfile.tree import Tree
from numpy.typing import NDArray
from pydantic import BaseModel

from experiments.trials import Trial
from nnlib.analysis.predictions import OF_SAMPLE, Predictions, of_classes, read_predictions
from nnlib.base.errors import UserError
from nnlib.base.tables import read_csv
from nnlib.base.validation import read_json
from nnlib.data.corrections import (
    APPLIED,
    DROP,
    kept_samples,
    no_corrections,
    read_corrections,
)
from nnlib.data.datasets import (
    DESCRIPTION,
    FILES,
    TEST,
    TRAIN,
    Dataset,
    open_images,
    read_labels,
)
from stages.common import NORMALIZED, PARAMS, PREDICTIONS, RAW
from stages.git import git
from stages.params import Normalize, Params, Train, parse_params, read_params

NO_REPOSITORY = (
    "this is not a Git repository, so it has no revisions to compare: run this in a clone of the "
    "project"
)
TEST_PREDICTIONS = PREDICTIONS / "test.csv"
# Of a commit; its first line is always the checksum alone. Unlike `git log`, it has no settings.
SHOW = ("rev-list", "--abbrev=7", "--encoding=UTF-8")
ABSENT = "-"  # as DVC shows the value of a parameter that a revision does not have

T = TypeVar("T")


class Trained(BaseModel):
    """What is read of a revision that is trained again."""

    normalize: Normalize
    train: Train


@contextmanager
def errors_of_dvc() -> Iterator[None]:
    """Turn what DVC finds wrong into a UserError: a locked repository or a broken file, say."""
    try:
        Path.home()
    except RuntimeError as error:
        raise UserError("DVC needs a home directory: set HOME") from error
    try:
        yield
    except DvcException as error:
        raise UserError(" ".join(str(error).split())) from error


@dataclass(frozen=True)
class Revision:
    """A commit, or the workspace; a UserError says what it lacks, or what this code cannot read."""

    repo: Repo  # switched to it
    name: str  # as the user calls it
    commit: str | None  # the SHA; None for the workspace

    @cached_property
    def label(self) -> str:
        """What the report calls it."""
        if self.commit is not None:
            _, text = git(*SHOW, "--max-count=1", "--format=%h, %s", self.commit).split("\n")
            return f"{self.name} ({text})"
        dirty = git("status", "--porcelain", "--untracked-files=no", "--", ".")
        return f"the workspace, {'with uncommitted changes' if dirty else 'as committed'}"

    def read(self, path: Path) -> bytes:
        """Content of a file that Git or DVC tracks, from the workspace or wherever it is kept.

        Raises
        ------
        UserError
            If the revision has no such file, or its content is in no cache.
        """
        files, from_root = self.repo.dvcfs, f"/{path.as_posix()}"
        if not files.exists(from_root):
            raise self.lacks(path)
        try:
            return bytes(files.read_bytes(from_root))
        except (OSError, DvcException) as error:
            raise self.no_cache_has(path) from error

    def load(self, path: Path, reader: Callable[[Path], T]) -> T:
        """What a function reads of such a file; its UserErrors then name the revision."""
        content = self.read(path)
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / path.name
            copy.write_bytes(content)
            try:
                return reader(copy)
            except UserError as error:
                message = str(error).replace(str(copy), f"{path} of {self.name}")
                raise UserError(message) from error

    def no_cache_has(self, path: Path) -> UserError:
        """The error that DVC knows a file or folder, and cannot get its content."""
        ways = "`dvc repro` makes it"
        if self.commit is not None:
            ways = (
                f"run `git checkout {self.name}` (for an experiment, `dvc exp apply "
                f"{self.name}`), then `dvc pull {path}` if a remote has it, or else `dvc repro`"
            )
        return UserError(f"{path} of {self.name} is in no cache: {ways}")

    def lacks(self, path: Path) -> UserError:
        """The error that it has no such file."""
        return UserError(
            f"{self.name} has no {path}: it is older than this file, or from another project; "
            "compare with a later revision"
        )

    @cached_property
    def dataset(self) -> Dataset:
        """Its data set."""
        return self.load(RAW / DESCRIPTION, lambda path: read_json(path, Dataset))

    @cached_property
    def trained(self) -> Trained:
        """Its parameters of a training run."""
        path = f"{PARAMS} of {self.name}, which this code cannot train"
        text = self.read(PARAMS).decode("utf-8", errors="replace")
        return parse_params(Trained, text, path)

    def trial(self, **changes: int) -> Trial:
        """Its training run, but for some parameters of the section `train`."""
        train = self.trained.train.model_copy(update=changes)
        return Trial(self.trained.normalize.scaling, train)

    @cached_property
    def raw(self) -> dict[str, bytes]:
        """The files of its data set, by name, and its corrections of labels if there are any."""
        files = {name: self.read(RAW / name) for name in (*FILES, DESCRIPTION)}
        if len(self.corrections):
            files[APPLIED] = self.read(NORMALIZED / APPLIED)
        return files

    @cached_property
    def corrections(self) -> pd.DataFrame:
        """Its corrections of labels; none for one that is older than these."""
        path = NORMALIZED / APPLIED
        if not self.repo.dvcfs.exists(f"/{path.as_posix()}"):
            return no_corrections()
        return self.load(path, lambda copy: read_corrections(copy, self.dataset.class_names))

    @cached_property
    def published_test_images(self) -> NDArray[np.uint8]:
        """Its images of the test set, of shape (N, height, width), those dropped among them."""
        shape = self.dataset.image_shape
        return self.load(RAW / TEST.images, lambda path: open_images(path, shape).read())

    @cached_property
    def test_images(self) -> NDArray[np.uint8]:
        """Its images of the test set, of shape (n, height, width), in the order of predictions."""
        images = self.published_test_images
        return images[kept_samples(self.corrections, "test", len(images))]

    @cached_property
    def dropped_test_images(self) -> NDArray[np.uint8]:
        """The images that were dropped of its test set, of shape (n, height, width)."""
        images = self.published_test_images
        return images[~kept_samples(self.corrections, "test", len(images))]

    @cached_property
    def training_labels(self) -> NDArray[np.str_]:
        """The names that label its training set, (N,), with `DROP` for what was dropped."""
        names = np.array([*self.dataset.class_names, DROP])
        t = self.load(RAW / TRAIN.labels, lambda path: read_labels(path, len(names) - 1))
        labels = names[t]
        corrections = self.corrections[self.corrections["set"] == "train"]
        labels[corrections["index"]] = names[corrections["label"]]  # the last one for DROPPED
        return labels

    def training_labels_that_differ(self, other: "Revision") -> int | None:
        """How many training samples another revision labels or drops in another way.

        None if its training images are others.
        """

        def checksum_of_images(revision: Revision) -> str:  # which DVC knows without the images
            info = revision.repo.dvcfs.info(f"/{(RAW / TRAIN.images).as_posix()}")
            return str(info["dvc_info"]["md5"])

        labels, others = self.training_labels, other.training_labels
        if checksum_of_images(self) != checksum_of_images(other) or len(labels) != len(others):
            return None
        return int((labels != others).sum())

    @cached_property
    def predictions(self) -> Predictions:
        """Its predictions of the test set."""
        classes = self.dataset.classes

        def read(path: Path) -> Predictions:
            # the labels as they are there; one that is not a class is changed, and so refused
            table = read_csv(path, [*OF_SAMPLE, *of_classes(classes)])
            labels = pd.to_numeric(table["actual"], errors="coerce")
            labels = labels.fillna(0).clip(0, classes - 1).astype(np.int64)
            return read_predictions(path, labels.to_numpy(), classes)

        return self.load(TEST_PREDICTIONS, read)


@contextmanager
def open_revision(name: str | None) -> Iterator[Revision]:
    """Open the revision that the user names; the workspace for None.

    Raises
    ------
    UserError
        If there is no such revision, or no repository, or if its predictions are not those of its
        parameters and code, or if the workspace has a wrong parameter.
    """
    try:
        repo = Repo()
        scm = repo.scm
    except (NotDvcRepoError, SCMError) as error:
        raise UserError(NO_REPOSITORY) from error
    if isinstance(scm, NoSCM):
        raise UserError(NO_REPOSITORY)
    git("rev-parse")  # says what is wrong with a repository, such as one that is somebody else's
    if name in (None, "workspace"):  # the latter as DVC calls it
        read_params(Params, PARAMS)
        check_results("the workspace", repo.status(["evaluate"], with_deps=True), "run `dvc repro`")
        yield Revision(repo, "the workspace", None)
        return
    try:
        commit = resolve_rev(scm, name)
    except RevError as error:
        if "ambiguous" in str(error):
            raise UserError(
                f"{name} is the name of several experiments; name one by its checksum "
                "(`dvc exp list --all-commits`)"
            ) from error
        raise UserError(
            f"{name} is neither a commit, a tag nor a branch (`git log --all --oneline` lists "
            "them), nor an experiment (`dvc exp list --all-commits`)"
        ) from error
    with repo.switch(commit):
        revision = Revision(repo, name, commit)
        check_results(name, stale_stages(revision), f"check {name} out, run `dvc repro` and commit")
        yield revision


def check_results(name: str, stale: Collection[str], remedy: str) -> None:
    """Raise a UserError if some stages' results are not those of their parameters and code."""
    if stale:
        raise UserError(
            f"the predictions of {name} are out of date: these stages have not been run with its "
            f"parameters and code: {', '.join(stale)}; {remedy} first"
        )


def stale_stages(revision: Revision) -> list[str]:
    """The stages whose parameters or code are others than those of the results in `dvc.lock`.

    Of the stages that make the predictions, in the order of `dvc.yaml`. `dvc status` asks the same
    of the workspace, and cannot be asked of a commit.
    """
    repo = revision.repo
    path = repo.fs.join(repo.root_dir, *PREDICTIONS.parts)
    try:
        (predictions,) = repo.find_outs_by_path(path)
    except OutputNotFoundError as error:
        raise revision.lacks(TEST_PREDICTIONS) from error
    needed = repo.stage.collect(predictions.stage.addressing, with_deps=True)
    results = {out.fs_path: out.hash_info for stage in needed for out in stage.outs}

    def is_changed(dep: Dependency) -> bool:
        if dep.fs_path in results:  # need not be in Git
            return bool(dep.hash_info != results[dep.fs_path])
        inside = [out for out in repo.index.outs if repo.fs.isin(out.fs_path, dep.fs_path)]
        if inside:
            return bool(dep.hash_info != content_of(revision, dep, inside).hash_info)
        return bool(dep.workspace_status())  # of the commit, as the repository is switched to it

    return [
        stage.name
        for stage in repo.index.stages
        if stage in needed and (stage.changed_stage() or any(map(is_changed, stage.deps)))
    ]


def content_of(revision: Revision, dep: Dependency, outs: Collection[Output]) -> Tree:
    """What a folder holds at a commit, with its digest, and with the outputs in it, as Git has not.

    DVC's own digest of the folder at a commit is of what Git has of it.
    """
    repo = revision.repo
    _, _, in_git = build(
        repo.cache.local, dep.fs_path, repo.fs, "md5", ignore=repo.dvcignore, dry_run=True
    )
    content = Tree()  # type: ignore[no-untyped-call]
    for path, files in ((dep.fs_path, in_git), *((out.fs_path, out.get_obj()) for out in outs)):
        if not isinstance(files, Tree):
            raise revision.no_cache_has(Path(repo.fs.relpath(path, repo.root_dir)))
        place = repo.fs.relparts(path, dep.fs_path) if path != dep.fs_path else ()
        for name, meta, checksum in files:
            content.add((*place, *name), meta, checksum)
    content.digest()
    return content


def changed_parameters(before: Revision, after: Revision) -> list[tuple[str, str, str]]:
    """Each parameter that differs, in the order of their names, with both values or ABSENT."""
    diff = Repo().params.diff(a_rev=before.commit or "workspace", b_rev=after.commit or "workspace")
    changes = diff.get("diff", {}).get(PARAMS.as_posix(), {})

    def shown(value: object) -> str:
        return ABSENT if value is None else str(value)

    return [
        (name, shown(changes[name].get("old")), shown(changes[name].get("new")))
        for name in sorted(changes)
    ]


def commits_between(before: Revision, after: Revision) -> list[dict[str, str]]:
    """The commits that only one of the two has, the latest first."""
    span = f"{before.commit or 'HEAD'}...{after.commit or 'HEAD'}"
    lines = git(*SHOW, "--left-right", "--format=%m%x09%h%x09%s", span).split("\n")
    sides = {"<": "before", ">": "after"}
    commits = [line.split("\t", 2) for line in lines[1::2]]
    return [
        {"side": sides[mark], "hash": sha, "subject": subject} for mark, sha, subject in commits
    ]
