"""What is recorded in the course of a training, on copies of the network, while it goes on."""

import math
import os
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from copy import deepcopy
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from nnlib.base.arrays import Floats
from nnlib.data.samples import Samples
from nnlib.network.evaluation import evaluate
from nnlib.network.optimizers import Optimizer, Params
from nnlib.network.two_layer_net import TwoLayerNet
from nnlib.training.averaging import WeightAverage
from nnlib.training.history import Epoch, Snapshot

SHOWN_EPOCHS = (0, 1, 4, 16)  # of which weights are kept: they change most early on
SHOWN_UNITS = 5  # hidden units whose weights are kept

NICENESS = 10  # of the thread that measures, so that the training goes first where cores are few


class Recorder:
    """Measures a network in the course of its training, after some of the epochs.

    It does so in a thread of its own, as a context manager: what fails there is raised by the next
    `record`, or at the end.

    Parameters
    ----------
    train_set, test_set : Samples
    rows, held_out : ndarray of int, optional
        The samples of the training set that it is trained on, all if left out; and those that are
        held out, if any are.
    epochs : iterable of int
        Those after which it is measured.
    iterations_per_epoch : int
        Updates of an epoch.
    on_epoch : callable
        Called with each measurement.

    Attributes
    ----------
    history : list of Epoch
    snapshots : list of Snapshot
        Of the first `SHOWN_UNITS` hidden units, after `SHOWN_EPOCHS`.
    """

    def __init__(
        self,
        train_set: Samples,
        test_set: Samples,
        *,
        rows: NDArray[np.integer] | None,
        held_out: NDArray[np.integer] | None,
        epochs: Iterable[int],
        iterations_per_epoch: int,
        on_epoch: Callable[[Epoch], None],
    ) -> None:
        self.train_set, self.test_set = train_set, test_set
        self.rows, self.held_out = rows, held_out
        self.iterations_per_epoch = iterations_per_epoch
        self.epochs = frozenset(epochs)
        self.on_epoch = on_epoch
        self.history: list[Epoch] = []
        self.snapshots: list[Snapshot] = []
        self._thread = ThreadPoolExecutor(max_workers=1, initializer=_lower_priority)
        self._measurement: Future[None] | None = None

    def __enter__(self) -> Self:
        """Measure from now on."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Wait for the last measurement."""
        self._thread.shutdown()
        if error is None:
            self._wait()

    def record(
        self,
        iteration: int,
        network: TwoLayerNet,
        optimizer: Optimizer | WeightAverage,
        steps: Params | None,
    ) -> None:
        """Measure the network after an update, if an epoch ends with it that is to be measured.

        Parameters
        ----------
        iteration : int
            Updates so far.
        network : TwoLayerNet
        optimizer : Optimizer or WeightAverage
        steps : dict of ndarray, optional
            What the last update subtracted from the parameters, beside what decayed; None before
            the first.
        """
        epoch, rest = divmod(iteration, self.iterations_per_epoch)
        if rest or epoch not in self.epochs:
            return
        self._wait()  # one at a time, so that copies of the network do not pile up
        seen = network.with_params(optimizer.averaged(network.params))
        step = None if steps is None else network.with_params(steps)
        self._measurement = self._thread.submit(
            self._measure, epoch, iteration, *deepcopy((seen, step))
        )

    def keep_weights(self, iteration: int, network: TwoLayerNet) -> None:
        """Keep the weights of a few units, unless those of that moment are kept already."""
        if not self.snapshots or self.snapshots[-1].iteration != iteration:
            W1 = network.params["W1"][:, :SHOWN_UNITS].copy()
            self.snapshots.append(Snapshot(iteration, W1))

    def _wait(self) -> None:
        if self._measurement:
            self._measurement.result()

    def _measure(
        self, epoch: int, iteration: int, network: TwoLayerNet, step: TwoLayerNet | None
    ) -> None:
        train = evaluate(network, self.train_set, self.rows)
        validation = None
        if self.held_out is not None:
            validation = evaluate(network, self.train_set, self.held_out)
        measured = Epoch(
            epoch,
            iteration,
            loss=train.loss,
            train_accuracy=train.accuracy,
            test_accuracy=evaluate(network, self.test_set).accuracy,
            saturated=train.saturated,
            update_ratio_W1=_update_ratio(network, step, "W1"),
            update_ratio_W2=_update_ratio(network, step, "W2"),
            validation_loss=validation and validation.loss,
            validation_accuracy=validation and validation.accuracy,
        )
        self.history.append(measured)
        self.on_epoch(measured)
        if epoch in SHOWN_EPOCHS:
            self.keep_weights(iteration, network)


def _update_ratio(network: TwoLayerNet, step: TwoLayerNet | None, key: str) -> float:
    """Norm of an update over that of the weights after it; 0 without an update, or with no weights.

    All weights are 0 if they are too small for float32, as an average of tiny ones may be.

    CS231n, "Ratio of weights:updates", https://cs231n.github.io/neural-networks-3/#ratio: it should
    be about 1e-3; if it is far lower, the learning rate may be too small, if higher, too large.
    """
    if step is None:
        return 0.0
    weights = _norm(network.params[key])
    return _norm(step.params[key]) / weights if weights else 0.0


def _norm(array: Floats) -> float:
    return math.sqrt(np.square(array, dtype=np.float64).sum())


def _lower_priority() -> None:
    """Lower the priority of this thread; outside Linux, a thread has none of its own."""
    if sys.platform == "linux":
        os.nice(NICENESS)
