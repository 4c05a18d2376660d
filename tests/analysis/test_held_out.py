"""What is chosen on one half and measured on the other: by hand, by SciPy, and on planted data."""

import math
from itertools import chain

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax
from sklearn.metrics import log_loss

from nnlib.analysis.held_out import (
    LEAST_SHARPNESS,
    MOST_SHARPNESS,
    calibrate,
    decide,
    fit_temperature,
    halves,
    prediction_sets,
)
from nnlib.analysis.predictions import Predictions


def draw(n, sharpness, seed=0):
    """Targets drawn from probabilities, and probabilities whose logits are larger by a factor."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 2, (n, 5))
    t = np.array([rng.choice(5, p=p) for p in softmax(logits, axis=1)])
    return softmax(sharpness * logits, axis=1), t


def of_two(confidence, right):
    """Predictions of the first of two classes, with a confidence of at least 1/2."""
    confidence = np.array(confidence)
    return Predictions.of(np.transpose([confidence, 1 - confidence]), 1 - np.array(right, int))


@pytest.mark.parametrize("n", [1, 2, 7, 8])
def test_the_halves_alternate_and_share_nothing(n):
    for chosen, measured in halves(n):
        indices = np.arange(n)[chosen].tolist(), np.arange(n)[measured].tolist()
        assert sorted(chain(*indices)) == list(range(n))
        assert {len({i % 2 for i in half}) for half in indices} <= {0, 1}


def test_decisions_worked_by_hand():
    # even samples: 0.9 right, 0.8 right, 0.7 wrong; odd ones: 0.95 right, 0.6 wrong, 0.85 wrong
    predictions = of_two([0.9, 0.95, 0.8, 0.6, 0.7, 0.85], [True] * 3 + [False] * 3)
    decided = decide(predictions, 1.0)
    assert decided.thresholds == (0.8, 0.95)
    # of the odd ones 0.95 and 0.85 reach 0.8; of the even ones none reaches 0.95
    assert (decided.samples, decided.right, decided.coverage) == (2, 1, 2 / 6)
    assert decide(predictions, 0.6).thresholds == (0.7, 0.95)


def test_a_confidence_of_just_the_threshold_is_enough():
    decided = decide(of_two([0.8, 0.8, 0.7, 0.6], [True, True, False, False]), 1.0)
    assert decided.thresholds == (0.8, 0.8)
    assert (decided.samples, decided.right) == (2, 2)


def test_a_threshold_that_suits_its_own_half_by_luck_does_not_count():
    rng = np.random.default_rng(0)
    confidence, right = rng.uniform(0.5, 1, 2000), rng.uniform(size=2000) < 0.5  # says nothing
    decided = decide(of_two(confidence, right), 0.7)
    assert decided.right / max(decided.samples, 1) < 0.65


def test_nothing_is_decided_where_no_threshold_will_do():
    decided = decide(of_two([0.9, 0.8, 0.7], [False] * 3), 0.5)
    assert all(math.isnan(threshold) for threshold in decided.thresholds)
    assert (decided.samples, decided.right, decided.coverage) == (0, 0, 0)


@pytest.mark.parametrize("sharpness", [0.3, 1, 2.5])
def test_the_temperature_is_the_one_that_was_planted(sharpness):
    y, t = draw(4000, sharpness)
    temperature = fit_temperature(Predictions.of(y, t))
    assert temperature == pytest.approx(sharpness, rel=0.05)

    def loss(candidate):
        return log_loss(t, softmax(np.log(y) / candidate, axis=1), labels=range(5))

    best = minimize_scalar(loss, bounds=(0.05, 20), method="bounded", options={"xatol": 1e-9})
    assert temperature == pytest.approx(best.x, rel=1e-4)


def test_a_temperature_has_bounds():
    y, t = np.array([[0.6, 0.4], [0.4, 0.6]]), np.array([0, 1])
    assert fit_temperature(Predictions.of(y, t)) == pytest.approx(1 / MOST_SHARPNESS)
    assert fit_temperature(Predictions.of(y, 1 - t)) == pytest.approx(1 / LEAST_SHARPNESS)
    assert fit_temperature(Predictions.of(y, t)[:0]) == 1


def test_each_half_gets_the_temperature_of_the_other():
    y, t = draw(1001, 2)
    y[::2], t[::2] = draw(501, 0.5, seed=1)
    predictions = Predictions.of(y, t)
    temperatures, scaled = calibrate(predictions)
    halves = predictions[::2], predictions[1::2]
    assert temperatures == tuple(fit_temperature(half) for half in halves)
    of_sample = np.where(np.arange(1001) % 2, *temperatures)[:, np.newaxis]
    np.testing.assert_allclose(scaled.y, softmax(np.log(y) / of_sample, axis=1), rtol=1e-9)
    assert scaled.mean_loss == pytest.approx(log_loss(t, scaled.y, labels=range(5)))
    np.testing.assert_array_equal(scaled.right, predictions.right)


def test_the_temperature_of_logits_far_apart():
    a2, t = np.array([[0, 4], [0, 2000], [3, 0], [0, 1]] * 2, np.float32), [0] * 8
    predictions = Predictions.of_logits(a2, t)
    temperatures, scaled = calibrate(predictions)
    of_sample = np.tile(temperatures[::-1], 4)[:, np.newaxis]
    expected = -log_softmax(a2 / of_sample, axis=1)[:, 0]
    np.testing.assert_allclose(scaled.loss, expected, rtol=1e-5)


def test_prediction_sets_worked_by_hand():
    y = np.array(
        [
            *([0.7, 0.2, 0.1], [0.1, 0.5, 0.4]),
            *([0.3, 0.6, 0.1], [0.2, 0.2, 0.6]),
            *([0.9, 0.1, 0.0], [0.8, 0.1, 0.1]),
        ]
    )
    t = np.array([0, 2, 1, 2, 0, 1])
    # even targets have 0.7, 0.6, 0.9; odd ones 0.4, 0.6, 0.1
    # half of them, ceil(4 / 2) = 2 of the even ones, have 0.7 or more, and of the odd ones 0.4
    expected = [[1, 0, 0], [0, 0, 0], [0, 1, 0], [0, 0, 0], [1, 0, 0], [1, 0, 0]]
    assert prediction_sets(Predictions.of(y, t), 0.5).astype(int).tolist() == expected
    # ceil(4 * 3 / 4) = 3, the last one that there is: 0.6 of the even ones, and of the odd ones 0.1
    expected = [[1, 1, 1], [0, 0, 0], [1, 1, 1], [0, 0, 1], [1, 1, 0], [1, 0, 0]]
    assert prediction_sets(Predictions.of(y, t), 0.75).astype(int).tolist() == expected
    # three of four are not 90%, so only all classes are sure
    assert prediction_sets(Predictions.of(y, t), 0.9).all()


@pytest.mark.parametrize("wanted", [0.9, 0.95, 0.99])
def test_prediction_sets_hold_the_target_as_often_as_wanted(wanted):
    y, t = draw(6000, 2)  # whose probabilities are far too confident
    sets = prediction_sets(Predictions.of(y, t), wanted)
    assert sets[np.arange(6000), t].mean() == pytest.approx(wanted, abs=0.01)
    y[:, 0] = y[:, 1]  # a class whose probability says nothing: larger sets, as often right
    y /= y.sum(axis=1, keepdims=True)
    larger = prediction_sets(Predictions.of(y, t), wanted)
    assert larger[np.arange(6000), t].mean() == pytest.approx(wanted, abs=0.01)
    assert larger.sum() > sets.sum()
