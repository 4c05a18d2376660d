"""How good a set of predictions is, on the whole."""

from typing import NamedTuple

import numpy as np

from nnlib.analysis.confidence import expected_calibration_error, mean_entropy, reliability
from nnlib.analysis.predictions import Predictions
from nnlib.stats.intervals import wilson_interval


class Summary(NamedTuple):
    """A set of predictions in numbers."""

    right: int
    accuracy: float
    accuracy_low: float  # the 95% Wilson interval
    accuracy_high: float
    loss: float  # mean cross-entropy in nats
    confidence: float  # mean
    entropy: float  # mean of the predicted distributions, in nats
    calibration_error: float  # expected calibration error
    predictions: list[int]  # how often each class is predicted


def summarise(predictions: Predictions) -> Summary:
    """Summarise predictions."""
    right = int(predictions.right.sum())
    low, high = wilson_interval(right, len(predictions))
    return Summary(
        right=right,
        accuracy=predictions.accuracy,
        accuracy_low=float(low),
        accuracy_high=float(high),
        loss=predictions.mean_loss,
        confidence=float(predictions.confidence.mean()),
        entropy=mean_entropy(predictions.y),
        calibration_error=expected_calibration_error(reliability(predictions)),
        predictions=np.bincount(predictions.predicted, minlength=predictions.classes).tolist(),
    )
