"""How good a set of predictions is, on the whole."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from nnlib.analysis.confidence import expected_calibration_error, mean_entropy, reliability
from nnlib.analysis.predictions import is_right, probabilities
from nnlib.base.checks import as_floats, as_shares, check_not_empty
from nnlib.stats.intervals import wilson_interval


class Summary(NamedTuple):
    """A set of predictions in numbers."""

    right: int
    accuracy: float
    accuracy_low: float  # the 95 % Wilson interval
    accuracy_high: float
    loss: float  # mean cross-entropy in nats
    confidence: float  # mean
    entropy: float  # mean of the predicted distributions, in nats
    calibration_error: float  # expected calibration error
    predictions: list[int]  # how often each class is predicted


def summarise(table: pd.DataFrame) -> Summary:
    """Summarise predictions.

    Parameters
    ----------
    table : DataFrame
        As `nnlib.analysis.predictions.tabulate` makes it.

    Raises
    ------
    TypeError, ValueError
        If it is not such a table, or empty.
    """
    check_not_empty(table, "table")
    if np.isnan(as_floats(table["loss"], "table.loss")).any():  # pandas would leave it out
        raise ValueError("table.loss holds NaN")
    as_shares(table["confidence"], "table.confidence")
    right, y = is_right(table), probabilities(table)
    low, high = wilson_interval(right.sum(), len(right))
    return Summary(
        right=int(right.sum()),
        accuracy=float(right.mean()),
        accuracy_low=float(low),
        accuracy_high=float(high),
        loss=float(table["loss"].mean()),
        confidence=float(table["confidence"].mean()),
        entropy=mean_entropy(y),
        calibration_error=expected_calibration_error(reliability(table["confidence"], right)),
        predictions=np.bincount(table["predicted"], minlength=y.shape[1]).tolist(),
    )
