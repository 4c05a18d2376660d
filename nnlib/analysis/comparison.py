"""What became of each sample from one set of predictions to another."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nnlib.analysis.confidence import expected_calibration_error, reliability
from nnlib.analysis.intervals import wilson_interval
from nnlib.analysis.metrics import confusion_matrix
from nnlib.analysis.paired import mcnemar_exact, paired_difference_interval
from nnlib.analysis.predictions import is_right, probabilities
from nnlib.data.mnist import CLASSES


class Summary(NamedTuple):
    """How good one set of predictions is."""

    right: int
    accuracy: float
    accuracy_low: float  # the 95 % Wilson interval
    accuracy_high: float
    loss: float  # mean cross-entropy in nats
    confidence: float  # mean
    calibration_error: float  # expected calibration error


@dataclass(frozen=True)
class Comparison:
    """Two sets of predictions of the same samples.

    Tables of samples have the columns `index`, `actual`, `predicted_before`, `predicted_after`,
    `confidence_before`, `confidence_after` (probability of the predicted digit) and `change` (of
    the probability of the actual digit), the largest change first.
    """

    samples: int
    before: Summary
    after: Summary
    fixed: pd.DataFrame  # samples: wrong before, right after
    broken: pd.DataFrame  # samples: right before, wrong after
    both_wrong: pd.DataFrame  # samples
    same_predictions: int  # samples that are given the same digit
    difference: float  # of the accuracies, after less before
    difference_low: float  # its 95 % interval for paired proportions
    difference_high: float
    p: float  # of the exact McNemar test
    digits: pd.DataFrame  # support, right_before, right_after, fixed, broken; indexed by digit
    confusion_change: NDArray[np.int64]  # (C, C), the actual digit by row, after less before

    @property
    def net(self) -> int:
        """How many more samples are right."""
        return len(self.fixed) - len(self.broken)


def compare_predictions(before: pd.DataFrame, after: pd.DataFrame) -> Comparison:
    """Compare two sets of predictions of the same samples.

    Parameters
    ----------
    before, after : DataFrame
        As `nnlib.analysis.predictions.tabulate` makes them, with the same `actual`.

    Returns
    -------
    Comparison

    Raises
    ------
    ValueError
        If the two are about other samples.
    """
    if not np.array_equal(before["actual"], after["actual"]):
        raise ValueError("the predictions are about other samples")
    actual = before["actual"].to_numpy()
    N = len(actual)
    right_before, right_after = is_right(before).to_numpy(), is_right(after).to_numpy()
    of_actual = np.arange(N), actual
    samples = pd.DataFrame(
        {
            "index": before["index"],
            "actual": actual,
            "predicted_before": before["predicted"],
            "predicted_after": after["predicted"],
            "confidence_before": before["confidence"],
            "confidence_after": after["confidence"],
            "change": probabilities(after)[of_actual] - probabilities(before)[of_actual],
        }
    ).sort_values("change", key=abs, ascending=False, kind="stable")
    is_fixed, is_broken = ~right_before & right_after, right_before & ~right_after
    fixed, broken = int(is_fixed.sum()), int(is_broken.sum())
    low, high = paired_difference_interval(fixed, broken, N)

    def by_digit(which: NDArray[np.bool_]) -> NDArray[np.int64]:
        return np.bincount(actual[which], minlength=CLASSES)

    return Comparison(
        samples=N,
        before=_summarise(before),
        after=_summarise(after),
        fixed=samples[is_fixed[samples.index]],
        broken=samples[is_broken[samples.index]],
        both_wrong=samples[(~right_before & ~right_after)[samples.index]],
        same_predictions=int((before["predicted"] == after["predicted"]).sum()),
        difference=(fixed - broken) / N,
        difference_low=low,
        difference_high=high,
        p=mcnemar_exact(fixed, broken),
        digits=pd.DataFrame(
            {
                "support": by_digit(np.full(N, True)),
                "right_before": by_digit(right_before),
                "right_after": by_digit(right_after),
                "fixed": by_digit(is_fixed),
                "broken": by_digit(is_broken),
            }
        ),
        confusion_change=confusion_matrix(actual, after["predicted"], CLASSES)
        - confusion_matrix(actual, before["predicted"], CLASSES),
    )


def _summarise(predictions: pd.DataFrame) -> Summary:
    right = is_right(predictions)
    low, high = wilson_interval(right.sum(), len(right))
    return Summary(
        right=int(right.sum()),
        accuracy=float(right.mean()),
        accuracy_low=float(low),
        accuracy_high=float(high),
        loss=float(predictions["loss"].mean()),
        confidence=float(predictions["confidence"].mean()),
        calibration_error=expected_calibration_error(reliability(predictions["confidence"], right)),
    )
