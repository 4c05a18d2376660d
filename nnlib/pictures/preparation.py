"""From a picture of any kind to the image that the network sees.

Strokes are prepared as LeCun, Cortes and Burges, "The MNIST database", describe it: the ink is
scaled into a box of 20 x 20 pixels, with grey levels, and placed with its centre of mass in the
middle of 28 x 28. Before this the ink has to be found. That is looked for twice: in the whole
picture, and then more closely around what was found, so that its size does not matter.

All is simple arithmetic of float64, so that a page can repeat it, and get the same pixels.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nnlib.base.blocks import blocks
from nnlib.data.datasets import BOX
from nnlib.pictures.regions import (
    Box,
    Lines,
    Mask,
    Thing,
    bounds,
    enlarged,
    grown,
    largest,
    rectangle,
    without_lines,
    without_surroundings,
)
from nnlib.pictures.surfaces import (
    Surface,
    background,
    box_means,
    closed,
    rounded,
    spread,
    window_means,
)

WHOLE = 512  # pixels of the longer side at most, where ink is looked for
DETAIL = 80  # pixels of the ink's longer side at most, where it is looked at closely
MARGIN = 0.4  # of the ink's longer side, that is looked at around it
WIDEST_OF_PICTURE = 0.3  # a stroke, of the picture's longer side
AROUND = 0.4  # the window around a pixel that it is compared with, of the picture's longer side
WIDEST_OF_INK = 0.6  # a stroke, of the longer side of the ink that was found
SMALL = 50  # pixels of the shorter side, below which a picture is not smoothed at first

# Shares of the full ink
TRACE = 0.12  # of which ruled lines may be
FOUND = 0.35  # from which on ink is looked for
EDGE = 0.2  # from which on a pixel is of the ink that was found
OUTLINE = 0.35  # to which the box reaches: MNIST's outlines are as soft
CALM = 0.04  # the noise for which a picture is smoothed no further
FULL = 0.75  # of the pixels in the strokes have less than the full ink
STEP = 0.4  # by which ink differs from what is around it,
RING = 0.15  # so far, as a share of its longer side;
NARROW_RING = 0.05  # and nearer, at the picture's border, where shadows end
# Standard deviations of the noise
CERTAIN = 4.0  # from which on ink is looked for
LIKELY = 3.0  # from which on a pixel is of the ink that was found
NOISE = 2.0  # up to which there is no ink
LEAST = 40  # pixels with as much ink as the fullest that count, as specks are smaller

FAINT = 30  # grey levels between ink and background, below which a picture has hardly any contrast
INVISIBLE = 8  # below which there is none

DARK = 64  # brightness below which ink is dark, where the background is transparent
BLOCK = 2**16  # pixels that are worked on at once

NOTHING = "nothing was found in the picture"
SEVERAL = "several things were found: the largest was taken"
BORDER = "the ink touches the border of the picture"
CONTRAST = "there is hardly any contrast between the ink and the background"


class Preparation(NamedTuple):
    """A picture, the steps on the way, and the image that the network sees.

    Without ink there is no box, and what follows it is blank.
    """

    grey: NDArray[np.uint8]  # the picture in grey, at most WHOLE pixels on its longer side
    flattened: NDArray[np.uint8]  # without its background, 0, of the same shape; 255 is full ink
    mask: Mask  # where the largest thing is, of the same shape
    box: Box | None  # around it, in pixels of the picture as it came
    ink: NDArray[np.uint8]  # it alone, seen closely; 255 is full ink
    image: NDArray[np.uint8]  # what the network sees
    warnings: tuple[str, ...]


def prepare(
    pixels: NDArray[np.uint8], shape: tuple[int, int] = (28, 28), box: int = BOX
) -> Preparation:
    """Prepare a picture of strokes as MNIST's were.

    Parameters
    ----------
    pixels : ndarray of uint8 of shape (height, width), or (height, width, 3) or (height, width, 4)
        Grey, or red, green and blue, and maybe how opaque a pixel is. Ink is dark on light or light
        on dark.
    shape : (int, int)
        Height and width of the image in pixels.
    box : int
        Pixels of the ink's longer side in it.

    Returns
    -------
    Preparation

    Raises
    ------
    ValueError
        If the pixels are no such array, or there are none.
    """
    grey = grey_of(pixels)
    height, width = grey.shape
    picture = Box(0, 0, width, height)
    small = shrunk(grey, picture, WHOLE)
    seen = _look_at_whole(small)
    if seen.thing is None:
        return _blank(small, shape)
    scale_x, scale_y = width / small.shape[1], height / small.shape[0]
    found = bounds(seen.thing.mask)
    place = Box(
        found.left * scale_x, found.top * scale_y, found.right * scale_x, found.bottom * scale_y
    )
    around = enlarged(place, MARGIN * place.side + 2, picture)
    detail = shrunk(grey, around, DETAIL * around.side / place.side)
    close = _look_closely(detail, place, around, seen)
    if close is None:
        return _blank(small, shape)
    ink, outline = close
    warnings = [
        text
        for text, is_so in (
            (SEVERAL, seen.thing.others > 0),
            (BORDER, _touches(found, small.shape)),
            (CONTRAST, seen.full < FAINT),
        )
        if is_so
    ]
    return Preparation(
        _bytes(small),
        _bytes(255 * seen.ink / seen.full),
        seen.thing.mask,
        place,
        ink,
        centred(ink, bounds(outline).side / box, shape),
        tuple(warnings),
    )


def scaled(
    pixels: NDArray[np.uint8], shape: tuple[int, int], *, inverted: bool = False
) -> NDArray[np.uint8]:
    """Only scale a picture to the shape of an image, as pictures that are not of strokes.

    What is transparent becomes 0, the background; ink that is dark on it is inverted, as it would
    vanish.

    Parameters
    ----------
    pixels : ndarray of uint8
        As for `prepare`.
    shape : (int, int)
        Height and width of the image in pixels.
    inverted : bool
        Whether dark becomes light.

    Returns
    -------
    ndarray of uint8 of the shape `shape`

    Raises
    ------
    ValueError
        If the pixels are no such array, or there are none.
    """
    grey = brightness(pixels)
    if inverted or is_dark_on_nothing(pixels):
        grey = 255 - grey
    if is_transparent(pixels):
        grey = _on(0, grey, pixels[..., 3])
    return fitted(grey, shape)


def fitted(grey: NDArray[np.uint8], shape: tuple[int, int]) -> NDArray[np.uint8]:
    """Scale a grey picture to a shape, keeping its proportions: the longer side fills it.

    The rest is 0. A small picture is enlarged by means over boxes too: of MNIST's images, shrunk to
    10 to 24 pixels and enlarged again, smoother ways let the network classify no more correctly.

    Parameters
    ----------
    grey : ndarray of uint8 of shape (height, width)
    shape : (int, int)
        Height and width in pixels.

    Returns
    -------
    ndarray of uint8 of the shape `shape`
    """
    height, width = grey.shape
    if grey.shape == shape:
        return grey
    step = max(height / shape[0], width / shape[1])
    left, top = (width - step * shape[1]) / 2, (height - step * shape[0]) / 2
    right, bottom = left + step * shape[1], top + step * shape[0]
    return _bytes(box_means(grey, (left, top, right, bottom), shape))


def is_transparent(pixels: NDArray[np.uint8]) -> bool:
    """Whether some of a picture is not opaque."""
    return pixels.ndim == 3 and pixels.shape[2] == 4 and bool((pixels[..., 3] < 255).any())


def is_dark_on_nothing(pixels: NDArray[np.uint8]) -> bool:
    """Whether a picture is of dark ink alone, on a transparent background."""
    if not is_transparent(pixels):
        return False
    visible = brightness(pixels)[pixels[..., 3] >= 128]
    return visible.size > 0 and int(visible.max()) < DARK


def brightness(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The brightness of pixels, as Pillow computes it: ITU-R 601, in integers.

    Parameters
    ----------
    pixels : ndarray of uint8 of shape (height, width), or (height, width, 3) or (height, width, 4)
        How opaque they are does not count.

    Returns
    -------
    ndarray of uint8 of shape (height, width)

    Raises
    ------
    ValueError
        If the pixels are no such array, or there are none.
    """
    is_picture = pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[2] in {3, 4})
    if not is_picture or pixels.dtype != np.uint8 or pixels.size == 0:
        raise ValueError(
            "a picture must be an array of uint8 of shape (height, width), or with 3 or 4 colours, "
            f"not {pixels.dtype} of shape {pixels.shape}"
        )
    if pixels.ndim == 2:
        return pixels
    grey = np.empty(pixels.shape[:2], np.uint8)
    for rows in _rows(grey):
        red, green, blue = np.moveaxis(pixels[rows, :, :3].astype(np.int32), -1, 0)
        grey[rows] = (19595 * red + 38470 * green + 7471 * blue + 32768) >> 16
    return grey


