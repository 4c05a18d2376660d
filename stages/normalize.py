"""Stage 2: turn the IDX files into arrays, one scaled image per row."""

import math
from pathlib import Path

from nnlib.base.validation import write_json
from nnlib.data.datasets import Dataset, open_set, read_dataset, write_dataset
from nnlib.data.encoding import PixelStatistics, Scaling, fit_encoding, pixel_statistics
from nnlib.data.samples import save_samples
from stages.common import ENCODING, NORMALIZED, RAW, run, write_metrics
from stages.params import Params


def normalize(params: Params) -> None:
    """Scale both sets, by the training set's pixels if asked to."""
    dataset = read_dataset(RAW)
    statistics, train_samples, test_samples = scale_sets(
        RAW, NORMALIZED, dataset, params.normalize.scaling
    )
    write_metrics(
        "normalize",
        dataset,
        {
            "pixels": math.prod(dataset.image_shape),
            "pixel_mean": statistics.mean,
            "pixel_std": statistics.std,
            "train": {"samples": train_samples},
            "test": {"samples": test_samples},
        },
    )


def scale_sets(
    raw: Path, normalized: Path, dataset: Dataset, scaling: Scaling
) -> tuple[PixelStatistics, int, int]:
    """Write the arrays of both sets, and what their numbers stand for.

    Returns
    -------
    The statistics of the training images, and the numbers of training and test samples.
    """
    images_train, t_train = open_set(raw, dataset, "train")
    images_test, t_test = open_set(raw, dataset, "test")
    statistics = pixel_statistics(images_train)
    encoding = fit_encoding(scaling, statistics, dataset.class_names)
    save_samples(normalized, "train", map(encoding.inputs, images_train), t_train)
    save_samples(normalized, "test", map(encoding.inputs, images_test), t_test)
    write_json(normalized / ENCODING.name, encoding)
    write_dataset(normalized, dataset)
    return statistics, len(t_train), len(t_test)


if __name__ == "__main__":
    run(normalize)
