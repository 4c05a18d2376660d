"""The network that classifies the pictures, with the samples that it is trained and tested on."""

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from experiments.revisions import open_revision
from nnlib.base.arrays import Floats
from nnlib.base.blocks import blocks
from nnlib.base.validation import read_json
from nnlib.data.corrections import APPLIED, corrected_labels, kept_samples, read_corrections
from nnlib.data.datasets import (
    DESCRIPTION,
    TEST,
    TRAIN,
    Dataset,
    open_images,
    read_dataset,
    read_labels,
)
from nnlib.network import TwoLayerNet
from stages.common import MODELS, NORMALIZED, RAW

NETWORK = MODELS / "trained.npz"


class Trained(NamedTuple):
    """A trained network and its data set."""

    label: str  # what the page calls it
    dataset: Dataset
    network: TwoLayerNet  # with its encoding
    images: NDArray[np.uint8]  # (N, height, width), the training set
    t: NDArray[np.uint8]  # (N,)
    test_images: NDArray[np.uint8]  # (n, height, width)

    def inputs(self, images: NDArray[np.uint8]) -> Floats:
        """Inputs of the network, of shape (N, D)."""
        return self.network.given_encoding().inputs(images)

    def training_inputs(self) -> Iterator[Floats]:
        """The training set, in blocks of shape (n, D)."""
        return (self.inputs(self.images[rows]) for rows in blocks(len(self.images)))


def read_trained(revision: str | None) -> Trained:
    """Read the network of a revision or, for None, what the stages wrote last.

    Raises
    ------
    UserError
        If there is no such revision, or if a file is missing or broken, or does not fit the others.
    """
    if revision is None:
        corrections = read_corrections(NORMALIZED / APPLIED, read_dataset(RAW).class_names)
        return _read(lambda path, reader: reader(path), "the workspace", corrections)
    with open_revision(revision) as opened:
        return _read(opened.load, opened.label, opened.corrections)


def _read(
    load: Callable[[Path, Callable[[Path], Any]], Any], label: str, corrections: pd.DataFrame
) -> Trained:
    """Read all; `load` gives what a function reads of a file."""
    dataset: Dataset = load(RAW / DESCRIPTION, lambda path: read_json(path, Dataset))
    shape, names = dataset.image_shape, dataset.class_names
    network = load(
        NETWORK,
        lambda path: TwoLayerNet.load(path, input_size=math.prod(shape), class_names=names),
    )
    images, test_images = (
        load(RAW / part.images, lambda path: open_images(path, shape).read())
        for part in (TRAIN, TEST)
    )
    published = load(RAW / TRAIN.labels, lambda path: read_labels(path, dataset.classes))
    t = corrected_labels(corrections, "train", published)
    images = images[kept_samples(corrections, "train", len(images))]
    test_images = test_images[kept_samples(corrections, "test", len(test_images))]
    return Trained(label, dataset, network, images, t, test_images)
