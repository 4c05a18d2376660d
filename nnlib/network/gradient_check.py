"""The check of backpropagation by central differences, before a network is trained."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from nnlib.base.arrays import Floats
from nnlib.data.samples import Samples
from nnlib.network.gradient import numerical_gradient
from nnlib.network.two_layer_net import TwoLayerNet

MOST_ENTRIES = 100  # of each parameter; each takes two forward passes
BATCH = 10  # samples


class ParameterCheck(BaseModel):
    """How far the two gradients of some entries of a parameter are apart."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    entries: int = Field(ge=1)  # how many are compared
    largest_gradient: float = Field(ge=0)  # by backpropagation; this and what follows as sizes
    largest_difference: float = Field(ge=0)
    largest_relative_error: float = Field(ge=0, le=2)


class GradientCheck(BaseModel):
    """The check of each parameter of a `TwoLayerNet`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    W1: ParameterCheck
    b1: ParameterCheck
    W2: ParameterCheck
    b2: ParameterCheck


def check_gradient(network: TwoLayerNet, samples: Samples) -> GradientCheck:
    """Compare backpropagation with central differences, in float64, on the first `BATCH` samples.

    The relative error of two numbers is the size of their difference over the larger of their
    sizes, and 0 if both are 0: CS231n, "Gradient checks",
    https://cs231n.github.io/neural-networks-3/#gradcheck. Where the gradient is near 0, it is
    mostly the rounding of the loss.

    Parameters
    ----------
    network : TwoLayerNet
    samples : Samples
        At least one.

    Returns
    -------
    GradientCheck, of up to `MOST_ENTRIES` entries of each parameter, drawn at random

    Raises
    ------
    TypeError, ValueError
        As for `TwoLayerNet.loss`.
    """
    exact = network.with_params(
        {key: param.astype(np.float64) for key, param in network.params.items()}
    )
    x, t = samples.x[:BATCH].astype(np.float64), samples.t[:BATCH]
    grads = exact.gradient(x, t)
    rng = np.random.default_rng(0)
    checks = {}
    for key, param in exact.params.items():
        chosen = rng.choice(param.size, min(param.size, MOST_ENTRIES), replace=False)
        numerical = _numerical_gradient_of(param, chosen, lambda: exact.loss(x, t))
        found = grads[key].flat[chosen]
        difference = np.abs(found - numerical)
        size = np.maximum(np.abs(found), np.abs(numerical))
        relative = np.divide(difference, size, out=np.zeros_like(size), where=size > 0)
        checks[key] = ParameterCheck(
            entries=len(chosen),
            largest_gradient=np.abs(found).max(),
            largest_difference=difference.max(),
            largest_relative_error=relative.max(),
        )
    return GradientCheck(**checks)


def _numerical_gradient_of(
    param: Floats, chosen: NDArray[np.integer], loss: Callable[[], float]
) -> Floats:
    """Gradient of the loss by some entries of a parameter, which it depends on."""

    def loss_with(entries: Floats) -> float:
        param.flat[chosen] = entries
        return loss()

    entries = param.flat[chosen]
    gradient = numerical_gradient(loss_with, entries)
    param.flat[chosen] = entries
    return gradient
