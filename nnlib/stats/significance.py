"""Which differences of counts are statistically significant, and the same with all seeds.

Two kinds of chance decide a count: which samples happen to be in the test set, and which seed the
training starts from. A difference counts if Fisher's exact test finds it significant, adjusted by
Holm's method for the number of differences tested, and if each of at least two networks trained
with other seeds shows a difference of the same sign.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nnlib.stats.proportions import fisher_exact, holm

ALPHA = 0.05  # level of significance: how often a test finds a difference that does not exist
FEWEST_REPEATS = 2


class Differences(NamedTuple):
    """Differences of shares, and which of them are significant, the same with all seeds."""

    p: NDArray[np.float64]  # adjusted
    sign: NDArray[np.int64]  # 1 or -1 where the difference is significant; otherwise 0


def compare_parts(successes: NDArray[np.int64], trials: NDArray[np.int64]) -> Differences:
    """Whether the share of successes in each part of a group differs from that in all its others.

    Parameters
    ----------
    successes, trials : ndarray of int of shape (1 + S, G, K)
        Those of K parts of G groups of samples; the first are of the network in question, the
        others of networks trained with S other seeds.

    Returns
    -------
    Differences of shape (G, K), adjusted for all of them; p is 1 for a part without trials
    """
    k, n = successes, trials
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
