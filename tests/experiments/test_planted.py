"""Planted errors: as many as asked for, where they are said to be."""

import numpy as np
import pytest

from experiments.labels.planted import KINDS, most_confused, plant

PARTNERS = np.array([2, 0, 1, 0])


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def labels(rng):
    return rng.integers(4, size=1000).astype(np.uint8)


@pytest.mark.parametrize("kind", KINDS)
def test_a_share_of_the_labels_is_wrong_and_no_other(labels, kind):
    changed, is_wrong = plant(labels, PARTNERS, 0.1, kind, 3)
    assert is_wrong.sum() == 100
    assert ((changed != labels) == is_wrong).all()
    assert changed.dtype == np.uint8
    assert changed.max() < 4


def test_pairs_are_those_of_the_partners_and_uniform_errors_of_all(labels):
    pairs, is_wrong = plant(labels, PARTNERS, 0.5, "pairs", 1)
    assert (pairs[is_wrong] == PARTNERS[labels[is_wrong]]).all()
    uniform, _ = plant(labels, PARTNERS, 0.5, "uniform", 1)
    steps = (uniform[is_wrong].astype(int) - labels[is_wrong]) % 4
    assert np.bincount(steps, minlength=4) / 500 == pytest.approx(
        [0, 1 / 3, 1 / 3, 1 / 3], abs=0.08
    )


def test_the_same_seed_draws_the_same_labels(labels):
    few, many = (plant(labels, PARTNERS, share, "pairs", 5).is_wrong for share in (0.1, 0.3))
    assert (many >= few).all()
    assert (plant(labels, PARTNERS, 0.1, "uniform", 5).is_wrong == few).all()
    assert (plant(labels, PARTNERS, 0.1, "uniform", 6).is_wrong != few).any()


def test_a_partner_is_the_class_that_it_is_most_often_taken_for():
    y = np.eye(3)[[0, 1, 1, 2, 1, 2, 2, 0]]
    labels = np.array([0, 0, 0, 0, 1, 1, 2, 2])
    assert most_confused(y, labels).tolist() == [1, 2, 0]
