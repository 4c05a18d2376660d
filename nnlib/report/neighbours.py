"""The nearest training samples of mistakes with their images, for whatever shows them."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from nnlib.base.arrays import Floats
from nnlib.base.blocks import blocks
from nnlib.data.encoding import Encoding


@dataclass(frozen=True)
class Neighbours:
    """The nearest training samples of mistakes, with their images."""

    table: pd.DataFrame  # as `nnlib.analysis.neighbours.neighbours_of` makes it
    images: NDArray[np.uint8]  # (U, height, width), in the order of the U distinct train_index

    @property
    def places(self) -> NDArray[np.intp]:
        """Which of the images each row of the table has."""
        return np.unique(self.table["train_index"], return_inverse=True)[1]

    def of(self, mistakes: ArrayLike) -> "Neighbours":
        """Those of some of the mistakes, by index."""
        table = self.table[self.table["index"].isin(np.asarray(mistakes))]
        is_held = np.isin(np.unique(self.table["train_index"]), table["train_index"])
        return Neighbours(table, self.images[is_held])


def with_images(
    table: pd.DataFrame, x: Floats, encoding: Encoding, shape: tuple[int, int]
) -> Neighbours:
    """Turn the inputs of the neighbours back into images, each of which is held once.

    Parameters
    ----------
    table : DataFrame
        As `nnlib.analysis.neighbours.neighbours_of` makes it.
    x : ndarray of shape (N, D)
        The inputs of the training set, which may be mapped from a file.
    encoding : Encoding
        How the images became inputs.
    shape : (int, int)
        Height and width of an image.
    """
    indices = np.unique(table["train_index"])
    images = np.empty((len(indices), *shape), np.uint8)
    for rows in blocks(len(indices)):
        images[rows] = encoding.images(x[indices[rows]], shape)
    return Neighbours(table, images)
