"""What the counts of errors say beyond luck.

Two kinds of luck decide a count: which samples happened to be in the test set, and which seed the
training started from. A difference is beyond luck if Fisher's exact test says so of the samples,
adjusted by Holm's method for the number of differences looked at, and if each of at least two
networks trained with other seeds shows a difference of the same sign.
"""

from collections.abc import Collection
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nnlib.analysis.metrics import as_confusion_matrix, shares_of_actual
from nnlib.analysis.proportions import fisher_exact, holm
from nnlib.checks import as_counts

ALPHA = 0.05  # where nothing differs, one adjusted p value or more is below this in 5 % of cases
FEWEST_REPEATS = 2


class Differences(NamedTuple):
    """Differences of shares, and which of them are beyond luck."""

    p: NDArray[np.float64]  # adjusted
    sign: NDArray[np.int64]  # 1 or -1 where the difference is beyond luck; otherwise 0


def compare_directions(confusion: ArrayLike, repeats: Collection[ArrayLike]) -> Differences:
    """Whether each class is taken for each other more often, as a share, than the other for it.

    Parameters
    ----------
    confusion : array_like of int of shape (C, C)
    repeats : collection of S array_like of int of shape (C, C)
        Confusion matrices, on the same samples, of networks trained with S other seeds.

    Returns
    -------
    Differences of shape (C, C); p is symmetric, and 1 on the diagonal

    Raises
    ------
    TypeError, ValueError
        If they are not confusion matrices of the same classes.
    """
    matrices = _as_matrices(confusion, repeats)
    counts, support = matrices[0].tolist(), matrices[0].sum(axis=1).tolist()
    first, second = np.triu_indices(len(counts), 1)
    pairs = zip(first.tolist(), second.tolist(), strict=True)
    p = np.ones(matrices.shape[1:])
    p[first, second] = holm(
        [fisher_exact((counts[a][b], counts[b][a]), (support[a], support[b])) for a, b in pairs]
    )
    p[second, first] = p[first, second]

    shares = np.array([shares_of_actual(matrix) for matrix in matrices])
    return _beyond_luck(p, shares - shares.transpose(0, 2, 1))


def compare_recalls(confusion: ArrayLike, repeats: Collection[ArrayLike]) -> Differences:
    """Whether each class's recall differs from that of all other classes together.

    Parameters
    ----------
    confusion : array_like of int of shape (C, C)
    repeats : collection of S array_like of int of shape (C, C)
        As for `compare_directions`.

    Returns
    -------
    Differences of shape (C,)

    Raises
    ------
    TypeError, ValueError
        As for `compare_directions`.
    """
    matrices = _as_matrices(confusion, repeats)
    right = matrices.diagonal(axis1=1, axis2=2)  # (1 + S, C)
    support = matrices.sum(axis=2)
    return Differences(
        *(of_group[0] for of_group in compare_parts(right[:, np.newaxis], support[:, np.newaxis]))
    )


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
    return _beyond_luck(p.reshape(k.shape[1:]), shares - shares_of_others)


def _as_matrices(confusion: ArrayLike, repeats: Collection[ArrayLike]) -> NDArray[np.int64]:
    """The matrix and its repeats, (1 + S, C, C)."""
    matrices = [
        as_confusion_matrix(confusion),
        *(as_confusion_matrix(each, "repeats") for each in repeats),
    ]
    if len({matrix.shape for matrix in matrices}) > 1:
        raise ValueError("repeats and confusion are about different classes")
    return np.array(matrices)


def _beyond_luck(p: NDArray[np.float64], differences: NDArray[np.float64]) -> Differences:
    """Differences (1 + S, ...), the first of the network in question, the others of its repeats."""
    signs = np.sign(differences).astype(np.int64)
    holds = (p < ALPHA) & (signs == signs[0]).all(axis=0) & (len(signs) > FEWEST_REPEATS)
    return Differences(p, np.where(holds, signs[0], 0))
