"""Digits drawn from fonts, under random affine and elastic distortion.

They stand in for MNIST offline, in the same shape and the same files.
"""

from collections.abc import Iterator
from pathlib import Path

import matplotlib
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from nnlib.base.blocks import blocks
from nnlib.data.datasets import SYNTHETIC
from nnlib.data.distortion import Amounts, Distortion, interpolate

SIZE = SYNTHETIC.image_shape[0]  # pixels of an image's side
# Fonts that matplotlib ships and that differ in their digits; none with a dot or a slash in its 0.
FONTS = (
    *("DejaVuSans", "DejaVuSans-BoldOblique", "DejaVuSerif", "DejaVuSerif-Italic"),
    *("STIXGeneral", "STIXGeneralItalic", "cmr10", "cmss10", "cmtt10", "cmti10"),
)
STROKES = (0, 2, 4)  # pixels added around the outline, in a glyph of GLYPH pixels
GLYPH = 2 * SIZE  # pixels of a glyph's side: twice the image's, so that distortion loses no detail
INK = 2 * 18  # a glyph's box: 18 of the image's 28 pixels, so few glyphs leave it when distorted

DISTORTION = Amounts(rotation=20, shear=20, scale=0.17, shift=1.2, elastic=0.55)


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
    distortion = Distortion(DISTORTION, SYNTHETIC.image_shape)
    for block in blocks(len(labels)):
        shown = labels[block]
        styles = rng.integers(len(glyphs), size=len(shown))
        rows, columns = distortion.draw_positions(len(shown), rng)
        # a pixel of the image is two of the glyph
        images = interpolate(glyphs[styles, shown], GLYPH / 2 + 2 * rows, GLYPH / 2 + 2 * columns)
        yield np.rint(images).astype(np.uint8).reshape(-1, *SYNTHETIC.image_shape)


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
