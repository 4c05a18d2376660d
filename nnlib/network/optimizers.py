"""How the gradients change the parameters."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from nnlib.arrays import Floats


@dataclass
class SGD:
    """Plain stochastic gradient descent: params -= learning_rate * gradient.

    The gradient of learning_rate times the loss is the step itself. Asking for it, by
    `gradient_scale`, costs nothing. Multiplying the gradient of W1 (D, H), the largest array of
    all, would take a pass over memory at each update.

    Parameters
    ----------
    learning_rate : float
    """

    learning_rate: float

    @property
    def gradient_scale(self) -> float:
        """What the loss must be multiplied by before its gradient is taken."""
        return self.learning_rate

    def update(self, params: Mapping[str, Floats], grads: Mapping[str, Floats]) -> None:
        """Change the parameters in place.

        Parameters
        ----------
        params : mapping of str to ndarray
        grads : mapping of str to ndarray
            Gradients of `gradient_scale` times the loss, with the keys and shapes of `params`.
        """
        for key, step in grads.items():
            np.subtract(params[key], step, out=params[key])
