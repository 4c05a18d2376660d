"""A network's predictions, loss and accuracy over a whole set."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nnlib.base.arrays import Floats
from nnlib.base.blocks import blocks
from nnlib.base.checks import as_array, as_indices, as_targets, check_lengths, check_not_empty
from nnlib.base.errors import UserError
from nnlib.data.samples import Samples
from nnlib.network.functions import ACTIVATIONS, softmax, softmax_with_losses
from nnlib.network.two_layer_net import TwoLayerNet

# The slope of the sigmoid where it is 0.05 away from 0 or 1, as a share of its largest.
SATURATED_SLOPE = 0.05 * (1 - 0.05) / 0.25


class Evaluation(NamedTuple):
    """How well a network does on a set, and how many of its activations hardly pass a gradient."""

    loss: float  # mean cross-entropy in nats
    accuracy: float  # in [0, 1]
    saturated: float  # share of the hidden units' activations on the set, in [0, 1]


@np.errstate(over="ignore", invalid="ignore")  # what is not finite is raised, not warned of
def logits(network: TwoLayerNet, x: NDArray[np.floating]) -> Floats:
    """Logits of a set, block by block.

    Parameters
    ----------
    network : TwoLayerNet
    x : ndarray of shape (N, D)

    Returns
    -------
    ndarray of shape (N, C), of finite numbers

    Raises
    ------
    TypeError, ValueError
        If the inputs are not finite numbers, of another shape or none.
    UserError
        If the weights of the network are too large to compute with.
    """
    x = as_array(x, "x")
    return _finite(np.concatenate([a2 for _, a2 in _forward(network, x)]), x)


def predict(network: TwoLayerNet, x: NDArray[np.floating]) -> Floats:
    """Probability of each class, of shape (N, C): the softmax of the `logits`."""
    return softmax(logits(network, x))


def _forward(
    network: TwoLayerNet, x: NDArray[np.floating], rows: NDArray[np.integer] | None = None
) -> Iterator[tuple[Floats, Floats]]:
    """The hidden layer's activations and the logits, for each block of samples."""
    if x.ndim != 2:
        raise ValueError(f"x must have the shape (N, D), not {x.shape}")
    if rows is None:
        check_not_empty(x, "x")
        parts = (x[block] for block in blocks(len(x)))
    else:
        rows = as_indices(rows, len(x), "rows")
        check_not_empty(rows, "rows")
        parts = (x[rows[block]] for block in blocks(len(rows)))
    for part in parts:
        z1 = network.hidden(part)
        yield z1, network.logits(z1)


def _finite(a2: Floats, x: NDArray[np.floating]) -> Floats:
    """The logits of `x`, if they are finite numbers."""
    if not np.isfinite(a2).all():
        if not np.isfinite(x).all():
            raise ValueError("x holds a value that is not finite")
        raise UserError(
            "the network's predictions are not finite, as its weights are too large; a smaller "
            "learning rate or smaller initial weights may help"
        )
    return a2


@np.errstate(over="ignore", invalid="ignore")  # as for logits
def evaluate(
    network: TwoLayerNet, samples: Samples, rows: NDArray[np.integer] | None = None
) -> Evaluation:
    """Loss and accuracy of a network on a set, or on some of its samples, and its saturation.

    A sigmoid saturates near 0 and 1, where it is almost flat and passes almost no gradient on:
    Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks"
    (2010), https://proceedings.mlr.press/v9/glorot10a.html. They set no limit; here an activation
    counts as saturated if its slope is below `SATURATED_SLOPE` of the largest: within 0.05 of 0 or
    1 for the sigmoid, within 0.1 of -1 or 1 for tanh, which is the sigmoid stretched to twice its
    height, and at 0 for the ReLU, which is inactive there.

    Parameters
    ----------
    network : TwoLayerNet
    samples : Samples
    rows : ndarray of int of shape (n,), optional
        The samples that count; all if left out.

    Raises
    ------
    TypeError, ValueError, UserError
        As for `logits`, or if `t` are no targets, or not of as many samples as `x`, or a row is
        not one of them.
    """
    x, t = as_array(samples.x, "samples.x"), as_array(samples.t, "samples.t")
    check_lengths({"samples.x": x, "samples.t": t})
    _, derivative, steepest = ACTIVATIONS[network.activation]
    limit = SATURATED_SLOPE * steepest
    of_blocks, saturated, activations = [], 0, 0
    for z1, a2 in _forward(network, x, rows):
        of_blocks.append(a2)
        saturated += int(np.count_nonzero(derivative(z1) < limit))
        activations += z1.size
    a2 = _finite(np.concatenate(of_blocks), x)
    t = as_targets(t if rows is None else t[rows], a2.shape)
    y, losses = softmax_with_losses(a2, t)
    return Evaluation(
        loss=float(losses.mean(dtype=np.float64)),
        accuracy=float((y.argmax(axis=1) == t).mean()),
        saturated=saturated / activations,
    )
