"""The training samples nearest to a sample: by pixels, and by what the hidden layer makes of them.

The nearest by Euclidean distance, after Cover and Hart 1967, "Nearest neighbor pattern
classification" (https://doi.org/10.1109/TIT.1967.1053964). What is near by pixels shows whether a
sample looks like others of its class; what is near by activations, whether it still does to the
network, which decides by nothing else: Papernot and McDaniel 2018, "Deep k-nearest neighbors"
(https://arxiv.org/abs/1803.04765).
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nnlib.base.arrays import Floats
from nnlib.base.blocks import blocks
from nnlib.data.samples import Samples
from nnlib.network.two_layer_net import TwoLayerNet

NEIGHBOURS = 5
SPACES = ("activations", "pixels")
MISTAKES_SHOWN = 12
EPSILON = float(np.finfo(np.float32).eps)
LARGEST = float(np.finfo(np.float32).max)


class Nearest(NamedTuple):
    """The k training samples nearest to each of N samples, the nearest first."""

    indices: NDArray[np.intp]  # (N, k)
    distances: NDArray[np.float64]  # (N, k)


def nearest(x: Floats, training: Iterable[Floats], k: int) -> Nearest:
    """The nearest training samples by Euclidean distance; of two equally near, the first.

    The squared distances to a block of training samples, |a|^2 - 2ab + |b|^2, are one product of
    matrices in float32. It is off by no more than rounding can do, so it rules out nearly all of
    them. The distances of the others are computed anew in float64, as the sum of the squared
    differences, and only these count.

    Parameters
    ----------
    x : ndarray of shape (N, D)
    training : iterable of ndarray of shape (n, D)
        The training samples in blocks. No two blocks are needed at once.
    k : int >= 1

    Returns
    -------
    Nearest, of shape (N, k), or of fewer columns if there are fewer training samples than k;
    distances in the unit of `x`

    Raises
    ------
    ValueError
        If a sample is not finite, or too large for its square to fit float32.
    """
    norms = _squared_norms(x, "x")
    squares, indices = np.full((len(x), k), np.inf), np.full((len(x), k), -1, np.intp)
    count = 0
    for block in training:
        others = _Points(block, _squared_norms(block, "training"))
        for rows in blocks(len(x)):
            points = _Points(x[rows], norms[rows])
            row, column = _candidates(points, others, squares[rows])
            square = _squared_distances(points.x, row, block, column)
            _keep_smallest(squares[rows], indices[rows], row, count + column, square)
        count += len(block)
    return Nearest(indices[:, :count], np.sqrt(squares[:, :count]))


class _Points(NamedTuple):
    x: Floats  # (n, D)
    norms: NDArray[np.float64]  # (n,), squared


def _squared_norms(x: Floats, name: str) -> NDArray[np.float64]:
    norms: NDArray[np.float64] = np.einsum("ij,ij->i", x, x, dtype=np.float64)
    if not (norms < LARGEST / 4).all():  # so that no distance overflows; NaN is not smaller either
        raise ValueError(f"{name} holds a value that is not finite, or too large")
    return norms


def _candidates(
    points: _Points, others: _Points, squares: NDArray[np.float64]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The pairs of a point, by row, and another, by column, that may be among the k nearest.

    `squares`, of shape (n, k), holds the squared distances of the nearest so far.
    """
    k = squares.shape[1]
    # Without |a|^2, which is the same for all that a point is compared with.
    product = np.dot(-2 * points.x.astype(np.float32), others.x.astype(np.float32, copy=False).T)
    product += others.norms.astype(np.float32)
    # A sum of D products is off by less than D roundings of the sum of their sizes, whatever its
    # order (Higham 2002, "Accuracy and Stability of Numerical Algorithms", section 3.1); each is
    # half of EPSILON at most, and the other half is for |b|^2 and what float64 rounds to float32.
    longest = np.sqrt(points.norms) + np.sqrt(others.norms.max())
    error = (points.x.shape[1] + 4) * EPSILON * np.square(longest)
    worst = squares[:, -1]
    if len(others.x) >= k and np.isinf(worst).any():  # as in the first block
        worst = np.partition(product, k - 1, axis=1)[:, k - 1] + points.norms + error
    limit = (worst - points.norms + error).astype(np.float32)
    row, column = np.nonzero(product <= np.nextafter(limit, np.float32(np.inf))[:, np.newaxis])
    return row, column


