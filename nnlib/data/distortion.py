"""Random distortion of images: affine, and elastic.

The affine distortion scales an image's axes, leans its vertical, turns it and shifts it, in this
order. Each pixel of the result is taken from where the inverse of this map leads.

The elastic distortion is that of Simard, Steinkraus and Platt, "Best practices for convolutional
neural networks applied to visual document analysis" (2003): uniform random displacements, smoothed
by a Gaussian. As neighbouring values of a smooth field are alike, they are drawn on a coarse grid.

All is computed by functions that NumPy has itself: the C library's, such as the tangent or the
logarithm with which normal numbers are drawn, round differently from one version to another.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nnlib.base.arrays import Floats
from nnlib.base.blocks import blocks

GRID = 5  # random displacements along each axis
SMOOTHNESS = 0.9  # standard deviation of the Gaussian, in distances of the grid: 6 of 28 pixels
BLOCK = 64  # images whose random numbers are drawn together, which decides what each one gets
IN_CACHE = 32  # images, whose arrays stay in the CPU's cache


class Amounts(NamedTuple):
    """How much images are distorted; 0 leaves them as they are."""

    rotation: float  # degrees at most, either way, like those below
    shear: float  # degrees that the vertical leans
    scale: float  # of the height and of the width, each on its own
    shift: float  # pixels, along each axis on its own
    elastic: float  # pixels: the standard deviation of each pixel's displacement along each axis


class Distortion:
    """Distorts each image differently.

    Parameters
    ----------
    amounts : Amounts
    shape : tuple of int
        Height and width of an image in pixels.
    """

    def __init__(self, amounts: Amounts, shape: tuple[int, int]) -> None:
        self.amounts = amounts
        self.shape = shape
        # What a row or column adds to a displacement is a product of a function of the row and one
        # of the column: bumps, the coordinate itself, and 1. So all maps are one matrix product.
        by_row, by_column = (_functions(size) for size in shape)
        self._basis = np.kron(by_row, by_column).astype(np.float32)  # ((GRID + 2)^2, D)

    def __call__(self, x: Floats, rng: np.random.Generator) -> Floats:
        """Distort images.

        Parameters
        ----------
        x : ndarray of float32 of shape (N, D)
            Beyond its border, an image continues with the pixels at the border.
        rng : numpy.random.Generator

        Returns
        -------
        ndarray of float32 of shape (N, D)
        """
        distorted = np.empty_like(x)
        for block in blocks(len(x), BLOCK):
            images = x[block].reshape(-1, *self.shape)
            rows, columns = self.draw_positions(len(images), rng)
            rows += np.float32((self.shape[0] - 1) / 2)
            columns += np.float32((self.shape[1] - 1) / 2)
            distorted[block] = interpolate(images, rows, columns)
        return distorted

    def draw_positions(self, n: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
        """The position in the original image from which each pixel of n distorted images is taken.

        Returns
        -------
        rows, columns : ndarray of float32 of shape (n, D)
            In pixels from the centre of the image.
        """
        rotation, shear, scale, shift, elastic = self.amounts
        angle, lean = np.radians(rng.uniform(-1, 1, (2, n)) * [[rotation], [shear]])
        cos, sin = _cos_and_sin(angle)
        tan = np.divide(*reversed(_cos_and_sin(lean)))
        height, width = 1 + scale * rng.uniform(-1, 1, (2, n))
        down, right = shift * rng.uniform(-1, 1, (2, n))
        # (row, column) = inverse (row' - down, column' - right)
        inverse = np.array(
            [[cos / height, sin / height], [-(sin + tan * cos) / width, (cos - tan * sin) / width]]
        )  # (2, 2, n)
        maps = np.zeros((2, n, GRID + 2, GRID + 2), np.float32)  # of rows, and of columns
        # uniform from -sqrt(3) to sqrt(3), which has the variance 1
        noise = (2 * rng.random((2, n, GRID, GRID), np.float32) - 1) * np.float32(math.sqrt(3))
        maps[..., :GRID, :GRID] = elastic * noise
        maps[..., -2, -1] = inverse[:, 0]  # times the row
        maps[..., -1, -2] = inverse[:, 1]  # times the column
        maps[..., -1, -1] = -(inverse[:, 0] * down + inverse[:, 1] * right)
        rows, columns = np.dot(maps.reshape(2 * n, -1), self._basis).reshape(2, n, -1)
        return rows, columns


def _cos_and_sin(angles: NDArray[np.float64]) -> tuple[Floats, Floats]:
    """Cosines and sines, in float32: in float64 they would be the C library's."""
    angles = angles.astype(np.float32)
    return np.cos(angles), np.sin(angles)


def _functions(size: int) -> NDArray[np.float64]:
    """Bumps, the coordinate from the centre, and 1, for each row or column, (GRID + 2, size).

    The squares of the bumps add up to 1 everywhere, so their sum, each times a random number of
    variance 1, has variance 1 too.
    """
    places = np.linspace(0, GRID - 1, size)
    distances = (places - np.arange(GRID)[:, np.newaxis]) / SMOOTHNESS
    bumps = np.exp(-(distances**2) / 2)
    bumps /= np.sqrt(np.square(bumps).sum(axis=0))
    return np.vstack([bumps, np.arange(size) - (size - 1) / 2, np.ones(size)])


def interpolate(images: Floats, rows: Floats, columns: Floats) -> Floats:
    """Bilinear interpolation of images, each at its own positions.

    Parameters
    ----------
    images : ndarray of float32 of shape (N, height, width)
    rows, columns : ndarray of float32 of shape (N, P)
        In pixels; 0 is the middle of the first one. They are changed in place. Those beyond the
        border are moved to it.

    Returns
    -------
    ndarray of float32 of shape (N, P)
    """
    pixels = np.empty(rows.shape, images.dtype)
    for block in blocks(len(images), IN_CACHE):
        pixels[block] = _interpolate_block(images[block], rows[block], columns[block])
    return pixels


def _interpolate_block(images: Floats, rows: Floats, columns: Floats) -> Floats:
    n, height, width = images.shape
    for positions, size in (
        (rows, height),
        (columns, width),
    ):  # leaves a pixel on the right and below
        np.clip(positions, 0, np.nextafter(np.float32(size - 1), np.float32(0)), out=positions)
    top, left = np.floor(rows), np.floor(columns)
    rows -= top  # how far below
    columns -= left  # how far to the right
    # index of the upper left of the four nearest pixels; that of the others is the same, in views
    # that begin a pixel, a row, or both further on
    corner = (np.arange(n) * (height * width))[:, np.newaxis] + (top * width + left).astype(np.intp)
    pixels = images.reshape(-1)
    above, right = pixels.take(corner), pixels[1:].take(corner)
    right -= above
    right *= columns
    above += right
    below, right = pixels[width:].take(corner), pixels[width + 1 :].take(corner)
    right -= below
    right *= columns
    below += right
    below -= above
    below *= rows
    above += below
    return above
