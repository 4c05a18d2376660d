"""What images are compared by: how much of their outlines runs in which direction, and where.

The gradient feature of Liu, Nakashima, Sako and Fujisawa (2003), "Handwritten digit recognition:
benchmarking of state-of-the-art techniques", Pattern Recognition 36, 2271-2285,
https://doi.org/10.1016/S0031-3203(03)00085-2. Neighbours by it are wrong half as often as
neighbours by pixels.
"""

import math

import numpy as np
from numpy.typing import NDArray

from nnlib.analysis.ink import slant
from nnlib.base.arrays import Floats
from nnlib.base.blocks import blocks

DIRECTIONS = 8
CELLS = 7  # along each side
REACH = 1.5  # cells from the middle of one to where its weight is 0


def direction_features(images: NDArray[np.uint8], *, has_strokes: bool) -> NDArray[np.float32]:
    """How strong the edges are in each direction and cell.

    Parameters
    ----------
    images : ndarray of uint8 of shape (N, height, width)
    has_strokes : bool
        Whether they are strokes of a pen, whose slant is taken away first.

    Returns
    -------
    ndarray of float32 of shape (N, DIRECTIONS * CELLS * CELLS), the square roots of shares, so that
    each sample has length 1; 0 without an edge
    """
    features = np.empty((len(images), DIRECTIONS * CELLS**2), np.float32)
    rows, columns = map(_cell_weights, images.shape[1:])
    for block in blocks(len(images)):
        pixels = images[block].astype(np.float32)
        x, y = _gradients(_without_slant(pixels, images[block]) if has_strokes else pixels)
        edges = _by_direction(x, y)  # (n, DIRECTIONS, height, width)
        strengths = rows @ edges @ columns.T  # (n, DIRECTIONS, CELLS, CELLS)
        flat = strengths.reshape(len(pixels), -1)
        total = flat.sum(axis=1, keepdims=True)
        features[block] = np.sqrt(flat / np.where(total > 0, total, 1))
    return features


def _without_slant(pixels: Floats, images: NDArray[np.uint8]) -> Floats:
    """The images, sheared about their centres of mass until they stand upright."""
    _, height, width = pixels.shape
    ink = np.maximum(pixels.sum(axis=(1, 2), keepdims=True), 1)  # (n, 1, 1)
    y = np.arange(height, dtype=np.float32)[:, np.newaxis]  # (height, 1)
    centre = (pixels.sum(axis=2, keepdims=True) * y).sum(axis=1, keepdims=True) / ink
    shift = np.nan_to_num(slant(images))[:, np.newaxis, np.newaxis] * (centre - y)
    source = np.arange(width) + shift.astype(np.float32)  # (n, height, width)
    left = np.floor(source)
    share = source - left
    # Beyond the border is no ink: a column of zeros on either side.
    padded = np.pad(pixels, ((0, 0), (0, 0), (1, 1)))
    places = np.clip(left.astype(np.intp) + 1, 0, width)
    at_left, at_right = (np.take_along_axis(padded, each, axis=2) for each in (places, places + 1))
    is_inside = (left >= -1) & (left < width)
    return is_inside * ((1 - share) * at_left + share * at_right)


def _gradients(pixels: Floats) -> tuple[Floats, Floats]:
    """Sobel's derivatives, to the right and down; outside is no ink."""
    padded = np.pad(pixels, ((0, 0), (1, 1), (1, 1)))
    across = padded[:, :, 2:] - padded[:, :, :-2]
    down = padded[:, 2:] - padded[:, :-2]
    return (
        across[:, :-2] + 2 * across[:, 1:-1] + across[:, 2:],
        down[:, :, :-2] + 2 * down[:, :, 1:-1] + down[:, :, 2:],
    )


def _by_direction(x: Floats, y: Floats) -> Floats:
    """Gradients of shape (n, height, width) as sums of vectors in the two directions beside them.

    The directions are those of the axes and of the diagonals; the two form a parallelogram whose
    diagonal is the gradient.
    """
    size_x, size_y = np.abs(x), np.abs(y)
    straight = np.abs(size_x - size_y)
    diagonal = np.minimum(size_x, size_y) * np.float32(math.sqrt(2))
    is_across = size_x >= size_y
    of_axes = [is_across & (x > 0), ~is_across & (y > 0), is_across & (x < 0), ~is_across & (y < 0)]
    of_diagonals = [(x > 0) & (y > 0), (x < 0) & (y > 0), (x < 0) & (y < 0), (x > 0) & (y < 0)]
    return np.stack(
        [straight * each for each in of_axes] + [diagonal * each for each in of_diagonals], axis=1
    )


def _cell_weights(size: int) -> NDArray[np.float32]:
    """What each of `size` pixels counts in each cell of a side, of shape (CELLS, size)."""
    middles = (np.arange(CELLS)[:, np.newaxis] + 0.5) * (size / CELLS)
    distances = np.abs(np.arange(size) + 0.5 - middles) / (size / CELLS)  # in cells
    return np.maximum(1 - distances / REACH, 0).astype(np.float32)
