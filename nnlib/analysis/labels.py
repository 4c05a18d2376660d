"""Labels worth a second look: the samples whose given label the network finds least credible.

Confident learning: Northcutt, Jiang and Chuang (2021), "Confident learning: estimating uncertainty
in dataset labels", Journal of Artificial Intelligence Research 70, 1373-1411,
https://arxiv.org/abs/1911.00068. The probabilities must come from a network that was not trained on
these samples.
"""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from nnlib.base.arrays import Floats
from nnlib.base.checks import as_indices, as_probabilities, check_lengths


def _checked(y: ArrayLike, labels: ArrayLike) -> tuple[Floats, NDArray[np.intp]]:
    y = as_probabilities(y)
    labels = as_indices(labels, y.shape[1], "labels")
    check_lengths({"y": y, "labels": labels})
    return y, labels


def normalized_margin(y: ArrayLike, labels: ArrayLike) -> Floats:
    """Probability of each sample's label minus the largest one of another class.

    Parameters
    ----------
    y : array_like of shape (N, C)
        Probabilities.
    labels : array_like of int of shape (N,), in 0 ... C - 1

    Returns
    -------
    ndarray of shape (N,), in [-1, 1]; negative where another class is predicted

    Raises
    ------
    TypeError, ValueError
        If `y` are not probabilities, `labels` not classes, or their numbers differ.
    """
    y, labels = _checked(y, labels)
    rows = np.arange(len(labels))
    others = y.copy()
    others[rows, labels] = -np.inf
    return y[rows, labels] - others.max(axis=1)


def confident_thresholds(y: ArrayLike, labels: ArrayLike) -> Floats:
    """Mean probability of each class over the samples that have it as their label.

    Parameters
    ----------
    y : array_like of shape (N, C)
        Probabilities.
    labels : array_like of int of shape (N,), in 0 ... C - 1

    Returns
    -------
    ndarray of shape (C,); infinity for a class that is no sample's label

    Raises
    ------
    TypeError, ValueError
        If `y` are not probabilities, `labels` not classes, or their numbers differ.
    """
    y, labels = _checked(y, labels)
    classes = y.shape[1]
    support = np.bincount(labels, minlength=classes)
    total = np.bincount(labels, y[np.arange(len(labels)), labels], classes)
    return np.where(support > 0, total / np.maximum(support, 1), np.inf)


def label_issues(y: ArrayLike, labels: ArrayLike) -> pd.DataFrame:
    """Samples that look like a class other than their label, the least credible label first.

    A sample looks like a class if that class's probability reaches its threshold; if several do,
    it looks like the most probable of them. The samples are those off the diagonal of the paper's
    confident joint, ranked by their normalised margin. Low thresholds can let in samples that are
    predicted as their label says; these are left out.

    Parameters
    ----------
    y : array_like of shape (N, C)
        Probabilities.
    labels : array_like of int of shape (N,), in 0 ... C - 1

    Returns
    -------
    DataFrame with the columns `index`, `label`, `looks_like` (int), `label_probability`,
    `probability` (of the class that it looks like), `threshold` (of that class) and `margin`

    Raises
    ------
    TypeError, ValueError
        If `y` are not probabilities, `labels` not classes, or their numbers differ.
    """
    y, labels = _checked(y, labels)
    thresholds = confident_thresholds(y, labels)
    confident = np.where(y >= thresholds, y, -np.inf)
    looks_like = confident.argmax(axis=1)
    margin = normalized_margin(y, labels)
    index = np.flatnonzero(
        (confident.max(axis=1) > -np.inf) & (looks_like != labels) & (margin < 0)
    )
    issues = pd.DataFrame(
        {
            "index": index,
            "label": labels[index],
            "looks_like": looks_like[index],
            "label_probability": y[index, labels[index]],
            "probability": y[index, looks_like[index]],
            "threshold": thresholds[looks_like[index]],
            "margin": margin[index],
        }
    )
    return issues.sort_values("margin", kind="stable", ignore_index=True)
