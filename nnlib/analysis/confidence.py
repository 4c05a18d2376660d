"""How sure a network is of its predictions, and how far its confidence can be trusted.

The confidence of a prediction is the probability of the predicted class.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd

from nnlib.analysis.predictions import Predictions
from nnlib.base.arrays import Floats
from nnlib.stats.intervals import wilson_interval

BINS = 15
# Below so many predictions, a bin's accuracy is hardly known: near 50%, its 95% interval is wider
# than a third of the scale.
FEW = 30


def reliability(predictions: Predictions) -> pd.DataFrame:
    """Accuracy of the predictions of about the same confidence, in `BINS` bins of equal width.

    Guo et al. (2017), "On calibration of modern neural networks", https://arxiv.org/abs/1706.04599.

    Parameters
    ----------
    predictions : Predictions

    Returns
    -------
    DataFrame with the columns `low`, `high` (a bin holds low < confidence <= high), `count`,
    `confidence`, `accuracy` (the means of the bin), `accuracy_low` and `accuracy_high` (the 95%
    Wilson interval), one row per bin; the last four are NaN for an empty bin
    """
    edges = np.linspace(0, 1, BINS + 1)
    bins = np.searchsorted(edges[1:-1], predictions.confidence, side="left")
    count = np.bincount(bins, minlength=BINS)
    right_count = np.bincount(bins, predictions.right, BINS)
    divisor = np.where(count > 0, count, np.nan)
    low, high = wilson_interval(right_count, count)
    return pd.DataFrame(
        {
            "low": edges[:-1],
            "high": edges[1:],
            "count": count,
            "confidence": np.bincount(bins, predictions.confidence, BINS) / divisor,
            "accuracy": right_count / divisor,
            "accuracy_low": low,
            "accuracy_high": high,
        }
    )


def expected_calibration_error(bins: pd.DataFrame) -> float:
    """Mean distance between confidence and accuracy, each bin weighted by its predictions.

    Parameters
    ----------
    bins : DataFrame
        As `reliability` makes it.

    Returns
    -------
    float in [0, 1]
    """
    gaps = (bins["accuracy"] - bins["confidence"]).abs()
    return float((gaps * bins["count"]).sum() / bins["count"].sum())


def brier_score(predictions: Predictions) -> float:
    """Mean squared distance of the probabilities from the one-hot targets, summed over the classes.

    Brier (1950), "Verification of forecasts expressed in terms of probability", Monthly Weather
    Review 78, 1-3.

    Returns
    -------
    float in [0, 2]; 0 is perfect, and equal probabilities for all classes give 1 - 1 / C
    """
    targets = np.eye(predictions.classes)[predictions.t]
    return float(np.square(predictions.y - targets).sum(axis=1).mean())


def mean_entropy(y: Floats) -> float:
    """Mean entropy in nats of the predicted distributions: -sum(p log p), with 0 log 0 = 0.

    Parameters
    ----------
    y : ndarray of shape (N, C)
        Probabilities.

    Returns
    -------
    float in [0, log C]
    """
    log_y = np.log(y, where=y > 0, out=np.zeros_like(y))
    return float(-(y * log_y).sum(axis=1).mean())


def accuracy_by_coverage(predictions: Predictions) -> pd.DataFrame:
    """Accuracy of the most confident predictions, for every share of the samples.

    Selective classification decides only what is predicted with at least some confidence, and
    leaves the rest to a person: Geifman and El-Yaniv (2017), "Selective classification for deep
    neural networks", https://arxiv.org/abs/1705.08500.

    Parameters
    ----------
    predictions : Predictions

    Returns
    -------
    DataFrame with the columns `threshold`, `coverage` (share of the samples whose confidence is at
    least the threshold) and `accuracy` (of these), a row for each confidence that occurs, from the
    highest to the lowest
    """
    order = np.argsort(-predictions.confidence, kind="stable")
    confidence, right = predictions.confidence[order], np.cumsum(predictions.right[order])
    last = np.flatnonzero(np.diff(confidence, append=-1))  # of those of equal confidence
    return pd.DataFrame(
        {
            "threshold": confidence[last],
            "coverage": (last + 1) / len(predictions),
            "accuracy": right[last] / (last + 1),
        }
    )


class Coverage(NamedTuple):
    """How much can be decided automatically, and from which confidence on."""

    threshold: float  # NaN if none will do
    coverage: float  # share of the samples, 0 if none will do
    accuracy: float  # of these, NaN if none will do


def coverage_at(curve: pd.DataFrame, accuracy: float) -> Coverage:
    """Largest share of the samples that can be decided with at least the given accuracy.

    Parameters
    ----------
    curve : DataFrame
        As `accuracy_by_coverage` makes it.
    accuracy : float in [0, 1]

    Returns
    -------
    Coverage
    """
    enough = curve[curve["accuracy"] >= accuracy]
    if enough.empty:
        return Coverage(threshold=float("nan"), coverage=0.0, accuracy=float("nan"))
    return Coverage(**enough.iloc[-1])
