"""The training loop: the notebook's."""

import math
from collections.abc import Iterable, Iterator

import numpy as np

from nnlib.base.errors import UserError
from nnlib.network.optimizers import Optimizer
from nnlib.network.two_layer_net import TwoLayerNet
from nnlib.training.averaging import WeightAverage
from nnlib.training.batches import Batch
from nnlib.training.dropout import Dropout
from nnlib.training.recording import Recorder


@np.errstate(over="ignore", invalid="ignore")  # divergence is raised, not warned of
def train(
    network: TwoLayerNet,
    optimizer: Optimizer | WeightAverage,
    batches: Iterator[Batch],
    rates: Iterable[float],
    *,
    label_smoothing: float = 0.0,
    dropout: Dropout | None = None,
    recorder: Recorder | None = None,
) -> tuple[TwoLayerNet, list[float]]:
    """Train a network in place.

    Parameters
    ----------
    network : TwoLayerNet
        Or its parts, which have the same calls: see `nnlib.training.wide`.
    optimizer : Optimizer or WeightAverage
        One that was not used yet.
    batches : iterator of Batch
        At least as many as rates.
    rates : iterable of float
        The learning rate of each update.
    label_smoothing : float
        As for `TwoLayerNet.loss_and_gradient`.
    dropout : Dropout, optional
    recorder : Recorder, optional
        Sees the network before the training and after each update.

    Returns
    -------
    trained : TwoLayerNet
        The network, with the averages of its parameters if the optimizer keeps them.
    losses : list of float
        That of each batch before its update, the mean cross-entropy in nats.

    Raises
    ------
    TypeError, ValueError
        If a batch is not one of finite inputs, and of targets: see `TwoLayerNet.loss`.
    UserError
        If the training diverges.
    """
    losses: list[float] = []
    highest = 0.0  # of the rates so far
    if recorder:
        recorder.record(0, network, optimizer, None)
    for iteration, rate in enumerate(rates, start=1):
        highest = max(highest, rate)
        x, t, weights = next(batches)
        mask = dropout.mask(len(x)) if dropout else None
        # Where the step is linear in the gradient, the gradient of rate * loss will do. It is
        # cheaper: the rate multiplies the (N, C) gradients of the logits, not the (D, H) of W1.
        scale = rate if optimizer.is_linear else 1.0
        loss, grads = network.loss_and_gradient(
            x, t, scale=scale, label_smoothing=label_smoothing, weights=weights, dropout_mask=mask
        )
        if not math.isfinite(loss):
            if not np.isfinite(x).all():
                raise ValueError(f"batches: x of iteration {iteration} is not finite")
            raise _divergence(f"the loss of iteration {iteration} is {loss}", highest)
        steps = optimizer.step(network.params, grads, rate, scale=scale)
        losses.append(loss)
        if recorder:
            recorder.record(iteration, network, optimizer, steps)
    trained = network.with_params(optimizer.averaged(network.params))
    if not all(np.isfinite(param).all() for param in trained.params.values()):
        raise _divergence("after the last iteration the weights are not finite", highest)
    return trained, losses


def _divergence(problem: str, rate: float) -> UserError:
    return UserError(
        f"the training diverges: {problem}; try a learning rate below {rate:g}, or smaller initial "
        "weights"
    )
