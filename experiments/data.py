"""The data of trials, from the parameters or from a revision."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from experiments.trials import CACHE, TrialData, data_in
from nnlib.data.datasets import DATASETS, Dataset
from stages.common import RAW
from stages.download import draw, fetch
from stages.params import Data


@contextmanager
def data_of_params(section: Data) -> Iterator[TrialData]:
    """The data set that a section of the parameters describes, in a temporary folder."""
    dataset = DATASETS[section.source]
    with _temporary_raw() as raw:
        if dataset.mirrors:
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
        yield data_in(raw, dataset)


@contextmanager
def _temporary_raw() -> Iterator[Path]:
    """A folder for the files of a data set, which goes with all that trials make beside it."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as name:
        raw = Path(name) / "raw"
        raw.mkdir()
        yield raw
