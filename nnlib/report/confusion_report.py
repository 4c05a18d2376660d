"""The confusion report, in Markdown."""

import math
from typing import Any

import numpy as np
import pandas as pd

from nnlib.analysis.analysis import COVERAGE_ACCURACIES, Analysis
from nnlib.analysis.confidence import BINS, coverage_at, mean_entropy
from nnlib.analysis.intervals import wilson_interval
from nnlib.analysis.predictions import is_right, probabilities
from nnlib.data.mnist import CLASSES
from nnlib.network.functions import Floats
from nnlib.report.templating import render


def confusion_report(
    analysis: Analysis,
    *,
    data: str,
    history: pd.DataFrame,
    iterations: int,
    samples: list[int],
    pairs: int,
) -> str:
    """Write the report on a test set.

    Parameters
    ----------
    analysis : Analysis
    data : str
        Name of the data set.
    history : DataFrame with the columns of `nnlib.network.training.Epoch`
    iterations : int
        Length of the training, which may end between two epochs.
    samples : list of int
        Indices of the samples that get a card.
    pairs : int
        How many of the most-confused pairs to list.

    Returns
    -------
    str, Markdown with links to the figures and to the matrix beside it
    """
    trained = analysis.trained
    second_choices = _second_choices(analysis.mean_probabilities)
    second_choices_of_right = _second_choices(analysis.mean_probabilities_of_right)
    return render(
        "confusion.md",
        data=data,
        analysis=analysis,
        samples=len(trained),
        before=_summary(analysis.untrained),
        after=_summary(trained),
        worst_pairs=_records(analysis.pairs.head(5)),
        digits=_records(analysis.digits.rename_axis("digit").reset_index()),
        listed_pairs=_records(analysis.pairs.head(pairs)),
        second_choices=second_choices,
        second_choices_of_right=second_choices_of_right,
        seven_to_one=_rank(second_choices, actual=7, digit=1),
        seven_to_one_of_right=_rank(second_choices_of_right, actual=7, digit=1),
        bins=BINS,
        full_bins=_records(analysis.reliability[analysis.reliability["count"] > 0]),
        coverages=[_coverage(analysis, wanted) for wanted in COVERAGE_ACCURACIES],
        listed_mistakes=_records(analysis.listed_mistakes),
        total_loss={
            "all": _total_loss(trained),
            "mistakes": _total_loss(analysis.mistakes),
            "listed": _total_loss(analysis.listed_mistakes),
        },
        listed_issues=_records(analysis.listed_issues),
        most_entropy=math.log(CLASSES),
        cards=list(
            zip(
                _records(trained.iloc[samples]),
                _records(analysis.untrained.iloc[samples]),
                strict=True,
            )
        ),
        history=_records(history),
        iterations=iterations,
    )


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    return table.to_dict("records")  # type: ignore[return-value] # the columns' names are str


def _summary(predictions: pd.DataFrame) -> dict[str, Any]:
    right = int(is_right(predictions).sum())
    low, high = wilson_interval(right, len(predictions))
    return {
        "right": right,
        "accuracy": right / len(predictions),
        "low": float(low),
        "high": float(high),
        "confidence": predictions["confidence"].mean(),
        "entropy": mean_entropy(probabilities(predictions)),
        "readings": np.bincount(predictions["predicted"], minlength=CLASSES).tolist(),
    }


def _coverage(analysis: Analysis, wanted: float) -> dict[str, Any]:
    found = coverage_at(analysis.accuracy_by_coverage, wanted)
    decided = analysis.trained[analysis.trained["confidence"] >= found.threshold]
    low, high = wilson_interval(is_right(decided).sum(), len(decided))
    return {"wanted": wanted, "decided": len(decided), "low": low, "high": high, **found._asdict()}


def _total_loss(predictions: pd.DataFrame) -> float:
    return math.fsum(predictions["loss"])  # exact: the sum of all is that of all, in any order


def _second_choices(means: Floats) -> list[dict[str, Any]]:
    """Pairs of digits by the mean probability that the one gives the other, descending."""
    pairs = [
        {"actual": actual, "digit": digit, "mean": means[actual, digit]}
        for actual, digit in np.ndindex(means.shape)
        if actual != digit and not np.isnan(means[actual, digit])
    ]
    return sorted(pairs, key=lambda pair: -pair["mean"])


def _rank(second_choices: list[dict[str, Any]], actual: int, digit: int) -> dict[str, Any] | None:
    """A second choice with its rank, from 1, among those of its actual digit, or None."""
    of_actual = [choice for choice in second_choices if choice["actual"] == actual]
    for rank, choice in enumerate(of_actual, start=1):
        if choice["digit"] == digit:
            return {"rank": rank, **choice}
    return None
