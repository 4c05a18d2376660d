"""The labels that both judges together would not have given: the list, and what to expect of it."""

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from experiments.labels.noise import Judgement
from nnlib.analysis.confusion import confusion_matrix
from nnlib.base.arrays import Floats
from nnlib.data.datasets import Dataset, Part
from nnlib.stats.intervals import weighted_count_interval

FIRST = (10, 50, 100)  # suspects of which it is said how many are wrong: expected, and to people
DIGITS = 4  # of a score and of a probability in the table


@dataclass(frozen=True)
class Judged:
    """One set, and what was thought of its labels."""

    part: Part
    index: NDArray[np.integer]  # (N,), of each sample among the published ones
    labels: NDArray[np.integer]  # (N,)
    images: NDArray[np.uint8]  # (N, height, width)
    networks: Floats  # (N, C), their opinion
    neighbours: Floats  # (N, C)
    judgement: Judgement

    @cached_property
    def likeliest(self) -> NDArray[np.intp]:
        """The most probable class to the image, (N,)."""
        return self.judgement.pooled.argmax(axis=1)

    @cached_property
    def suspects(self) -> NDArray[np.intp]:
        """The rows for which that is another class than the label, the highest score first."""
        rows = np.flatnonzero(self.likeliest != self.labels)
        return rows[np.argsort(-self.judgement.score[rows], kind="stable")]

    def images_of(self, suspects: pd.DataFrame) -> NDArray[np.uint8]:
        """The images of a list of suspects of this set."""
        return self.images[np.searchsorted(self.index, suspects["index"])]


def suspects_in(judged: Judged, dataset: Dataset, files: Sequence[str] | None) -> pd.DataFrame:
    """The samples for which another class is more probable than their label, to both judges as one.

    Parameters
    ----------
    judged : Judged
    dataset : Dataset
    files : sequence of str, optional
        The name of each published sample's file.

    Returns
    -------
    DataFrame with these columns, the highest score first

    `rank`, `set`, `index`
        From 1; "train" or "test"; among the published samples of this set.
    `file`
        Only with `files`.
    `label`, `suggested`
        Names of classes: as given, and the most probable one to the image.
    `score`, `wrong`
        Logarithm of the odds that the label is wrong, and the probability of this.
    `networks_label`, `networks_suggested`, `neighbours_label`, `neighbours_suggested`
        The probabilities of both classes to each judge.
    """
    rows = judged.suspects
    labels, suggested = judged.labels[rows], judged.likeliest[rows]
    names = np.array(dataset.class_names, dtype=object)
    table = pd.DataFrame(
        {
            "rank": np.arange(1, len(rows) + 1),
            "set": judged.part,
            "index": judged.index[rows],
            "label": names[labels],
            "suggested": names[suggested],
            "score": judged.judgement.score[rows],
            "wrong": judged.judgement.wrong[rows],
            "networks_label": judged.networks[rows, labels],
            "networks_suggested": judged.networks[rows, suggested],
            "neighbours_label": judged.neighbours[rows, labels],
            "neighbours_suggested": judged.neighbours[rows, suggested],
        }
    )
    table[table.columns[5:]] = table[table.columns[5:]].round(DIGITS)
    if files is not None:
        table.insert(3, "file", np.array(files, dtype=object)[judged.index[rows]])
    return table


class Expected(NamedTuple):
    """How many of some labels are expected to be wrong."""

    samples: int
    wrong: float
    low: float  # ends of the 95% interval
    high: float


def expect(wrong: Floats) -> Expected:
    """How many of labels are wrong, from the probability of each."""
    total, low, high = weighted_count_interval(wrong)
    return Expected(len(wrong), total, low, min(high, len(wrong)))


class Pair(NamedTuple):
    """Samples with a label that look like another class."""

    label: int
    suggested: int
    suspects: int
    expected: Expected  # of the samples with this label, to be of the other class


class First(NamedTuple):
    """What is expected of the first suspects."""

    expected: Expected
    by_image: float  # how many are wrong if the label told nothing: by the pooled opinion alone


class Summary(NamedTuple):
    """What is expected of the labels of one set."""

    part: Part
    all: Expected
    suspects: First
    first: dict[int, First]  # of the first suspects, by how many
    by_class: list[tuple[int, Expected]]  # suspects, and what is expected of all, by label
    pairs: list[Pair]  # with the most suspects first
    weights: Floats  # of the networks and of the neighbours


def summarise(judged: Judged) -> Summary:
    """Sum up what is expected of the labels of one set."""
    judgement, labels = judged.judgement, judged.labels
    rows = judged.suspects
    by_image = 1 - judgement.pooled[rows, labels[rows]]

    def first(most: int) -> First:
        return First(expect(judgement.wrong[rows[:most]]), float(by_image[:most].sum()))

    classes = judgement.pooled.shape[1]
    counts = confusion_matrix(labels[rows], judged.likeliest[rows], classes)
    pairs = [
        Pair(
            label,
            other,
            int(counts[label, other]),
            expect(judgement.posterior[labels == label, other]),
        )
        for label, other in np.argwhere(counts).tolist()
    ]
    return Summary(
        judged.part,
        expect(judgement.wrong),
        first(len(rows)),
        {most: first(most) for most in FIRST if most <= len(rows)},
        [
            (int(counts[label].sum()), expect(judgement.wrong[labels == label]))
            for label in range(classes)
        ],
        sorted(pairs, key=lambda pair: -pair.suspects),
        judgement.weights,
    )


def contradictions(sets: Sequence[Judged]) -> list[list[tuple[Part, int, int]]]:
    """The images that occur with several labels.

    Returns
    -------
    list of (set, index, label) of the samples that are the same image, for each of these
    """
    same: Mapping[bytes, list[tuple[Part, int, int]]] = defaultdict(list)
    for each in sets:
        for index, label, image in zip(each.index, each.labels, each.images, strict=True):
            digest = hashlib.sha256(image.tobytes()).digest()
            same[digest].append((each.part, int(index), int(label)))
    return [group for group in same.values() if len({label for *_, label in group}) > 1]
