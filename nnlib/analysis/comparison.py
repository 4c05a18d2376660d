"""What became of each sample from one set of predictions to another."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nnlib.analysis.metrics import confusion_matrix
from nnlib.analysis.paired import mcnemar_exact, paired_difference_interval
from nnlib.analysis.predictions import check_same_samples, is_right, probabilities
from nnlib.analysis.summary import Summary, summarise
from nnlib.checks import check_not_empty


@dataclass(frozen=True)
class Comparison:
    """Two sets of predictions of the same samples.

    Tables of samples have the columns `index`, `actual`, `predicted_before`, `predicted_after`,
    `confidence_before`, `confidence_after` (probability of the predicted class) and `change` (of
    the probability of the actual class), the largest change first.
    """

    samples: int
    before: Summary
    after: Summary
    fixed: pd.DataFrame  # samples: wrong before, right after
    broken: pd.DataFrame  # samples: right before, wrong after
    both_wrong: pd.DataFrame  # samples
    same_predictions: int  # samples with the same predicted class
    difference: float  # of the accuracies, after minus before
    difference_low: float  # its 95 % interval for paired proportions
    difference_high: float
    p: float  # of the exact McNemar test
    by_class: pd.DataFrame  # support, right_before, right_after, fixed, broken; indexed by class
    confusion_change: NDArray[np.int64]  # (C, C), the actual class by row, after minus before

    @property
    def net(self) -> int:
        """How many more samples are right."""
        return len(self.fixed) - len(self.broken)


def compare_predictions(before: pd.DataFrame, after: pd.DataFrame) -> Comparison:
    """Compare two sets of predictions of the same samples.

    Parameters
    ----------
    before, after : DataFrame
        As `nnlib.analysis.predictions.tabulate` makes them, with the same `actual` in the same
        order, whatever their index.

    Returns
    -------
    Comparison

    Raises
    ------
    TypeError, ValueError
        If one is not such a table, or empty, or the two are about different samples.
    """
    check_not_empty(before, "before")
    check_same_samples(before=before, after=after)
    before, after = before.reset_index(drop=True), after.reset_index(drop=True)
    actual = before["actual"].to_numpy()
    N = len(actual)
    right_before, right_after = is_right(before).to_numpy(), is_right(after).to_numpy()
    of_actual = np.arange(N), actual
    y_before, y_after = probabilities(before), probabilities(after)
    classes = y_before.shape[1]
    table = pd.DataFrame(
        {
            "index": before["index"],
            "actual": actual,
            "predicted_before": before["predicted"],
            "predicted_after": after["predicted"],
            "confidence_before": before["confidence"],
            "confidence_after": after["confidence"],
            "change": y_after[of_actual] - y_before[of_actual],
        }
    ).sort_values("change", key=abs, ascending=False, kind="stable")
    is_fixed, is_broken = ~right_before & right_after, right_before & ~right_after
    fixed, broken = int(is_fixed.sum()), int(is_broken.sum())
    low, high = paired_difference_interval(fixed, broken, N)

    def count(which: NDArray[np.bool_]) -> NDArray[np.int64]:
        return np.bincount(actual[which], minlength=classes)

    return Comparison(
        samples=N,
        before=summarise(before),
        after=summarise(after),
        fixed=table[is_fixed[table.index]],
        broken=table[is_broken[table.index]],
        both_wrong=table[(~right_before & ~right_after)[table.index]],
        same_predictions=int((before["predicted"] == after["predicted"]).sum()),
        difference=(fixed - broken) / N,
        difference_low=low,
        difference_high=high,
        p=mcnemar_exact(fixed, broken),
        by_class=pd.DataFrame(
            {
                "support": count(np.full(N, True)),
                "right_before": count(right_before),
                "right_after": count(right_after),
                "fixed": count(is_fixed),
                "broken": count(is_broken),
            }
        ),
        confusion_change=confusion_matrix(actual, after["predicted"], classes)
        - confusion_matrix(actual, before["predicted"], classes),
    )
