"""The ink of an image: how much there is, where it lies, and the shape that it has.

What is measured is that of Castro, Tan, Kainz, Konukoglu and Glocker 2019, "Morpho-MNIST:
quantitative assessment and diagnostics for representation learning", Journal of Machine Learning
Research 20 (178), 1-29, https://www.jmlr.org/papers/v20/19-033.html, with a thickness that needs no
skeleton.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.ndimage import label

from nnlib.base.arrays import Floats
from nnlib.base.blocks import blocks

WHITE = 255  # the value of a pixel that is full of ink


def ink_properties(images: NDArray[np.uint8]) -> pd.DataFrame:
    """Measure the ink of images.

    Extents and strokes are those of the pixels that hold at least half as much ink as the fullest
    pixel of the image; all else is measured on the grey values.

    Parameters
    ----------
    images : ndarray of uint8 of shape (N, height, width)

    Returns
    -------
    DataFrame of float64 of N rows, with these columns

    `thickness`
        Mean thickness of the strokes in pixels: twice the ink by the length of its outline. The
        length is the total variation of the grey values, as Rudin, Osher and Fatemi (1992,
        https://doi.org/10.1016/0167-2789(92)90242-F) discretise it; it is that of the outlines at
        all grey values, on average. NaN without ink.
    `slant`
        Tangent of the angle to the vertical, positive if the top lies to the right: the shear that
        undoes the correlation of x and y, from the second moments. NaN without ink, or with ink in
        one row only.
    `width`, `height`
        Extent in pixels, 0 without ink.
    `x`, `y`
        The middle of this extent in pixels, to the right of the middle of the image, and below it.
        Not the centre of mass: MNIST's images are centred on that. NaN without ink.
    `ink`
        Amount of ink, in pixels full of it.
    `strokes`
        Parts that are not connected, not even by a corner.
    """
    tables = [_properties(images[block]) for block in blocks(len(images))]
    return pd.concat(tables, ignore_index=True)


def _properties(images: NDArray[np.uint8]) -> pd.DataFrame:
    ink = images.sum(axis=(1, 2), dtype=np.float64)
    is_ink = 2 * images.astype(np.uint16) >= images.max(axis=(1, 2), keepdims=True)
    is_ink &= images > 0
    left, width = _extent(is_ink.any(axis=1))
    top, height = _extent(is_ink.any(axis=2))
    x = np.where(ink > 0, left + (width - images.shape[2]) / 2, np.nan)
    y = np.where(ink > 0, top + (height - images.shape[1]) / 2, np.nan)
    return pd.DataFrame(
        {
            "thickness": _ratio(2 * ink, _total_variation(images)),
            "slant": slant(images),
            "width": width.astype(np.float64),
            "height": height.astype(np.float64),
            "x": x,
            "y": y,
            "ink": ink / WHITE,
            "strokes": count_parts(is_ink).astype(np.float64),
        }
    )


def _ratio(a: Floats, b: Floats) -> Floats:
    """The quotient, or NaN where b is 0."""
    return np.divide(a, b, out=np.full(a.shape, np.nan), where=b != 0)


def _extent(is_ink: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Where the ink of each row begins, and how far it reaches; 0 for both if there is none."""
    first = is_ink.argmax(axis=1)
    end = is_ink.shape[1] - is_ink[:, ::-1].argmax(axis=1)
    return first, np.where(is_ink.any(axis=1), end - first, 0)


def _total_variation(images: NDArray[np.uint8]) -> Floats:
    """Sum of the lengths of the gradients, from differences of neighbours; outside is no ink."""
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1))).astype(np.float32)
    here = padded[:, :-1, :-1]
    squares = (padded[:, 1:, :-1] - here) ** 2 + (padded[:, :-1, 1:] - here) ** 2
    # The roots of integers, as float32: float64 holds their sum exactly, in whatever order.
    return np.sqrt(squares).sum(axis=(1, 2), dtype=np.float64)


def slant(images: NDArray[np.uint8]) -> Floats:
    """The shear -mu11 / mu02 of each image, from integers that float64 holds exactly.

    Returns
    -------
    ndarray of float64 of shape (N,), as the column `slant` of `ink_properties`
    """
    grey = images.astype(np.float64)
    x, y = np.arange(grey.shape[2], dtype=float), np.arange(grey.shape[1], dtype=float)
    of_rows, x_of_rows = grey.sum(axis=2), grey @ x
    m00, m10 = of_rows.sum(axis=1), x_of_rows.sum(axis=1)
    m01, m02, m11 = of_rows @ y, of_rows @ y**2, x_of_rows @ y
    return _ratio(m10 * m01 - m11 * m00, m02 * m00 - m01**2)


def count_parts(is_ink: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Count the parts of each picture, in which pixels are connected by a side or a corner.

    Parameters
    ----------
    is_ink : ndarray of bool of shape (N, height, width)

    Returns
    -------
    ndarray of int64 of shape (N,)
    """
    return np.array([label(each, np.ones((3, 3)))[1] for each in is_ink], np.int64)
