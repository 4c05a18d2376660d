"""Confidence intervals against published values and SciPy."""

import numpy as np
import pytest
from scipy.stats import binomtest

from nnlib.stats.intervals import difference_interval, weighted_count_interval, wilson_interval


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [
        # Newcombe (1998), Statistics in Medicine 17, 857-872, table I, method 3
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_published_intervals(successes, trials, low, high):
    assert wilson_interval(successes, trials) == pytest.approx((low, high), abs=5.1e-5)


def test_every_proportion_of_a_few_trials_is_scipys():
    for trials in (1, 2, 7, 40, 10_000):
        successes = np.unique(np.linspace(0, trials, 20).astype(int))
        low, high = wilson_interval(successes, trials)
        expected = [binomtest(k, trials).proportion_ci(method="wilson") for k in successes]
        np.testing.assert_allclose(low, [interval.low for interval in expected], atol=1e-12)
        np.testing.assert_allclose(high, [interval.high for interval in expected], atol=1e-12)
        assert low[0] == 0
        assert high[-1] == 1


def test_without_trials_there_is_no_interval():
    low, high = wilson_interval([0, 1], [0, 2])
    assert np.isnan([low[0], high[0]]).all()
    assert not np.isnan([low[1], high[1]]).any()


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [
        # Newcombe (1998), Statistics in Medicine 17, 873-890, table II, method 10
        ((56, 48), (70, 80), 0.0524, 0.3339),
        ((9, 3), (10, 10), 0.1705, 0.8090),
        ((6, 2), (7, 7), 0.0582, 0.8062),
        ((5, 0), (56, 29), -0.0381, 0.1926),
        ((0, 0), (10, 20), -0.1611, 0.2775),
        ((10, 0), (10, 20), 0.6791, 1.0000),
    ],
)
def test_published_intervals_of_differences(successes, trials, low, high):
    difference = successes[0] / trials[0] - successes[1] / trials[1]
    found = difference_interval(successes, trials)
    assert found == pytest.approx((difference, low, high), abs=5.1e-5)
    turned = difference_interval(successes[::-1], trials[::-1])
    assert turned == pytest.approx((-difference, -high, -low), abs=5.1e-5)


def test_a_difference_from_nothing_is_nan():
    assert np.isnan(difference_interval((1, 0), (2, 0))).all()


@pytest.mark.parametrize(
    ("events", "low", "high"), [(0, 0, 3.689), (1, 0.0253, 5.572), (10, 4.795, 18.390)]
)
def test_events_of_weight_one_have_the_exact_interval_of_a_poisson_count(events, low, high):
    # Garwood (1936), as in any table
    found = weighted_count_interval(np.ones(events))
    assert found == pytest.approx((events, low, high), abs=1e-3)


def test_the_interval_of_weighted_events_covers_their_expectation():
    rng = np.random.default_rng(0)
    weights = np.array([0.1, 0.3, 0.5, 0.9])
    means = np.array([4, 3, 2, 1])
    hits = 0
    for _ in range(500):
        events = np.repeat(weights, rng.poisson(means))
        _, low, high = weighted_count_interval(events)
        hits += low <= means @ weights <= high
    assert hits >= 0.95 * 500 - 10
