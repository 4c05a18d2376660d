"""A look at a network beside its training."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

from nnlib.network.two_layer_net import TwoLayerNet

OnEpoch = Callable[[int, int, TwoLayerNet], Any]


@contextmanager
def observer(look: OnEpoch) -> Iterator[OnEpoch]:
    """Give a function that calls `look` in a thread of its own, while the training goes on.

    The network goes to `look` as a copy, so that it is as it was then. What `look` raises is raised
    at the next call, or at the end.

    Parameters
    ----------
    look : callable
        Takes the number of epochs and of updates so far, and the network.
    """
    with ThreadPoolExecutor(max_workers=1) as thread:
        looks: list[Future[Any]] = []

        def show(epoch: int, iteration: int, network: TwoLayerNet) -> None:
            if looks:
                looks.pop().result()  # of copies there are two at most
            looks.append(thread.submit(look, epoch, iteration, deepcopy(network)))

        yield show
        for last in looks:
            last.result()
