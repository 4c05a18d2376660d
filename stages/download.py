"""Stage 1: put the data set into `data/raw`: fetched, drawn, or imported before.

The code that fetches or draws is imported where it is used: a run needs only one of the two.
"""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from nnlib.base.errors import UserError
from nnlib.base.files import whole_file
from nnlib.data.datasets import (
    FILES,
    SYNTHETIC,
    TEST,
    TRAIN,
    Dataset,
    Part,
    open_set,
    read_dataset,
    read_labels,
    write_dataset,
)
from nnlib.data.idx import write_idx, write_idx_blocks
from nnlib.data.sources import PUBLISHED
from stages.common import IMPORTED, RAW, run, write_metrics
from stages.params import Data, Params, Synthetic


def download(params: Params) -> None:
    """Put the data set there, and count its samples."""
    dataset = provide(RAW, params.data)
    write_metrics(
        "download",
        dataset,
        {
            "files": len(FILES),
            "bytes": sum((RAW / name).stat().st_size for name in FILES),
            "samples": {
                "train": len(read_labels(RAW / TRAIN.labels, dataset.classes)),
                "test": len(read_labels(RAW / TEST.labels, dataset.classes)),
            },
        },
    )


def provide(folder: Path, section: Data, *folders: Path) -> Dataset:
    """Put the data set that the parameters name into a folder, with what is known about it.

    Parameters
    ----------
    folder : Path
    section : Data
    folders : Path
        That may have the files of a published data set.

    Raises
    ------
    UserError
        If the data set cannot be had, or not be written.
    """
    dataset = described(section)
    if section.source == "imported":
        copy_imported(folder, dataset)
    elif section.source == "synthetic":
        draw(folder, section.synthetic)
    else:
        fetch(folder, section.source, folders)
    write_dataset(folder, dataset)
    return dataset


def described(section: Data) -> Dataset:
    """The data set that the parameters name.

    Raises
    ------
    UserError
        If it was to be imported, and was not.
    """
    if section.source == "imported":
        if not IMPORTED.exists():
            raise UserError(
                f"{IMPORTED} has no data set: import one (`make import FROM=...`), or get the one "
                "that was imported (`dvc checkout`, or `dvc pull` if a remote has it)"
            )
        return read_dataset(IMPORTED)
    return SYNTHETIC if section.source == "synthetic" else PUBLISHED[section.source].dataset


def copy_imported(folder: Path, dataset: Dataset) -> None:
    """Copy what `make import` has written.

    Raises
    ------
    UserError
        If a file is missing, broken, or does not fit the others.
    """
    parts: tuple[Part, ...] = ("train", "test")
    for part in parts:
        images, _ = open_set(IMPORTED, dataset, part)
        for _ in images:  # which shows that the file is whole
            pass
    for name in FILES:
        with whole_file(folder / name) as path:
            shutil.copyfile(IMPORTED / name, path)


def fetch(folder: Path, name: str, folders: Sequence[Path]) -> None:
    """Fetch a published data set.

    Parameters
    ----------
    folder : Path
        Where to.
    name : str
        In `PUBLISHED`. What comes before a hyphen names the user's own mirror, in the environment
        variable NAME_MIRROR, and the folder in the cache.
    folders : sequence of Path
        That may have its files.
    """
    import pooch

    from nnlib.data.mirrors import CacheError, MirrorError, fetch_files

    source, shared_name = PUBLISHED[name], name.partition("-")[0]
    variable = f"{shared_name.upper()}_MIRROR"
    try:
        cache = pooch.os_cache("two-layer-net") / shared_name
    except RuntimeError:  # there is no home
        cache = None
    try:
        own = os.environ.get(variable) or None
        paths = fetch_files(source.files, source.mirrors, cache, own, folders)
    except CacheError as error:
        raise UserError(
            f"{error}; set XDG_CACHE_HOME to the absolute path of a folder that can be written and "
            "has some space"
        ) from error
    except MirrorError as error:
        raise UserError(
            f"{error}: set {variable} to a folder or URL that holds the files that "
            "nnlib/data.md lists, or run `make demo`, which needs no download"
        ) from error
    source.write(folder, paths)


def draw(folder: Path, synthetic: Synthetic) -> None:
    """Draw the digits, with one generator each for the training and the test set."""
    from nnlib.data.synthetic import draw_images, draw_labels

    rng_train, rng_test = np.random.default_rng(synthetic.seed).spawn(2)
    for size, rng, files in (
        (synthetic.train, rng_train, TRAIN),
        (synthetic.test, rng_test, TEST),
    ):
        labels = draw_labels(size, rng)
        shape = (size, *SYNTHETIC.image_shape)
        write_idx_blocks(folder / files.images, shape, draw_images(labels, rng))
        write_idx(folder / files.labels, labels)


if __name__ == "__main__":
    run(download)
