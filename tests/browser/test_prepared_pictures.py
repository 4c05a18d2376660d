"""How the explorer prepares pictures, against Python: the same pixels, from the same pixels."""

import base64
import json

import numpy as np
import pytest

from nnlib.data.synthetic import draw_images
from nnlib.pictures.preparation import BORDER, CONTRAST, NOTHING, SEVERAL, prepare, scaled
from tests.pictures.photographs import KINDS, photograph

DIGITS = next(iter(draw_images(np.arange(10, dtype=np.uint8), np.random.default_rng(5))))

# What a page makes of pictures: texts, as they pass faster than arrays.
PREPARE = """pictures => {
  const packed = (pixels) => {
    let text = "";
    for (const byte of pixels) text += String.fromCharCode(byte);
    return btoa(text);
  };
  const packedPicture = ({ pixels, width, height }) => [packed(pixels), height, width];
  return JSON.stringify(pictures.map(([text, height, width]) => {
    const picture = { pixels: bytes(text), width, height };
    const made = preparePicture(picture);
    return {
      ...made,
      grey: packedPicture(made.grey),
      flattened: packedPicture(made.flattened),
      mask: packed(made.mask),
      ink: packedPicture(made.ink),
      image: packed(made.image),
      scaled: packed(scaledPicture(picture)),
      inverted: packed(scaledPicture(picture, true)),
    };
  }));
}"""


def rgba(pixels):
    """As a page reads a picture: red, green, blue and how opaque it is."""
    if pixels.ndim == 2:
        pixels = np.dstack([pixels] * 3)
    if pixels.shape[2] == 4:
        return pixels
    return np.dstack([pixels, np.full(pixels.shape[:2], 255, np.uint8)])


def unpacked(text, height, width):
    return np.frombuffer(base64.b64decode(text), np.uint8).reshape(height, width)


def check(page, pictures):
    """Python and the page make the same of pictures; returns what Python makes."""
    packed = [
        (base64.b64encode(rgba(pixels).tobytes()).decode(), *pixels.shape[:2])
        for pixels in pictures
    ]
    made = []
    for pixels, found in zip(pictures, json.loads(page.evaluate(PREPARE, packed)), strict=True):
        expected = prepare(pixels)
        made.append(expected)
        for step in ("grey", "flattened", "ink"):
            np.testing.assert_array_equal(unpacked(*found[step]), getattr(expected, step), step)
        mask = unpacked(found["mask"], *expected.mask.shape)
        np.testing.assert_array_equal(mask, expected.mask)
        assert found["box"] == (expected.box and expected.box._asdict())
        assert found["warnings"] == list(expected.warnings)
        np.testing.assert_array_equal(unpacked(found["image"], 28, 28), expected.image)
        for name, inverted in (("scaled", False), ("inverted", True)):
            np.testing.assert_array_equal(
                unpacked(found[name], 28, 28), scaled(pixels, (28, 28), inverted=inverted)
            )
    return made


def photographs(seed, count, **changes):
    """As many on each kind of paper as on the others."""
    kinds = [kind._replace(**changes) for kind in KINDS.values()]
    for i in range(count):
        rng = np.random.default_rng([seed, i])
        yield photograph(DIGITS[i % 10], kinds[i % len(kinds)], rng, angle=20)


def test_photographs(digits_page):
    made = check(digits_page, list(photographs(1, len(KINDS), side=(60, 130))))
    assert sum(each.box is not None for each in made) > 0.8 * len(KINDS)


@pytest.mark.slow
def test_many_photographs(digits_page):
    photos = [*photographs(2, 300, side=(60, 200)), *photographs(3, len(KINDS))]
    made = []
    for i in range(0, len(photos), 20):
        made += check(digits_page, photos[i : i + 20])
    assert {text for each in made for text in each.warnings} == {NOTHING, SEVERAL, BORDER, CONTRAST}


def on_paper(shape, *places, paper=220, ink=40):
    """Bars of ink on paper."""
    picture = np.full(shape, paper, np.uint8)
    for top, left, bottom, right in places:
        picture[top:bottom, left:right] = ink
    return picture


