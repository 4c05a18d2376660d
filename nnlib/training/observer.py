"""Observation of a network during its training."""

import os
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

from nnlib.base.arrays import Floats
from nnlib.network.two_layer_net import TwoLayerNet

OnEpoch = Callable[[int, int, TwoLayerNet, dict[str, Floats]], Any]

NICENESS = 10  # of the observing thread, so that the training goes before it where cores are few


@contextmanager
def observer(look: OnEpoch) -> Iterator[OnEpoch]:
    """Give a function that calls `look` in a separate thread, while the training goes on.

    `look` gets copies of the network and of the update as they were at the call. What `look` raises
    is raised at the next call, or at the end.

    Parameters
    ----------
    look : callable
        Takes the number of epochs and of updates so far, the network, and its last update, as
        `nnlib.training.fit.train` gives them.
    """
    with ThreadPoolExecutor(max_workers=1, initializer=_stand_back) as thread:
        looks: list[Future[Any]] = []

        def show(
            epoch: int, iteration: int, network: TwoLayerNet, steps: dict[str, Floats]
        ) -> None:
            if looks:
                looks.pop().result()  # so there are at most two copies
            looks.append(thread.submit(look, epoch, iteration, *deepcopy((network, steps))))

        yield show
        for last in looks:
            last.result()


def _stand_back() -> None:
    """Lower the priority of this thread; outside Linux, a thread has none of its own."""
    if sys.platform == "linux":
        os.nice(NICENESS)
