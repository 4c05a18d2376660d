"""Arithmetic on pictures: means over boxes, and a smooth surface through the background."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter, minimum_filter

Surface = NDArray[np.float64]

CLOSE = 2.5  # standard deviations of the background's noise within which a pixel is of it
ROUNDS = 4
SHARE = 0.3  # of the pixels decide how much noise there is
NORMAL = 0.3853  # standard deviations of a normal distribution that this share is within


def box_means(
    image: NDArray[Any],
    box: tuple[float, float, float, float],
    shape: tuple[int, int],
) -> Surface:
    """Means of a picture over equal cells of a rectangle; 0 is outside of the picture.

    A pixel that lies only partly in a cell counts with the share that does, as in the drawing pad.

    Parameters
    ----------
    image : ndarray of shape (height, width)
    box : (float, float, float, float)
        Left, top, right and bottom of the rectangle, in pixels.
    shape : (int, int)
        How many rows and columns of cells.

    Returns
    -------
    ndarray of float64 of the shape `shape`
    """
    left, top, right, bottom = box
    rows = _overlaps(top, (bottom - top) / shape[0], shape[0], image.shape[0])
    columns = _overlaps(left, (right - left) / shape[1], shape[1], image.shape[1])
    down = np.empty((shape[0], image.shape[1]))
    for row, (first, shares) in enumerate(rows):
        down[row] = shares @ image[first : first + len(shares)]
    means = np.empty(shape)
    for column, (first, shares) in enumerate(columns):
        means[:, column] = down[:, first : first + len(shares)] @ shares
    return means


def _overlaps(
    start: float, step: float, cells: int, end: int
) -> list[tuple[int, NDArray[np.float64]]]:
    """The first pixel in each cell, and the shares of the cell of it and of those that follow."""
    found = []
    for cell in range(cells):
        low, high = start + cell * step, start + (cell + 1) * step
        first = max(0, int(np.floor(low)))
        pixels = np.arange(first, max(first, min(end, int(np.ceil(high)))))
        shares = (np.minimum(pixels + 1, high) - np.maximum(pixels, low)) / step
        found.append((first, np.maximum(shares, 0)))
    return found


def window_means(values: NDArray[Any], radius: int) -> Surface:
    """Mean of the pixels around each one: those of a square window that lie in the picture.

    Parameters
    ----------
    values : ndarray of shape (height, width)
    radius : int
        The window's side is 2 radius + 1 pixels.

    Returns
    -------
    ndarray of float64 of the same shape
    """
    means = values.astype(np.float64)
    for axis in (0, 1):
        size = means.shape[axis]
        sums = np.concatenate(
            [np.zeros_like(means.take([0], axis)), means.cumsum(axis)], axis
        )  # of the pixels before each one
        here = np.arange(size)
        first, last = np.maximum(here - radius, 0), np.minimum(here + radius + 1, size)
        counts = (last - first).reshape((-1, 1) if axis == 0 else (1, -1))
        means = (sums.take(last, axis) - sums.take(first, axis)) / counts
    return means


def spread(values: NDArray[np.float64]) -> float:
    """Standard deviation of values around 0, from a quantile of their sizes.

    Like the median absolute deviation (Hampel 1974, "The influence curve and its role in robust
    estimation", https://doi.org/10.1080/01621459.1974.10482962), but more than half of the values
    may be outliers.
    """
    sizes = np.abs(values).ravel()
    rank = int(SHARE * sizes.size)
    return float(np.partition(sizes, rank)[rank]) / NORMAL


def background(grey: Surface) -> Surface:
    """The light on the background of a picture: a plane close to most of its pixels.

    It is fitted to the pixels by least squares; those that are not close to it are left out, and it
    is fitted anew. This begins with the median.

    Parameters
    ----------
    grey : ndarray of float64 of shape (height, width)

    Returns
    -------
    ndarray of float64 of the same shape
    """
    height, width = grey.shape
    y = ((2 * np.arange(height) + 1 - height) / height)[:, np.newaxis]  # from -1 to 1
    x = (2 * np.arange(width) + 1 - width) / width
    surface = np.full_like(grey, np.median(grey))
    for _ in range(ROUNDS):
        off = grey - surface
        near = (np.abs(off) <= CLOSE * max(spread(off), 0.5)).astype(np.float64)
        terms = (near, near * y, near * x)
        products = np.array(
            [[(term * other).sum() for other in (np.ones(1), y, x)] for term in terms]
        )
        # A picture of one row or column leaves a slope open: it is 0.
        products[np.diag_indices_from(products)] += 1e-9 * grey.size
        level, down, right = np.linalg.solve(products, [(term * grey).sum() for term in terms])
        surface = level + down * y + right * x
    return surface


def closed(values: Surface, radius: int) -> Surface:
    """Fill what is dark and narrower than a square window: the closing of a grey picture.

    Serra 1982, "Image Analysis and Mathematical Morphology": each pixel becomes the largest value
    in its window, and then the smallest of these.
    """
    size = 2 * radius + 1
    return minimum_filter(maximum_filter(values, size, mode="nearest"), size, mode="nearest")
