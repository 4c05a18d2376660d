"""Digits drawn by the computer: printed ones under random affine and elastic distortion.

They stand in for MNIST offline, in the same shape and the same files.

The elastic distortion is that of Simard, Steinkraus and Platt, "Best practices for convolutional
neural networks applied to visual document analysis" (2003): random displacements, smoothed.
"""

from collections.abc import Iterator
from pathlib import Path

import matplotlib
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from nnlib.blocks import blocks
from nnlib.data.datasets import SYNTHETIC

SIZE = SYNTHETIC.image_shape[0]  # pixels of an image's side
# Fonts that matplotlib ships and that differ in their digits; none with a dot or a slash in its 0.
FONTS = (
    *("DejaVuSans", "DejaVuSans-BoldOblique", "DejaVuSerif", "DejaVuSerif-Italic"),
    *("STIXGeneral", "STIXGeneralItalic", "cmr10", "cmss10", "cmtt10", "cmti10"),
)
STROKES = (0, 2, 4)  # pixels added around the outline, in a glyph of GLYPH pixels
GLYPH = 2 * SIZE  # pixels of a glyph's side: twice the image's, so that distortion loses no detail
INK = 2 * 18  # a glyph's box: 18 of the image's 28 pixels, so few glyphs leave it when distorted

# Standard deviations of the distortion, which is normal, in pixels of the image.
ROTATION = 0.2  # radians
SHEAR = 0.2
LOG_SCALE = 0.1  # of each axis
SHIFT = 0.7
ELASTIC = 1.3
GRID = 5  # random displacements along each axis; the others are interpolated


def draw_labels(n: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Draw random labels, of shape (n,)."""
    return rng.integers(SYNTHETIC.classes, size=n, dtype=np.uint8)


def draw_images(labels: NDArray[np.uint8], rng: np.random.Generator) -> Iterator[NDArray[np.uint8]]:
    """Draw an image of each label, block by block.

    Parameters
    ----------
    labels : ndarray of uint8 of shape (N,)
    rng : numpy.random.Generator

    Yields
    ------
    ndarray of uint8 of shape (n, 28, 28), the next n images, 0 for the background and 255 for full
    ink
    """
    glyphs = _draw_glyphs()
    for rows in blocks(len(labels)):
        yield _distort(glyphs, labels[rows], rng)


def _draw_glyphs() -> NDArray[np.float32]:
    """Each digit in each font and stroke, (styles, C, GLYPH, GLYPH), ink in [0, 255]."""
    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    glyphs = [
        [_draw_glyph(name, folder / f"{font}.ttf", stroke) for name in SYNTHETIC.class_names]
        for font in FONTS
        for stroke in STROKES
    ]
    return np.asarray(glyphs, np.float32)


def _draw_glyph(text: str, font: Path, stroke: int) -> Image.Image:
    """A glyph placed as in MNIST: scaled into a box, its centre of mass in the middle."""
    # BASIC: the other layout engine is a system library, which may be missing
    outline = ImageFont.truetype(font, 2 * GLYPH, layout_engine=ImageFont.Layout.BASIC)
    canvas = Image.new("L", (4 * GLYPH, 4 * GLYPH))
    ImageDraw.Draw(canvas).text((GLYPH, GLYPH), text, fill=255, font=outline, stroke_width=stroke)
    ink = canvas.crop(canvas.getbbox())
    scale = INK / max(ink.size)
    ink = ink.resize((round(scale * ink.width), round(scale * ink.height)), Image.Resampling.BOX)
    weights = np.asarray(ink, np.float64)
    y, x = np.indices(weights.shape)
    left = GLYPH / 2 - np.average(x, weights=weights)
    top = GLYPH / 2 - np.average(y, weights=weights)
    glyph = Image.new("L", (GLYPH, GLYPH))
    glyph.paste(ink, (round(left), round(top)))
    return glyph


def _distort(
    glyphs: NDArray[np.float32], labels: NDArray[np.uint8], rng: np.random.Generator
) -> NDArray[np.uint8]:
    """A distorted image of each label, (n, 28, 28), in a style drawn at random."""
    n = len(labels)
    styles = rng.integers(len(glyphs), size=n)

    # where each pixel of the image looks into the glyph: a linear map, a shift, a smooth field
    angle = rng.normal(0, ROTATION, (n, 1, 1))
    shear = rng.normal(0, SHEAR, (n, 1, 1))
    height, width = np.exp(rng.normal(0, LOG_SCALE, (2, n, 1, 1)))
    shift_y, shift_x = rng.normal(0, SHIFT, (2, n, 1, 1))
    smooth = _interpolation()
    elastic_y, elastic_x = smooth @ rng.normal(0, ELASTIC, (2, n, GRID, GRID)) @ smooth.T
    y, x = np.indices(SYNTHETIC.image_shape) - (SIZE - 1) / 2  # (28, 28), from the centre
    rows = height * (np.cos(angle) * y - np.sin(angle) * x) + shift_y + elastic_y  # (n, 28, 28)
    columns = width * (np.sin(angle) * y + np.cos(angle) * x + shear * y) + shift_x + elastic_x

    return _sample(glyphs[styles, labels], GLYPH / 2 + 2 * rows, GLYPH / 2 + 2 * columns)


def _interpolation() -> NDArray[np.float64]:
    """Weights (28, GRID) that spread GRID values smoothly over 28 pixels; each row sums to 1."""
    pixels = np.linspace(0, GRID - 1, SIZE)[:, np.newaxis]
    weights = np.exp(-((pixels - np.arange(GRID)) ** 2))
    return weights / weights.sum(axis=1, keepdims=True)


def _sample(
    glyphs: NDArray[np.float32], rows: NDArray[np.float64], columns: NDArray[np.float64]
) -> NDArray[np.uint8]:
    """Bilinear interpolation of n glyphs (n, GLYPH, GLYPH), each at its 28 x 28 positions."""
    rows = np.clip(rows, 0, GLYPH - 1.001)
    columns = np.clip(columns, 0, GLYPH - 1.001)
    top, left = rows.astype(np.intp), columns.astype(np.intp)
    down, right = (rows - top).astype(np.float32), (columns - left).astype(np.float32)

    n = np.arange(len(glyphs))[:, np.newaxis, np.newaxis]
    corner = (n * GLYPH + top) * GLYPH + left  # index of the upper left of the four nearest pixels
    ink = glyphs.reshape(-1)
    above = ink[corner] * (1 - right) + ink[corner + 1] * right
    below = ink[corner + GLYPH] * (1 - right) + ink[corner + GLYPH + 1] * right
    return np.rint(above * (1 - down) + below * down).astype(np.uint8)
