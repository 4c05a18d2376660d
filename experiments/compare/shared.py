"""The samples that two test sets have in common, as two versions of a data set do."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Hashable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nnlib.analysis.predictions import Predictions


class Labelled(NamedTuple):
    """A test set, of which predictions are."""

    images: NDArray[np.uint8]  # (N, height, width)
    labels: NDArray[np.integer]  # (N,), in 0 ... C - 1
    class_names: tuple[str, ...]  # C
    dropped: NDArray[np.uint8]  # (n, height, width), images that were left out of it


class Shared(NamedTuple):
    """The samples that two test sets share with the same label.

    A sample is its image. Of those that occur more than once, each has one partner.
    """

    class_names: tuple[str, ...]  # those of the later set, then those that only the earlier one has
    before: NDArray[np.intp]  # (n,), their rows in the earlier set
    after: NDArray[np.intp]  # (n,), and in the later one, in its order
    t: NDArray[np.intp]  # (n,), their labels, numbered as `class_names`
    only_before: int  # samples
    only_after: int  # samples
    dropped_before: int  # of those only after, samples that were left out before
    dropped_after: int  # of those only before, samples that were left out after
    relabelled: int  # samples in both that have another label in the later set: left out

    @property
    def is_all(self) -> bool:
        """Whether the two sets have the same samples with the same labels."""
        return self.only_before == self.only_after == self.relabelled == 0


def shared_samples(before: Labelled, after: Labelled) -> Shared:
    """Find the samples of two sets of images of the same size."""
    partners = match_samples(before, after)
    rows_after = np.flatnonzero(partners >= 0)
    rows_before = partners[rows_after]
    class_names = tuple(dict.fromkeys((*after.class_names, *before.class_names)))
    t_before = places_of(before.class_names, class_names)[before.labels[rows_before]]
    t = after.labels[rows_after].astype(np.intp)  # as its classes come first
    is_same = t_before == t
    only_before = np.delete(before.images, rows_before, axis=0)
    only_after = after.images[partners < 0]
    return Shared(
        class_names,
        rows_before[is_same],
        rows_after[is_same],
        t[is_same],
        only_before=len(only_before),
        only_after=len(only_after),
        dropped_before=_count_among(only_after, before.dropped),
        dropped_after=_count_among(only_before, after.dropped),
        relabelled=int((~is_same).sum()),
    )


def _count_among(images: NDArray[np.uint8], others: NDArray[np.uint8]) -> int:
    """How many images have a partner among others."""
    counts, of_others = (Counter(each.tobytes() for each in group) for group in (images, others))
    return (counts & of_others).total()


def match_samples(before: Labelled, after: Labelled) -> NDArray[np.intp]:
    """The row in the earlier set of each sample of the later one, (N,); -1 where there is none.

    Of samples with the same image, those with the same label are partners, then those in the order
    in which they come.
    """
    of_before, of_after = (
        [
            (hashlib.sha256(image.tobytes()).digest(), each.class_names[label])
            for image, label in zip(each.images, each.labels, strict=True)
        ]
        for each in (before, after)
    )
    partners = np.full(len(of_after), -1)
    left = list(range(len(of_before)))
    for parts in (2, 1):  # image and label; then the image alone
        rows: dict[Hashable, list[int]] = defaultdict(list)
        for row in reversed(left):
            rows[of_before[row][:parts]].append(row)
        for row in np.flatnonzero(partners < 0).tolist():
            if same := rows[of_after[row][:parts]]:
                partners[row] = same.pop()
        left = sorted(set(left).difference(partners.tolist()))
    return partners


def predictions_of_shared(
    predictions: Predictions, class_names: tuple[str, ...], rows: NDArray[np.intp], shared: Shared
) -> Predictions:
    """A network's predictions of the shared samples, with the classes and labels of these.

    Parameters
    ----------
    predictions : Predictions
    class_names : tuple of str
        Of its classes. It gives all others the probability 0.
    rows : ndarray of int of shape (n,)
        Of the samples among its predictions.
    shared : Shared
    """
    places, of_rows = places_of(class_names, shared.class_names), predictions[rows]
    y = np.zeros((len(rows), len(shared.class_names)), predictions.y.dtype)
    y[:, places] = of_rows.y
    return Predictions(y, shared.t, places[of_rows.predicted], of_rows.loss)


def places_of(names: tuple[str, ...], among: tuple[str, ...]) -> NDArray[np.intp]:
    """Where each name stands among others."""
    return np.array([among.index(name) for name in names])
