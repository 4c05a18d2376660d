"""The data of trials: the workspace's if they are the same, or else made anew."""

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from dvc.exceptions import DvcException
from dvc.repo import Repo, lock_repo
from dvc.scm import SCMError

from experiments.trials import CACHE, TrialData, data_in, files_in
from nnlib.base.errors import UserError
from nnlib.base.validation import read_json
from nnlib.data.corrections import (
    APPLIED,
    NO_ROWS,
    read_corrections,
    read_published_labels,
    write_corrections,
)
from nnlib.data.datasets import Dataset, read_dataset
from nnlib.data.encoding import Encoding
from stages.common import ENCODING, NORMALIZED, PARAMS, RAW
from stages.download import described, provide
from stages.lock import only_one
from stages.params import Data, Params, read_params

TEMPORARY = "tmp"  # what the names of the folders begin with


@contextmanager
def data_of_params(section: Data) -> Iterator[TrialData]:
    """The data set that a section of the parameters describes, in a temporary folder.

    Raises
    ------
    UserError
        If it cannot be had, or its file of corrections is wrong.
    """
    with _temporary_raw() as raw:
        is_linked = False
        if section == read_params(Params, PARAMS).data:
            with _locked_workspace() as is_linked:
                if is_linked:
                    _link(RAW, raw)
                    _link_normalized(raw)
        if not is_linked:
            provide(raw, section, *_folders_with(described(section)))
        _correct(raw, section.corrections)
        yield data_in(raw)


@contextmanager
def data_of_files(contents: Mapping[str, bytes]) -> Iterator[TrialData]:
    """A data set in a temporary folder, from the contents of its files by their names.

    Among them may be `APPLIED`, with corrections of its labels.
    """
    with _temporary_raw() as raw:
        for name, content in contents.items():
            (raw / name).write_bytes(content)
        data = data_in(raw)
        with _locked_workspace() as is_up_to_date:
            if is_up_to_date and contents == _contents_of_workspace():
                _link_normalized(raw)
        yield data


@contextmanager
def only_one_trains() -> Iterator[None]:
    """Keep other processes from running trials, and remove what those that were killed have left.

    To be held by whoever opens data for trials.
    """
    with only_one("trials"):
        for path in CACHE.glob(f"{TEMPORARY}*"):
            shutil.rmtree(path, ignore_errors=True)
        for path in CACHE.glob(".part.*"):
            path.unlink(missing_ok=True)
        yield


@contextmanager
def _temporary_raw() -> Iterator[Path]:
    """A folder for the files of a data set, removed at the end with what trials make beside it."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE, prefix=TEMPORARY) as name:
        raw = Path(name) / "raw"
        raw.mkdir()
        yield raw


@contextmanager
def _locked_workspace() -> Iterator[bool]:
    """Keep DVC from changing the workspace.

    Yields
    ------
    bool, whether `data/raw` and `data/normalized` are what the parameters and the code make them
    """
    with ExitStack() as stack:
        try:
            repo = stack.enter_context(Repo())
            stack.enter_context(lock_repo(repo))
            is_up_to_date = not repo.status(["normalize"], with_deps=True)
        except (DvcException, SCMError):  # no repository, say, or one that another process locks
            is_up_to_date = False
        yield is_up_to_date


def _contents_of_workspace() -> dict[str, bytes]:
    """The files of the data set of the workspace, with its corrections if there are any."""
    contents = {path.name: path.read_bytes() for path in files_in(RAW)}
    applied = (NORMALIZED / APPLIED).read_bytes()
    return contents if applied == NO_ROWS else {**contents, APPLIED: applied}


def _correct(raw: Path, path: str) -> None:
    """Put the corrections that a file has, if any, beside the files of a data set."""
    dataset = read_dataset(raw)
    published = read_published_labels(raw, dataset)
    corrections = read_corrections(path, dataset.class_names, published)
    if len(corrections):
        write_corrections(raw / APPLIED, corrections, dataset.class_names)


def _folders_with(dataset: Dataset) -> list[Path]:
    """Where the workspace has the files of a data set, if it does."""
    try:
        return [RAW] if read_dataset(RAW) == dataset else []
    except UserError:  # there is none
        return []


def _link_normalized(raw: Path) -> None:
    """Link the workspace's arrays beside the files, so that they need not be made."""
    _link(NORMALIZED, raw.with_name(read_json(ENCODING, Encoding).scaling))


def _link(folder: Path, target: Path) -> None:
    """Hard-link files, which keep their content when DVC replaces the originals."""
    target.mkdir(exist_ok=True)
    for path in folder.iterdir():
        try:
            os.link(path, target / path.name)
        except OSError:  # on another device, say
            shutil.copyfile(path, target / path.name)
