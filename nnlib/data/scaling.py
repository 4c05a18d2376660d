"""Scaling of the pixels, fitted on the training images and applied to both sets."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class PixelStatistics(NamedTuple):
    """Mean and standard deviation over all pixels of all images, for pixels in [0, 1]."""

    mean: float
    std: float


def pixel_statistics(images: Iterable[NDArray[np.uint8]]) -> PixelStatistics:
    """Mean and standard deviation (of the population) of the pixels, as shares of full ink.

    The sums are of whole numbers, and so exact.

    Parameters
    ----------
    images : iterable of ndarray of uint8 of any shape
        All images, in blocks.
    """
    size = total = total_of_squares = 0
    for block in images:
        size += block.size
        total += int(block.sum(dtype=np.int64))
        total_of_squares += int(np.square(block, dtype=np.uint16).sum(dtype=np.int64))
    mean = total / size
    variance = total_of_squares / size - mean**2
    return PixelStatistics(mean / 255, variance**0.5 / 255)


def scaling(
    name: str, statistics: PixelStatistics
) -> Callable[[NDArray[np.uint8]], NDArray[np.float32]]:
    """The scaling that `normalize.scaling` names, "unit" or "standard", fitted to a training set.

    Parameters
    ----------
    name : str
    statistics : PixelStatistics
        Of the training images.
    """
    return scale_unit if name == "unit" else partial(scale_standard, statistics=statistics)


def scale_unit(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Pixels as float32 in [0, 1], the notebook's scaling.

    Parameters
    ----------
    images : ndarray of uint8 of shape (N, ...)

    Returns
    -------
    ndarray of float32 of shape (N, D), an image a row
    """
    return np.divide(images.reshape(len(images), -1), 255, dtype=np.float32)


def scale_standard(images: NDArray[np.uint8], statistics: PixelStatistics) -> NDArray[np.float32]:
    """Pixels as float32 with the mean and standard deviation of `statistics` taken out.

    Parameters
    ----------
    images : ndarray of uint8 of shape (N, ...)
    statistics : PixelStatistics
        Of the training images, for the test images too.

    Returns
    -------
    ndarray of float32 of shape (N, D), an image a row
    """
    # the 256 possible values, once, in float64
    table = (np.arange(256) / 255 - statistics.mean) / statistics.std
    return table.astype(np.float32)[images.reshape(len(images), -1)]
