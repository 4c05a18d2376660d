"""The gradient by central differences: slow, and independent of backpropagation."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray


def numerical_gradient(f: Callable[[NDArray[Any]], float], x: NDArray[Any]) -> NDArray[Any]:
    """Gradient of `f` at `x` by central differences, (f(x + h) - f(x - h)) / 2h for each element.

    The error is of order h**2.

    Parameters
    ----------
    f : callable
        A function of an array of the shape of `x`.
    x : ndarray of float64 of any shape
        Changed in place while `f` is called, and restored.

    Returns
    -------
    ndarray of the shape of `x`

    Raises
    ------
    TypeError
        If `x` is anything else: in integers, h would be 0, and in float32 mostly rounding.
    """
    if np.asarray(x) is not x or x.dtype != np.float64:
        found = f"{type(x).__name__} of {np.asarray(x).dtype}"
        raise TypeError(f"x must be an ndarray of float64, not {found}")
    h = 1e-4
    grad = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        value = x[index]
        x[index] = value + h
        above = f(x)
        x[index] = value - h
        below = f(x)
        x[index] = value
        grad[index] = (above - below) / (2 * h)
    return grad
