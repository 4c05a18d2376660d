"""Observation of a network during its training."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

from nnlib.network.two_layer_net import TwoLayerNet

OnEpoch = Callable[[int, int, TwoLayerNet], Any]


@contextmanager
def observer(look: OnEpoch) -> Iterator[OnEpoch]:
    """Give a function that calls `look` in a separate thread, while the training goes on.

    `look` gets a copy of the network as it was at the call. What `look` raises is raised at the
    next call, or at the end.

    Parameters
    ----------
    look : callable
        Takes the number of epochs and of updates so far, and the network.
    """
    with ThreadPoolExecutor(max_workers=1) as thread:
        looks: list[Future[Any]] = []

        def show(epoch: int, iteration: int, network: TwoLayerNet) -> None:
            if looks:
                looks.pop().result()  # so there are at most two copies
            looks.append(thread.submit(look, epoch, iteration, deepcopy(network)))

        yield show
        for last in looks:
            last.result()
