"""Whether one of two predictors, or of two settings, is better on the same samples or seeds.

Samples that both predictors get right, or both get wrong, do not tell them apart. Of the others,
`fixed` is how many only the second gets right, and `broken` how many only the first gets right.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from nnlib.analysis.intervals import Z_95
from nnlib.analysis.students_t import students_t_95, students_t_two_sided
from nnlib.checks import as_count, as_floats


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
    tosses = fixed + broken
    # integers, because the binomial coefficients of some thousands exceed any float
    ways = total = 1
    for heads in range(min(fixed, broken)):
        ways = ways * (tosses - heads) // (heads + 1)
        total += ways
    return min(1.0, 2 * total / 2**tosses)


def paired_difference_interval(fixed: int, broken: int, n: int) -> tuple[float, float]:
    """95 % score interval of the accuracy of the second predictor minus that of the first.

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
    fixed, broken = as_count(fixed, "fixed"), as_count(broken, "broken")
    n = as_count(n, "n", least=1)
    if fixed + broken > n:
        raise ValueError(f"fixed and broken are {fixed} and {broken}, more than n, {n}")
    return -_highest_difference(broken, fixed, n), _highest_difference(fixed, broken, n)


def _highest_difference(fixed: int, broken: int, n: int) -> float:
    """Highest difference that the score test does not reject, by bisection."""
    discordant, difference = fixed + broken, fixed - broken
    low, high = difference / n, 1.0
    while low < (d := (low + high) / 2) < high:
        # The likeliest share s of discordant samples, (s + d) / 2 fixed and (s - d) / 2 broken, has
        #   fixed / (s + d) + broken / (s - d) = (n - discordant) / (1 - s), or
        #   n s^2 - b s + c = 0, whose larger root is the one in [|d|, 1];
        # the variance of fixed - broken is then n (s - d^2)
        b = discordant + difference * d
        c = difference * d - (n - discordant) * d**2
        s = (b + math.sqrt(max(b**2 - 4 * n * c, 0))) / (2 * n)  # a double root may round below 0
        if (n * d - difference) ** 2 > Z_95**2 * n * (s - d**2):
            high = d
        else:
            low = d
    return high


class PairedT(NamedTuple):
    """Mean of paired differences, and how well it can be told from 0."""

    mean: float
    low: float  # the 95 % confidence interval
    high: float
    p: float  # of the two-sided test that the mean is 0

    @property
    def has_spread(self) -> bool:
        """Whether the differences differ: otherwise there is nothing to test their mean against."""
        return self.low < self.high


def paired_t(differences: ArrayLike) -> PairedT:
    """Mean of paired differences, with Student's 95 % interval and two-sided t test.

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
    d = as_floats(differences, "differences").astype(np.float64, copy=False)
    if d.ndim != 1 or not np.isfinite(d).all():
        raise ValueError(f"differences must be finite, and of shape (N,), not {d}")
    if d.size < 2:
        raise ValueError(f"a paired t test needs two differences or more, not {d.size}")
    if d.min() == d.max():  # their mean and deviation would be rounded
        value = float(d[0])
        return PairedT(mean=value, low=value, high=value, p=float(value == 0))
    mean = float(d.mean())
    error = float(d.std(ddof=1)) / math.sqrt(d.size)
    half = students_t_95(d.size - 1) * error
    p = students_t_two_sided(mean / error, d.size - 1)
    return PairedT(mean=mean, low=mean - half, high=mean + half, p=p)
