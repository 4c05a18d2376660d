"""Stage 2: turn the IDX files into arrays, a scaled image a row."""

import math

import numpy as np
from numpy.typing import NDArray

from nnlib.mnist import (
    CLASSES,
    IMAGE_SHAPE,
    TEST_IMAGES,
    TEST_LABELS,
    TRAIN_IMAGES,
    TRAIN_LABELS,
    open_set,
)
from nnlib.params import Params
from nnlib.samples import save_samples
from nnlib.scaling import pixel_statistics, scale_standard, scale_unit
from stages.common import NORMALIZED, RAW, by_digit, run, write_metrics


def normalize(params: Params) -> None:
    """Scale both sets, by the training set's pixels if asked to."""
    images_train, t_train = open_set(RAW, TRAIN_IMAGES, TRAIN_LABELS)
    images_test, t_test = open_set(RAW, TEST_IMAGES, TEST_LABELS)
    statistics = pixel_statistics(images_train)

    def scale(images: NDArray[np.uint8]) -> NDArray[np.float32]:
        if params.normalize.scaling == "unit":
            return scale_unit(images)
        return scale_standard(images, statistics)

    save_samples(NORMALIZED, "train", map(scale, images_train), t_train)
    save_samples(NORMALIZED, "test", map(scale, images_test), t_test)

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


def count_samples(t: NDArray[np.uint8]) -> dict[str, int]:
    """Number of samples, in all and of each digit."""
    return {"samples": len(t), **by_digit(np.bincount(t, minlength=CLASSES).tolist())}


if __name__ == "__main__":
    run(normalize)
