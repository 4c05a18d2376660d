"""Paired comparisons against exact fractions, published values and values worked by hand."""

import itertools
import math
import time
from fractions import Fraction

import numpy as np
import pytest
from scipy.optimize import brentq, minimize_scalar
from scipy.special import xlogy
from scipy.stats import binomtest, multinomial, norm, ttest_1samp, ttest_rel

from nnlib.stats.intervals import Z_90, Z_95, wilson_interval
from nnlib.stats.paired import (
    MARGIN,
    equivalence,
    mcnemar_exact,
    paired_difference_interval,
    paired_t,
    paired_t_equivalence,
)
from nnlib.stats.significance import ALPHA

N = 40
TABLES = [(b, c) for b, c in itertools.product(range(N + 1), repeat=2) if b + c <= N]


def test_mcnemars_test_worked_by_hand():
    # six tosses: 0 or 1 heads in 1 + 6 of the 64 ways, and as many for 0 or 1 tails
    assert mcnemar_exact(1, 5) == mcnemar_exact(5, 1) == 14 / 64
    assert mcnemar_exact(0, 0) == mcnemar_exact(3, 3) == mcnemar_exact(3, 4) == 1


@pytest.mark.slow
def test_mcnemars_test_is_the_share_of_the_ways_that_tosses_come_out():
    rng = np.random.default_rng(0)
    tables = [(1, 0), (0, 9), *rng.integers(50, size=(100, 2)).tolist(), (300, 420), (5200, 4800)]
    for fixed, broken in tables:
        tosses = fixed + broken
        ways = sum(math.comb(tosses, heads) for heads in range(min(fixed, broken) + 1))
        expected = min(1, Fraction(2 * ways, 2**tosses))
        assert mcnemar_exact(fixed, broken) == pytest.approx(float(expected), rel=1e-13)


def test_mcnemars_test_of_a_hundred_thousands_takes_no_time():
    begin = time.perf_counter()
    found = mcnemar_exact(150_000, 150_400)
    assert time.perf_counter() - begin < 0.1
    assert found == pytest.approx(binomtest(150_000, 300_400).pvalue, rel=1e-9)
    # the normal approximation with the continuity correction
    assert found == pytest.approx(2 * norm.sf(399 / 300_400**0.5), rel=1e-5)


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


def test_quantiles():
    assert pytest.approx(norm.ppf([0.95, 0.975]), rel=1e-12) == (Z_90, Z_95)


def test_published_equivalence():
    # Tango (1998), section 6.1, two disinfections of soft contact lenses: 43 of 44 patients were
    # cured by both and one by the standard alone; Z = 1.709, p = 0.044, 90% interval from -0.096
    found = equivalence(0, 1, 44, 0.1)
    assert found.p == pytest.approx(0.044, abs=5e-4)
    assert norm.isf(found.p) == pytest.approx(1.709, abs=5e-4)
    assert found.low == pytest.approx(-0.096, abs=5e-4)
    assert found.holds


def test_interval_of_equivalence_as_r_computes_it():
    # scoreci.mp(25, 28, 618, conf.level = 0.9) of the R package PropCIs
    assert equivalence(28, 25, 618, 0.05)[1:3] == pytest.approx((-0.0148, 0.0247), abs=5.1e-5)


@pytest.mark.parametrize(
    ("n", "margin", "holds"),
    # Z exceeds 1.645 from 2.706 (1 - margin) / margin samples on
    [(538, 0.005, False), (539, 0.005, True), (10_000, 0.005, True), (24, 0.1, False)],
)
def test_equivalence_without_discordant_samples_worked_by_hand(n, margin, holds):
    # s = margin, so Z^2 = (n margin)^2 / (n (margin - margin^2)) = n margin / (1 - margin)
    z = (n * margin / (1 - margin)) ** 0.5
    found = equivalence(0, 0, n, margin)
    assert found.p == pytest.approx(norm.sf(z), rel=1e-9)
    assert found.holds == holds


@pytest.mark.parametrize("margin", [0.02, 0.1, 0.3])
def test_equivalence_is_both_numerical_score_tests(margin):
    for fixed, broken in TABLES[::17]:
        counts = np.array([fixed, broken, N - fixed - broken])
        observed = (fixed - broken) / N
        z = [
            np.sign(margin - observed) * statistic(margin, counts) ** 0.5,
            np.sign(observed + margin) * statistic(-margin, counts) ** 0.5,
        ]
        assert equivalence(fixed, broken, N, margin).p == pytest.approx(norm.sf(min(z)), abs=1e-5)


