"""How likely labels are wrong: against Bayes by hand, and labels whose errors are known."""

import numpy as np
import pytest

from experiments.labels.noise import MOST_WEIGHT, judge


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def opinions(rng):
    """Three classes, and opinions that are right about them: the classes are drawn from these."""
    logits = rng.normal(0, 4, (4000, 3))
    y = np.exp(logits)
    y /= y.sum(axis=1, keepdims=True)
    classes = (y.cumsum(axis=1) < rng.random((4000, 1))).sum(axis=1)
    return y, classes


def planted(classes, rates, rng):
    """Labels with errors of these rates."""
    return (rates[classes].cumsum(axis=1) < rng.random((len(classes), 1))).sum(axis=1)


RATES = np.array([[0.95, 0.05, 0], [0, 1, 0], [0.02, 0.08, 0.9]])


def test_the_odds_are_those_of_bayes_theorem():
    y = np.array([[0.7, 0.2, 0.1]] * 4)
    labels = np.array([0, 1, 1, 2])
    found = judge([y], labels)
    joint = found.pooled[1] * found.rates[:, 1]
    assert found.posterior[1] == pytest.approx(joint / joint.sum())
    odds = (joint[0] + joint[2]) / joint[1]
    assert found.score[1] == pytest.approx(np.log(odds))
    assert found.wrong[1] == pytest.approx(odds / (1 + odds))


def test_a_label_is_wrong_if_the_class_is_any_other(opinions, rng):
    y, classes = opinions
    labels = planted(classes, RATES, rng)
    found = judge([y], labels)
    own = found.posterior[np.arange(len(labels)), labels]
    assert found.wrong == pytest.approx(1 - own, abs=1e-12)
    assert ((found.posterior < 0.8).all(axis=1) & (found.wrong > 0.2)).any()  # of three classes


def test_the_rates_of_planted_errors_are_found(opinions, rng):
    y, classes = opinions
    labels = planted(classes, RATES, rng)
    found = judge([y], labels)
    assert found.rates == pytest.approx(RATES, abs=0.025)
    assert found.wrong.sum() == pytest.approx((labels != classes).sum(), rel=0.2)


def test_a_judge_that_is_right_about_its_opinions_has_the_weight_one(opinions, rng):
    y, classes = opinions
    assert judge([y], planted(classes, RATES, rng)).weights == pytest.approx([1], abs=0.1)


def test_a_judge_that_knows_nothing_has_no_say(opinions, rng):
    y, classes = opinions
    noise = rng.dirichlet([1, 1, 1], 4000)
    weights = judge([y, noise], planted(classes, RATES, rng)).weights
    assert weights == pytest.approx([1, 0], abs=0.1)


def test_a_judge_that_is_worse_than_chance_has_no_say(rng):
    classes = rng.integers(3, size=4000)
    right, wrong = (sign * np.eye(3)[classes] + rng.normal(0, 1, (4000, 3)) for sign in (2, -1))
    y = [np.exp(each) / np.exp(each).sum(axis=1, keepdims=True) for each in (right, wrong)]
    weights = judge(y, classes).weights
    assert weights[0] > 0.5
    assert weights[1] == 0  # and is not turned round


def test_no_weight_is_boundless_where_no_label_contradicts_the_judges(rng):
    classes = rng.integers(3, size=300)
    y = 0.2 + 0.4 * np.eye(3)[classes]
    weights = judge([y, y], classes).weights
    assert (weights <= MOST_WEIGHT).all()
    assert weights.sum() > 2


def test_two_judges_who_see_different_things_find_more_together(rng):
    classes = rng.integers(3, size=4000)
    seen = [np.eye(3)[classes] * 2 + rng.normal(0, 1, (4000, 3)) for _ in range(2)]
    opinions = [np.exp(each) / np.exp(each).sum(axis=1, keepdims=True) for each in seen]
    labels = planted(classes, RATES, rng)
    is_wrong = labels != classes

    def found(judges):
        first = np.argsort(-judge(judges, labels).score)[: is_wrong.sum()]
        return is_wrong[first].mean()

    assert found(opinions) > max(found([opinions[0]]), found([opinions[1]])) + 0.05


def test_labels_without_errors_are_expected_to_be_right(opinions):
    y, classes = opinions
    assert judge([y], classes).wrong.sum() < 20


def test_a_probability_of_nought_is_no_certainty():
    y = np.array([[1.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]] * 50)
    labels = np.array([0, 1, 1, 2] * 50)
    assert np.isfinite(judge([y], labels).score).all()
