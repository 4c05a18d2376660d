"""What there is to say about a network's predictions, computed once for whatever shows it."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nnlib.analysis.confidence import (
    accuracy_by_coverage,
    brier_score,
    expected_calibration_error,
    reliability,
)
from nnlib.analysis.confusion import (
    compare_recalls,
    compare_with_train,
    confusion_matrix,
    mean_probabilities,
    most_taken_for,
    per_class,
)
from nnlib.analysis.held_out import Calibrated, Decided, calibrate, decide, prediction_sets
from nnlib.analysis.labels import label_issues
from nnlib.analysis.pairs import confused_pairs
from nnlib.analysis.predictions import Predictions
from nnlib.analysis.seeds import Vote, vote
from nnlib.base.arrays import Floats
from nnlib.stats.significance import Differences

COVERAGE_ACCURACIES = (0.99, 0.995)  # what automatic decisions may be required to reach
SET_COVERAGES = (0.9, 0.95, 0.99)  # how often a prediction set may be required to hold the class
GALLERY = 24  # samples in a gallery


@dataclass(frozen=True)
class Analysis:
    """The analysis of a test set's predictions."""

    trained: Predictions
    untrained: Predictions  # those of the network before its training
    train_accuracy: float  # of the trained network on the training set
    confusion: NDArray[np.int64]  # (C, C), the actual class by row
    train_confusion: NDArray[np.int64]  # (C, C), on the training set
    against_train: Differences  # (C, C), nnlib.analysis.confusion.compare_with_train
    # nnlib.analysis.confusion.per_class, with train_support, train_recall, recall_p, recall_sign
    # (as compare_recalls says), mean_confidence and taken_for
    by_class: pd.DataFrame
    pairs: pd.DataFrame  # nnlib.analysis.pairs.confused_pairs
    accuracies_of_repeats: NDArray[np.float64]  # (S,), of networks trained with S other seeds
    confusion_of_repeats: NDArray[np.int64]  # (S, C, C)
    vote: Vote  # of this network and of those
    mean_probabilities: Floats  # (C, C), of the samples of each actual class
    mean_probabilities_of_right: Floats  # (C, C), the same over samples predicted right
    reliability: pd.DataFrame  # one row per bin of confidence
    calibration_error: float
    brier_score: float
    accuracy_by_coverage: pd.DataFrame
    decided: list[Decided]  # for each of COVERAGE_ACCURACIES
    calibrated: Calibrated
    prediction_sets: dict[float, NDArray[np.bool_]]  # (N, C) for each of SET_COVERAGES
    mistakes: pd.DataFrame  # the table of the predictions that are wrong, the highest loss first
    label_issues: pd.DataFrame  # nnlib.analysis.labels.label_issues

    @property
    def listed_mistakes(self) -> pd.DataFrame:
        """The mistakes that the report lists and its gallery shows."""
        return self.mistakes.head(GALLERY)

    @property
    def listed_issues(self) -> pd.DataFrame:
        """The label issues that the report lists and its gallery shows."""
        return self.label_issues.head(GALLERY)


def analyse_predictions(
    trained: Predictions,
    untrained: Predictions,
    train_confusion: NDArray[np.int64],
    repeats: NDArray[np.integer],
) -> Analysis:
    """Analyse the predictions of a test set.

    Parameters
    ----------
    trained, untrained : Predictions
        Of the test set, after and before training.
    train_confusion : ndarray of int of shape (C, C)
        Confusion matrix of the trained network on the training set.
    repeats : ndarray of int of shape (S, N)
        What networks trained with S other seeds predict.

    Returns
    -------
    Analysis
    """
    t, classes = trained.t, trained.classes
    confusion = confusion_matrix(t, trained.predicted, classes)
    of_repeats = np.array([confusion_matrix(t, each, classes) for each in repeats], np.int64)
    of_repeats = of_repeats.reshape(-1, classes, classes)
    on_train = per_class(train_confusion)
    recalls = compare_recalls(confusion, of_repeats)
    mistakes = trained.table(np.flatnonzero(~trained.right))
    by_class = per_class(confusion).assign(
        train_support=on_train["support"],
        train_recall=on_train["recall"],
        recall_p=recalls.p,
        recall_sign=recalls.sign,
        mean_confidence=pd.Series(trained.confidence).groupby(t).mean(),
        taken_for=pd.Series(most_taken_for(confusion)),
    )
    bins = reliability(trained)
    return Analysis(
        trained=trained,
        untrained=untrained,
        train_accuracy=float(np.diag(train_confusion).sum() / train_confusion.sum()),
        confusion=confusion,
        train_confusion=train_confusion,
        against_train=compare_with_train(confusion, of_repeats, train_confusion),
        by_class=by_class,
        pairs=confused_pairs(confusion, train_confusion, of_repeats),
        accuracies_of_repeats=(repeats == t).mean(axis=1),
        confusion_of_repeats=of_repeats,
        vote=vote(trained, repeats),
        mean_probabilities=mean_probabilities(trained),
        mean_probabilities_of_right=mean_probabilities(trained[trained.right]),
        reliability=bins,
        calibration_error=expected_calibration_error(bins),
        brier_score=brier_score(trained),
        accuracy_by_coverage=accuracy_by_coverage(trained),
        decided=[decide(trained, wanted) for wanted in COVERAGE_ACCURACIES],
        calibrated=calibrate(trained),
        prediction_sets={wanted: prediction_sets(trained, wanted) for wanted in SET_COVERAGES},
        mistakes=mistakes.sort_values("loss", ascending=False, kind="stable"),
        label_issues=label_issues(trained),
    )
