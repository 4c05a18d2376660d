"""From pictures of drawn digits to images, by values worked by hand and by what must not matter."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image
from scipy import ndimage

from nnlib.data.synthetic import draw_images
from nnlib.pictures.preparation import (
    BORDER,
    CONTRAST,
    NOTHING,
    SEVERAL,
    grey_of,
    prepare,
    scaled,
)
from tests.pictures.photographs import KINDS, photograph

LABELS = np.arange(10, dtype=np.uint8)
DIGITS = next(iter(draw_images(LABELS, np.random.default_rng(3))))  # 255 is ink


def enlarged(digit, zoom, least=20):
    """The ink of a digit, enlarged and cropped to pixels with more ink than the least."""
    big = np.clip(ndimage.zoom(DIGITS[digit].astype(float), zoom, order=1), 0, 255)
    rows, columns = np.flatnonzero(big.max(axis=1) > least), np.flatnonzero(big.max(axis=0) > least)
    return big[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def on_paper(ink, shape=(300, 400), at=(60, 80), paper=230, strength=0.8):
    picture = np.full(shape, float(paper))
    top, left = at
    picture[top : top + ink.shape[0], left : left + ink.shape[1]] *= 1 - strength * ink / 255
    return np.rint(picture).astype(np.uint8)


def difference(a, b):
    """Of two images, as a share of their ink."""
    return np.abs(a.astype(float) - b).sum() / (a.sum() + b.sum())


def test_a_rectangle_by_hand():
    picture = np.full((300, 300), 255, np.uint8)
    picture[50:150, 200:240] = 0  # 100 pixels high: five become one
    prepared = prepare(picture)
    ink = prepared.image / 255
    assert ink.sum() == pytest.approx(20 * 8, rel=0.04)
    assert ink.sum(axis=0).max() == pytest.approx(20, rel=0.03)  # the height
    assert ink.sum(axis=1).max() == pytest.approx(8, rel=0.03)
    # The centre of mass is that of MNIST's images: (14, 14), counted from the middle of a pixel.
    for axis in (0, 1):
        assert ink.sum(axis=axis) @ np.arange(28) / ink.sum() == pytest.approx(14, abs=0.15)
    assert prepared.image.max() == 255
    np.testing.assert_allclose(prepared.box, (200, 50, 240, 150), atol=1)
    assert prepared.warnings == ()


@pytest.mark.parametrize("digit", range(10))
def test_where_it_lies_and_how_large_it_is_does_not_matter(digit):
    ink = enlarged(digit, 5)
    once = prepare(on_paper(ink))
    assert once.warnings == ()
    ys, xs = np.nonzero(once.image > 80)
    assert max(np.ptp(ys), np.ptp(xs)) + 1 in {19, 20, 21}
    mass = once.image.sum()
    for axis in (0, 1):
        assert once.image.sum(axis=axis) @ np.arange(28) / mass == pytest.approx(14, abs=0.3)
    elsewhere = prepare(on_paper(ink, shape=(500, 350), at=(300, 200)))
    assert difference(once.image, elsewhere.image) < 0.03
    larger = prepare(on_paper(enlarged(digit, 9), shape=(700, 700)))
    assert difference(once.image, larger.image) < 0.1


def test_dark_on_light_or_light_on_dark_does_not_matter():
    for digit in range(10):
        picture = on_paper(enlarged(digit, 5))
        assert difference(prepare(picture).image, prepare(255 - picture).image) < 1e-3


def test_a_prepared_image_stays_as_it_is():
    for digit in range(10):
        image = prepare(on_paper(enlarged(digit, 5))).image
        assert difference(prepare(image).image, image) < 0.1


def test_light_that_is_lost_across_the_picture_does_not_matter():
    picture = on_paper(enlarged(3, 5))
    y, x = np.indices(picture.shape)
    light = 1 - 0.6 * (x + y) / (x + y).max()
    lit = np.rint(picture * light).astype(np.uint8)
    assert difference(prepare(picture).image, prepare(lit).image) < 0.1


def test_a_tiny_digit():
    ink = enlarged(5, 1)
    assert max(ink.shape) < 25
    prepared = prepare(on_paper(ink, shape=(1500, 1100), at=(1200, 900)))
    assert difference(prepared.image, prepare(on_paper(ink, (60, 60), (20, 20))).image) < 0.05


def test_ink_at_the_border_is_warned_of():
    ink = enlarged(4, 5, least=150)
    inside = prepare(on_paper(ink)).image
    height, width = ink.shape
    for at in ((0, 100), (300 - height, 100), (90, 0), (90, 400 - width)):
        prepared = prepare(on_paper(ink, at=at))
        assert prepared.warnings == (BORDER,)
        assert difference(prepared.image, inside) < 0.1


@pytest.mark.parametrize(("left", "warnings"), [(0, (BORDER,)), (1, ()), (3, ())])
def test_in_a_picture_as_small_as_an_image_a_pixel_beside_the_ink_is_enough(left, warnings):
    picture = np.zeros((28, 28), np.uint8)
    picture[4:24, left : left + 4] = 255
    assert prepare(picture).warnings == warnings


@pytest.mark.parametrize("table", [40, 120])
def test_a_table_beside_the_paper_is_no_ink(table):
    paper = on_paper(enlarged(3, 5))
    picture = np.pad(paper, ((0, 40), (0, 60)), constant_values=table)
    assert difference(prepare(picture).image, prepare(paper).image) < 0.05


def test_of_two_digits_the_largest_is_taken():
    both = on_paper(enlarged(8, 6), at=(60, 30))
    both = np.minimum(both, on_paper(enlarged(3, 5), at=(80, 250)))
    prepared = prepare(both)
    assert prepared.warnings == (SEVERAL,)
    alone = prepare(on_paper(enlarged(8, 6), at=(60, 30)))
    assert difference(prepared.image, alone.image) < 0.02


def test_hardly_any_contrast_is_warned_of():
    assert CONTRAST in prepare(on_paper(enlarged(2, 5), strength=0.08)).warnings
    assert prepare(on_paper(enlarged(2, 5), strength=0.3)).warnings == ()


BLANK = {
    "white": np.full((200, 300), 255, np.uint8),
    "black": np.zeros((200, 300), np.uint8),
    "one pixel": np.full((1, 1), 9, np.uint8),
    "a row": np.full((1, 300), 9, np.uint8),
    "light": np.tile(np.linspace(80, 250, 300).astype(np.uint8), (200, 1)),
    "noise": np.random.default_rng(0).normal(200, 9, (200, 300)).astype(np.uint8),
    "transparent": np.zeros((90, 90, 4), np.uint8),
}


@pytest.mark.parametrize("name", BLANK)
def test_on_a_blank_page_nothing_is_found(name):
    prepared = prepare(BLANK[name])
    assert prepared.warnings == (NOTHING,)
    assert prepared.box is None
    assert not prepared.image.any()
    assert prepared.image.shape == (28, 28)


@pytest.mark.parametrize(
    "name", ["plain", "vignette", "strong light", "noisy", "light on dark", "ruled"]
)
def test_on_photographs_of_blank_paper_nothing_is_found(name):
    for seed in range(3):
        paper = KINDS[name]._replace(ink=(0, 1e-9), side=(300, 400))
        photo = photograph(DIGITS[0], paper, np.random.default_rng([seed, 77]))
        assert prepare(photo).warnings == (NOTHING,), seed


def shadowed(shape, angle, at_y, at_x):
    """How much light is left where a shadow with a soft edge falls."""
    y, x = np.indices(shape)
    across = (y - at_y * shape[0]) * np.sin(angle) + (x - at_x * shape[1]) * np.cos(angle)
    return 1 - 0.4 / (1 + np.exp(-across / 10))


@pytest.mark.parametrize("degrees", [35, 60, 120, 250, 300])
@pytest.mark.parametrize("at", [(0.3, 0.3), (0.25, 0.75), (0.6, 0.8)])
def test_a_shadow_on_a_blank_page_is_no_ink(degrees, at):
    light = shadowed((240, 320), np.radians(degrees), *at)
    assert prepare(np.rint(230 * light).astype(np.uint8)).warnings == (NOTHING,)


def test_ink_at_the_border_in_a_shadow_is_found():
    for digit in range(10):
        picture = on_paper(enlarged(digit, 4, least=150), (240, 320), (0, 30))
        light = shadowed(picture.shape, np.radians(60), 0.3, 0.3)
        shady = prepare(np.rint(picture * light).astype(np.uint8))
        assert shady.box is not None
        assert difference(shady.image, prepare(picture).image) < 0.2, digit


@pytest.mark.parametrize("angle", [0, 4, -7])
def test_ruled_lines_are_left_out(angle):
    for digit in (3, 4, 8):
        picture = on_paper(enlarged(digit, 5))
        y, x = np.indices(picture.shape)
        across = y - np.tan(np.radians(angle)) * (x - 200)
        ruled = picture.astype(float)
        ruled[across % 70 < 2] *= 0.6
        prepared = prepare(ruled.astype(np.uint8))
        assert prepared.warnings == ()
        assert difference(prepared.image, prepare(picture).image) < 0.1


@pytest.mark.parametrize("ink", [(0, 0, 0), (255, 255, 255), (200, 30, 20)])
def test_ink_on_a_transparent_background(ink):
    shape = enlarged(6, 5)
    picture = np.zeros((300, 300, 4), np.uint8)
    picture[60 : 60 + shape.shape[0], 80 : 80 + shape.shape[1], 3] = shape
    picture[..., :3] = ink
    opaque = prepare(on_paper(shape, (300, 300)))
    assert difference(prepare(picture).image, opaque.image) < 0.05


def test_paper_with_a_transparent_margin():
    grey = on_paper(enlarged(6, 5))
    picture = np.dstack([grey, grey, grey, np.full_like(grey, 255)])
    picture[:, :30] = 0
    assert difference(prepare(picture).image, prepare(grey).image) < 0.03


def test_the_brightness_of_colours_is_that_of_pillow():
    colours = np.random.default_rng(0).integers(0, 256, (50, 60, 3)).astype(np.uint8)
    expected = np.asarray(Image.fromarray(colours).convert("L"))
    np.testing.assert_array_equal(grey_of(colours), expected)
    opaque = np.dstack([colours, np.full((50, 60), 255, np.uint8)])
    np.testing.assert_array_equal(grey_of(opaque), expected)


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((3, 3)),
        np.zeros((3, 3, 2), np.uint8),
        np.zeros(9, np.uint8),
        np.zeros((0, 3), np.uint8),
    ],
)
def test_other_arrays_are_refused(pixels):
    with pytest.raises(ValueError, match="a picture must be an array of uint8"):
        prepare(pixels)


@settings(max_examples=60, deadline=None)
@given(
    arrays(
        np.uint8,
        st.tuples(st.integers(1, 40), st.integers(1, 40)),
        elements=st.sampled_from([0, 1, 120, 128, 254, 255]),
        fill=st.sampled_from([0, 200, 255]),
    )
)
def test_any_picture_becomes_an_image(pixels):
    prepared = prepare(pixels)
    assert prepared.image.shape == (28, 28)
    assert (prepared.box is None) == (prepared.warnings == (NOTHING,)) == (not prepared.image.any())


def test_other_pictures_are_only_scaled():
    picture = np.kron(np.arange(6, dtype=np.uint8).reshape(2, 3), np.full((4, 4), 40, np.uint8))
    assert scaled(picture, (2, 3)).tolist() == [[0, 40, 80], [120, 160, 200]]
    # twice as wide as high: the proportions stay, above and below is nothing
    wide = np.full((10, 20), 90, np.uint8)
    assert scaled(wide, (4, 4)).tolist() == [[0] * 4, [90] * 4, [90] * 4, [0] * 4]
    np.testing.assert_array_equal(scaled(DIGITS[0], (28, 28)), DIGITS[0])
    np.testing.assert_array_equal(scaled(DIGITS[0], (28, 28), inverted=True), 255 - DIGITS[0])


@pytest.mark.parametrize(("value", "expected"), [(0, 255), (63, 192), (64, 64), (255, 255)])
def test_transparency_becomes_background_when_scaled(value, expected):
    picture = np.full((6, 6, 4), value, np.uint8)
    picture[..., 3] = np.kron([[255, 0, 51]] * 3, np.ones((2, 2)))
    # of the last, a fifth is opaque
    assert scaled(picture, (3, 3)).tolist() == [[expected, 0, round(expected / 5)]] * 3


def test_each_step_is_there_to_be_shown():
    prepared = prepare(on_paper(enlarged(7, 5), shape=(900, 1200)))
    assert prepared.grey.shape == prepared.flattened.shape == prepared.mask.shape == (384, 512)
    assert np.median(prepared.flattened) == 0
    assert prepared.flattened[prepared.mask].mean() > 150
    assert prepared.ink.max() == 255
    left, top, *_ = prepared.box
    assert (left, top) == (pytest.approx(80, abs=8), pytest.approx(60, abs=8))
