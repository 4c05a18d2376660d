"""Confident learning, worked by hand, and written a second time, one sample at a time."""

import numpy as np
import pytest

from nnlib.analysis.labels import confident_thresholds, label_issues, normalized_margin
from nnlib.analysis.predictions import Predictions

# Three classes; thresholds: 0: (.8 + .6 + .1) / 3 = .5, 1: (.7 + .2) / 2 = .45, 2: .9
Y = np.array(
    [
        [0.8, 0.1, 0.1],
        [0.6, 0.3, 0.1],
        [0.1, 0.5, 0.4],
        [0.2, 0.7, 0.1],
        [0.5, 0.2, 0.3],
        [0.0, 0.1, 0.9],
    ]
)
LABELS = np.array([0, 0, 0, 1, 1, 2])


def test_worked_by_hand():
    predictions = Predictions.of(Y, LABELS)
    np.testing.assert_allclose(confident_thresholds(predictions), [0.5, 0.45, 0.9])
    np.testing.assert_allclose(normalized_margin(predictions), [0.7, 0.3, -0.4, 0.5, -0.3, 0.8])
    issues = label_issues(predictions)
    assert issues["index"].tolist() == [2, 4]  # by margin
    assert issues["label"].tolist() == [0, 1]
    assert issues["looks_like"].tolist() == [1, 0]
    np.testing.assert_allclose(issues["label_probability"], [0.1, 0.2])
    np.testing.assert_allclose(issues["probability"], [0.5, 0.5])
    np.testing.assert_allclose(issues["threshold"], [0.45, 0.5])
    np.testing.assert_allclose(issues["margin"], [-0.4, -0.3])


@pytest.mark.parametrize("seed", range(5))
def test_the_issues_are_those_of_the_definition(seed):
    rng = np.random.default_rng(seed)
    y, labels = rng.dirichlet(np.full(5, 0.3), size=300), rng.integers(4, size=300)
    thresholds = {j: y[labels == j, j].mean() for j in set(labels.tolist())}
    expected = {}
    for i, (p, label) in enumerate(zip(y, labels, strict=True)):
        reached = [j for j, threshold in thresholds.items() if p[j] >= threshold]
        looks_like = max(reached, key=lambda j: p[j], default=label)
        if looks_like != label != p.argmax():
            expected[i] = p[label] - max(p[j] for j in range(5) if j != label)
    issues = label_issues(Predictions.of(y, labels))
    assert dict(zip(issues["index"], issues["margin"], strict=True)) == pytest.approx(expected)
    assert issues["margin"].is_monotonic_increasing
    assert len(issues) > 10


def test_what_is_predicted_right_and_surely_is_no_issue():
    labels = np.array([0, 1, 1])
    assert label_issues(Predictions.of(np.eye(3)[labels], labels)).empty


def test_what_is_predicted_as_labelled_is_no_issue_though_it_reaches_another_threshold():
    y = np.array([[0.9, 0.1], [0.6, 0.4], [0.5, 0.5], [0.9, 0.1]])
    labels = np.array([0, 0, 0, 1])  # thresholds 2/3 and 0.1; of two as probable, the first
    assert label_issues(Predictions.of(y, labels))["index"].tolist() == [3]


def test_arguments_are_left_as_they_are():
    before = Y.copy()
    label_issues(Predictions.of(Y, LABELS))
    np.testing.assert_array_equal(Y, before)
