"""Arithmetic on pictures: means over boxes, and a smooth surface through the background.

Sums are of multiples of some power of 1/2, and so exact: a page that sums in another order gets the
same numbers, and decides alike.
"""

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter, minimum_filter

Surface = NDArray[np.float64]

PARTS = 1 << 14  # of a pixel, to which the edges of cells are rounded
LEVELS = 64  # parts of a grey level, to which surfaces are rounded
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
    The edges of cells are rounded to 1 / 16,384 of a pixel.

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
    rows, columns = _edges(top, bottom, shape[0]), _edges(left, right, shape[1])
    down = np.empty((shape[0], image.shape[1]))
    for row, (first, parts) in enumerate(_overlaps(rows, image.shape[0])):
        down[row] = parts @ image[first : first + len(parts)]
    sums = np.empty(shape)
    for column, (first, parts) in enumerate(_overlaps(columns, image.shape[1])):
        sums[:, column] = down[:, first : first + len(parts)] @ parts
    return sums / np.outer(np.diff(rows), np.diff(columns))


def _edges(start: float, end: float, cells: int) -> NDArray[np.float64]:
    return rounded(start + (end - start) / cells * np.arange(cells + 1, dtype=np.float64), PARTS)


def _overlaps(edges: NDArray[np.float64], end: int) -> list[tuple[int, NDArray[np.float64]]]:
    """The first pixel in each cell, and how much of it and of those that follow lies there."""
    found = []
    for low, high in pairwise(edges):
        first = max(0, int(np.floor(low)))
        pixels = np.arange(first, max(first, min(end, int(np.ceil(high)))))
        found.append((first, np.minimum(pixels + 1, high) - np.maximum(pixels, low)))
    return found


def rounded(values: NDArray[np.float64], parts: int = LEVELS) -> NDArray[np.float64]:
    """Values rounded to parts of 1, halves upwards."""
    return np.floor(parts * values + 0.5) / parts


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
    sums, counts = values.astype(np.float64), []
    for axis in (0, 1):
        size = sums.shape[axis]
        before = np.concatenate(
            [np.zeros_like(sums.take([0], axis)), sums.cumsum(axis)], axis
        )  # of the pixels before each one
        here = np.arange(size)
        first, last = np.maximum(here - radius, 0), np.minimum(here + radius + 1, size)
        sums = before.take(last, axis) - before.take(first, axis)
        counts.append(last - first)
    return sums / np.outer(*counts)


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
    # Half pixels from the middle: integers.
    y = (2 * np.arange(height) + 1 - height)[:, np.newaxis]
    x = 2 * np.arange(width) + 1 - width
    surface = np.full_like(grey, np.median(grey))
    for _ in range(ROUNDS):
        off = grey - surface
        near = (np.abs(off) <= CLOSE * max(spread(off), 0.5)).astype(np.float64)
        terms = (near, near * y, near * x)
        products = np.array(
            [[(term * other).sum() for other in (np.ones(1), y, x)] for term in terms]
        )
        # A picture of one row or column leaves a slope open: it is 0.
        products += np.diag(1e-9 * grey.size * np.array([1, height**2, width**2]))
        level, down, right = _solved(products, [(term * grey).sum() for term in terms])
        surface = level + down * y + right * x
    return surface


def _solved(matrix: NDArray[np.float64], right: list[float]) -> list[float]:
    """Solve linear equations of a positive definite matrix, by Gaussian elimination.

    LAPACK calculates in an order that depends on the CPU.
    """
    rows = np.column_stack([matrix, right])
    for i, pivot in enumerate(rows):
        for j in range(len(rows)):
            if j != i:
                rows[j] -= rows[j, i] / pivot[i] * pivot
    return [float(row[-1] / row[i]) for i, row in enumerate(rows)]


def closed(values: Surface, radius: int) -> Surface:
    """Fill what is dark and narrower than a square window: the closing of a grey picture.

    Serra 1982, "Image Analysis and Mathematical Morphology": each pixel becomes the largest value
    in its window, and then the smallest of these.
    """
    size = 2 * radius + 1
    return minimum_filter(maximum_filter(values, size, mode="nearest"), size, mode="nearest")
