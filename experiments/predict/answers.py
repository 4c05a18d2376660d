"""What the network answers to pictures, and how much that is worth."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from experiments.predict.network import Trained
from experiments.predict.pictures import Seen
from nnlib.analysis.evidence import pixel_evidence
from nnlib.analysis.neighbours import NEIGHBOURS, SPACES, nearest
from nnlib.base.arrays import Floats
from nnlib.base.blocks import blocks, evenly_spaced
from nnlib.pictures.likeness import HELD_OUT, distances, threshold

UNLIKE = "unlike all training samples"
COLUMNS = ["file", "class", "confidence", "second", "second_confidence", "warning"]


class Answers(NamedTuple):
    """Of the pictures that show something: n of them."""

    places: NDArray[np.intp]  # (n,), among all pictures
    images: NDArray[np.uint8]  # (n, height, width), which the network sees
    y: Floats  # (n, C), probabilities
    is_unlike: NDArray[np.bool_]  # (n,), all training samples

    @property
    def order(self) -> NDArray[np.intp]:
        """The classes of each picture, the most probable first, of shape (n, C)."""
        return np.argsort(-self.y, axis=1, kind="stable")


def answer(pictures: Sequence[Seen], trained: Trained) -> Answers:
    """Classify the pictures that show something.

    A picture is unlike all training samples if it is farther from the nearest one than all but 1%
    of held-out samples, as `nnlib.pictures.likeness` says.
    """
    places = [i for i, seen in enumerate(pictures) if seen.image is not None]
    found = [seen.image for seen in pictures if seen.image is not None]
    images = np.array(found, np.uint8).reshape(-1, *trained.dataset.image_shape)
    y = np.zeros((len(places), trained.dataset.classes))
    is_unlike = np.zeros(len(places), np.bool_)
    if places:
        held_out = trained.test_images[evenly_spaced(len(trained.test_images), HELD_OUT)]
        limit = threshold(trained.inputs(held_out), trained.training_inputs())
        x = trained.inputs(images)
        for rows in blocks(len(places)):
            y[rows] = trained.network.predict(x[rows])
        is_unlike = distances(x, trained.training_inputs()) > limit
    return Answers(np.array(places, np.intp), images, y, is_unlike)


def table_of(
    pictures: Sequence[Seen], answers: Answers, class_names: Sequence[str]
) -> pd.DataFrame:
    """A row a picture, with the `COLUMNS`; without a class if there is nothing to classify."""
    rows: list[dict[str, object]] = [
        {"file": seen.file, "warning": "; ".join(seen.warnings)} for seen in pictures
    ]
    for place, y, order, is_unlike in zip(
        answers.places, answers.y, answers.order, answers.is_unlike, strict=True
    ):
        first, second = order[:2]
        rows[place] |= {
            "class": class_names[first],
            "confidence": y[first],
            "second": class_names[second],
            "second_confidence": y[second],
            "warning": "; ".join([*pictures[place].warnings, *([UNLIKE] if is_unlike else [])]),
        }
    return pd.DataFrame(rows, columns=COLUMNS)


class Reasons(NamedTuple):
    """Why the first m of the pictures that show something are classified so."""

    evidence: Floats  # (m, height, width), in nats, for the most probable class against the second
    neighbours: dict[str, NDArray[np.intp]]  # (m, k) of each of the SPACES, the nearest first


def reasons(answers: Answers, trained: Trained, m: int) -> Reasons:
    """Find why the first m of the pictures that show something are classified so."""
    images, order = answers.images[:m], answers.order[:m]
    if len(images) == 0:
        return Reasons(np.zeros(images.shape), dict.fromkeys(SPACES, np.zeros((0, 0), np.intp)))
    network, x = trained.network, trained.inputs(images)
    evidence = pixel_evidence(network, x, order[:, 0], order[:, 1])
    activations = (network.forward(block)[0] for block in trained.training_inputs())
    neighbours = {
        "pixels": nearest(x, trained.training_inputs(), NEIGHBOURS).indices,
        "activations": nearest(network.forward(x)[0], activations, NEIGHBOURS).indices,
    }
    return Reasons(evidence.reshape(images.shape), neighbours)
