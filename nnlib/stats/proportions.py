"""Whether proportions of different samples differ, and p values where many are tested."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaln, softmax

from nnlib.base.checks import as_count, as_shares

TIES = 1e-9  # how far two equal probabilities may differ, relatively, by rounding


def fisher_exact(successes: tuple[int, int], trials: tuple[int, int]) -> float:
    """Two-sided p value of Fisher's exact test that two proportions are equal.

    Given the total of the successes, the probability of all ways to divide it between the two that
    are no likelier than the one observed. Fisher (1922), "On the interpretation of chi-squared from
    contingency tables, and the calculation of P", Journal of the Royal Statistical Society 85,
    87-94, https://doi.org/10.2307/2340521.

    Parameters
    ----------
    successes, trials : pair of int >= 0
        Of the one and of the other.

    Returns
    -------
    float in [0, 1]; 1 where one of them has no trials, or nothing or everything succeeds

    Raises
    ------
    TypeError, ValueError
        If they are not such counts.
    """
    k, j = (as_count(count, "successes") for count in successes)
    n, m = (as_count(count, "trials") for count in trials)
    if k > n or j > m:
        raise ValueError("successes are more than trials")
    total = k + j
    i = np.arange(max(0, total - m), min(n, total) + 1)  # successes of the one
    # as comb(n, i) comb(m, total - i), because comb(n, i) = 1 / ((n + 1) B(i + 1, n - i + 1))
    p = softmax(-betaln(i + 1, n - i + 1) - betaln(total - i + 1, m - total + i + 1))
    observed = p[k - i[0]]
    return min(1.0, float(p[p <= observed * (1 + TIES)].sum()))


def holm(p: ArrayLike) -> NDArray[np.float64]:
    """P values adjusted for their number by Holm's method, which controls the family-wise error.

    Holm (1979), "A simple sequentially rejective multiple test procedure", Scandinavian Journal of
    Statistics 6, 65-70, https://www.jstor.org/stable/4615733.

    Parameters
    ----------
    p : array_like of float of shape (m,), in [0, 1]

    Returns
    -------
    ndarray of shape (m,), in [0, 1], in the order of `p`

    Raises
    ------
    TypeError, ValueError
        If they are not probabilities.
    """
    p = as_shares(p, "p").astype(np.float64, copy=False)
    order = np.argsort(p, kind="stable")
    steps = p[order] * np.arange(len(p), 0, -1)
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1)
    return adjusted
