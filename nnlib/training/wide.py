"""The training of wide networks: parts of their hidden units, side by side on several threads.

`WideNet` and `WideOptimizer` have the calls of `TwoLayerNet` and `Optimizer` that the loop makes. A
reader who trains up to `UNITS` hidden units needs none of this.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from copy import deepcopy
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from nnlib.base.arrays import Floats
from nnlib.network.functions import softmax_with_loss
from nnlib.network.optimizers import Optimizer, Params
from nnlib.network.two_layer_net import TwoLayerNet
from nnlib.training.averaging import WeightAverage
from nnlib.training.parts import join, split

# Hidden units of a part, on any machine, as it decides how sums are rounded. Its weights and what
# belongs to them are few enough for the CPU's cache, and many enough that threads, which wait for
# each other between the functions of NumPy, seldom do.
UNITS = 256

ForEach = Callable[..., list[Any]]  # as `side_by_side` gives it


class WideNet:
    """A network as several parts, which have their forward and backward passes side by side.

    Parameters
    ----------
    network : TwoLayerNet
        What is trained are copies of its parts.
    for_each : callable

    Attributes
    ----------
    params : list of dict of ndarray
        Those of each part. The first part has the biases b2 of the network, the others zeros.
    """

    def __init__(self, network: TwoLayerNet, for_each: ForEach) -> None:
        self.parts = split(network, UNITS)
        self.params = [part.params for part in self.parts]
        self.for_each = for_each

    def loss_and_gradient(
        self,
        x: Floats,
        t: ArrayLike,
        *,
        scale: float = 1.0,
        label_smoothing: float = 0.0,
        weights: Floats | None = None,
        dropout_mask: Floats | None = None,
    ) -> tuple[float, list[Params]]:
        """As `TwoLayerNet.loss_and_gradient`, with the gradient of each part."""
        masks: Sequence[Floats | None] = [None] * len(self.parts)
        if dropout_mask is not None:
            masks = np.split(dropout_mask, range(UNITS, dropout_mask.shape[1], UNITS), axis=1)
        z1, logits = zip(*self.for_each(partial(_forward, x), self.parts, masks), strict=True)
        # In the order of the parts, whichever is ready first: the order decides the rounding.
        a2, *others = logits
        for other in others:
            a2 += other
        loss, dy = softmax_with_loss(
            a2, t, scale=scale, label_smoothing=label_smoothing, weights=weights
        )
        grads = self.for_each(partial(_backward, x, dy), self.parts, z1, masks)
        for of_part in grads[1:]:  # as the first part alone has biases b2 to train
            of_part["b2"][:] = 0
        return loss, grads

    def with_params(self, params: Sequence[Params]) -> TwoLayerNet:
        """The network whose parts have other parameters; a copy if there are several parts."""
        return join([part.with_params(p) for part, p in zip(self.parts, params, strict=True)])


class WideOptimizer:
    """An optimizer for each part of a `WideNet`, which make their steps side by side.

    Parameters
    ----------
    optimizer : Optimizer or WeightAverage
        One that was not used yet; each part has a copy.
    parts : int
    for_each : callable
    """

    def __init__(self, optimizer: Optimizer | WeightAverage, parts: int, for_each: ForEach) -> None:
        self.optimizers = [deepcopy(optimizer) for _ in range(parts)]
        self.is_linear = optimizer.is_linear
        self.for_each = for_each

    def step(
        self,
        params: Sequence[Params],
        grads: Sequence[Params],
        rate: float,
        *,
        scale: float = 1.0,
    ) -> list[Params]:
        """As `Optimizer.step`, for each part."""
        step = partial(_step, rate=rate, scale=scale)
        return self.for_each(step, self.optimizers, params, grads)

    def averaged(self, params: Sequence[Params]) -> list[Params]:
        """As `Optimizer.averaged`, for each part."""
        return [each.averaged(p) for each, p in zip(self.optimizers, params, strict=True)]


# Divergence is raised by the loop, not warned of; each thread has this setting for itself.
quiet = np.errstate(over="ignore", invalid="ignore")


@quiet
def _forward(x: Floats, part: TwoLayerNet, mask: Floats | None) -> tuple[Floats, Floats]:
    """The hidden layer's activations of a part, and what it adds to the logits."""
    z1 = part.hidden(x)
    return z1, part.logits(z1 if mask is None else z1 * mask)


@quiet
def _backward(x: Floats, dy: Floats, part: TwoLayerNet, z1: Floats, mask: Floats | None) -> Params:
    """The gradient of a part."""
    return part.backward(x, z1, dy, dropout_mask=mask)


@quiet
def _step(
    optimizer: Optimizer | WeightAverage,
    params: Params,
    grads: Params,
    *,
    rate: float,
    scale: float,
) -> Params:
    return optimizer.step(params, grads, rate, scale=scale)


@contextmanager
def side_by_side(threads: int) -> Iterator[ForEach]:
    """A function that calls another one for each of several parts, on several threads.

    It takes that function and lists of its arguments, with an element for each part, and returns
    the results in the order of the parts. Each thread, of which this one is the first, has an equal
    share of the parts: to hand them out one by one would cost more than it saves.
    """

    def for_each(function: Callable[..., Any], *lists: Sequence[Any]) -> list[Any]:
        of_parts = list(zip(*lists, strict=True))

        def work(thread: int) -> list[Any]:
            first, end = (len(of_parts) * number // threads for number in (thread, thread + 1))
            return [function(*arguments) for arguments in of_parts[first:end]]

        others = [pool.submit(work, thread) for thread in range(1, threads)]
        return work(0) + [result for other in others for result in other.result()]

    with ThreadPoolExecutor(threads) as pool:
        yield for_each


@contextmanager
def in_parts(
    network: TwoLayerNet, optimizer: Optimizer | WeightAverage, threads: int
) -> Iterator[tuple[Any, Any]]:
    """The network and optimizer that the loop gets: these or, if the network is wide, its parts.

    They have no common type, as parameters and gradients of parts come in lists; the loop only
    passes them on.
    """
    H = len(network.params["b1"])
    if H <= UNITS:
        yield network, optimizer
        return
    parts = -(-H // UNITS)
    with side_by_side(min(threads, parts)) as for_each:
        yield WideNet(network, for_each), WideOptimizer(optimizer, parts, for_each)
