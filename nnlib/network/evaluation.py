"""A network's predictions, loss and accuracy over a whole set."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nnlib.arrays import Floats
from nnlib.blocks import blocks
from nnlib.network.functions import accuracy, cross_entropy_error
from nnlib.network.two_layer_net import TwoLayerNet
from nnlib.samples import Samples


class Score(NamedTuple):
    """How well a network does on a set."""

    loss: float  # mean cross-entropy in nats
    accuracy: float  # in [0, 1]


def predict(
    network: TwoLayerNet, x: NDArray[np.floating], rows: NDArray[np.integer] | None = None
) -> Floats:
    """Probability of each class, block by block.

    Parameters
    ----------
    network : TwoLayerNet
    x : ndarray of shape (N, D)
    rows : ndarray of int of shape (n,), optional
        The samples to predict; all if left out.

    Returns
    -------
    ndarray of shape (N, C), or (n, C)
    """
    if rows is None:
        return np.concatenate([network.predict(x[block]) for block in blocks(len(x))])
    return np.concatenate([network.predict(x[rows[block]]) for block in blocks(len(rows))])


def evaluate(
    network: TwoLayerNet, samples: Samples, rows: NDArray[np.integer] | None = None
) -> Score:
    """Loss and accuracy of a network on a set, or on some of its samples.

    Parameters
    ----------
    network : TwoLayerNet
    samples : Samples
    rows : ndarray of int of shape (n,), optional
        The samples that count; all if left out.
    """
    t = samples.t if rows is None else samples.t[rows]
    return score(predict(network, samples.x, rows), t)


def score(y: Floats, t: NDArray[np.integer]) -> Score:
    """Loss and accuracy of predictions.

    Parameters
    ----------
    y : ndarray of shape (N, C)
        Probabilities.
    t : ndarray of int of shape (N,)
        Targets.
    """
    return Score(cross_entropy_error(y, t), accuracy(y, t))
