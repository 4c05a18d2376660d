"""The training of some of a network's hidden units: its parts are trained side by side."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

import numpy as np

from nnlib.base.arrays import Floats
from nnlib.network.optimizers import Optimizer
from nnlib.network.two_layer_net import TwoLayerNet
from nnlib.training.averaging import WeightAverage
from nnlib.training.parts import split

# Hidden units of a part, on any machine, as it decides how sums are rounded. Its weights and what
# belongs to them are few enough for the CPU's cache, and many enough that threads, which wait for
# each other between the functions of NumPy, seldom do.
UNITS = 256


class PartTraining:
    """A part of a network, and what its updates need besides.

    Parts share nothing, so that each can have a thread.

    Parameters
    ----------
    part : TwoLayerNet
        It is trained in place.
    optimizer : Optimizer
        A copy is used.
    averaging : float
        As for `WeightAverage`.
    first_unit : int
        Which hidden unit of the network is the part's first. The first part of all trains b2.
    """

    def __init__(
        self, part: TwoLayerNet, optimizer: Optimizer, averaging: float, first_unit: int
    ) -> None:
        self.network = part
        self.optimizer = deepcopy(optimizer)
        self.average = WeightAverage(averaging)
        self.units = slice(first_unit, first_unit + len(part.params["b1"]))
        self.steps: dict[str, Floats] = {}  # of the last update
        self._received: tuple[Floats, float] | None = None
        self._dW1 = np.empty_like(part.params["W1"])  # (D, H)

    @np.errstate(over="ignore", invalid="ignore")  # divergence is raised, not warned of
    def forward(self, x: Floats, dropout_mask: Floats | None) -> Floats:
        """What the part adds to the logits, (N, C), of a batch; the mask is that of all units.

        The part is updated first, if it is to be. So threads meet once for each batch, not twice,
        and the weights are still in the CPU's cache when they are needed again.
        """
        self.update()
        self._x = x
        self._mask = None if dropout_mask is None else dropout_mask[:, self.units]
        self._z1 = self.network.hidden(x)  # (N, H)
        return self.network.logits(self._z1 if self._mask is None else self._z1 * self._mask)

    def receive(self, dy: Floats, learning_rate: float) -> None:
        """Take the gradient of the logits of all parts, (N, C), after `forward`, for `update`."""
        self._received = dy, learning_rate

    @np.errstate(over="ignore", invalid="ignore")
    def update(self) -> None:
        """Update the part from the gradient received, unless that is done."""
        if self._received is None:
            return
        dy, self.optimizer.learning_rate = self._received
        self._received = None
        self.steps = self.network.backward(
            self._x, self._z1, dy, dropout_mask=self._mask, out_W1=self._dW1
        )
        if self.units.start > 0:
            self.steps["b2"][:] = 0
        self.optimizer.update(self.network.params, self.steps)
        if self.average.decay:
            self.average.add(self.network.params)

    def averaged(self) -> TwoLayerNet:
        """The part with the average of its parameters, if one is kept and there were updates."""
        average = self.average
        return self.network.with_params(average.params()) if average.sums else self.network


def split_training(
    network: TwoLayerNet, optimizer: Optimizer, averaging: float
) -> list[PartTraining]:
    """The training of each part of a network; a network of one part is trained in place."""
    return [
        PartTraining(part, optimizer, averaging, number * UNITS)
        for number, part in enumerate(split(network, UNITS))
    ]


@contextmanager
def side_by_side(threads: int) -> Iterator[Callable[..., list[Any]]]:
    """What calls a function with each of several parts, in so many threads.

    It takes the function, a list of the parts, and what follows them at each call; it returns the
    results in the order of the parts. Each thread, of which this one is the first, has an equal
    share of the parts, as to hand them out one by one costs more than it balances.
    """

    def for_each(function: Callable[..., Any], parts: list[Any], *arguments: object) -> list[Any]:
        def work(thread: int) -> list[Any]:
            first, end = (len(parts) * number // threads for number in (thread, thread + 1))
            return [function(part, *arguments) for part in parts[first:end]]

        others = [pool.submit(work, thread) for thread in range(1, threads)]
        return work(0) + [result for other in others for result in other.result()]

    with ThreadPoolExecutor(threads) as pool:
        yield for_each
