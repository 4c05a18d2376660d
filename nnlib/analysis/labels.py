"""Labels worth a second look: the samples whose given label the network finds least credible.

Confident learning: Northcutt, Jiang and Chuang (2021), "Confident learning: estimating uncertainty
in dataset labels", Journal of Artificial Intelligence Research 70, 1373-1411,
https://arxiv.org/abs/1911.00068. The probabilities must come from a network that was not trained on
these samples.
"""

import numpy as np
import pandas as pd

from nnlib.analysis.predictions import Predictions
from nnlib.base.arrays import Floats


def normalized_margin(predictions: Predictions) -> Floats:
    """Probability of each sample's label minus the largest one of another class.

    Returns
    -------
    ndarray of shape (N,), in [-1, 1]; negative where another class is predicted
    """
    others = predictions.y.copy()
    others[np.arange(len(others)), predictions.t] = -np.inf
    return predictions.of_actual - others.max(axis=1)


def confident_thresholds(predictions: Predictions) -> Floats:
    """Mean probability of each class over the samples that have it as their label.

    Returns
    -------
    ndarray of shape (C,); infinity for a class that is no sample's label
    """
    labels, classes = predictions.t, predictions.classes
    support = np.bincount(labels, minlength=classes)
    total = np.bincount(labels, predictions.of_actual, classes)
    return np.where(support > 0, total / np.maximum(support, 1), np.inf)


def label_issues(predictions: Predictions) -> pd.DataFrame:
    """Samples that look like a class other than their label, the least credible label first.

    A sample looks like a class if that class's probability reaches its threshold; if several do,
    it looks like the most probable of them. The samples are those off the diagonal of the paper's
    confident joint, ranked by their normalised margin. Low thresholds can let in samples that are
    predicted as their label says; these are left out.

    Returns
    -------
    DataFrame with the columns `index`, `label`, `looks_like` (int), `label_probability`,
    `probability` (of the class that it looks like), `threshold` (of that class) and `margin`
    """
    y, labels = predictions.y, predictions.t
    thresholds = confident_thresholds(predictions)
    confident = np.where(y >= thresholds, y, -np.inf)
    looks_like = confident.argmax(axis=1)
    margin = normalized_margin(predictions)
    index = np.flatnonzero(
        (confident.max(axis=1) > -np.inf) & (looks_like != labels) & (margin < 0)
    )
    issues = pd.DataFrame(
        {
            "index": index,
            "label": labels[index],
            "looks_like": looks_like[index],
            "label_probability": predictions.of_actual[index],
            "probability": y[index, looks_like[index]],
            "threshold": thresholds[looks_like[index]],
            "margin": margin[index],
        }
    )
    return issues.sort_values("margin", kind="stable", ignore_index=True)
