"""Activations and the loss: the notebook's functions, safe for any numbers.

What is computed is of the dtype of the input, and of float64 for booleans, integers and float16.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from nnlib.base.arrays import Floats
from nnlib.base.checks import (
    as_array,
    as_floats,
    as_probabilities,
    as_targets,
    check_not_empty,
)


def sigmoid(x: ArrayLike) -> Floats:
    """Logistic function 1 / (1 + exp(-x)), elementwise.

    Written so that exp never overflows in float32 or float64, and small results keep their digits.

    Parameters
    ----------
    x : array_like of any shape

    Returns
    -------
    ndarray of the same shape, in [0, 1]
    """
    # exp(x) / (exp(x) + 1) is the same fraction; from x = 40 on, it is 1 to the last digit
    exp_x = np.exp(as_floats(x, "x").clip(-np.inf, 40))  # faster than np.minimum of an array and 40
    return exp_x / (exp_x + 1)


def sigmoid_grad(x: ArrayLike) -> Floats:
    """Derivative of the sigmoid at `x`, elementwise: (1 - sigmoid(x)) * sigmoid(x).

    Parameters
    ----------
    x : array_like of any shape

    Returns
    -------
    ndarray of the same shape, in [0, 0.25]
    """
    z = sigmoid(x)
    return (1 - z) * z


def relu(x: ArrayLike) -> Floats:
    """Rectified linear unit max(0, x), elementwise.

    Parameters
    ----------
    x : array_like of any shape

    Returns
    -------
    ndarray of the same shape, at least 0; NaN where x is NaN
    """
    return as_floats(x, "x").clip(0, np.inf)  # a fifth of the time of np.maximum


def tanh(x: ArrayLike) -> Floats:
    """Hyperbolic tangent, elementwise.

    Parameters
    ----------
    x : array_like of any shape

    Returns
    -------
    ndarray of the same shape, in [-1, 1]
    """
    return np.tanh(as_floats(x, "x"))


class Activation(NamedTuple):
    """An activation z = f(a), elementwise, with its derivative as a function of z."""

    function: Callable[[Floats], Floats]
    derivative: Callable[[Floats], Floats]
    steepest: float  # the largest derivative


ACTIVATIONS: dict[str, Activation] = {
    "sigmoid": Activation(sigmoid, lambda z: z * (1 - z), steepest=0.25),
    "relu": Activation(relu, lambda z: (z > 0).astype(z.dtype), steepest=1),
    "tanh": Activation(tanh, lambda z: 1 - z * z, steepest=1),
}


def softmax(x: ArrayLike) -> Floats:
    """Softmax of a sample's logits, or of each row of a batch.

    Parameters
    ----------
    x : array_like of shape (C,) or (N, C)

    Returns
    -------
    ndarray of the same shape, each row in [0, 1] with sum 1; NaN for a row that holds NaN or
    infinity, or nothing but -infinity

    Raises
    ------
    TypeError
        If the logits are not real numbers.
    ValueError
        If they have another shape.
    """
    y: Floats = np.exp(_below_highest(x))
    y /= y.sum(axis=-1, keepdims=True)
    return y


def _below_highest(x: ArrayLike) -> Floats:
    """Logits minus the highest of their sample: the same softmax, and exp never overflows."""
    x = as_floats(x, "x")
    if x.ndim not in {1, 2} or x.shape[-1] == 0:
        raise ValueError(f"x must have the shape (C,) or (N, C), not {x.shape}")
    # Column by column in memory, so that NumPy takes the maxima and sums of all rows at once. Going
    # through one short row after another costs most when there are few classes.
    x = np.asfortranarray(x)
    # A difference may overflow to -inf, whose exp is 0; that of infinities is NaN.
    with np.errstate(over="ignore", invalid="ignore"):
        return np.asarray(x - x.max(axis=-1, keepdims=True))


def softmax_with_losses(a2: ArrayLike, t: ArrayLike) -> tuple[Floats, Floats]:
    """Softmax of each row of a batch, and the cross-entropy of each sample.

    The loss -log y[t] is computed from the logits, as log(sum_c exp(a2[c])) - a2[t]: so it is right
    also where y[t] is too small for its type, which in float32 it is below e^-103.

    Parameters
    ----------
    a2 : array_like of shape (N, C)
        Logits.
    t : array_like of int of shape (N,), or one-hot of shape (N, C)
        Targets.

    Returns
    -------
    y : ndarray of shape (N, C)
    losses : ndarray of shape (N,), in nats; where the logits are not finite, neither are they

    Raises
    ------
    TypeError, ValueError
        If `a2` are not logits, or `t` not their targets: see `nnlib.base.checks`.
    """
    a2 = _below_highest(a2)
    t = as_targets(t, a2.shape)
    y: Floats = np.exp(a2)
    total = y.sum(axis=-1, keepdims=True)  # (N, 1)
    y /= total
    return y, np.log(total[:, 0]) - a2[np.arange(len(t)), t]


def surprisal(p: Floats) -> Floats:
    """-log p in nats, elementwise; infinity where the probability p is 0."""
    with np.errstate(divide="ignore"):  # log(0) is -inf, and that is the answer
        return -np.log(p)


def cross_entropy_error(y: ArrayLike, t: ArrayLike) -> float:
    """Cross-entropy in nats of a sample, or its mean over a batch.

    Parameters
    ----------
    y : array_like of shape (C,) or (N, C)
        Probabilities.
    t : int, one-hot array_like of shape (C,) for a sample; (N,) or one-hot (N, C) for a batch
        Targets.

    Returns
    -------
    float in [0, inf]; inf where a target has the probability 0, which the softmax gives in float32
    to a logit more than 103 below the highest: see `softmax_with_losses`

    Raises
    ------
    TypeError, ValueError
        If `y` are not probabilities, or `t` not their targets (see `nnlib.base.checks`), or if the
        batch is empty.
    """
    y, t = as_array(y, "y"), as_array(t, "t")
    if y.ndim == 1:  # a sample is a batch of one
        y, t = y[np.newaxis], t[np.newaxis]
    check_not_empty(y, "y")
    y = as_probabilities(y)
    t = as_targets(t, y.shape)
    return float(surprisal(y[np.arange(len(t)), t]).sum(dtype=np.float64) / len(y))


def softmax_with_loss(
    a2: Floats,
    t: ArrayLike,
    *,
    scale: float = 1.0,
    label_smoothing: float = 0.0,
    weights: Floats | None = None,
) -> tuple[float, Floats]:
    """Mean loss of a batch's logits, and its gradient.

    The loss is -1/N sum_n log y[n, t_n] with y = softmax(a2), so its derivative by a2 is
    (y - one_hot(t)) / N.

    Parameters
    ----------
    a2 : ndarray of shape (N, C)
        Logits.
    t : array_like of int of shape (N,), or one-hot of shape (N, C)
        Targets.
    scale : float
        The gradient is that of `scale` times the loss.
    label_smoothing : float
        The gradient is that of targets of which this share goes to all classes alike, and only the
        rest to the right one: Szegedy et al., "Rethinking the inception architecture for computer
        vision" (2016), section 7, https://arxiv.org/abs/1512.00567.
    weights : ndarray of shape (N,), optional
        What each sample's part of the gradient is multiplied by; the mean is still over N.

    Returns
    -------
    loss : float
        Cross-entropy in nats, the mean over the batch, neither scaled, smoothed nor weighted.
    dy : ndarray of shape (N, C)

    Raises
    ------
    TypeError, ValueError
        As for `softmax_with_losses`. Where the logits are not finite, the loss is not either.
    """
    N, C = a2.shape
    t = as_targets(t, a2.shape)
    dy, losses = softmax_with_losses(a2, t)
    loss = float(losses.sum(dtype=np.float64) / N)
    dy[np.arange(N), t] -= 1 - label_smoothing
    if label_smoothing:
        dy -= label_smoothing / C
    dy *= scale / N
    if weights is not None:
        dy *= weights[:, np.newaxis]
    return loss, dy


def accuracy(y: ArrayLike, t: ArrayLike) -> float:
    """Share of the samples whose most probable class is their target, in [0, 1].

    Parameters
    ----------
    y : array_like of shape (N, C)
        Probabilities.
    t : array_like of int of shape (N,), or one-hot of shape (N, C)
        Targets.

    Raises
    ------
    TypeError, ValueError
        As for `cross_entropy_error`.
    """
    y = as_probabilities(y)
    check_not_empty(y, "y")
    return float(np.mean(y.argmax(axis=1) == as_targets(t, y.shape)))
