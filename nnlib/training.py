"""The training loop, as in the notebook: updates, and a look at the full sets every epoch."""

import math
from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np

from nnlib.batches import draw_batches
from nnlib.errors import UserError
from nnlib.evaluation import predict, score
from nnlib.network import TwoLayerNet
from nnlib.samples import Samples
from nnlib.sgd import SGD


class Epoch(NamedTuple):
    """What the network can do after so many updates, over the full sets."""

    epoch: int
    iteration: int  # updates so far
    loss: float  # mean cross-entropy on the training set, in nats
    train_accuracy: float
    test_accuracy: float


def train(
    network: TwoLayerNet,
    train_set: Samples,
    test_set: Samples,
    *,
    iterations: int,
    batch_size: int,
    learning_rate: float,
    rng: np.random.Generator,
    on_epoch: Callable[[Epoch], None],
    progress: Callable[[Iterable[int]], Iterable[int]] = iter,
) -> list[float]:
    """Train a network in place by plain SGD, on batches drawn with replacement.

    Parameters
    ----------
    network : TwoLayerNet
    train_set, test_set : Samples
    iterations : int
        Number of updates.
    batch_size : int
        Samples a batch.
    learning_rate : float
    rng : numpy.random.Generator
        Draws the batches.
    on_epoch : callable
        Gets the `Epoch` of the untrained network, and one after as many updates as show the network
        as many samples as there are.
    progress : callable
        Wraps the iterations, as tqdm does.

    Returns
    -------
    list of float, the loss of each batch before its update

    Raises
    ------
    UserError
        If the loss is not finite: the training diverges.
    """
    iterations_per_epoch = max(len(train_set.x) // batch_size, 1)
    sgd = SGD(network, learning_rate)
    losses = []

    on_epoch(Epoch(0, 0, *measure(network, train_set, test_set)))
    batches = draw_batches(train_set, batch_size, rng)
    for iteration, (x, t) in zip(progress(range(1, iterations + 1)), batches, strict=False):
        loss = sgd.update(x, t)
        if not math.isfinite(loss):
            raise UserError(
                f"the training diverges: the loss of iteration {iteration} is {loss}; "
                f"try a train.learning_rate below {learning_rate:g}, or a smaller "
                "train.weight_init_std"
            )
        losses.append(loss)

        if iteration % iterations_per_epoch == 0:
            epoch = iteration // iterations_per_epoch
            on_epoch(Epoch(epoch, iteration, *measure(network, train_set, test_set)))
    return losses


def measure(
    network: TwoLayerNet, train_set: Samples, test_set: Samples
) -> tuple[float, float, float]:
    """Loss on the full training set, and accuracy on it and on the full test set."""
    on_train = score(predict(network, train_set.x), train_set.t)
    on_test = score(predict(network, test_set.x), test_set.t)
    return on_train.loss, on_train.accuracy, on_test.accuracy
