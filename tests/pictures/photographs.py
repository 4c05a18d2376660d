"""Photographs of digits on paper, made from images of digits: lit, noisy, blurred, turned, JPEG.

`KINDS` names the papers and pens. What each is made of is drawn at random, by a seed.
"""

import io
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

Array = NDArray[Any]


class Kind(NamedTuple):
    """How the photographs of one kind differ from plain ones."""

    digit: tuple[float, float] = (0.2, 0.6)  # its side, as a share of the picture's shorter one
    side: tuple[int, int] = (300, 700)  # of the picture, in pixels
    light: tuple[float, float] = (0.0, 0.4)  # how much of the light is lost across the picture
    noise: tuple[float, float] = (2, 8)  # standard deviation, in grey levels
    grain: tuple[float, float] = (0, 3)  # of the paper: noise that is smooth over a few pixels
    blur: tuple[float, float] = (0.3, 1.0)  # standard deviation, in pixels of the digit's 28 / 20
    quality: tuple[int, int] = (60, 95)  # of the JPEG
    margin: float = 0.05  # the least distance from the picture's border, as a share of its side
    pen: tuple[float, float] = (0, 0)  # pixels of the digit's image that are added to a stroke
    ink: tuple[float, float] = (0.6, 0.9)  # how much of the light the ink takes
    paper: tuple[int, int] = (170, 245)  # grey level of the paper where there is most light
    tint: float = 0.12  # how far the paper's colours may be from grey
    is_light: bool = False  # light on dark
    is_crisp: bool = False  # sharp outlines, as a marker's
    draw: Callable[[Array, float, np.random.Generator], None] | None = None  # onto the paper


def ruled(paper: Array, digit: float, rng: np.random.Generator) -> None:
    """Draw ruled lines, about as far apart as the digit is large."""
    _lines(paper, digit * rng.uniform(0.6, 1.3), rng, rng.uniform(-4, 4), rng.uniform(0.15, 0.4))


def squared(paper: Array, digit: float, rng: np.random.Generator) -> None:
    """Draw lines in both directions."""
    angle = rng.uniform(-4, 4)
    distance, strength = digit * rng.uniform(0.4, 0.8), rng.uniform(0.12, 0.3)
    _lines(paper, distance, rng, angle, strength)
    _lines(paper, distance, rng, angle + 90, strength)


def dark_lines(paper: Array, digit: float, rng: np.random.Generator) -> None:
    """Draw ruled lines nearly as dark as ink."""
    _lines(paper, digit * rng.uniform(0.8, 1.5), rng, rng.uniform(-4, 4), rng.uniform(0.45, 0.7))


def _lines(
    paper: Array, distance: float, rng: np.random.Generator, angle: float, strength: float
) -> None:
    y, x = np.indices(paper.shape[:2])
    radians = np.radians(angle)
    across = y * np.cos(radians) - x * np.sin(radians) + rng.uniform(0, distance)
    width = max(1.0, digit_line(distance, rng))
    off = np.abs((across + distance / 2) % distance - distance / 2)
    cover = np.clip((width + 1) / 2 - off, 0, 1)
    colour = np.array([1.0, 0.8, 0.45]) if rng.random() < 0.7 else np.ones(3)
    paper *= 1 - strength * cover[..., np.newaxis] * colour


def digit_line(distance: float, rng: np.random.Generator) -> float:
    """Width of a ruled line."""
    return distance * rng.uniform(0.01, 0.03)


def shadow(paper: Array, digit: float, rng: np.random.Generator) -> None:
    """Let a shadow with a soft edge fall onto a part."""
    height, width = paper.shape[:2]
    y, x = np.indices((height, width))
    angle = rng.uniform(0, 2 * np.pi)
    at_y, at_x = rng.uniform(0.2, 0.8, 2) * [height, width]
    across = (y - at_y) * np.sin(angle) + (x - at_x) * np.cos(angle)
    soft = rng.uniform(0.03, 0.15) * max(height, width)
    cover = 1 / (1 + np.exp(-np.clip(across / soft * 2, -50, 50)))
    paper *= 1 - rng.uniform(0.2, 0.45) * cover[..., np.newaxis]


def vignette(paper: Array, digit: float, rng: np.random.Generator) -> None:
    """Darken towards the corners, or away from a lamp."""
    height, width = paper.shape[:2]
    y, x = np.indices((height, width))
    at_y, at_x = rng.uniform(0.2, 0.8, 2) * [height, width]
    square = ((y - at_y) ** 2 + (x - at_x) ** 2) / max(height, width) ** 2
    paper *= (1 / (1 + rng.uniform(0.5, 1.5) * square))[..., np.newaxis]


KINDS = {
    "plain": Kind(),
    "small": Kind(digit=(0.06, 0.12), side=(500, 900)),
    "tiny": Kind(digit=(0.03, 0.05), side=(900, 1200), noise=(1, 4)),
    "large": Kind(digit=(0.75, 0.95), margin=0.01),
    "tight": Kind(digit=(1.0, 1.05), margin=-0.1, side=(100, 400)),
    "at the border": Kind(digit=(0.2, 0.5), margin=0.0, draw=None),
    "thin pen": Kind(pen=(-0.9, -0.4), is_crisp=True),
    "thick pen": Kind(pen=(0.4, 0.9), is_crisp=True),
    "marker": Kind(is_crisp=True, blur=(0.0, 0.3)),
    "pencil": Kind(ink=(0.25, 0.4), noise=(2, 5)),
    "light on dark": Kind(is_light=True, paper=(30, 80), ink=(0.6, 0.9)),
    "strong light": Kind(light=(0.5, 0.75)),
    "shadow": Kind(draw=shadow),
    "vignette": Kind(draw=vignette),
    "noisy": Kind(noise=(15, 25), grain=(3, 6), quality=(30, 60)),
    "blurred": Kind(blur=(1.0, 1.6)),
    "ruled": Kind(draw=ruled),
    "squared": Kind(draw=squared),
    "dark lines": Kind(draw=dark_lines),
    "low resolution": Kind(side=(60, 120), digit=(0.3, 0.6), blur=(0.2, 0.5)),
}


