"""Stage 2: turn the IDX files into arrays, a scaled image a row."""

import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nnlib.data.mnist import (
    CLASSES,
    IMAGE_SHAPE,
    TEST_IMAGES,
    TEST_LABELS,
    TRAIN_IMAGES,
    TRAIN_LABELS,
    open_set,
)
from nnlib.data.scaling import PixelStatistics, pixel_statistics, scaling
from nnlib.samples import save_samples
from stages.common import NORMALIZED, RAW, by_digit, run, write_metrics
from stages.params import Params


def normalize(params: Params) -> None:
    """Scale both sets, by the training set's pixels if asked to."""
    statistics, t_train, t_test = scale_sets(RAW, NORMALIZED, params.normalize.scaling)

    write_metrics(
        "normalize",
        params,
        {
            "pixels": math.prod(IMAGE_SHAPE),
            "pixel_mean": statistics.mean,
            "pixel_std": statistics.std,
            "train": count_samples(t_train),
            "test": count_samples(t_test),
        },
    )


def scale_sets(
    raw: Path, normalized: Path, scaling_name: str
) -> tuple[PixelStatistics, NDArray[np.uint8], NDArray[np.uint8]]:
    """Write the arrays of both sets, and return the training pixels' statistics and the labels."""
    images_train, t_train = open_set(raw, TRAIN_IMAGES, TRAIN_LABELS)
    images_test, t_test = open_set(raw, TEST_IMAGES, TEST_LABELS)
    statistics = pixel_statistics(images_train)
    scale = scaling(scaling_name, statistics)
    save_samples(normalized, "train", map(scale, images_train), t_train)
    save_samples(normalized, "test", map(scale, images_test), t_test)
    return statistics, t_train, t_test


def count_samples(t: NDArray[np.uint8]) -> dict[str, int]:
    """Number of samples, in all and of each digit."""
    return {"samples": len(t), **by_digit(np.bincount(t, minlength=CLASSES).tolist())}


if __name__ == "__main__":
    run(normalize)
