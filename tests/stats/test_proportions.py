"""Fisher's exact test and Holm's adjustment, against SciPy and by hand."""

import numpy as np
import pytest
from scipy import stats

from nnlib.stats.proportions import fisher_exact, holm


def test_the_lady_tasting_tea():
    """Fisher (1935), "The design of experiments": 3 of 4 cups each, (1 + 16 + 16 + 1) / 70."""
    assert fisher_exact((3, 1), (4, 4)) == 34 / 70
    assert fisher_exact((4, 0), (4, 4)) == 2 / 70


def test_random_counts_as_in_scipy():
    rng = np.random.default_rng(0)
    for _ in range(200):
        n, m = rng.integers(0, 200, 2).tolist()
        k, j = int(rng.binomial(n, rng.uniform())), int(rng.binomial(m, rng.uniform()))
        expected = stats.fisher_exact([[k, n - k], [j, m - j]]).pvalue
        assert fisher_exact((k, j), (n, m)) == pytest.approx(expected, rel=1e-9)
        assert fisher_exact((j, k), (m, n)) == fisher_exact((k, j), (n, m))


@pytest.mark.parametrize(
    ("successes", "trials"),
    [((0, 0), (5, 7)), ((5, 7), (5, 7)), ((0, 3), (0, 7)), ((0, 0), (0, 0))],
)
def test_nothing_to_tell_apart(successes, trials):
    assert fisher_exact(successes, trials) == 1


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
