"""What a network's inputs and outputs stand for; the scaling of the pixels."""

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from nnlib.base.arrays import Floats
from nnlib.base.errors import UserError

Scaling = Literal["unit", "standard"]


class Encoding(BaseModel):
    """How images become inputs, and which class each output is: needed to use a network.

    Attributes
    ----------
    scaling : str
        The name of the scaling, "unit" or "standard".
    pixel_mean, pixel_std : float
        Its parameters, for pixels as shares of full ink: an input is
        (pixel / 255 - pixel_mean) / pixel_std.
    class_names : tuple of str
        Output c is the probability of the class `class_names[c]`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    scaling: Scaling
    pixel_mean: float
    pixel_std: float = Field(gt=0)
    class_names: tuple[str, ...] = Field(min_length=1)

    @property
    def classes(self) -> int:
        """Number of classes, C."""
        return len(self.class_names)

    def inputs(self, images: NDArray[np.uint8]) -> Floats:
        """Scale the pixels of images.

        Parameters
        ----------
        images : ndarray of uint8 of shape (N, ...)

        Returns
        -------
        ndarray of float32 of shape (N, D), one image per row
        """
        # the 256 possible values, computed once, in float64
        table = (np.arange(256) / 255 - self.pixel_mean) / self.pixel_std
        return table.astype(np.float32)[images.reshape(len(images), -1)]

    def images(self, x: Floats, shape: tuple[int, int]) -> NDArray[np.uint8]:
        """Undo the scaling: the images that inputs stand for.

        Parameters
        ----------
        x : ndarray of float32 of shape (N, D), as `inputs` makes it
        shape : (int, int)
            Height and width of an image.

        Returns
        -------
        ndarray of uint8 of shape (N, height, width)
        """
        blank, full = self.inputs(np.array([[0], [255]], np.uint8))
        return np.rint(255 * (x - blank) / (full - blank)).astype(np.uint8).reshape(-1, *shape)


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
    """The encoding of a data set under a scaling.

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
        If all pixels are the same, so that there is no variance to scale.
    """
    if scaling == "standard" and statistics.std == 0:
        raise UserError(
            "the scaling cannot be standard, as all pixels of the training images are the same; "
            "use the scaling unit"
        )
    mean, std = statistics if scaling == "standard" else (0.0, 1.0)
    return Encoding(scaling=scaling, pixel_mean=mean, pixel_std=std, class_names=tuple(class_names))
