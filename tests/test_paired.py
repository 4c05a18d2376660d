"""Paired comparisons against SciPy, published values and values worked by hand."""

import itertools

import numpy as np
import pytest
from scipy.optimize import brentq, minimize_scalar
from scipy.special import xlogy
from scipy.stats import binomtest, multinomial, ttest_rel

from nnlib.analysis.intervals import Z_95, wilson_interval
from nnlib.analysis.paired import mcnemar_exact, paired_difference_interval, paired_t

N = 40
TABLES = [(b, c) for b, c in itertools.product(range(N + 1), repeat=2) if b + c <= N]


def test_mcnemars_test_worked_by_hand():
    # six tosses: 0 or 1 heads in 1 + 6 of the 64 ways, and as many for 0 or 1 tails
    assert mcnemar_exact(1, 5) == mcnemar_exact(5, 1) == 14 / 64
    assert mcnemar_exact(0, 0) == mcnemar_exact(3, 3) == mcnemar_exact(3, 4) == 1


def test_mcnemars_test_is_scipys_binomial_test():
    rng = np.random.default_rng(0)
    tables = [(1, 0), (0, 9), *rng.integers(50, size=(100, 2)).tolist(), (300, 420), (5200, 4800)]
    for fixed, broken in tables:
        expected = binomtest(fixed, fixed + broken).pvalue
        assert mcnemar_exact(fixed, broken) == pytest.approx(expected, rel=1e-9)


def test_mcnemars_test_of_thousands_is_exact():
    assert mcnemar_exact(1000, 0) == 2.0**-999
    assert mcnemar_exact(1, 1000) == 1002 * 2.0**-1000
    assert mcnemar_exact(10_000, 0) == 0  # 2^-9999 is less than any float


def statistic(difference, counts):
    """Pearson's chi-squared of the likeliest proportions with this difference."""

    def proportions(discordant):
        return np.array(
            [(discordant + difference) / 2, (discordant - difference) / 2, 1 - discordant]
        )

    likeliest = minimize_scalar(
        lambda discordant: -xlogy(counts, proportions(discordant)).sum(),
        bounds=(abs(difference), 1),
        method="bounded",
        options={"xatol": 1e-12},
    )
    expected = sum(counts) * proportions(likeliest.x)
    return ((counts - expected) ** 2 / expected).sum()


@pytest.mark.parametrize(
    ("fixed", "broken", "n"),
    [
        *[(0, 0, 1), (1, 0, 1), (0, 1, 1), (0, 0, 50), (50, 0, 50), (0, 50, 50), (20, 30, 50)],
        *[(5, 0, 50), (0, 1, 300), (49, 0, 50), (80, 50, 10_000)],
        *np.random.default_rng(0).integers([0, 0, 100], [50, 50, 1000], size=(20, 3)).tolist(),
    ],
)
def test_interval_is_where_the_numerical_score_test_does_not_reject(fixed, broken, n):
    counts = np.array([fixed, broken, n - fixed - broken])

    def excess(difference):
        return statistic(difference, counts) - Z_95**2

    end = 1 - 1e-9  # beyond it all is rounding
    observed = np.clip((fixed - broken) / n, -end, end)
    low = -1 if broken == n else brentq(excess, -end, observed)
    high = 1 if fixed == n else brentq(excess, observed, end)
    assert paired_difference_interval(fixed, broken, n) == pytest.approx((low, high), abs=1e-7)


def test_published_interval():
    # Fagerland, Lydersen and Laake (2014), Statistics in Medicine 33, 2850-2875, table V
    assert paired_difference_interval(1, 7, 21) == pytest.approx((-0.517, -0.026), abs=5.1e-4)


@pytest.mark.parametrize("n", [1, 2, 30, 10_000])
def test_interval_without_discordant_samples_worked_by_hand(n):
    # 0 fixed and 0 broken: s = |d|, and n^2 d^2 = Z^2 n (|d| - d^2) where |d| = Z^2 / (n + Z^2)
    bound = Z_95**2 / (n + Z_95**2)
    assert paired_difference_interval(0, 0, n) == pytest.approx((-bound, bound), rel=1e-12)


@pytest.mark.parametrize("n", [1, 2, 30, 10_000])
def test_interval_of_nothing_but_discordant_samples_is_wilsons_of_the_share_fixed(n):
    for fixed in {0, 1, n // 3, n}:
        low, high = wilson_interval(fixed, n)
        found = paired_difference_interval(fixed, n - fixed, n)
        assert found == pytest.approx((2 * low - 1, 2 * high - 1), abs=1e-12)


def test_interval_excludes_0_exactly_if_mcnemars_statistic_exceeds_its_limit():
    for fixed, broken in TABLES:
        low, high = paired_difference_interval(fixed, broken, N)
        assert -1 <= low <= (fixed - broken) / N <= high <= 1
        rejected = (fixed - broken) ** 2 > Z_95**2 * (fixed + broken)
        assert (not low <= 0 <= high) == rejected


def test_interval_of_the_swapped_predictors_is_the_negative():
    for fixed, broken in TABLES:
        low, high = paired_difference_interval(fixed, broken, N)
        assert paired_difference_interval(broken, fixed, N) == (-high, -low)


@pytest.mark.parametrize(
    ("fixed", "broken"), [(0.1, 0.1), (0.2, 0.1), (0.05, 0.25), (0.5, 0.3), (0.6, 0.05)]
)
def test_interval_covers_the_difference_with_95_percent(fixed, broken):
    low, high = np.transpose([paired_difference_interval(*table, N) for table in TABLES])
    counts = [(*table, N - sum(table)) for table in TABLES]
    probabilities = multinomial.pmf(counts, N, [fixed, broken, 1 - fixed - broken])
    assert probabilities.sum() == pytest.approx(1)
    covered = probabilities[(low <= fixed - broken) & (fixed - broken <= high)].sum()
    assert 0.935 < covered < 0.965


def test_t_test_of_students_own_example():
    # the hours of sleep that one drug gave more than the other: Student (1908); the
    # interval and p as R prints them for its data set `sleep`
    mean, low, high, p = paired_t([1.2, 2.4, 1.3, 1.3, 0.0, 1.0, 1.8, 0.8, 4.6, 1.4])
    assert mean == pytest.approx(1.58)
    assert (low, high) == pytest.approx((0.7001142, 2.4598858), abs=5e-8)
    assert p == pytest.approx(0.002833, abs=5e-7)


@pytest.mark.parametrize("n", [2, 3, 5, 10, 30])
def test_t_test_is_scipys(n):
    rng = np.random.default_rng(n)
    for shift in (0, 0.1, -1, 1000):
        first, second = rng.standard_normal((2, n))
        second += shift
        expected = ttest_rel(second, first)
        found = paired_t(second - first)
        assert found.p == pytest.approx(expected.pvalue, rel=1e-9)
        assert found[1:3] == pytest.approx(tuple(expected.confidence_interval(0.95)), rel=1e-9)
        assert found.mean == pytest.approx(np.mean(second) - np.mean(first))


def test_t_test_of_equal_differences():
    assert paired_t([0.1, 0.1, 0.1]) == (0.1, 0.1, 0.1, 0)
    assert paired_t([0, 0]) == (0, 0, 0, 1)


@pytest.mark.parametrize("differences", [[], [0.1]])
def test_t_test_needs_two_differences(differences):
    with pytest.raises(ValueError, match="two differences or more"):
        paired_t(differences)