def grey_of(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The brightness of a picture of strokes, of which some may not be opaque.

    What is not opaque gets the brightness of the rest, if that is most of the picture, as it is
    paper; otherwise the rest is ink, and what is behind it gets white or black, which is farther.

    Parameters
    ----------
    pixels : ndarray of uint8
        As for `brightness`.

    Returns
    -------
    ndarray of uint8 of shape (height, width)

    Raises
    ------
    ValueError
        As for `brightness`.
    """
    grey = brightness(pixels)
    if not is_transparent(pixels):
        return grey
    opaque = pixels[..., 3]
    total = int(opaque.sum(dtype=np.int64))
    weighted = sum(int(a.astype(np.int64) @ b) for a, b in zip(opaque, grey, strict=True))
    mean = weighted / total if total else 0.0
    if 2 * total > 255 * opaque.size:
        behind = int(np.floor(mean + 0.5))
    else:
        behind = 255 if mean < 128 else 0
    return _on(behind, grey, opaque)


def _on(behind: int, grey: NDArray[np.uint8], opaque: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Grey values on a background of one value."""
    mixed = np.empty_like(grey)
    for rows in _rows(grey):
        share = opaque[rows].astype(np.int32)
        mixed[rows] = (grey[rows] * share + behind * (255 - share) + 127) // 255
    return mixed


def _rows(grey: NDArray[np.uint8]) -> Iterator[slice]:
    """Some rows after the other, so that a large picture takes no more memory."""
    return blocks(len(grey), max(1, BLOCK // grey.shape[1]))


def shrunk(grey: NDArray[np.uint8], box: Box, side: float) -> Surface:
    """A part of a picture, with at most so many pixels on its longer side."""
    scale = min(1.0, side / box.side)
    rows = max(1, int(np.floor(scale * (box.bottom - box.top) + 0.5)))
    columns = max(1, int(np.floor(scale * (box.right - box.left) + 0.5)))
    return rounded(box_means(grey, box, (rows, columns)))


class _Seen(NamedTuple):
    """What is found in a picture."""

    ink: Surface  # grey levels that it differs from the background
    thing: Thing | None
    full: float  # grey levels of full ink
    is_light: bool
    lines: Lines


def _look_at_whole(grey: Surface) -> _Seen:
    """Look for ink, dark or light.

    Ink takes less space than the background, so that its differences from the mean of what is
    around are larger: the third moment shows their sign. A shadow's edge is symmetric.
    """
    flat = rounded(grey - background(grey))
    if min(grey.shape) >= SMALL:
        flat = rounded(window_means(flat, 1))
    off = np.trunc(flat - window_means(flat, int(AROUND * max(flat.shape) / 2)))  # sums are exact
    is_light = float((off * off * off).sum()) > 0
    seen = _look_for(flat if is_light else -flat, is_light=is_light)
    if seen.thing is None and not any(seen.lines):
        # A stroke that fills the picture may take more space than the background.
        seen = _look_for(-flat if is_light else flat, is_light=not is_light)
    return seen


def _look_for(flat: Surface, *, is_light: bool) -> _Seen:
    """Look for what is lighter than what is around it."""
    ink, noise = _above_background(flat, WIDEST_OF_PICTURE * max(flat.shape))
    without, lines = without_lines(ink > max(CERTAIN * noise, TRACE * _fullest(ink)))
    full = _fullest(np.where(without, ink, 0))
    mask = without & (ink > max(CERTAIN * noise, FOUND * full))
    for each in (without_surroundings(mask), mask):
        thing = largest(each, ink)
        if thing is not None and full >= INVISIBLE and _stands_out(ink, thing.mask, full):
            return _Seen(ink, thing, full, is_light, lines)
    return _Seen(ink, None, full, is_light, lines)


def _above_background(flat: Surface, widest: float) -> tuple[Surface, float]:
    """How much lighter a picture is than what is around, and the standard deviation of its noise.

    The white top-hat: the picture without what is wider than a stroke, as are a shadow and the
    table under the paper. Meyer 1979, "Iterative image transformations for an automatic screening
    of cervical smears" (https://doi.org/10.1177/27.1.438499); against uneven light in Gonzalez and
    Woods, "Digital Image Processing", chapter 9.
    """
    ink = closed(-flat, int(widest / 2)) + flat
    ink -= np.median(ink)  # as the window finds the darkest of the noise
    return ink, spread(ink)


def _stands_out(ink: Surface, mask: Mask, full: float) -> bool:
    """Whether there is an edge around what was found: uneven light has none.

    At the picture's border, a shadow's soft edge looks like ink that is seen in part: there the
    edge must be steeper. What fills most of the picture is a digit that was cut out.
    """
    box = bounds(mask)
    is_cut_off = _touches(box, mask.shape) and box.area < mask.size / 2
    reach = max(2, int((NARROW_RING if is_cut_off else RING) * box.side))
    around = grown(mask, reach, reach) & ~mask
    if not around.any():
        return False
    return float(ink[mask].mean() - ink[around].mean()) >= STEP * full


def _fullest(ink: Surface) -> float:
    """Grey levels of full ink, as far as can be known before it is found."""
    rank = max(1, min(LEAST, ink.size // LEAST))
    return float(np.partition(ink.ravel(), -rank)[-rank])


def _look_closely(
    grey: Surface, place: Box, around: Box, seen: _Seen
) -> tuple[NDArray[np.uint8], Mask] | None:
    """Separate the ink that was found from all else.

    Parameters
    ----------
    grey : ndarray of float64 of shape (height, width)
        The part of the picture.
    place, around : Box
        Where the ink is, and where this part is.
    seen : _Seen
        What was found in the whole picture.

    Returns
    -------
    ink : ndarray of uint8 of shape (height, width)
    outline : ndarray of bool of shape (height, width)
        Where there is enough of it for the box.
    """
    scale = max(grey.shape) / around.side
    flat = rounded(grey - background(grey))
    if not seen.is_light:
        flat = -flat
    inside = rectangle(grey.shape, place, around, scale)
    widest = scale * WIDEST_OF_INK * place.side
    for radius in (0, 1, 2):  # smoothed only as far as there is noise
        ink, noise = _above_background(rounded(window_means(flat, radius)), widest)
        full = _fullest(np.where(inside, ink, 0))
        if noise <= CALM * full:
            break
    if full <= 0:
        return None
    strokes = ink[inside & (ink > full / 2)]
    strokes = strokes[strokes > strokes.mean() / 2]
    rank = int(FULL * strokes.size)
    full = float(np.partition(strokes, rank)[rank])
    noise = min(noise, full / (2 * LIKELY))  # half of the full ink is ink, however noisy
    limit = max(LIKELY * noise, EDGE * full)
    mask = ink > limit
    if seen.lines.across or seen.lines.down:
        without, _ = without_lines(ink > 0.6 * limit, seen.lines)
        mask &= without
    thing = largest(mask, ink * inside)
    if thing is None:
        return None
    is_ink = grown(thing.mask, 1, 1) & (mask | (ink <= limit))  # with its soft edge, without lines
    share = np.clip((ink - NOISE * noise) / (full - NOISE * noise), 0, 1) * is_ink
    outline = thing.mask & (share >= OUTLINE)
    return (_bytes(255 * share), outline) if outline.any() else None


def centred(ink: NDArray[np.uint8], step: float, shape: tuple[int, int]) -> NDArray[np.uint8]:
    """Scale ink, and place its centre of mass in the middle.

    An image of MNIST was moved by whole pixels, so that its centre of mass is within half a pixel
    of (14, 14), counted from the middle of the first pixel. Here it is moved by whole pixels of
    the ink as it is seen: an image of MNIST stays as it is, and a picture with more pixels comes
    nearer to the middle.

    Parameters
    ----------
    ink : ndarray of uint8 of shape (height, width), not all 0
    step : float
        Pixels of the ink that become one.
    shape : (int, int)
        Height and width of the image.

    Returns
    -------
    ndarray of uint8 of the shape `shape`
    """
    mass = float(ink.sum())
    x = float(ink.sum(axis=0) @ (np.arange(ink.shape[1]) + 0.5)) / mass
    y = float(ink.sum(axis=1) @ (np.arange(ink.shape[0]) + 0.5)) / mass
    left = float(np.floor(x - (shape[1] + 1) / 2 * step + 0.5))
    top = float(np.floor(y - (shape[0] + 1) / 2 * step + 0.5))
    place = (left, top, left + shape[1] * step, top + shape[0] * step)
    return _bytes(box_means(ink, place, shape))


def _touches(box: Box, shape: tuple[int, ...]) -> bool:
    """Whether a box reaches the border of a picture, whose last pixels the smoothing may pale."""
    height, width = shape
    near = 1 if min(shape) >= SMALL else 0
    reaches_start = box.left <= near or box.top <= near
    return reaches_start or box.right >= width - near or box.bottom >= height - near


def _blank(grey: Surface, shape: tuple[int, int]) -> Preparation:
    nothing = np.zeros(grey.shape, np.uint8)
    return Preparation(
        *(_bytes(grey), nothing, nothing.astype(bool), None),
        *(nothing, np.zeros(shape, np.uint8), (NOTHING,)),
    )


def _bytes(values: NDArray[Any]) -> NDArray[np.uint8]:
    """Rounded as JavaScript does: halves upwards."""
    return np.floor(np.clip(values, 0, 255) + 0.5).astype(np.uint8)
