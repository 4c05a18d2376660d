"""One update of stochastic gradient descent, made fast."""

import numpy as np
from numpy.typing import NDArray

from nnlib.network.functions import Floats, cross_entropy_error
from nnlib.network.two_layer_net import TwoLayerNet


class SGD:
    """Plain stochastic gradient descent.

    An update is params -= learning_rate * gradient, in the lines of `TwoLayerNet.gradient`, with
    three savings:

    - The loss comes from the same forward pass.
    - Each gradient is a product or a sum of dy (N, C), the smallest array of all, and so linear in
      it: learning_rate * dy gives the steps themselves, and no gradient need be multiplied.
    - The step of W1 (D, H), the largest array, is written over the one before: fresh memory would
      cost more than the arithmetic on it.

    Parameters
    ----------
    network : TwoLayerNet
        Changed in place.
    learning_rate : float
    """

    def __init__(self, network: TwoLayerNet, learning_rate: float) -> None:
        self.network = network
        self.learning_rate = learning_rate
        self.dW1 = np.empty_like(network.params["W1"])  # (D, H)

    def update(self, x: Floats, t: NDArray[np.integer]) -> float:
        """Update the network from a batch.

        Parameters
        ----------
        x : ndarray of shape (N, D), of the network's dtype
        t : ndarray of int of shape (N,)

        Returns
        -------
        float, the mean loss of the batch in nats, before the update
        """
        params = self.network.params
        N = len(x)
        z1, y = self.network.forward(x)  # (N, H), (N, C)
        loss = cross_entropy_error(y, t)

        dy = y  # (N, C)
        dy[np.arange(N), t] -= 1
        dy *= self.learning_rate / N
        dz1 = np.dot(dy, params["W2"].T)  # (N, H)
        da1 = z1 * (1 - z1) * dz1  # (N, H)
        params["W1"] -= np.dot(x.T, da1, out=self.dW1)
        params["b1"] -= da1.sum(axis=0)
        params["W2"] -= np.dot(z1.T, dy)
        params["b2"] -= dy.sum(axis=0)
        return loss