RNG = np.random.default_rng(6)
GREY = photograph(DIGITS[4], KINDS["plain"]._replace(side=(90, 120)), RNG)[..., 1]
COVER = RNG.integers(0, 256, GREY.shape).astype(np.uint8)
FROM_MIDDLE = np.hypot(*np.mgrid[-40:40, -50:50])
FIELD = ((15, 40, 85, 43), (15, 87, 85, 90), (15, 40, 18, 90), (82, 40, 85, 90))
PICTURES = {
    "grey": GREY,
    "light on dark": 255 - GREY,
    "small": GREY[30:84],
    "transparent": np.zeros((40, 50, 4), np.uint8),
    "ink on nothing": np.dstack([np.full_like(GREY, 115)] * 3 + [255 - GREY]),
    "dark ink on nothing": np.dstack([np.full_like(GREY, 60)] * 3 + [255 - GREY]),
    "partly opaque": np.dstack([GREY, GREY // 2, GREY, COVER]),
    "paper with a transparent margin": np.dstack(
        [GREY] * 3 + [np.where(GREY > 180, 255, 40).astype(np.uint8)]
    ),
    "blank": np.full((60, 90), 255, np.uint8),
    "noise": RNG.normal(128, 40, (70, 60)).clip(0, 255).astype(np.uint8),
    "half dark": np.repeat([[0, 255]], 40, axis=0).repeat(30, axis=1).astype(np.uint8),
    "a slope": np.tile(np.linspace(80, 250, 90).astype(np.uint8), (60, 1)),
    "a soft shadow": (200 - 100 * np.exp(-FROM_MIDDLE / 15)).astype(np.uint8),
    "one pixel": np.full((1, 1), 9, np.uint8),
    "a row": RNG.integers(0, 256, (1, 300)).astype(np.uint8),
    "a column": on_paper((300, 1), (100, 0, 130, 1)),
    "narrow": on_paper((2, 90), (0, 30, 2, 40)),
    "wide": on_paper((60, 700), (10, 100, 50, 110)),
    "two things": on_paper((90, 120), (20, 20, 70, 30), (20, 80, 35, 90)),
    "two of a size": on_paper((90, 120), (20, 20, 70, 30), (20, 80, 70, 90)),
    "in a field": on_paper((100, 130), (25, 60, 75, 70), *FIELD),
    "in a field that is open": on_paper((100, 130), (25, 60, 75, 70), *FIELD[1:]),
    "in one of two fields": on_paper(
        (100, 130), (30, 56, 70, 60), *FIELD, (15, 5, 18, 45), (82, 5, 85, 45), (15, 5, 85, 8)
    ),
    "underlined": on_paper((100, 130), (25, 60, 65, 70), (70, 40, 74, 90)),
    "over a bar that is no wider": on_paper((100, 130), (25, 60, 65, 90), (70, 58, 74, 92)),
    "two in a large field": on_paper((100, 130), (25, 50, 75, 54), (30, 70, 60, 80), *FIELD),
    "two parts": on_paper((90, 120), (20, 20, 70, 30), (20, 33, 26, 60)),
    "parts beside parts": on_paper((90, 120), (20, 20, 70, 30), (20, 37, 26, 60), (20, 67, 26, 77)),
    "a table beside the paper": on_paper((90, 120), (20, 20, 70, 30), (0, 112, 90, 120)),
    "a line down": on_paper((90, 120), (0, 58, 90, 62)),
    "at the border": on_paper((90, 120), (0, 20, 50, 30)),
    "filled by a stroke": on_paper((60, 60), (4, 6, 56, 54), paper=250),
    "ruled": np.minimum(
        on_paper((120, 120), (20, 50, 90, 58)),
        np.where(np.arange(120)[:, np.newaxis] % 25 < 2, 130, 220).astype(np.uint8),
    ),
    "larger than what is looked at": on_paper((530, 270), (100, 100, 200, 120)),
}


def test_other_pictures(digits_page):
    made = dict(zip(PICTURES, check(digits_page, PICTURES.values()), strict=True))
    assert made["two things"].warnings == (SEVERAL,)
    assert made["in a field"].warnings == (SEVERAL,)
    assert made["in a field"].box[0] > 50
    assert made["underlined"].box[3] < 68
    assert made["at the border"].warnings == (BORDER,)
    for name in ("transparent", "blank", "a soft shadow", "one pixel"):
        assert made[name].warnings == (NOTHING,)
