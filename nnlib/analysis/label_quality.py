"""Labels worth a second look: the samples whose given label the network finds least credible.

Confident learning: Northcutt, Jiang and Chuang (2021), "Confident learning: estimating uncertainty
in dataset labels", Journal of Artificial Intelligence Research 70, 1373-1411,
https://arxiv.org/abs/1911.00068. The probabilities must come from a network that was not trained on
these samples.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nnlib.arrays import Floats


def normalized_margin(y: Floats, labels: NDArray[np.integer]) -> Floats:
    """Probability of each sample's label minus the largest one of another class.

    Parameters
    ----------
    y : ndarray of shape (N, C)
        Probabilities.
    labels : ndarray of int of shape (N,)

    Returns
    -------
    ndarray of shape (N,), in [-1, 1]; negative where another class is predicted
    """
    rows = np.arange(len(labels))
    others = y.copy()
    others[rows, labels] = -np.inf
    return y[rows, labels] - others.max(axis=1)


def confident_thresholds(y: Floats, labels: NDArray[np.integer]) -> Floats:
    """Mean probability of each class over the samples that have it as their label.

    Parameters
    ----------
    y : ndarray of shape (N, C)
        Probabilities.
    labels : ndarray of int of shape (N,)

    Returns
    -------
    ndarray of shape (C,); infinity for a class that is no sample's label
    """
    classes = y.shape[1]
    support = np.bincount(labels, minlength=classes)
    total = np.bincount(labels, y[np.arange(len(labels)), labels], classes)
    return np.where(support > 0, total / np.maximum(support, 1), np.inf)


def label_issues(y: Floats, labels: NDArray[np.integer]) -> pd.DataFrame:
    """Samples that look like a class other than their label, the least credible label first.

    A sample looks like a class if that class's probability reaches its threshold; if several do,
    it looks like the most probable of them. The samples are those off the diagonal of the paper's
    confident joint, ranked by their normalised margin. Low thresholds can let in samples that are
    predicted as their label says; these are left out.

    Parameters
    ----------
    y : ndarray of shape (N, C)
        Probabilities.
    labels : ndarray of int of shape (N,)

    Returns
    -------
    DataFrame with the columns `index`, `label`, `looks_like` (int), `label_probability`,
    `probability` (of the class that it looks like), `threshold` (of that class) and `margin`
    """
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
