"""Fisher's exact test and Holm's adjustment, against exact fractions, SciPy and by hand."""

import math
from fractions import Fraction

import numpy as np
import pytest
from scipy import stats

from nnlib.stats.proportions import fisher_exact, holm


def test_the_lady_tasting_tea():
    """Fisher (1935), "The design of experiments": 3 of 4 cups each, (1 + 16 + 16 + 1) / 70."""
    assert fisher_exact((3, 1), (4, 4)) == pytest.approx(34 / 70, rel=1e-15)
    assert fisher_exact((4, 0), (4, 4)) == pytest.approx(2 / 70, rel=1e-15)


def by_fractions(successes, trials):
    (k, j), (n, m) = successes, trials
    ways = {i: math.comb(n, i) * math.comb(m, k + j - i) for i in range(min(n, k + j) + 1)}
    no_likelier = sum(way for way in ways.values() if way <= ways[k])
    return float(Fraction(no_likelier, sum(ways.values())))


def test_random_counts_as_by_exact_fractions():
    rng = np.random.default_rng(0)
    for most in (5, 30, 200, 1500):
        for _ in range(100):
            n, m = rng.integers(0, most, 2).tolist()
            m = n if rng.random() < 0.3 else m  # where many ways are equally likely
            k, j = int(rng.binomial(n, rng.uniform())), int(rng.binomial(m, rng.uniform()))
            found = fisher_exact((k, j), (n, m))
            assert found == pytest.approx(by_fractions((k, j), (n, m)), rel=1e-10, abs=1e-300)
            assert fisher_exact((j, k), (m, n)) == pytest.approx(found, rel=1e-14, abs=1e-300)


def test_random_counts_as_in_scipy():
    rng = np.random.default_rng(0)
    for _ in range(200):
        n, m = rng.integers(0, 200, 2).tolist()
        k, j = int(rng.binomial(n, rng.uniform())), int(rng.binomial(m, rng.uniform()))
        expected = stats.fisher_exact([[k, n - k], [j, m - j]]).pvalue
        assert fisher_exact((k, j), (n, m)) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    ("successes", "trials"),
    [((0, 0), (5, 7)), ((5, 7), (5, 7)), ((0, 3), (0, 7)), ((0, 0), (0, 0))],
)
def test_nothing_to_tell_apart(successes, trials):
    assert fisher_exact(successes, trials) == 1


def test_ways_that_are_as_likely_count_though_rounding_tells_them_apart():
    # two successes: comb(9, 2) = 36 ways with both in the other, 4 * 9 = 36 with one in each, 6
    assert fisher_exact((1, 1), (4, 9)) == pytest.approx(1)
    assert fisher_exact((4, 2), (37, 24)) == 1  # the sum of all ways, which rounds to more


def test_thousands_do_not_overflow():
    expected = stats.fisher_exact([[4000, 6000], [4200, 5800]]).pvalue
    assert fisher_exact((4000, 4200), (10_000, 10_000)) == pytest.approx(expected, rel=1e-7)


def test_holm_worked_by_hand():
    # in order 0.01 * 4, 0.02 * 3, 0.02 * 2 (not below 0.06), 0.9 * 1
    np.testing.assert_allclose(holm([0.02, 0.9, 0.01, 0.02]), [0.06, 0.9, 0.04, 0.06])
    np.testing.assert_allclose(holm([0.5, 0.6]), [1, 1])
    assert holm([]).shape == (0,)


def test_holm_rarely_errs_where_nothing_differs():
    p = np.random.default_rng(0).uniform(size=(4000, 20))
    smallest = np.array([holm(row).min() for row in p])
    assert (smallest < 0.05).mean() == pytest.approx(0.05, abs=0.012)
