"""Calibration and coverage, against scikit-learn, SciPy and values worked by hand."""

import numpy as np
import pytest
from scipy.stats import entropy
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss

from nnlib.analysis.confidence import (
    BINS,
    accuracy_by_coverage,
    brier_score,
    coverage_at,
    expected_calibration_error,
    mean_entropy,
    reliability,
)
from nnlib.analysis.predictions import Predictions
from nnlib.network.functions import surprisal
from nnlib.stats.intervals import wilson_interval


@pytest.fixture(params=["random", "edges", "one sample", "all sure", "all wrong"])
def confidence_and_right(request):
    rng = np.random.default_rng(0)
    confidence = {
        "random": rng.random(500),
        "edges": np.linspace(0, 1, BINS + 1),
        "one sample": np.array([0.3]),
        "all sure": np.ones(20),
        "all wrong": rng.random(50),
    }[request.param]
    right = rng.random(len(confidence)) < confidence
    return confidence, right & (request.param != "all wrong")


def of(confidence, right):
    """Predictions of any confidence, of which one probability is enough."""
    y, t = np.reshape(confidence, (-1, 1)), np.zeros(len(confidence), np.intp)
    return Predictions(y, t, predicted=np.where(right, 0, 1), loss=surprisal(y[:, 0]))


def test_reliability_is_scikit_learns(confidence_and_right):
    confidence, right = confidence_and_right
    bins = reliability(of(confidence, right))
    full = bins[bins["count"] > 0]
    accuracy, mean_confidence = calibration_curve(right, confidence, n_bins=BINS)
    np.testing.assert_allclose(full["accuracy"], accuracy)
    np.testing.assert_allclose(full["confidence"], mean_confidence)
    assert bins["count"].sum() == len(right)
    assert bins["accuracy"].isna().equals(bins["count"] == 0)
    assert len(bins) == 15
    assert ((full["low"] <= full["confidence"]) & (full["confidence"] <= full["high"])).all()
    low, high = wilson_interval((full["accuracy"] * full["count"]).round(), full["count"])
    np.testing.assert_allclose(full["accuracy_low"], low)
    np.testing.assert_allclose(full["accuracy_high"], high)


def test_calibration_error_is_the_mean_gap_of_the_bins(confidence_and_right):
    confidence, right = confidence_and_right
    gaps = 0.0
    for b in range(15):
        inside = (confidence > b / 15 if b else confidence >= 0) & (confidence <= (b + 1) / 15)
        if inside.any():
            gaps += inside.sum() * abs(right[inside].mean() - confidence[inside].mean())
    error = expected_calibration_error(reliability(of(confidence, right)))
    assert error == pytest.approx(gaps / len(right))


def test_calibration_error_worked_by_hand():
    # 0.9 and 0.92 share a bin: confidence 0.91, accuracy 1/2; 0.5 has one of its own, and is right
    error = expected_calibration_error(reliability(of([0.9, 0.92, 0.5], [True, False, True])))
    assert error == pytest.approx((2 * 0.41 + 1 * 0.5) / 3)


@pytest.mark.parametrize("classes", [2, 10])
def test_brier_score_is_scikit_learns(classes):
    rng = np.random.default_rng(0)
    y, t = rng.dirichlet(np.ones(classes), size=200), rng.integers(classes, size=200)
    expected = brier_score_loss(t, y, scale_by_half=False, labels=range(classes))
    assert brier_score(Predictions.of(y, t)) == pytest.approx(expected)


def test_brier_score_of_the_extremes():
    t = np.array([0, 3])
    assert brier_score(Predictions.of(np.eye(10)[t], t)) == 0
    assert brier_score(Predictions.of(np.eye(10)[t + 1], t)) == 2
    assert brier_score(Predictions.of(np.full((2, 10), 0.1), t)) == pytest.approx(0.9)


def test_mean_entropy_is_scipys():
    y = np.random.default_rng(0).dirichlet(np.ones(10), size=50)
    assert mean_entropy(y) == pytest.approx(entropy(y, axis=1).mean())
    assert mean_entropy(np.eye(10)) == 0
    assert mean_entropy(np.full((3, 10), 0.1)) == pytest.approx(np.log(10))


def test_accuracy_by_coverage_is_that_of_each_threshold(confidence_and_right):
    confidence, right = confidence_and_right
    curve = accuracy_by_coverage(of(confidence, right))
    assert curve["threshold"].tolist() == sorted(set(confidence), reverse=True)
    for threshold, coverage, accuracy in curve.itertuples(index=False):
        decided = confidence >= threshold
        assert coverage == pytest.approx(decided.mean())
        assert accuracy == pytest.approx(right[decided].mean())
    assert curve["coverage"].iloc[-1] == 1


def test_coverage_worked_by_hand():
    # the two of 0.7 can only be decided together
    curve = accuracy_by_coverage(of([0.9, 0.8, 0.7, 0.7, 0.6], [True, False, True, True, False]))
    assert coverage_at(curve, 1.0) == (0.9, 0.2, 1.0)
    assert coverage_at(curve, 0.75) == (0.7, 0.8, 0.75)
    assert coverage_at(curve, 0.55) == (0.6, 1.0, 0.6)
    threshold, coverage, accuracy = coverage_at(accuracy_by_coverage(of([0.9], [False])), 0.5)
    assert coverage == 0
    assert np.isnan([threshold, accuracy]).all()
