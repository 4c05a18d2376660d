"""What the counts of errors say beyond luck.

Two kinds of luck decide a count: which samples happened to be in the test set, and which seed the
training started from. A difference is beyond luck if Fisher's exact test says so of the samples,
adjusted by Holm's method for the number of differences looked at, and if each of at least two
networks trained with other seeds shows a difference of the same sign.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nnlib.base.checks import as_counts
from nnlib.stats.proportions import fisher_exact, holm

ALPHA = 0.05  # where nothing differs, one adjusted p value or more is below this in 5 % of cases
FEWEST_REPEATS = 2


class Differences(NamedTuple):
    """Differences of shares, and which of them are beyond luck."""

    p: NDArray[np.float64]  # adjusted
    sign: NDArray[np.int64]  # 1 or -1 where the difference is beyond luck; otherwise 0


def compare_parts(successes: ArrayLike, trials: ArrayLike) -> Differences:
    """Whether the share of successes in each part of a group differs from that in all its others.

    Parameters
    ----------
    successes, trials : array_like of int of shape (1 + S, G, K)
        Those of K parts of G groups of samples; the first are of the network in question, the
        others of networks trained with S other seeds.

    Returns
    -------
    Differences of shape (G, K), adjusted for all of them; p is 1 for a part without trials

    Raises
    ------
    TypeError, ValueError
        If they are not counts of that shape, or there are more successes than trials.
    """
    k, n = (
        as_counts(counts, name).astype(np.int64)
        for counts, name in ((successes, "successes"), (trials, "trials"))
    )
    if k.ndim != 3 or k.shape != n.shape or len(k) == 0:
        raise ValueError(f"successes of shape {k.shape} of trials of shape {n.shape}")
    if (k > n).any():
        raise ValueError("successes are more than trials")
    of_others, trials_of_others = (each.sum(axis=2, keepdims=True) - each for each in (k, n))
    counts = np.stack([k, of_others, n, trials_of_others], axis=-1)[0].reshape(-1, 4)
    p = holm([fisher_exact((a, b), (c, d)) for a, b, c, d in counts.tolist()])
    shares, shares_of_others = k / np.maximum(n, 1), of_others / np.maximum(trials_of_others, 1)
    return significant(p.reshape(k.shape[1:]), shares - shares_of_others)


def significant(p: NDArray[np.float64], differences: NDArray[np.float64]) -> Differences:
    """Differences (1 + S, ...), the first of the network in question, the others of its repeats."""
    signs = np.sign(differences).astype(np.int64)
    holds = (p < ALPHA) & (signs == signs[0]).all(axis=0) & (len(signs) > FEWEST_REPEATS)
    return Differences(p, np.where(holds, signs[0], 0))
