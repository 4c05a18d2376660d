"""Stage 2: correct labels, and turn the IDX files into arrays, one scaled image per row."""

import math
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nnlib.base.validation import write_json
from nnlib.data.corrections import (
    APPLIED,
    PARTS,
    corrected_labels,
    corrected_samples,
    count_corrections,
    kept_samples,
    no_corrections,
    read_corrections,
    samples_of,
    write_corrections,
)
from nnlib.data.datasets import Dataset, Part, open_set, read_dataset, write_dataset
from nnlib.data.encoding import PixelStatistics, Scaling, fit_encoding, pixel_statistics
from nnlib.data.samples import save_samples
from stages.common import CORRECTED, ENCODING, NORMALIZED, RAW, run, write_metrics
from stages.params import Params


def normalize(params: Params) -> None:
    """Scale both sets, by the training set's pixels if asked to."""
    dataset = read_dataset(RAW)
    statistics, sizes, corrections = scale_sets(
        RAW, NORMALIZED, dataset, params.normalize.scaling, Path(params.data.corrections)
    )
    metrics: dict[str, Any] = {
        "pixels": math.prod(dataset.image_shape),
        "pixel_mean": statistics.mean,
        "pixel_std": statistics.std,
    }
    for part in PARTS:
        metrics[part] = {"samples": sizes[part]}
        if len(corrections):
            metrics[part] |= count_corrections(corrections, part)._asdict()
    write_metrics("normalize", dataset, metrics)


def scale_sets(
    raw: Path, normalized: Path, dataset: Dataset, scaling: Scaling, corrections: Path | None
) -> tuple[PixelStatistics, dict[Part, int], pd.DataFrame]:
    """Write the arrays of both sets, what their numbers stand for, and how they were corrected.

    The samples that were corrected, if there are any, are written as a set of their own too, as
    they were published, in the order of their corrections.

    Parameters
    ----------
    raw, normalized : Path
        The folders of the published files and of what is made of them.
    dataset : Dataset
    scaling : str
    corrections : Path, optional
        A file of corrections.

    Returns
    -------
    The statistics of the training images, the number of samples of each set, and the corrections.
    """
    sets = {part: open_set(raw, dataset, part) for part in PARTS}
    images = {part: file for part, (file, _) in sets.items()}
    published = {part: labels for part, (_, labels) in sets.items()}
    table = no_corrections()
    if corrections is not None:
        table = read_corrections(corrections, dataset.class_names, published)
    kept = {part: kept_samples(table, part, len(published[part])) for part in PARTS}
    statistics = pixel_statistics(samples_of(images["train"], kept["train"]))
    encoding = fit_encoding(scaling, statistics, dataset.class_names)
    for part in PARTS:
        inputs = map(encoding.inputs, samples_of(images[part], kept[part]))
        save_samples(normalized, part, inputs, corrected_labels(table, part, published[part]))
    if len(table):
        corrected = chain.from_iterable(
            samples_of(images[part], corrected_samples(table, part, len(published[part])))
            for part in PARTS
        )
        inputs = map(encoding.inputs, corrected)
        save_samples(normalized, CORRECTED, inputs, table["given"].to_numpy(np.uint8))
    write_corrections(normalized / APPLIED, table, dataset.class_names)
    write_json(normalized / ENCODING.name, encoding)
    write_dataset(normalized, dataset)
    return statistics, {part: int(kept[part].sum()) for part in PARTS}, table


if __name__ == "__main__":
    run(normalize)
