"""The labels of a data set, as published and as corrected."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from experiments.trials import TrialData
from nnlib.data.corrections import (
    APPLIED,
    corrected_labels,
    kept_samples,
    no_corrections,
    read_corrections,
    read_published_labels,
)
from nnlib.data.datasets import Part


class Labels(NamedTuple):
    """The labels of both sets."""

    published: Mapping[Part, NDArray[np.uint8]]
    corrections: pd.DataFrame  # that are in force, as `read_corrections` returns them

    @property
    def in_force(self) -> dict[Part, NDArray[np.uint8]]:
        """The labels as they are corrected; as published, where a sample is dropped."""
        labels = {}
        for part, published in self.published.items():
            labels[part] = published.copy()
            kept = corrected_labels(self.corrections, part, published)
            labels[part][self.indices(part)] = kept
        return labels

    def indices(self, part: Part) -> NDArray[np.intp]:
        """Among the published samples of a set, those that are not dropped."""
        kept = kept_samples(self.corrections, part, len(self.published[part]))
        return np.flatnonzero(kept)


def read_labels_of(data: TrialData) -> Labels:
    """The labels of a data set, and its corrections."""
    published = read_published_labels(data.raw, data.dataset)
    path, names = data.raw / APPLIED, data.dataset.class_names
    corrections = read_corrections(path, names, published) if path.exists() else no_corrections()
    return Labels(published, corrections)
