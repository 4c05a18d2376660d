"""The training loop, as in the notebook."""

import math
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from typing import NamedTuple

import numpy as np

from nnlib.data.mnist import CLASSES
from nnlib.errors import UserError
from nnlib.network.batches import draw_batches
from nnlib.network.evaluation import predict, score
from nnlib.network.sgd import SGD
from nnlib.network.two_layer_net import TwoLayerNet
from nnlib.samples import Samples


def initialise(
    seed: int, *, input_size: int, hidden_size: int, weight_init_std: float
) -> tuple[TwoLayerNet, np.random.Generator]:
    """The untrained network of a seed, and the generator of its batches.

    Each has a generator of its own, so that the size of the network leaves the batches alone.

    Parameters
    ----------
    seed : int
    input_size, hidden_size : int
        D and H; there are as many outputs as digits.
    weight_init_std : float
        As for `TwoLayerNet`.

    Returns
    -------
    network : TwoLayerNet of float32
    rng_batches : numpy.random.Generator
    """
    rng_weights, rng_batches = np.random.default_rng(seed).spawn(2)
    network = TwoLayerNet(
        input_size, hidden_size, CLASSES, weight_init_std, rng=rng_weights, dtype=np.float32
    )
    return network, rng_batches


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
    *,
    iterations: int,
    batch_size: int,
    learning_rate: float,
    rng: np.random.Generator,
    on_epoch: Callable[[int, int, TwoLayerNet], None] = lambda *_: None,
    progress: Callable[[Iterable[int]], Iterable[int]] = iter,
) -> list[float]:
    """Train a network in place by plain SGD, on batches drawn with replacement.

    Parameters
    ----------
    network : TwoLayerNet
    train_set : Samples
    iterations : int
        Number of updates.
    batch_size : int
        Samples a batch.
    learning_rate : float
    rng : numpy.random.Generator
        Draws the batches.
    on_epoch : callable
        Called before the training and after each epoch, which is as many whole batches as the
        training set has room for, with the number of epochs and of updates so far, and a copy of
        the network. It has a thread of its own, and the training goes on beside it.
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

    with ThreadPoolExecutor(max_workers=1) as observer:
        told = observer.submit(on_epoch, 0, 0, deepcopy(network))
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
                told.result()  # of copies there are two at most
                epoch = iteration // iterations_per_epoch
                told = observer.submit(on_epoch, epoch, iteration, deepcopy(network))
        told.result()
    return losses


def measure(
    network: TwoLayerNet, train_set: Samples, test_set: Samples
) -> tuple[float, float, float]:
    """Loss on the full training set, and accuracy on it and on the full test set."""
    on_train = score(predict(network, train_set.x), train_set.t)
    on_test = score(predict(network, test_set.x), test_set.t)
    return on_train.loss, on_train.accuracy, on_test.accuracy