@pytest.mark.parametrize("margin", [0.05, 0.15, 0.3])
def test_equivalence_holds_where_the_90_percent_interval_is_within_the_margin(margin):
    for fixed, broken in TABLES[::5]:
        found = equivalence(fixed, broken, N, margin)
        assert found.holds == (-margin < found.low and found.high < margin)
        low, high = paired_difference_interval(fixed, broken, N)
        assert low < found.low <= (fixed - broken) / N <= found.high < high or fixed + broken == N
        back = equivalence(broken, fixed, N, margin)
        assert back == (margin, -found.high, -found.low, found.p)


@pytest.mark.parametrize("discordant", [0.2, 0.3, 0.5, 0.8])
@pytest.mark.parametrize("sign", [1, -1])
def test_equivalence_is_found_at_the_margin_in_5_percent(discordant, sign):
    """Exactly, from the probabilities of all tables."""
    margin = 0.2
    probabilities = multinomial.pmf(
        [(*table, N - sum(table)) for table in TABLES],
        N,
        [(discordant + sign * margin) / 2, (discordant - sign * margin) / 2, 1 - discordant],
    )
    holds = [equivalence(*table, N, margin).holds for table in TABLES]
    assert probabilities[holds].sum() < 1.2 * ALPHA


@pytest.mark.parametrize("discordant", [0.005, 0.01, 0.03])
def test_equivalence_of_10_000_samples_in_a_simulation(discordant):
    rng = np.random.default_rng(0)
    n, draws = 10_000, 2000

    def how_often(difference):
        shares = [(discordant + difference) / 2, (discordant - difference) / 2, 1 - discordant]
        drawn = rng.multinomial(n, shares, size=draws)[:, :2]
        tables, counts = np.unique(drawn, axis=0, return_counts=True)
        holds = [equivalence(*table, n, MARGIN).holds for table in tables.tolist()]
        return counts[holds].sum() / draws

    three_errors = 3 * (ALPHA * (1 - ALPHA) / draws) ** 0.5
    assert how_often(MARGIN) < ALPHA + three_errors
    assert how_often(0) > 0.75  # the power, where the accuracies are the same


@pytest.mark.parametrize("margin", [0, 1, -0.1, np.nan])
def test_a_margin_lies_between_0_and_1(margin):
    with pytest.raises(ValueError, match="margin must be a number between 0 and 1"):
        equivalence(1, 2, 10, margin)


def test_more_discordant_samples_than_there_are_samples():
    with pytest.raises(ValueError, match="more than n, 10"):
        equivalence(6, 5, 10, 0.1)


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


def test_t_test_of_two_and_three_differences_worked_by_hand():
    # Of m - s and m + s, t is m / s. One degree of freedom is Cauchy's distribution:
    # p = 1 - 2 / pi arctan t, and 95% lie within tan(0.95 pi / 2).
    assert paired_t([0, 2]).p == pytest.approx(1 / 2, rel=1e-15)
    assert paired_t([3**0.5 - 1, 3**0.5 + 1]).p == pytest.approx(1 / 3, rel=1e-14)
    half = math.tan(0.475 * math.pi)
    assert paired_t([0, 2])[1:3] == pytest.approx((1 - half, 1 + half), rel=1e-13)
    # of so large a t, 1 - 2 / pi arctan t would have hardly a digit left
    assert paired_t([1 - 2**-40, 1 + 2**-40]).p == pytest.approx(2 / math.pi * 2**-40, rel=1e-12)
    # Of m - s, m and m + s, t is sqrt(3) m / s. Two degrees have p = 1 - t / sqrt(2 + t^2).
    found = paired_t([2**0.5 - 3**0.5, 2**0.5, 2**0.5 + 3**0.5])
    assert found.p == pytest.approx(1 - 0.5**0.5, rel=1e-14)


def test_t_test_of_equal_differences():
    assert paired_t([0.1, 0.1, 0.1]) == (0.1, 0.1, 0.1, 0)
    assert paired_t([0, 0]) == (0, 0, 0, 1)


@pytest.mark.parametrize("differences", [[], [0.1]])
def test_t_test_needs_two_differences(differences):
    with pytest.raises(ValueError, match="two differences or more"):
        paired_t(differences)


@pytest.mark.parametrize("n", [2, 3, 10, 30])
def test_t_equivalence_is_the_larger_p_of_scipys_two(n):
    rng = np.random.default_rng(n)
    for mean in (0, 0.004, -0.004, 0.01, -0.02):
        differences = mean + 0.002 * rng.standard_normal(n)
        expected = max(
            ttest_1samp(differences, -MARGIN, alternative="greater").pvalue,
            ttest_1samp(differences, MARGIN, alternative="less").pvalue,
        )
        assert paired_t_equivalence(differences, MARGIN) == pytest.approx(expected, rel=1e-9)


def test_t_equivalence_of_equal_differences():
    assert paired_t_equivalence([0.004, 0.004], MARGIN) == 0
    assert paired_t_equivalence([-0.005, -0.005], MARGIN) == 1
