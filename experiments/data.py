"""The data of trials: what the pipeline has made, if it is the same, or else made anew."""

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from dvc.exceptions import DvcException
from dvc.repo import Repo
from dvc.scm import SCMError

from experiments.revisions import Predicted
from experiments.trials import CACHE, TrialData, data_in
from nnlib.base.validation import read_json
from nnlib.data.datasets import DATASETS, Dataset
from nnlib.data.encoding import Encoding
from stages.common import ENCODING, NORMALIZED, PARAMS, RAW
from stages.download import draw, fetch
from stages.params import Data, Params, read_params


@contextmanager
def data_of_params(section: Data) -> Iterator[TrialData]:
    """The data set that a section of the parameters describes, in a temporary folder."""
    dataset = DATASETS[section.source]
    with _temporary_raw() as raw:
        if section == read_params(Params, PARAMS).data and is_up_to_date():
            _link(RAW, raw)
            _link_normalized(raw)
        elif dataset.mirrors:
            fetch(raw, dataset, *([RAW] if RAW.exists() else []))
        else:
            draw(raw, dataset, section.synthetic)
        yield data_in(raw, dataset)


@contextmanager
def data_of_files(dataset: Dataset, contents: Mapping[str, bytes]) -> Iterator[TrialData]:
    """A data set in a temporary folder, from the contents of its files by their names."""
    with _temporary_raw() as raw:
        for name in dataset.files:
            (raw / name).write_bytes(contents[name])
        data = data_in(raw, dataset)
        if is_up_to_date():
            source = read_params(Predicted, PARAMS).data.source
            if data == replace(data_in(RAW, DATASETS[source]), raw=raw):
                _link_normalized(raw)
        yield data


@contextmanager
def _temporary_raw() -> Iterator[Path]:
    """A folder for the files of a data set, which goes with all that trials make beside it."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as name:
        raw = Path(name) / "raw"
        raw.mkdir()
        yield raw


def is_up_to_date() -> bool:
    """Whether `data/raw` and `data/normalized` are what the parameters and the code make them."""
    try:
        return not Repo().status(["normalize"], with_deps=True)
    except (DvcException, SCMError):  # no repository, say, or one that another process has locked
        return False


def _link_normalized(raw: Path) -> None:
    """Have the arrays of the workspace, so that they need not be made, beside the files."""
    _link(NORMALIZED, raw.with_name(read_json(ENCODING, Encoding).scaling))


def _link(folder: Path, target: Path) -> None:
    """Give files another name, under which they stay as they are while DVC replaces them."""
    target.mkdir(exist_ok=True)
    for path in folder.iterdir():
        try:
            os.link(path, target / path.name)
        except OSError:  # on another device, say
            shutil.copyfile(path, target / path.name)
