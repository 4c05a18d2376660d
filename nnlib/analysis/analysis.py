"""What there is to say about a network's predictions, computed once for whatever shows it."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from nnlib.analysis.confidence import (
    accuracy_by_coverage,
    brier_score,
    expected_calibration_error,
    reliability,
)
from nnlib.analysis.confusion import (
    compare_recalls,
    confusion_matrix,
    mean_probabilities,
    most_taken_for,
    per_class,
)
from nnlib.analysis.held_out import Calibrated, Decided, calibrate, decide, prediction_sets
from nnlib.analysis.labels import label_issues
from nnlib.analysis.pairs import confused_pairs
from nnlib.analysis.predictions import check_same_samples, is_right, probabilities
from nnlib.analysis.repeats import accuracies
from nnlib.base.arrays import Floats
from nnlib.base.checks import check_not_empty

COVERAGE_ACCURACIES = (0.99, 0.995)  # what automatic decisions may be required to reach
SET_COVERAGES = (0.9, 0.95, 0.99)  # how often a prediction set may be required to hold the class
GALLERY = 24  # samples in a gallery


@dataclass(frozen=True)
class Analysis:
    """The analysis of a test set's predictions."""

    trained: pd.DataFrame  # the predictions, as nnlib.analysis.predictions.tabulate makes them
    untrained: pd.DataFrame  # those of the network before its training
    train_accuracy: float  # of the trained network on the training set
    confusion: NDArray[np.int64]  # (C, C), the actual class by row
    # nnlib.analysis.confusion.per_class, with train_support, train_recall, recall_p, recall_sign
    # (as compare_recalls says), mean_confidence and taken_for
    by_class: pd.DataFrame
    pairs: pd.DataFrame  # nnlib.analysis.pairs.confused_pairs
    accuracies_of_repeats: NDArray[np.float64]  # (S,), of networks trained with S other seeds
    mean_probabilities: Floats  # (C, C), of the samples of each actual class
    mean_probabilities_of_right: Floats  # (C, C), the same over samples predicted right
    reliability: pd.DataFrame  # one row per bin of confidence
    calibration_error: float
    brier_score: float
    accuracy_by_coverage: pd.DataFrame
    decided: list[Decided]  # for each of COVERAGE_ACCURACIES
    calibrated: Calibrated
    prediction_sets: dict[float, NDArray[np.bool_]]  # (N, C) for each of SET_COVERAGES
    mistakes: pd.DataFrame  # the predictions that are wrong, the highest loss first
    label_issues: pd.DataFrame  # nnlib.analysis.labels.label_issues

    @property
    def accuracy(self) -> float:
        """Share of the test set that is predicted right."""
        return (len(self.trained) - len(self.mistakes)) / len(self.trained)

    @property
    def listed_mistakes(self) -> pd.DataFrame:
        """The mistakes that the report lists and its gallery shows."""
        return self.mistakes.head(GALLERY)

    @property
    def listed_issues(self) -> pd.DataFrame:
        """The label issues that the report lists and its gallery shows."""
        return self.label_issues.head(GALLERY)


def analyse_predictions(
    trained: pd.DataFrame,
    untrained: pd.DataFrame,
    train_confusion: NDArray[np.int64],
    repeats: Collection[ArrayLike],
) -> Analysis:
    """Analyse the predictions of a test set.

    Parameters
    ----------
    trained, untrained : DataFrame
        Predictions of the test set after and before training, as
        `nnlib.analysis.predictions.tabulate` makes them.
    train_confusion : ndarray of int of shape (C, C)
        Confusion matrix of the trained network on the training set.
    repeats : collection of S array_like of int of shape (C, C)
        Confusion matrices, on the test set, of networks trained with S other seeds.

    Returns
    -------
    Analysis

    Raises
    ------
    TypeError, ValueError
        If the tables are not such predictions, are empty, or are about different samples, or if a
        matrix is of other classes, or that of the training set of no samples.
    """
    check_not_empty(trained, "trained")
    check_same_samples(trained=trained, untrained=untrained)
    actual, y = trained["actual"].to_numpy(), probabilities(trained)
    right = is_right(trained).to_numpy()
    confusion = confusion_matrix(actual, trained["predicted"], y.shape[1])
    on_train = per_class(train_confusion)
    if len(on_train) != y.shape[1] or not on_train["support"].any():
        raise ValueError(f"train_confusion must hold counts of {y.shape[1]} classes")
    recalls = compare_recalls(confusion, repeats)
    by_class = per_class(confusion).assign(
        train_support=on_train["support"],
        train_recall=on_train["recall"],
        recall_p=recalls.p,
        recall_sign=recalls.sign,
        mean_confidence=trained.groupby("actual")["confidence"].mean(),
        taken_for=pd.Series(most_taken_for(confusion)),
    )
    bins = reliability(trained["confidence"], right)
    return Analysis(
        trained=trained,
        untrained=untrained,
        train_accuracy=float(np.diag(train_confusion).sum() / train_confusion.sum()),
        confusion=confusion,
        by_class=by_class,
        pairs=confused_pairs(confusion, train_confusion, repeats),
        accuracies_of_repeats=accuracies(repeats),
        mean_probabilities=mean_probabilities(actual, y),
        mean_probabilities_of_right=mean_probabilities(actual[right], y[right]),
        reliability=bins,
        calibration_error=expected_calibration_error(bins),
        brier_score=brier_score(y, actual),
        accuracy_by_coverage=accuracy_by_coverage(trained["confidence"], right),
        decided=[decide(trained["confidence"], right, wanted) for wanted in COVERAGE_ACCURACIES],
        calibrated=calibrate(y, actual),
        prediction_sets={wanted: prediction_sets(y, actual, wanted) for wanted in SET_COVERAGES},
        mistakes=trained[~right].sort_values("loss", ascending=False, kind="stable"),
        label_issues=label_issues(y, actual),
    )
