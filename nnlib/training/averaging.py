"""The average of a network's weights over its last updates."""

import numpy as np

from nnlib.base.arrays import Floats
from nnlib.network.optimizers import Optimizer, Params


class WeightAverage:
    """An optimizer that keeps an exponential moving average (EMA) of the parameters it changes.

    The average varies less than the parameters, which the last few batches push about: Polyak and
    Juditsky, "Acceleration of stochastic approximation by averaging" (1992). It is corrected for
    beginning at 0; the exponential form and its correction are those of Kingma and Ba, "Adam"
    (2015), section 7.2, https://arxiv.org/abs/1412.6980.

    Parameters
    ----------
    optimizer : Optimizer
        What makes the steps.
    decay : float
        In (0, 1): each update counts `decay` times as much as the next one.
    """

    def __init__(self, optimizer: Optimizer, decay: float) -> None:
        self.optimizer = optimizer
        self.is_linear = optimizer.is_linear
        self.decay = decay
        self.weight = 0.0  # of all updates so far, 1 in the end
        self.sums: dict[str, Floats] = {}

    def step(self, params: Params, grads: Params, rate: float, *, scale: float = 1.0) -> Params:
        """As `Optimizer.step`; what comes out is averaged too."""
        steps = self.optimizer.step(params, grads, rate, scale=scale)
        self.weight = self.decay * self.weight + (1 - self.decay)
        for key, param in params.items():
            if key not in self.sums:
                self.sums[key] = np.zeros_like(param)
            # sum = decay * sum + (1 - decay) * param
            change = param - self.sums[key]
            change *= 1 - self.decay
            self.sums[key] += change
        return steps

    def averaged(self, params: Params) -> Params:
        """The averages; the parameters themselves before the first update."""
        if not self.sums:
            return params
        return {key: value / self.weight for key, value in self.sums.items()}
