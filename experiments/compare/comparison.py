"""What became of each sample from one set of predictions to another."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nnlib.analysis.confusion import confusion_matrix
from nnlib.analysis.predictions import Predictions
from nnlib.analysis.summary import Summary, summarise
from nnlib.stats.paired import (
    MARGIN,
    Equivalence,
    equivalence,
    mcnemar_exact,
    paired_difference_interval,
)
from nnlib.stats.proportions import holm


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
    otherwise_wrong: pd.DataFrame  # samples of both_wrong, with another predicted class after
    switches: pd.DataFrame  # of otherwise_wrong: `count_switches`
    pairs: pd.DataFrame  # `changed_pairs`
    same_predictions: int  # samples with the same predicted class
    difference: float  # of the accuracies, after minus before
    difference_low: float  # its 95% interval for paired proportions
    difference_high: float
    p: float  # of the exact McNemar test
    equivalence: Equivalence  # of the accuracies, with the margin MARGIN
    by_class: pd.DataFrame  # support, right_before, right_after, fixed, broken; indexed by class
    confusion_change: NDArray[np.int64]  # (C, C), the actual class by row, after minus before

    @property
    def net(self) -> int:
        """How many more samples are right."""
        return len(self.fixed) - len(self.broken)


def compare_predictions(before: Predictions, after: Predictions) -> Comparison:
    """Compare two sets of predictions of the same samples, in the same order."""
    actual, classes, N = before.t, before.classes, len(before)
    table = pd.DataFrame(
        {
            "index": np.arange(N),
            "actual": actual,
            "predicted_before": before.predicted,
            "predicted_after": after.predicted,
            "confidence_before": before.confidence,
            "confidence_after": after.confidence,
            "change": after.of_actual - before.of_actual,
        }
    ).sort_values("change", key=abs, ascending=False, kind="stable")
    is_fixed, is_broken = ~before.right & after.right, before.right & ~after.right
    both_wrong = table[(~before.right & ~after.right)[table.index]]
    otherwise_wrong = both_wrong[both_wrong["predicted_before"] != both_wrong["predicted_after"]]
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
        both_wrong=both_wrong,
        otherwise_wrong=otherwise_wrong,
        switches=count_switches(otherwise_wrong),
        pairs=changed_pairs(before, after),
        same_predictions=int((before.predicted == after.predicted).sum()),
        difference=(fixed - broken) / N,
        difference_low=low,
        difference_high=high,
        p=mcnemar_exact(fixed, broken),
        equivalence=equivalence(fixed, broken, N, MARGIN),
        by_class=pd.DataFrame(
            {
                "support": count(np.full(N, True)),
                "right_before": count(before.right),
                "right_after": count(after.right),
                "fixed": count(is_fixed),
                "broken": count(is_broken),
            }
        ),
        confusion_change=confusion_matrix(actual, after.predicted, classes)
        - confusion_matrix(actual, before.predicted, classes),
    )


def count_switches(samples: pd.DataFrame) -> pd.DataFrame:
    """How many samples of a class went from one predicted class to another, the most first.

    Parameters
    ----------
    samples : DataFrame
        A table of samples of a `Comparison`.

    Returns
    -------
    DataFrame with the columns `actual`, `predicted_before`, `predicted_after` and `count`
    """
    by = ["actual", "predicted_before", "predicted_after"]
    counts = samples.groupby(by).size().reset_index(name="count")
    return counts.sort_values("count", ascending=False, kind="stable", ignore_index=True)


def changed_pairs(before: Predictions, after: Predictions) -> pd.DataFrame:
    """Pairs of classes that are confused more or less often than before, in both directions.

    Returns
    -------
    DataFrame with these columns, a row for each two classes of which one or more samples began or
    ceased to be classified as the other. Those whose counts changed most come first.

    `first`, `second` : int
        The classes. First comes the one whose samples changed more.
    `before`, `after` : int
        How many samples of the first class are classified as the second.
    `reverse_before`, `reverse_after` : int
        How many samples of the second class are classified as the first.
    `p`, `reverse_p` : float
        Of the exact McNemar test that a sample of the class is as likely to be classified as the
        other after as before, adjusted by Holm's method for all C (C - 1) directions.
    """
    actual, classes = before.t, before.classes
    counts_before = confusion_matrix(actual, before.predicted, classes)
    counts_after = confusion_matrix(actual, after.predicted, classes)
    is_same = before.predicted == after.predicted
    same = confusion_matrix(actual[is_same], after.predicted[is_same], classes)
    come, gone = counts_after - same, counts_before - same
    off_diagonal = ~np.eye(classes, dtype=np.bool_)
    p = np.ones((classes, classes))
    p[off_diagonal] = holm(
        [
            mcnemar_exact(*cell)
            for cell in zip(come[off_diagonal].tolist(), gone[off_diagonal].tolist(), strict=True)
        ]
    )
    size = np.abs(counts_after - counts_before)
    moved = come + gone
    first, second = np.nonzero(np.triu(moved + moved.T, 1))
    is_turned = size[second, first] > size[first, second]
    first, second = np.where(is_turned, second, first), np.where(is_turned, first, second)
    order = np.argsort(-(size + size.T)[first, second], kind="stable")
    first, second = first[order], second[order]
    return pd.DataFrame(
        {
            "first": first,
            "second": second,
            "before": counts_before[first, second],
            "after": counts_after[first, second],
            "p": p[first, second],
            "reverse_before": counts_before[second, first],
            "reverse_after": counts_after[second, first],
            "reverse_p": p[second, first],
        }
    )
