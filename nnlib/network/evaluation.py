"""A network's predictions, loss and accuracy over a whole set."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nnlib.blocks import blocks
from nnlib.network.functions import Floats, accuracy, cross_entropy_error
from nnlib.network.two_layer_net import TwoLayerNet


class Score(NamedTuple):
    """How well a network does on a set."""

    loss: float  # mean cross-entropy in nats
    accuracy: float  # in [0, 1]


def predict(network: TwoLayerNet, x: NDArray[np.floating]) -> Floats:
    """Probability of each class, block by block.

    Parameters
    ----------
    network : TwoLayerNet
    x : ndarray of shape (N, D)

    Returns
    -------
    ndarray of shape (N, C)
    """
    return np.concatenate([network.predict(x[rows]) for rows in blocks(len(x))])


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
