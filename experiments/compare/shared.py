"""The samples that two test sets have in common, as two versions of a data set do."""

import hashlib
from collections import defaultdict
from collections.abc import Hashable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nnlib.analysis.predictions import Predictions
from nnlib.network.functions import surprisal


class Labelled(NamedTuple):
    """A test set, of which predictions are."""

    images: NDArray[np.uint8]  # (N, height, width)
    labels: NDArray[np.integer]  # (N,), in 0 ... C - 1
    class_names: tuple[str, ...]  # C


class Shared(NamedTuple):
    """The samples that two test sets share and both networks can classify, as the later has them.

    A sample is its image. Of those that occur more than once, each has one partner.
    """

    class_names: tuple[str, ...]  # those of the later set, then those that only the earlier one has
    before: NDArray[np.intp]  # (n,), their rows in the earlier set
    after: NDArray[np.intp]  # (n,), and in the later one, in its order
    t_before: NDArray[np.intp]  # (n,), their labels in the earlier set, numbered as `class_names`
    t: NDArray[np.intp]  # (n,), and in the later one, which count for both
    only_before: int  # samples
    only_after: int  # samples
    of_other_classes: int  # samples in both whose class only one of the two has: left out

    @property
    def is_all(self) -> bool:
        """Whether the two sets have the same samples with the same labels."""
        left_out = self.only_before + self.only_after + self.of_other_classes
        return left_out == self.relabelled == 0

    @property
    def relabelled(self) -> int:
        """How many of the samples have another label in the later set."""
        return int((self.t_before != self.t).sum())


def shared_samples(before: Labelled, after: Labelled) -> Shared:
    """Find the samples of two sets of images of the same size."""
    partners = match_samples(before, after)
    rows_after = np.flatnonzero(partners >= 0)
    rows_before = partners[rows_after]
    class_names = tuple(dict.fromkeys((*after.class_names, *before.class_names)))
    t_before = _places(before.class_names, class_names)[before.labels[rows_before]]
    t = after.labels[rows_after].astype(np.intp)  # as its classes come first
    of_both = [name in before.class_names and name in after.class_names for name in class_names]
    is_known = np.array(of_both)[t]
    return Shared(
        class_names,
        rows_before[is_known],
        rows_after[is_known],
        t_before[is_known],
        t[is_known],
        only_before=len(before.labels) - len(rows_before),
        only_after=len(after.labels) - len(rows_after),
        of_other_classes=int((~is_known).sum()),
    )


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
    places, of_rows = _places(class_names, shared.class_names), predictions[rows]
    y = np.zeros((len(rows), len(shared.class_names)), predictions.y.dtype)
    y[:, places] = of_rows.y
    # A file has the loss for its own labels; for others, a probability may be written as 0.
    of_t = np.maximum(y[np.arange(len(rows)), shared.t], np.finfo(np.float32).tiny)
    loss = np.where(places[of_rows.t] == shared.t, of_rows.loss, surprisal(of_t))
    return Predictions(y, shared.t, places[of_rows.predicted], loss)


def _places(names: tuple[str, ...], among: tuple[str, ...]) -> NDArray[np.intp]:
    """Where each name stands among others."""
    return np.array([among.index(name) for name in names])