def photograph(
    image: NDArray[np.uint8], kind: Kind, rng: np.random.Generator, angle: float = 8
) -> NDArray[np.uint8]:
    """Photograph a digit: pixels as they come out of a JPEG file.

    Parameters
    ----------
    image : ndarray of uint8 of shape (28, 28)
        0 for the background, 255 for full ink.
    kind : Kind
    rng : numpy.random.Generator
    angle : float
        Degrees by which it is turned at most, either way.

    Returns
    -------
    ndarray of uint8 of shape (height, width, 3)
    """
    with Image.open(io.BytesIO(photograph_file(image, kind, rng, angle))) as opened:
        return np.asarray(opened.convert("RGB"))


def photograph_file(
    image: NDArray[np.uint8], kind: Kind, rng: np.random.Generator, angle: float = 8
) -> bytes:
    """Photograph a digit: a JPEG file, as `photograph` reads it."""
    height, width = rng.integers(kind.side[0], kind.side[1] + 1, 2)
    zoom = min(height, width) * rng.uniform(*kind.digit) / 20  # pixels of one of the digit's
    ink = _enlarged(image, kind, zoom, rng, rng.uniform(-angle, angle))  # cropped to its ink
    # where it goes
    places = []
    for size, ink_size in ((height, ink.shape[0]), (width, ink.shape[1])):
        least = round(kind.margin * size)
        most = max(size - ink_size - least, least)
        places.append(int(rng.integers(least, most + 1)))
    if kind.margin == 0.0:  # touching one side
        axis, end = rng.integers(2, size=2)
        places[axis] = 0 if end == 0 else (height, width)[axis] - ink.shape[axis]
    cover = np.zeros((height, width), np.float32)
    top, left = places
    rows = slice(max(top, 0), min(top + ink.shape[0], height))
    columns = slice(max(left, 0), min(left + ink.shape[1], width))
    cover[rows, columns] = ink[
        rows.start - top : rows.stop - top, columns.start - left : columns.stop - left
    ]
    sigma = rng.uniform(*kind.blur) * zoom * 0.7
    around = round(4 * sigma) + 1  # the rest stays blank
    part = (
        slice(max(rows.start - around, 0), rows.stop + around),
        slice(max(columns.start - around, 0), columns.stop + around),
    )
    cover[part] = ndimage.gaussian_filter(cover[part], sigma, mode="nearest")
    paper = _lit_paper(height, width, kind, rng)
    if kind.draw is not None:
        kind.draw(paper, 20 * zoom, rng)
    strength = rng.uniform(*kind.ink)
    colour = 1 - rng.uniform(0, 0.5) * rng.dirichlet(np.ones(3))
    if kind.is_light:
        picture = paper + strength * cover[..., np.newaxis] * colour * (250 - paper)
    else:
        picture = paper * (1 - strength * cover[..., np.newaxis] * colour)
    noise = rng.standard_normal(picture.shape, np.float32)
    picture = picture + np.float32(rng.uniform(*kind.noise)) * noise
    pixels = np.clip(np.rint(picture), 0, 255).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=int(rng.integers(*kind.quality)))
    return file.getvalue()


def _enlarged(
    image: NDArray[np.uint8], kind: Kind, zoom: float, rng: np.random.Generator, angle: float
) -> Array:
    """The digit's ink, from 0 to 1, enlarged, turned and cropped."""
    side = int(np.ceil(28 * zoom * 1.2))
    radians = np.radians(angle)
    turn = np.array([[np.cos(radians), np.sin(radians)], [-np.sin(radians), np.cos(radians)]])
    centre = np.full(2, 13.5)
    offset = centre - turn @ np.full(2, (side - 1) / 2) / zoom
    order = 1 if rng.random() < 0.3 else 3
    ink = ndimage.affine_transform(image / 255, turn / zoom, offset, (side, side), order=order)
    if kind.is_crisp:
        # the signed distance from the outline, in pixels of the enlarged digit
        inside = ink > 0.5
        distance = ndimage.distance_transform_edt(inside) - ndimage.distance_transform_edt(~inside)
        grown = distance + rng.uniform(*kind.pen) / 2 * zoom
        if (grown > 0.5).sum() < 0.3 * inside.sum():
            grown = distance
        ink = np.clip(grown + 0.5, 0, 1)
    ink = np.clip(ink, 0, 1)
    rows = np.flatnonzero(ink.max(axis=1) > 0.1)
    columns = np.flatnonzero(ink.max(axis=0) > 0.1)
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _lit_paper(height: int, width: int, kind: Kind, rng: np.random.Generator) -> Array:
    y, x = np.indices((height, width))
    direction = rng.uniform(0, 2 * np.pi)
    along = np.cos(direction) * x / width + np.sin(direction) * y / height
    along = (along - along.min()) / (along.max() - along.min())
    light = (1 - rng.uniform(*kind.light) * along).astype(np.float32)
    colour = rng.uniform(*kind.paper) * (1 - kind.tint * rng.random(3))
    grain = rng.standard_normal((height, width), np.float32)
    grain = ndimage.gaussian_filter(grain, rng.uniform(1, 3))
    grain *= rng.uniform(*kind.grain) / grain.std()
    return light[..., np.newaxis] * colour.astype(np.float32) + grain[..., np.newaxis]
