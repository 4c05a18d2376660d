"""What the reports say of the labels that were corrected."""

from typing import Any

import numpy as np
import pandas as pd

from nnlib.analysis.analysis import Analysis
from nnlib.analysis.corrections import Accuracy, accuracies
from nnlib.data.corrections import DROPPED, PARTS, count_corrections
from nnlib.report.shapes import records
from nnlib.stats.intervals import wilson_interval

MOST_LISTED = 100  # corrections in a table


def describe_corrections(analysis: Analysis, corrections: pd.DataFrame) -> dict[str, Any] | None:
    """What the section on corrected labels says; None if there are none.

    Parameters
    ----------
    analysis : Analysis
        By the corrected labels.
    corrections : DataFrame
        As `nnlib.data.corrections` describes it, with the class that the network predicts,
        `predicted`.
    """
    if corrections.empty:
        return None
    of_train = analysis.train_confusion
    by_corrected = {
        "test": Accuracy(int(analysis.trained.right.sum()), len(analysis.trained)),
        "train": Accuracy(int(np.trace(of_train)), int(of_train.sum())),
    }
    is_dropped = corrections["label"] == DROPPED
    described: dict[str, Any] = {
        "total": len(corrections),
        "dropped": int(is_dropped.sum()),
        "listed": records(corrections.assign(is_dropped=is_dropped).head(MOST_LISTED)),
    }
    for part in PARTS:
        by_labels = accuracies(by_corrected[part], corrections[corrections["set"] == part])
        described[part] = count_corrections(corrections, part)._asdict()
        for name, accuracy in by_labels._asdict().items():
            described[part][name] = _with_interval(accuracy)
    return described


def _with_interval(accuracy: Accuracy) -> dict[str, Any]:
    low, high = wilson_interval(accuracy.right, accuracy.samples)
    return {**accuracy._asdict(), "share": accuracy.share, "low": low, "high": high}
