"""Paired tests: whether one of two predictors, or settings, is better on the same samples or seeds.

Samples that both predictors get right, or both get wrong, do not tell them apart. Of the others,
`fixed` is how many only the second gets right, and `broken` how many only the first gets right.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betainc, ndtr, stdtr, stdtrit

from nnlib.base.checks import as_count, as_floats
from nnlib.stats.intervals import Z_90, Z_95
from nnlib.stats.significance import ALPHA

# The smallest difference of two accuracies that matters: about half the width of the 95% interval
# of a single one, from 10,000 samples of which 94% are right (0.47 points).
MARGIN = 0.005


def mcnemar_exact(fixed: int, broken: int) -> float:
    """Two-sided p value of the exact McNemar test that both predictors are equally accurate.

    The probability that fixed + broken tosses of a fair coin come out as uneven as these counts,
    or more so. McNemar (1947), "Note on the sampling error of the difference between correlated
    proportions or percentages", Psychometrika 12, 153-157, https://doi.org/10.1007/BF02295996.

    Parameters
    ----------
    fixed, broken : int >= 0

    Returns
    -------
    float in [0, 1]; 1 where nothing is fixed or broken

    Raises
    ------
    TypeError, ValueError
        If they are not counts.
    """
    fixed, broken = as_count(fixed, "fixed"), as_count(broken, "broken")
    fewer, more = sorted((fixed, broken))
    # the probability of k or fewer heads in n tosses is the beta distribution's at 1/2
    return min(1.0, 2 * float(betainc(more, fewer + 1, 0.5)))


def paired_difference_interval(fixed: int, broken: int, n: int) -> tuple[float, float]:
    """95% score interval of the accuracy of the second predictor minus that of the first.

    The differences that lie within Z_95 standard errors of the one observed,
    (fixed - broken) / n, where the standard error is that of the likeliest proportions with such a
    difference. Tango (1998), "Equivalence test and confidence interval for the difference in
    proportions for the paired-sample design", Statistics in Medicine 17, 891-908. The interval
    excludes 0 exactly if McNemar's statistic, (fixed - broken)^2 / (fixed + broken), exceeds
    Z_95^2.

    Parameters
    ----------
    fixed, broken : int >= 0
    n : int >= 1, fixed + broken or more
        Samples.

    Returns
    -------
    low, high : floats in [-1, 1]

    Raises
    ------
    TypeError, ValueError
        If they are not such counts.
    """
    fixed, broken, n = _as_paired(fixed, broken, n)
    return _interval(fixed, broken, n, Z_95)


class Equivalence(NamedTuple):
    """How well the difference of two accuracies can be told from a margin, on either side of 0."""

    margin: float
    low: float  # the 90% score interval of the difference, which lies within the margin if it holds
    high: float
    p: float  # the larger one of the two one-sided tests'

    @property
    def holds(self) -> bool:
        """Whether the accuracies are equivalent: their difference is smaller than the margin."""
        return self.p < ALPHA


def equivalence(fixed: int, broken: int, n: int, margin: float = MARGIN) -> Equivalence:
    """Two one-sided tests (TOST) that two accuracies differ by less than a margin.

    One test refuses that the second predictor is worse by the margin or more, the other that it is
    better by as much; if both do, at a level of 5% each, the two are equivalent at that level.
    Schuirmann (1987), "A comparison of the two one-sided tests procedure and the power approach for
    assessing the equivalence of average bioavailability", Journal of Pharmacokinetics and
    Biopharmaceutics 15, 657-680, https://doi.org/10.1007/BF01068419.

    Each is Tango's score test (1998), whose interval `paired_difference_interval` gives. Its
    standard error is that of the likeliest proportions with a difference of the margin, so it can
    be used where nothing is fixed or broken. Liu, Hsueh, Hsieh and Chen (2002), "Tests for
    equivalence or non-inferiority for paired binary data", Statistics in Medicine 21, 231-245,
    https://doi.org/10.1002/sim.1012, compute that it keeps its level better than the test with the
    standard error of the observed proportions.

    McNemar's test, of no difference, can be made beside it without an adjustment for two tests: at
    most one of the two hypotheses is true, so at most one of them can be refused wrongly.

    Parameters
    ----------
    fixed, broken : int >= 0
    n : int >= 1, fixed + broken or more
        Samples.
    margin : float in (0, 1)
        The smallest difference of the accuracies that matters; to be chosen before looking.

    Returns
    -------
    Equivalence

    Raises
    ------
    TypeError, ValueError
        As for `paired_difference_interval`, or if the margin is not such a number.
    """
    fixed, broken, n = _as_paired(fixed, broken, n)
    _check_margin(margin)
    # how many standard errors the difference observed is above -margin, and below margin
    z = min(_score(fixed, broken, n, -margin), _score(broken, fixed, n, -margin))
    low, high = _interval(fixed, broken, n, Z_90)
    return Equivalence(margin, low, high, p=float(ndtr(-z)))


def _as_paired(fixed: int, broken: int, n: int) -> tuple[int, int, int]:
    fixed, broken = as_count(fixed, "fixed"), as_count(broken, "broken")
    n = as_count(n, "n", least=1)
    if fixed + broken > n:
        raise ValueError(f"fixed and broken are {fixed} and {broken}, more than n, {n}")
    return fixed, broken, n


def _check_margin(margin: float) -> None:
    if not 0 < margin < 1:
        raise ValueError(f"margin must be a number between 0 and 1, not {margin}")


def _interval(fixed: int, broken: int, n: int, z: float) -> tuple[float, float]:
    return -_highest_difference(broken, fixed, n, z), _highest_difference(fixed, broken, n, z)


def _highest_difference(fixed: int, broken: int, n: int, z: float) -> float:
    """Highest difference within z standard errors of the one observed, by bisection."""
    difference = fixed - broken
    low, high = difference / n, 1.0
    while low < (d := (low + high) / 2) < high:
        if (n * d - difference) ** 2 > z**2 * _variance(fixed, broken, n, d):
            high = d
        else:
            low = d
    return high


def _score(fixed: int, broken: int, n: int, d: float) -> float:
    """How many standard errors the difference observed is above `d`, in (-1, 1) and not 0."""
    return (fixed - broken - n * d) / math.sqrt(_variance(fixed, broken, n, d))


def _variance(fixed: int, broken: int, n: int, d: float) -> float:
    """Variance of fixed - broken, of the likeliest proportions whose difference is `d`."""
    discordant, difference = fixed + broken, fixed - broken
    # The likeliest share s of discordant samples, (s + d) / 2 fixed and (s - d) / 2 broken, has
    #   fixed / (s + d) + broken / (s - d) = (n - discordant) / (1 - s), or
    #   n s^2 - b s + c = 0, whose larger root is the one in [|d|, 1]
    b = discordant + difference * d
    c = difference * d - (n - discordant) * d**2
    s = (b + math.sqrt(max(b**2 - 4 * n * c, 0))) / (2 * n)  # a double root may round below 0
    return n * (s - d**2)


class PairedT(NamedTuple):
    """Mean of paired differences, and how well it can be told from 0."""

    mean: float
    low: float  # the 95% confidence interval
    high: float
    p: float  # of the two-sided test that the mean is 0

    @property
    def has_spread(self) -> bool:
        """Whether the differences differ: otherwise there is nothing to test their mean against."""
        return self.low < self.high


def paired_t(differences: ArrayLike) -> PairedT:
    """Mean of paired differences, with Student's 95% interval and two-sided t test.

    Student (1908), "The probable error of a mean", Biometrika 6, 1-25,
    https://doi.org/10.2307/2331554.

    Parameters
    ----------
    differences : array_like of float of shape (N,)
        Between two settings, one per seed.

    Returns
    -------
    PairedT, in the unit of the differences; where they are all equal, the interval has no width and
    p is 0, or 1 if they are 0

    Raises
    ------
    TypeError
        If the differences are not real numbers.
    ValueError
        If there are fewer than two, they have another shape, or one is not finite.
    """
    d = _as_differences(differences)
    if d.min() == d.max():  # their mean and deviation would be rounded
        value = float(d[0])
        return PairedT(mean=value, low=value, high=value, p=float(value == 0))
    mean = float(d.mean())
    error = float(d.std(ddof=1)) / math.sqrt(d.size)
    half = float(stdtrit(d.size - 1, 0.975)) * error
    p = 2 * float(stdtr(d.size - 1, -abs(mean) / error))
    return PairedT(mean=mean, low=mean - half, high=mean + half, p=p)


def paired_t_equivalence(differences: ArrayLike, margin: float = MARGIN) -> float:
    """Two one-sided t tests that the mean of paired differences is nearer to 0 than a margin.

    Schuirmann (1987), as for `equivalence`.

    Parameters
    ----------
    differences : array_like of float of shape (N,)
        Between two settings, one per seed.
    margin : float in (0, 1)
        In the unit of the differences.

    Returns
    -------
    float in [0, 1], the larger p value of the two; where the differences are all equal, 0 if they
    are nearer to 0 than the margin, or else 1

    Raises
    ------
    TypeError, ValueError
        As for `paired_t`, or if the margin is not such a number.
    """
    d = _as_differences(differences)
    _check_margin(margin)
    if d.min() == d.max():
        return float(abs(d[0]) >= margin)
    t = (margin - abs(float(d.mean()))) / (float(d.std(ddof=1)) / math.sqrt(d.size))
    return float(stdtr(d.size - 1, -t))


def _as_differences(differences: ArrayLike) -> NDArray[np.float64]:
    d = as_floats(differences, "differences").astype(np.float64, copy=False)
    if d.ndim != 1 or not np.isfinite(d).all():
        raise ValueError(f"differences must be finite, and of shape (N,), not {d}")
    if d.size < 2:
        raise ValueError(f"a paired t test needs two differences or more, not {d.size}")
    return d