def _squared_distances(
    x: Floats, row: NDArray[np.intp], others: Floats, column: NDArray[np.intp]
) -> NDArray[np.float64]:
    squares = np.empty(len(row))
    for pairs in blocks(len(row)):
        difference = x[row[pairs]].astype(np.float64) - others[column[pairs]]
        squares[pairs] = np.square(difference).sum(axis=1)
    return squares


def _keep_smallest(
    values: NDArray[np.float64],
    indices: NDArray[np.intp],
    row: NDArray[np.intp],
    index: NDArray[np.intp],
    value: NDArray[np.float64],
) -> None:
    """Let new values take the places of larger ones; of equal ones, the first index stays.

    Parameters
    ----------
    values : ndarray of float64 of shape (N, k)
        The k smallest so far of each row, ascending; infinite where there are fewer. Changed.
    indices : ndarray of intp of shape (N, k)
        The index of each. Changed.
    row, index, value : ndarrays of shape (n,)
        New values, each with the row that it belongs to; in any order, any number for a row.
    """
    k = values.shape[1]
    changed = np.unique(row)
    rows = np.concatenate([np.repeat(changed, k), row])
    all_values = np.concatenate([values[changed].ravel(), value])
    all_indices = np.concatenate([indices[changed].ravel(), index])
    order = np.lexsort((all_indices, all_values, rows))
    first = np.searchsorted(rows[order], changed)
    kept = order[first[:, np.newaxis] + np.arange(k)]
    values[changed], indices[changed] = all_values[kept], all_indices[kept]


def neighbours_of(
    network: TwoLayerNet, x: Floats, indices: NDArray[np.integer], train: Samples
) -> pd.DataFrame:
    """The `NEIGHBOURS` nearest training samples of some samples, in each of the `SPACES`.

    Parameters
    ----------
    network : TwoLayerNet
        Whose hidden layer's activations are the one space; its inputs are the other.
    x : ndarray of shape (N, D)
        Inputs.
    indices : ndarray of int of shape (N,)
        What the table calls the samples.
    train : Samples
        The training set, which may be mapped from its files: it is read block by block.

    Returns
    -------
    DataFrame with the columns `index`, `space`, `rank` (from 1), `train_index`, `label` (of the
    training sample) and `distance` (in the unit of the activations or of the inputs); sample by
    sample, space by space, the nearest first
    """
    inputs = (train.x[rows] for rows in blocks(len(train.x)))
    activations = (network.forward(train.x[rows])[0] for rows in blocks(len(train.x)))
    found = {
        "activations": nearest(network.forward(x)[0], activations, NEIGHBOURS),
        "pixels": nearest(x, inputs, NEIGHBOURS),
    }
    N, k = found["pixels"].indices.shape
    train_index = np.stack([found[space].indices for space in SPACES], axis=1)  # (N, 2, k)
    distance = np.stack([found[space].distances for space in SPACES], axis=1)
    return pd.DataFrame(
        {
            "index": np.repeat(indices, len(SPACES) * k),
            "space": np.tile(np.repeat(SPACES, k), N),
            "rank": np.tile(np.arange(1, k + 1), N * len(SPACES)),
            "train_index": train_index.ravel(),
            "label": train.t[train_index.ravel()].astype(np.int64),
            "distance": distance.ravel(),
        }
    )


class Majorities(NamedTuple):
    """Of how many mistakes one class has more than half of the nearest training samples."""

    predicted: int  # where it is the class that was predicted
    actual: int
    other: int
    none: int  # where no class has


def majorities(neighbours: pd.DataFrame, mistakes: pd.DataFrame) -> dict[str, Majorities]:
    """Which class has the majority of the neighbours of mistakes, in each of the `SPACES`.

    Parameters
    ----------
    neighbours : DataFrame
        As `neighbours_of` makes it, of these mistakes.
    mistakes : DataFrame, not empty
        Rows of a table of predictions.
    """
    counts = {}
    for space in SPACES:
        of_space = neighbours[neighbours["space"] == space]
        votes = pd.crosstab(of_space["index"], of_space["label"]).loc[mistakes["index"]]
        has_majority = (2 * votes.max(axis=1) > votes.sum(axis=1)).to_numpy()
        winner = votes.idxmax(axis=1).to_numpy()
        for_predicted = int((has_majority & (winner == mistakes["predicted"].to_numpy())).sum())
        for_actual = int((has_majority & (winner == mistakes["actual"].to_numpy())).sum())
        with_majority = int(has_majority.sum())
        counts[space] = Majorities(
            predicted=for_predicted,
            actual=for_actual,
            other=with_majority - for_predicted - for_actual,
            none=len(mistakes) - with_majority,
        )
    return counts
