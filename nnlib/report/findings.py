"""What the first page says in short: each finding, and the numbers for what follows from it."""

import math
from typing import Any

import numpy as np
import pandas as pd

from nnlib.analysis.analysis import Analysis
from nnlib.analysis.confusion import without_diagonal
from nnlib.analysis.trials import Trials, compare_trials
from nnlib.report.shapes import records
from nnlib.stats.intervals import difference_interval, wilson_interval
from nnlib.stats.paired import mcnemar_exact, paired_difference_interval
from nnlib.stats.significance import ALPHA, FEWEST_REPEATS

FEWEST_ERRORS = 5  # of a pair of classes, or in all, to be called a finding
SMALL = 0.25  # of the test error
LAST_QUARTER = 0.75  # of the epochs, where it begins
FALLING = 0.05  # the least fraction of the training error by which it falls there


def gap(analysis: Analysis) -> dict[str, Any]:
    """How much better the training set is classified than the test set, with the 95% interval.

    It is small if it is less than `SMALL` of the errors on the test set, wherever it lies there.
    """
    train, test = analysis.train_confusion, analysis.confusion
    right, samples = (int(train.trace()), int(test.trace())), (int(train.sum()), int(test.sum()))
    difference, low, high = difference_interval(right, samples)
    is_small = high < SMALL * (1 - analysis.trained.accuracy)
    return {"difference": difference, "low": low, "high": high, "is_small": is_small}


def fall_at_the_end(history: pd.DataFrame) -> dict[str, Any] | None:
    """Whether the training error was still falling in the last quarter; None if it is too short."""
    first = history.iloc[int(LAST_QUARTER * (len(history) - 1))]
    last, before = history.iloc[-1], 1 - first["train_accuracy"]
    after = 1 - last["train_accuracy"]
    if first["epoch"] == 0:
        return None
    return {
        "from": int(first["epoch"]),
        "to": int(last["epoch"]),
        "before": before,
        "after": after,
        "is_falling": after < (1 - FALLING) * before,
    }


def most_confused(analysis: Analysis) -> dict[str, Any] | None:
    """The two classes that are confused most, both ways together, if that is often enough.

    Of two classes, which are all that can be confused, there is nothing to say.
    """
    errors = without_diagonal(analysis.confusion)
    both_ways = np.triu(errors + errors.T)
    first, second = np.unravel_index(both_ways.argmax(), both_ways.shape)
    count = int(both_ways[first, second])
    if len(errors) == 2 or count < FEWEST_ERRORS:
        return None
    low, high = wilson_interval(count, errors.sum())
    matrices = analysis.confusion_of_repeats
    of_repeats = matrices[:, first, second] + matrices[:, second, first]
    samples = len(analysis.trained)
    return {
        "classes": (int(first), int(second)),
        "count": count,
        "share": count / errors.sum(),
        "low": low,
        "high": high,
        "repeats_mean": of_repeats.mean() if len(of_repeats) else np.nan,
        "repeats_low": of_repeats.min(initial=errors.sum()),
        "repeats_high": of_repeats.max(initial=0),
        "accuracy_without": (samples - errors.sum() + count) / samples,
    }


def vote_of_seeds(analysis: Analysis) -> dict[str, Any] | None:
    """Whether the vote of all seeds is better, and how many errors all of them make.

    None without enough seeds or errors.
    """
    vote, errors, samples = analysis.vote, len(analysis.mistakes), len(analysis.trained)
    if vote.networks <= FEWEST_REPEATS or errors < FEWEST_ERRORS:
        return None
    always = int(vote.always_wrong.sum())
    always_low, always_high = wilson_interval(always, errors)
    low, high = paired_difference_interval(vote.fixed, vote.broken, samples)
    p = mcnemar_exact(vote.fixed, vote.broken)
    return {
        "networks": vote.networks,
        "accuracy": vote.right / samples,
        "difference": (vote.fixed - vote.broken) / samples,
        "low": low,
        "high": high,
        "p": p,
        "is_better": p < ALPHA and vote.fixed > vote.broken,
        "always": always,
        "always_share": always / errors,
        "always_low": always_low,
        "always_high": always_high,
    }


def doubtful_labels(analysis: Analysis) -> dict[str, Any] | None:
    """How many labels are doubtful, and with how many networks; None without any."""
    index = analysis.label_issues["index"]
    if index.empty:
        return None
    samples = len(analysis.trained)
    return {
        "count": len(index),
        "always": int(analysis.vote.always_wrong[index].sum()),
        "accuracy_if_wrong": (analysis.trained.right.sum() + len(index)) / samples,
    }


def left_to_a_person(analysis: Analysis) -> dict[str, Any] | None:
    """What those samples hold that are not confident enough for the first target accuracy.

    None if there are few errors, if less than half or all of the samples are confident enough, or
    if the others hold no more errors than as many samples at random might.
    """
    decided, samples, errors = analysis.decided[0], len(analysis.trained), len(analysis.mistakes)
    if errors < FEWEST_ERRORS or not samples <= 2 * decided.samples < 2 * samples:
        return None
    caught = errors - (decided.samples - decided.right)
    low, high = wilson_interval(caught, errors)
    if low <= 1 - decided.coverage:
        return None
    right_low, right_high = wilson_interval(decided.right, decided.samples)
    return {
        "share": 1 - decided.coverage,
        "caught": caught / errors,
        "low": low,
        "high": high,
        "thresholds": sorted(each for each in decided.thresholds if not math.isnan(each)),
        "accuracy": decided.right / decided.samples,
        "right_low": right_low,
        "right_high": right_high,
    }


def what_was_tried(trials: Trials | None) -> dict[str, Any] | None:
    """The trials, and the best of those that changed one setting, if it is significantly better.

    None without any.
    """
    if trials is None:
        return None
    compared = records(compare_trials(trials))
    better = (row for row in compared if row["sign"] < 0 and len(row["changes"]) == 1)
    return {
        "seeds": len(trials.errors),
        "samples": trials.samples,
        "before": np.mean(trials.errors) / trials.samples,
        "trials": compared,
        "best": next(better, None),
    }
