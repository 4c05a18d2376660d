"""The two-layer network: affine, activation, affine, softmax."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from nnlib.base.arrays import Floats
from nnlib.base.checks import as_floats
from nnlib.base.errors import UserError
from nnlib.data.encoding import Encoding
from nnlib.network.functions import (
    ACTIVATIONS,
    accuracy,
    softmax,
    softmax_with_loss,
    softmax_with_losses,
)
from nnlib.network.gradient import numerical_gradient
from nnlib.network.initialization import WeightInit, weight_std
from nnlib.network.model_file import Model, read_model, write_model


class TwoLayerNet:
    """The network of "Deep Learning from Scratch", chapters 4 and 5.

    N samples in a batch, D inputs, H hidden units, C classes. Where its methods take inputs `x` or
    targets `t`, they raise a TypeError or a ValueError that names those of another type or shape,
    and targets that are no class.

    Parameters
    ----------
    input_size, hidden_size, output_size : int
        D, H and C.
    weight_init : float or str
        Standard deviation of the normal distribution of the initial weights, or the rule for it,
        "xavier" or "he": see `weight_std`. The biases begin at 0.
    activation : str
        Name of the hidden units' activation, a key of `nnlib.network.functions.ACTIVATIONS`.
    encoding : Encoding, optional
        What its inputs and outputs stand for; needed to save the network.
    rng : numpy.random.Generator, optional
        The source of the initial weights; a generator with the seed 0 if left out.
    dtype : dtype
        Of the parameters: float64 as in the notebook, or float32, which is faster.

    Raises
    ------
    TypeError
        If `dtype` is another one: as integers, the initial weights would all be 0.

    Attributes
    ----------
    params : dict of ndarray
        `W1` (D, H), `b1` (H,), `W2` (H, C), `b2` (C,).
    activation : str
    encoding : Encoding or None
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        output_size: int,
        weight_init: WeightInit = 0.01,
        *,
        activation: str = "sigmoid",
        encoding: Encoding | None = None,
        rng: np.random.Generator | None = None,
        dtype: DTypeLike = np.float64,
    ) -> None:
        if np.dtype(dtype) not in {np.dtype(np.float32), np.dtype(np.float64)}:
            raise TypeError(f"dtype must be float32 or float64, not {np.dtype(dtype)}")
        self.activation = activation
        self.encoding = encoding
        rng = rng or np.random.default_rng(0)
        std_W1 = weight_std(weight_init, input_size, hidden_size)
        std_W2 = weight_std(weight_init, hidden_size, output_size)
        self.params: dict[str, Floats] = {
            "W1": (std_W1 * rng.standard_normal((input_size, hidden_size))).astype(dtype),
            "b1": np.zeros(hidden_size, dtype),
            "W2": (std_W2 * rng.standard_normal((hidden_size, output_size))).astype(dtype),
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
        z1 = self.hidden(x)
        return z1, softmax(self.logits(z1))

    def hidden(self, x: ArrayLike) -> Floats:
        """The hidden layer's activations.

        Parameters
        ----------
        x : array_like of shape (N, D) or (D,)

        Returns
        -------
        ndarray of shape (N, H) or (H,)
        """
        W1, b1 = self.params["W1"], self.params["b1"]
        x = as_floats(x, "x")
        if x.ndim not in {1, 2} or x.shape[-1] != len(W1):
            D = len(W1)
            raise ValueError(f"x must have the shape (N, {D}) or ({D},), not {x.shape}")
        a1 = np.dot(x, W1) + b1  # (N, H)
        return ACTIVATIONS[self.activation].function(a1)  # z1 (N, H)

    def logits(self, z1: Floats) -> Floats:
        """What the softmax turns into probabilities.

        Parameters
        ----------
        z1 : ndarray of shape (N, H) or (H,)

        Returns
        -------
        ndarray of shape (N, C) or (C,)
        """
        W2, b2 = self.params["W2"], self.params["b2"]
        return np.dot(z1, W2) + b2  # a2 (N, C)

    def predict(self, x: ArrayLike) -> Floats:
        """Probability of each class.

        Parameters
        ----------
        x : array_like of shape (N, D) or (D,)

        Returns
        -------
        ndarray of shape (N, C) or (C,); NaN for a sample that holds NaN
        """
        return self.forward(x)[1]

    def _batch(self, x: ArrayLike) -> Floats:
        """Inputs that must be those of one sample or more, not one sample alone."""
        x = as_floats(x, "x")
        if x.ndim != 2 or len(x) == 0:
            D = len(self.params["W1"])
            raise ValueError(f"x must be a batch, of shape (N, {D}) with N >= 1, not {x.shape}")
        return x

    def _logits_of_batch(self, x: ArrayLike) -> Floats:
        a2 = self.logits(self.hidden(self._batch(x)))  # (N, C)
        if not np.isfinite(a2).all():
            raise ValueError("no prediction for x: it or the network is not finite, or too large")
        return a2

    def loss(self, x: ArrayLike, t: ArrayLike) -> float:
        """Cross-entropy in nats, the mean over the batch.

        Parameters
        ----------
        x : array_like of shape (N, D)
        t : array_like of int of shape (N,), or one-hot of shape (N, C)

        Raises
        ------
        ValueError
            If the batch is empty, or the predictions are not finite.
        """
        _, losses = softmax_with_losses(self._logits_of_batch(x), t)
        return float(losses.mean(dtype=np.float64))

    def accuracy(self, x: ArrayLike, t: ArrayLike) -> float:
        """Share of the samples whose most probable class is their target, in [0, 1].

        Parameters
        ----------
        x : array_like of shape (N, D)
        t : array_like of int of shape (N,), or one-hot of shape (N, C)

        Raises
        ------
        ValueError
            As for `loss`.
        """
        return accuracy(softmax(self._logits_of_batch(x)), t)

    def loss_and_gradient(
        self,
        x: ArrayLike,
        t: ArrayLike,
        *,
        scale: float = 1.0,
        label_smoothing: float = 0.0,
        weights: Floats | None = None,
        dropout_mask: Floats | None = None,
    ) -> tuple[float, dict[str, Floats]]:
        """Mean loss, and its gradient by backpropagation, from one forward and one backward pass.

        Parameters
        ----------
        x : array_like of shape (N, D)
        t : array_like of int of shape (N,), or one-hot of shape (N, C)
        scale, label_smoothing : float
        weights : ndarray of shape (N,), optional
            As for `nnlib.network.functions.softmax_with_loss`.
        dropout_mask : ndarray of shape (N, H), optional
            What the activations are multiplied by: see `nnlib.training.dropout`.

        Returns
        -------
        loss : float
            Cross-entropy in nats, the mean over the batch, neither scaled, smoothed nor weighted.
        grads : dict of ndarray, with the keys and shapes of `params`

        Raises
        ------
        ValueError
            If the batch is empty; where the predictions are not finite, the loss is not either.
        """
        x = self._batch(x)
        z1 = self.hidden(x)  # (N, H)
        kept = z1 if dropout_mask is None else z1 * dropout_mask  # (N, H)
        loss, dy = softmax_with_loss(
            self.logits(kept), t, scale=scale, label_smoothing=label_smoothing, weights=weights
        )
        return loss, self.backward(x, z1, dy, dropout_mask=dropout_mask)

    def backward(
        self,
        x: Floats,
        z1: Floats,
        dy: Floats,
        *,
        dropout_mask: Floats | None = None,
    ) -> dict[str, Floats]:
        """Gradients of the parameters, from that of the logits.

        Parameters
        ----------
        x : ndarray of shape (N, D)
        z1 : ndarray of shape (N, H)
            What `hidden` gives for `x`.
        dy : ndarray of shape (N, C)
            As `nnlib.network.functions.softmax_with_loss` gives it.
        dropout_mask : ndarray of shape (N, H), optional
            As for `loss_and_gradient`.

        Returns
        -------
        dict of ndarray, with the keys and shapes of `params`
        """
        kept = z1 if dropout_mask is None else z1 * dropout_mask  # (N, H)
        # a2 = z1 W2 + b2: the gradient of W2 is z1^T dy, that of b2 is the sum of dy over the batch
        dz1 = np.dot(dy, self.params["W2"].T)  # (N, H)
        if dropout_mask is not None:
            dz1 *= dropout_mask
        da1 = ACTIVATIONS[self.activation].derivative(z1) * dz1  # (N, H)
        return {
            "W1": np.dot(x.T, da1),  # (D, H)
            "b1": np.sum(da1, axis=0),  # (H,)
            "W2": np.dot(kept.T, dy),  # (H, C)
            "b2": np.sum(dy, axis=0),  # (C,)
        }

    def gradient(self, x: ArrayLike, t: ArrayLike) -> dict[str, Floats]:
        """Gradient of the mean loss by backpropagation: that of `loss_and_gradient`."""
        return self.loss_and_gradient(x, t)[1]

    def numerical_gradient(self, x: ArrayLike, t: ArrayLike) -> dict[str, Floats]:
        """As `gradient`, by central differences and in float64.

        It takes two forward passes per parameter: for checking `gradient` on a few samples.
        """
        network = self.with_params(
            {key: value.astype(np.float64) for key, value in self.params.items()}
        )
        x = as_floats(x, "x").astype(np.float64, copy=False)
        return {
            key: numerical_gradient(lambda _: network.loss(x, t), value)
            for key, value in network.params.items()
        }

    @classmethod
    def from_params(
        cls,
        params: dict[str, Floats],
        *,
        activation: str = "sigmoid",
        encoding: Encoding | None = None,
    ) -> "TwoLayerNet":
        """Network with the given `params`, which are kept, not copied."""
        network = cls.__new__(cls)
        network.params = params
        network.activation = activation
        network.encoding = encoding
        return network

    def with_params(self, params: dict[str, Floats]) -> "TwoLayerNet":
        """Network with other `params`, which are kept, not copied, but otherwise like this one."""
        return TwoLayerNet.from_params(params, activation=self.activation, encoding=self.encoding)

    def given_encoding(self) -> Encoding:
        """The encoding, where it is needed.

        Raises
        ------
        ValueError
            If there is none.
        """
        if self.encoding is None:
            raise ValueError("network has no encoding, which says what its inputs stand for")
        return self.encoding

    def save(self, path: str | Path) -> None:
        """Write the network, with all that is needed to use it, to an uncompressed `.npz` file.

        The file holds `W1`, `b1`, `W2`, `b2`, the name of the `activation`, and the `scaling`,
        `pixel_mean`, `pixel_std` and `class_names` of the `encoding`.

        Raises
        ------
        ValueError
            If the network has no `encoding`.
        """
        write_model(path, Model(self.params, self.activation, self.given_encoding()))

    @classmethod
    def load(
        cls,
        path: str | Path,
        *,
        input_size: int | None = None,
        class_names: Sequence[str] | None = None,
        encoding: Encoding | None = None,
    ) -> "TwoLayerNet":
        """Read a network that `save` wrote.

        Parameters
        ----------
        path : str or Path
        input_size : int, optional
            D that the network must have.
        class_names : sequence of str, optional
            Names of the classes that it must tell apart.
        encoding : Encoding, optional
            What its inputs and outputs must stand for.

        Raises
        ------
        UserError
            If the file is not an `.npz` with all that `save` writes, in matching shapes and finite
            numbers, or the network is for other inputs or classes.
        """
        params, activation, own = read_model(path)
        network = cls.from_params(params, activation=activation, encoding=own)
        for what, found, expected in (
            ("inputs", len(params["W1"]), input_size),
            ("classes", ", ".join(own.class_names), class_names and ", ".join(class_names)),
            ("encoding", str(own), encoding and str(encoding)),
        ):
            if expected not in (None, found):
                raise UserError(
                    f"{path}: the network has the {what} {found}, the data {expected}", file=path
                )
        return network
