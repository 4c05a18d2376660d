"""The properties of the ink, against NumPy's statistics and shapes worked by hand."""

import numpy as np
import pytest
from scipy import ndimage

from nnlib.analysis.ink import count_parts, ink_properties

PROPERTIES = ["thickness", "slant", "width", "height", "x", "y", "ink", "strokes"]


def blank(height=28, width=28):
    return np.zeros((height, width), np.uint8)


def bar(top, left, height, width, grey=255):
    image = blank()
    image[top : top + height, left : left + width] = grey
    return image


def measure(image):
    table = ink_properties(image[np.newaxis])
    assert table.columns.tolist() == PROPERTIES
    assert (table.dtypes == np.float64).all()
    return table.iloc[0]


@pytest.fixture(scope="module")
def images():
    """Smooth blots of any shape, some of several parts; the fifth is blank."""
    rng = np.random.default_rng(0)
    noise = ndimage.gaussian_filter(rng.standard_normal((1003, 20, 28)), (0, 1.5, 1.5))
    images = np.clip(255 * 6 * (noise - 0.15), 0, 255).astype(np.uint8)
    images[4] = 0
    return images


@pytest.fixture(scope="module")
def table(images):
    return ink_properties(images)


def count_by_flood(is_ink):
    """Count parts by emptying one after the other."""
    ink, parts = set(map(tuple, np.argwhere(is_ink).tolist())), 0
    while ink:
        parts += 1
        reached = [ink.pop()]
        while reached:
            y, x = reached.pop()
            near = {(y + dy, x + dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)} & ink
            ink -= near
            reached += near
    return parts


@pytest.mark.parametrize("density", [0.1, 0.3, 0.42, 0.6, 0.9])
@pytest.mark.parametrize("shape", [(40, 28, 28), (300, 5, 3), (50, 1, 9), (50, 9, 1)])
def test_the_parts_are_those_that_a_flood_reaches(density, shape):
    is_ink = np.random.default_rng(1).random(shape) < density
    assert count_parts(is_ink).tolist() == [count_by_flood(each) for each in is_ink]


def test_parts_worked_by_hand():
    corner = np.eye(23, dtype=bool)
    stripes = np.zeros((23, 23), bool)
    stripes[:, ::2] = True
    comb = stripes.copy()
    comb[-1] = True
    shapes = np.array([corner, ~corner, stripes, comb, np.zeros_like(comb)])
    assert count_parts(shapes).tolist() == [1, 1, 12, 1, 0]
    assert count_parts(shapes[:0]).tolist() == []


def test_the_parts_of_one_image_do_not_touch_the_next():
    image = np.ones((3, 4, 4), bool)
    assert count_parts(image).tolist() == [1, 1, 1]


def test_the_extent_position_and_strokes_are_those_of_the_darker_half(images, table):
    for image, row in zip(images, table.to_dict("records"), strict=True):
        if not image.any():
            continue
        is_ink = image >= image.max() / 2
        rows, columns = np.nonzero(is_ink)
        assert row["width"] == np.ptp(columns) + 1
        assert row["height"] == np.ptp(rows) + 1
        assert row["x"] == (columns.min() + columns.max()) / 2 - 13.5
        assert row["y"] == (rows.min() + rows.max()) / 2 - 9.5
        assert row["strokes"] == count_by_flood(is_ink)
        assert row["ink"] == pytest.approx(image.sum() / 255)


def test_the_slant_is_the_regression_of_x_on_y(images, table):
    y, x = np.indices(images.shape[1:]).reshape(2, -1)
    for image, slant in zip(images[:4], table["slant"], strict=False):
        covariance = np.cov(x, y, fweights=image.ravel())
        assert slant == pytest.approx(-covariance[0, 1] / covariance[1, 1])


def test_a_sheared_stroke_has_the_slant_of_its_shear():
    image = blank()
    for row in range(4, 24):
        image[row, 24 - row : 28 - row] = 200  # the top to the right, one column a row
    assert measure(image)["slant"] == pytest.approx(1)
    assert measure(image[:, ::-1])["slant"] == pytest.approx(-1)
    assert measure(bar(4, 10, 20, 3))["slant"] == 0


def test_the_thickness_is_twice_the_area_by_the_outline():
    # of one pixel: the outline is 1 + 1 + sqrt(2), as the two sides at its corner make one gradient
    assert measure(bar(9, 9, 1, 1))["thickness"] == pytest.approx(2 / (2 + np.sqrt(2)))
    found = [measure(bar(2, 5, 24, width))["thickness"] for width in (1, 2, 4, 6)]
    expected = [2 * 24 * w / (2 * (24 + w) - 2 + np.sqrt(2)) for w in (1, 2, 4, 6)]
    np.testing.assert_allclose(found, expected)
    # neither how grey the ink is, nor where it lies changes it, not even at the border
    for image in (bar(2, 5, 24, 4, grey=51), bar(0, 0, 24, 4), bar(4, 24, 24, 4)):
        assert measure(image)["thickness"] == pytest.approx(found[2])


def test_a_pixel_of_just_half_the_ink_is_part_of_the_extent():
    image = bar(9, 9, 1, 1, grey=200)
    image[9, 10], image[9, 12], image[12, 9] = 100, 100, 99
    found = measure(image)
    assert found[["width", "height", "strokes"]].tolist() == [4, 1, 2]


def test_a_position_at_the_border():
    found = measure(bar(0, 20, 10, 8))
    assert found[["width", "height", "x", "y"]].tolist() == [8, 10, 10, -9]
    assert found["ink"] == 80


def test_what_there_is_to_say_of_no_ink(table):
    row = table.iloc[4]
    assert row[["width", "height", "ink", "strokes"]].tolist() == [0, 0, 0, 0]
    assert row[["thickness", "slant", "x", "y"]].isna().all()
    assert table.drop(index=4).notna().all(axis=None)
    assert np.isnan(measure(bar(9, 3, 1, 20))["slant"])  # ink in one row


def test_the_images_may_be_measured_one_by_one(images, table):
    for index in (0, 999, 1000, 1002):  # on both sides of a block's end
        assert measure(images[index]).equals(table.iloc[index].rename(0))
