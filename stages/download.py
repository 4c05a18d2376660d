"""Stage 1: put the four files of the data set into `data/raw`, fetched or drawn.

What fetches and what draws is imported where it is used: one run needs only one of the two.
"""

import os

import numpy as np

from nnlib.data.idx import write_idx, write_idx_blocks
from nnlib.data.mnist import (
    FILES,
    IMAGE_SHAPE,
    TEST_IMAGES,
    TEST_LABELS,
    TRAIN_IMAGES,
    TRAIN_LABELS,
    read_labels,
)
from stages.common import RAW, run, write_metrics
from stages.params import Params


def download(params: Params) -> None:
    """Fetch MNIST or draw the synthetic digits, and count what came."""
    if params.data.source == "mnist":
        fetch()
    else:
        draw(params)

    write_metrics(
        "download",
        params,
        {
            "files": len(FILES),
            "bytes": sum((RAW / name).stat().st_size for name in FILES),
            "samples": {
                "train": len(read_labels(RAW / TRAIN_LABELS)),
                "test": len(read_labels(RAW / TEST_LABELS)),
            },
        },
    )


def fetch() -> None:
    """Fetch the files, the mirror of the user's own choice first."""
    import pooch

    from nnlib.data.mirrors import PUBLIC_MIRRORS, fetch_mnist

    own = os.environ.get("MNIST_MIRROR")
    mirrors = [own, *PUBLIC_MIRRORS] if own else PUBLIC_MIRRORS
    fetch_mnist(RAW, mirrors, cache=pooch.os_cache("two-layer-net"))


def draw(params: Params) -> None:
    """Draw the digits, training and test set from generators of their own."""
    from nnlib.data.synthetic import draw_images, draw_labels

    rng_train, rng_test = np.random.default_rng(params.data.synthetic.seed).spawn(2)
    for size, rng, images_file, labels_file in (
        (params.data.synthetic.train, rng_train, TRAIN_IMAGES, TRAIN_LABELS),
        (params.data.synthetic.test, rng_test, TEST_IMAGES, TEST_LABELS),
    ):
        labels = draw_labels(size, rng)
        write_idx_blocks(RAW / images_file, (size, *IMAGE_SHAPE), draw_images(labels, rng))
        write_idx(RAW / labels_file, labels)


if __name__ == "__main__":
    run(download)
