"""The average of a network's weights over its last updates."""

from collections.abc import Mapping

import numpy as np

from nnlib.base.arrays import Floats


class WeightAverage:
    """Exponential moving average of the parameters, corrected for beginning at 0.

    It varies less than the parameters, which the last few batches push about: Polyak and Juditsky,
    "Acceleration of stochastic approximation by averaging" (1992); the exponential form and its
    correction are those of Kingma and Ba, "Adam" (2015), section 7.2,
    https://arxiv.org/abs/1412.6980.

    Parameters
    ----------
    decay : float
        In [0, 1): each update counts `decay` times as much as the next one. With 0, the average is
        the parameters themselves.
    """

    def __init__(self, decay: float) -> None:
        self.decay = decay
        self.weight = 0.0  # of all updates so far, 1 in the end
        self.sums: dict[str, Floats] = {}

    def add(self, params: Mapping[str, Floats]) -> None:
        """Count the parameters after an update."""
        self.weight = self.decay * self.weight + (1 - self.decay)
        for key, param in params.items():
            if key not in self.sums:
                self.sums[key] = np.zeros_like(param)
            # sum = decay * sum + (1 - decay) * param
            change = param - self.sums[key]
            change *= 1 - self.decay
            self.sums[key] += change

    def params(self) -> dict[str, Floats]:
        """The averages, with the keys and shapes of the parameters; needs at least one update."""
        return {key: value / self.weight for key, value in self.sums.items()}
