"""The two-layer network: affine, sigmoid, affine, softmax."""

from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from nnlib.errors import ANEW, UserError
from nnlib.files import BROKEN_ARRAYS, whole_file
from nnlib.network.functions import (
    Floats,
    accuracy,
    class_indices,
    cross_entropy_error,
    sigmoid,
    softmax,
)
from nnlib.network.gradient import numerical_gradient


class TwoLayerNet:
    """The network of "Deep Learning from Scratch", chapters 4 and 5.

    N samples in a batch, D inputs, H hidden units, C classes.

    Parameters
    ----------
    input_size, hidden_size, output_size : int
        D, H and C.
    weight_init_std : float
        Standard deviation of the normal distribution of the initial weights; the biases begin at 0.
    rng : numpy.random.Generator, optional
        The source of the initial weights; one with the seed 0 if left out.
    dtype : dtype
        Of the parameters: float64 as in the notebook, or float32, which is faster.

    Attributes
    ----------
    params : dict of ndarray
        `W1` (D, H), `b1` (H,), `W2` (H, C), `b2` (C,).
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        output_size: int,
        weight_init_std: float = 0.01,
        *,
        rng: np.random.Generator | None = None,
        dtype: DTypeLike = np.float64,
    ) -> None:
        rng = rng or np.random.default_rng(0)
        self.params: dict[str, Floats] = {
            "W1": (weight_init_std * rng.standard_normal((input_size, hidden_size))).astype(dtype),
            "b1": np.zeros(hidden_size, dtype),
            "W2": (weight_init_std * rng.standard_normal((hidden_size, output_size))).astype(dtype),
            "b2": np.zeros(output_size, dtype),
        }

    def forward(self, x: ArrayLike) -> tuple[Floats, Floats]:
        """The hidden layer's activations and the probability of each class.

        Parameters
        ----------
        x : array_like of shape (N, D) or (D,)

        Returns
        -------
        z1 : ndarray of shape (N, H) or (H,)
        y : ndarray of shape (N, C) or (C,)
        """
        W1, b1 = self.params["W1"], self.params["b1"]
        W2, b2 = self.params["W2"], self.params["b2"]

        a1 = np.dot(x, W1) + b1  # (N, H)
        z1 = sigmoid(a1)  # (N, H)
        a2 = np.dot(z1, W2) + b2  # (N, C)
        y = softmax(a2)  # (N, C)
        return z1, y

    def predict(self, x: ArrayLike) -> Floats:
        """Probability of each class.

        Parameters
        ----------
        x : array_like of shape (N, D) or (D,)

        Returns
        -------
        ndarray of shape (N, C) or (C,)
        """
        return self.forward(x)[1]

    def loss(self, x: ArrayLike, t: ArrayLike) -> float:
        """Cross-entropy in nats, the mean over the batch.

        Parameters
        ----------
        x : array_like of shape (N, D)
        t : array_like of int of shape (N,), or one-hot of shape (N, C)
        """
        return cross_entropy_error(self.predict(x), t)

    def accuracy(self, x: ArrayLike, t: ArrayLike) -> float:
        """Share of the samples whose most probable class is their target, in [0, 1].

        Parameters
        ----------
        x : array_like of shape (N, D)
        t : array_like of int of shape (N,), or one-hot of shape (N, C)
        """
        return accuracy(self.predict(x), t)

    def gradient(self, x: ArrayLike, t: ArrayLike) -> dict[str, Floats]:
        """Gradient of the mean loss by backpropagation.

        Parameters
        ----------
        x : array_like of shape (N, D)
        t : array_like of int of shape (N,), or one-hot of shape (N, C)

        Returns
        -------
        dict of ndarray, with the keys and shapes of `params`
        """
        x = np.asarray(x)
        N = len(x)
        z1, y = self.forward(x)
        t = class_indices(t, y.shape)

        # The loss is -1/N sum_n log y[n, t_n] with y = softmax(a2), so its derivative by a2 is
        # (y - one_hot(t)) / N. It takes the place of y, which is not needed again.
        dy = y  # (N, C)
        dy[np.arange(N), t] -= 1
        dy /= N

        # a2 = z1 W2 + b2: the gradient of W2 is z1^T dy, that of b2 the sum over the batch
        dz1 = np.dot(dy, self.params["W2"].T)  # (N, H)
        # z1 = sigmoid(a1), whose derivative is z1 (1 - z1)
        da1 = z1 * (1 - z1) * dz1  # (N, H)
        return {
            "W1": np.dot(x.T, da1),  # (D, H)
            "b1": np.sum(da1, axis=0),  # (H,)
            "W2": np.dot(z1.T, dy),  # (H, C)
            "b2": np.sum(dy, axis=0),  # (C,)
        }

    def numerical_gradient(self, x: ArrayLike, t: ArrayLike) -> dict[str, Floats]:
        """Gradient of the mean loss by central differences, computed in float64.

        Two forward passes a parameter: for checking `gradient` on a few samples.

        Parameters and returns: as `gradient`.
        """
        network = TwoLayerNet.from_params(
            {key: value.astype(np.float64) for key, value in self.params.items()}
        )
        x = np.asarray(x, np.float64)
        return {
            key: numerical_gradient(lambda _: network.loss(x, t), value)
            for key, value in network.params.items()
        }

    @classmethod
    def from_params(cls, params: dict[str, Floats]) -> "TwoLayerNet":
        """Network with the given `params`, which it keeps and does not copy."""
        network = cls.__new__(cls)
        network.params = params
        return network

    def save(self, path: str | Path) -> None:
        """Write `params` to an uncompressed `.npz` file."""
        with whole_file(path) as part:
            np.savez(part, **self.params)  # type: ignore[arg-type]

    @classmethod
    def load(cls, path: str | Path) -> "TwoLayerNet":
        """Read a network that `save` wrote.

        Raises
        ------
        UserError
            If the file is no `.npz` of the four arrays, in matching shapes, of finite numbers.
        """
        try:
            with Path(path).open("rb") as file:
                arrays = np.load(file, allow_pickle=False)
                if not isinstance(arrays, np.lib.npyio.NpzFile):
                    raise UserError(f"{path} is no archive of arrays; {ANEW}")
                params = {key: arrays[key] for key in ("W1", "b1", "W2", "b2")}
        except KeyError as error:
            raise UserError(f"{path}: {error.args[0]}; {ANEW}") from error
        except BROKEN_ARRAYS as error:
            raise UserError(f"{path} is no saved network: {error}; {ANEW}") from error
        D, H, C = len(np.atleast_1d(params["W1"])), params["b1"].size, params["b2"].size
        for key, shape in {"W1": (D, H), "b1": (H,), "W2": (H, C), "b2": (C,)}.items():
            found = params[key]
            if found.shape != shape:
                raise UserError(f"{path}: {key} has the shape {found.shape}, not {shape}; {ANEW}")
            if not np.issubdtype(found.dtype, np.floating) or not np.isfinite(found).all():
                raise UserError(f"{path}: {key} holds what is no finite number; {ANEW}")
        return cls.from_params(params)
