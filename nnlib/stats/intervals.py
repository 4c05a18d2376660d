"""Confidence intervals."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gammaincinv

from nnlib.base.arrays import Floats
from nnlib.base.checks import as_counts

Z_95 = 1.959963984540054  # 97.5% quantile of the standard normal: 95% lie within -Z_95 ... Z_95
Z_90 = 1.6448536269514722  # 95% quantile: the level of each of two one-sided tests is 5%


def wilson_interval(successes: ArrayLike, trials: ArrayLike) -> tuple[Floats, Floats]:
    """Wilson's 95% score interval of a proportion, elementwise.

    The proportions p that lie within Z_95 standard errors sqrt(p (1 - p) / trials) of the one
    observed. Wilson (1927), "Probable inference, the law of succession, and statistical inference",
    Journal of the American Statistical Association 22, 209-212, https://doi.org/10.2307/2276774.

    Parameters
    ----------
    successes, trials : array_like of int, of shapes that broadcast

    Returns
    -------
    low, high : ndarrays in [0, 1]; NaN where there are no trials

    Raises
    ------
    TypeError, ValueError
        If they are not counts, their shapes do not broadcast, or there are more successes than
        trials.
    """
    k, n = as_counts(successes, "successes"), as_counts(trials, "trials")
    try:
        k, n = np.broadcast_arrays(k, n)
    except ValueError as error:
        raise ValueError(f"successes of shape {k.shape} of trials of shape {n.shape}") from error
    if (k > n).any():
        raise ValueError("successes are more than trials")
    n = np.where(n > 0, n, np.nan)
    centre = (k + Z_95**2 / 2) / (n + Z_95**2)
    half = Z_95 / (n + Z_95**2) * np.sqrt(k * (n - k) / n + Z_95**2 / 4)
    # at the ends the bounds are 0 and 1, except for rounding
    low = np.where((k == 0) & (n > 0), 0, centre - half)
    high = np.where(k == n, 1, centre + half)
    return low, high


def difference_interval(
    successes: tuple[int, int], trials: tuple[int, int]
) -> tuple[float, float, float]:
    """The difference of two proportions of different samples, with its 95% interval.

    Newcombe's hybrid score interval, method 10, from Wilson's of each proportion. Newcombe (1998),
    "Interval estimation for the difference between independent proportions: comparison of eleven
    methods", Statistics in Medicine 17, 873-890.

    Parameters
    ----------
    successes, trials : pair of int >= 0
        Of the one and of the other.

    Returns
    -------
    difference, low, high : floats in [-1, 1], of the one proportion minus the other; NaN where one
        has no trials

    Raises
    ------
    TypeError, ValueError
        As for `wilson_interval`.
    """
    low, high = wilson_interval(successes, trials)
    p = np.divide(successes, trials, out=np.full(2, np.nan), where=np.array(trials) > 0)
    difference = p[0] - p[1]
    below, above = np.hypot(p[0] - low[0], high[1] - p[1]), np.hypot(high[0] - p[0], p[1] - low[1])
    return float(difference), float(difference - below), float(difference + above)


def weighted_count_interval(weights: ArrayLike) -> tuple[float, float, float]:
    """A sum of weights, one for each event that was seen, with the 95% interval of its expectation.

    The gamma interval of Fay and Feuer (1997), "Confidence intervals for directly standardized
    rates: a method based on the gamma distribution", Statistics in Medicine 16, 791-801. With
    weights of 1 it is the exact interval of a Poisson count.

    Parameters
    ----------
    weights : array_like of shape (N,)
        In [0, 1]: an event counts 1 at most, one that was not seen too.

    Returns
    -------
    total, low, high : floats
    """
    w = np.asarray(weights, float)
    total, variance = float(w.sum()), float(np.square(w).sum())
    low = variance / total * gammaincinv(total**2 / variance, 0.025) if variance > 0 else 0.0
    above, of_above = total + 1, variance + 1  # with one more event, of weight 1
    high = of_above / above * gammaincinv(above**2 / of_above, 0.975)
    return total, float(low), float(high)
