"""Stage 1: put the four files of the data set into `data/raw`, fetched or drawn.

The code that fetches or draws is imported where it is used: a run needs only one of the two.
"""

import os
from pathlib import Path

import numpy as np

from nnlib.base.errors import UserError
from nnlib.data.datasets import DATASETS, Dataset, read_labels
from nnlib.data.idx import write_idx, write_idx_blocks
from stages.common import RAW, run, write_metrics
from stages.params import Params, Synthetic


def download(params: Params) -> None:
    """Fetch MNIST or draw the synthetic digits, and count the samples."""
    dataset = DATASETS[params.data.source]
    if dataset.mirrors:
        fetch(RAW, dataset)
    else:
        draw(RAW, dataset, params.data.synthetic)

    write_metrics(
        "download",
        params.data.source,
        {
            "files": len(dataset.files),
            "bytes": sum((RAW / name).stat().st_size for name in dataset.files),
            "samples": {
                "train": len(read_labels(RAW / dataset.train.labels, dataset.classes)),
                "test": len(read_labels(RAW / dataset.test.labels, dataset.classes)),
            },
        },
    )


def fetch(folder: Path, dataset: Dataset, *folders: Path) -> None:
    """Fetch the files: from folders that may have them, the user's own mirror or a public one."""
    import pooch

    from nnlib.data.mirrors import CacheError, MirrorError, fetch_files

    own = os.environ.get("MNIST_MIRROR")
    mirrors = [*map(str, folders), *([own] if own else []), *dataset.mirrors]
    try:
        cache = pooch.os_cache("two-layer-net")
    except RuntimeError:  # there is no home
        cache = None
    try:
        fetch_files(folder, mirrors, cache, dataset.sha256)
    except CacheError as error:
        raise UserError(
            f"{error}; set XDG_CACHE_HOME to the absolute path of a folder that can be written and "
            "has some space"
        ) from error
    except MirrorError as error:
        raise UserError(
            f"{error}\nEither set MNIST_MIRROR to a folder or URL that holds the four files, "
            "or run `make demo`, which needs no download."
        ) from error


def draw(folder: Path, dataset: Dataset, synthetic: Synthetic) -> None:
    """Draw the digits, with one generator each for the training and the test set."""
    from nnlib.data.synthetic import draw_images, draw_labels

    rng_train, rng_test = np.random.default_rng(synthetic.seed).spawn(2)
    for size, rng, files in (
        (synthetic.train, rng_train, dataset.train),
        (synthetic.test, rng_test, dataset.test),
    ):
        labels = draw_labels(size, rng)
        shape = (size, *dataset.image_shape)
        write_idx_blocks(folder / files.images, shape, draw_images(labels, rng))
        write_idx(folder / files.labels, labels)


if __name__ == "__main__":
    run(download)
