"""Scaling of the pixels, fitted to the training images and applied to both sets."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nnlib.encoding import Encoding, Scaling
from nnlib.errors import UserError


class PixelStatistics(NamedTuple):
    """Mean and standard deviation over all pixels of all images, for pixels in [0, 1]."""

    mean: float
    std: float


def pixel_statistics(images: Iterable[NDArray[np.uint8]]) -> PixelStatistics:
    """Mean and standard deviation (of the population) of the pixels, as shares of full ink.

    The sums are over integers, and so exact.

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
    variance = (size * total_of_squares - total**2) / size**2
    return PixelStatistics(total / size / 255, variance**0.5 / 255)


def fit_encoding(
    scaling: Scaling, statistics: PixelStatistics, class_names: Sequence[str]
) -> Encoding:
    """The encoding of a data set under the scaling that `normalize.scaling` names.

    Parameters
    ----------
    scaling : str
        "unit" leaves pixels in [0, 1], as in the notebook; "standard" gives those of the training
        images zero mean and unit variance.
    statistics : PixelStatistics
        Of the training images.
    class_names : sequence of str

    Raises
    ------
    UserError
        If the pixels are all alike, so that they have no variance to scale.
    """
    if scaling == "standard" and statistics.std == 0:
        raise UserError(
            "normalize.scaling cannot be standard, as all pixels of the training images are alike; "
            "unit takes them"
        )
    mean, std = statistics if scaling == "standard" else (0.0, 1.0)
    return Encoding(scaling=scaling, pixel_mean=mean, pixel_std=std, class_names=tuple(class_names))
