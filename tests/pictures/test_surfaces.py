"""Means over boxes, the plane through the background, the closing and the spread."""

import numpy as np
import pytest
from scipy import ndimage

from nnlib.pictures.surfaces import background, box_means, closed, rounded, spread, window_means

RANDOM = np.random.default_rng(0).integers(0, 256, (30, 42)).astype(np.uint8)


def test_means_over_whole_pixels():
    expected = RANDOM.astype(float).reshape(10, 3, 14, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(box_means(RANDOM, (0, 0, 42, 30), (10, 14)), expected)


def test_a_pixel_that_is_partly_in_a_cell_counts_in_part():
    row = np.array([[100, 200, 50]], np.uint8)
    # 0.5 to 2: half of 100 and all of 200, by 1.5
    np.testing.assert_allclose(box_means(row, (0.5, 0, 2, 1), (1, 1)), [[250 / 1.5]])
    # outside is 0
    np.testing.assert_allclose(box_means(row, (-1, 0, 4, 2), (1, 1)), [[350 / 10]])


@pytest.mark.parametrize("radius", [0, 1, 4])
def test_windows_are_cut_off_at_the_border(radius):
    expected = np.empty(RANDOM.shape)
    for (y, x), _ in np.ndenumerate(RANDOM):
        window = RANDOM[max(0, y - radius) : y + radius + 1, max(0, x - radius) : x + radius + 1]
        expected[y, x] = window.mean()
    np.testing.assert_allclose(window_means(RANDOM, radius), expected)


def test_the_closing_is_that_of_scipy():
    expected = ndimage.grey_closing(RANDOM.astype(float), 5, mode="nearest")
    np.testing.assert_array_equal(closed(RANDOM.astype(float), 2), expected)


def test_the_background_is_the_plane_under_the_ink():
    y, x = np.mgrid[:60, :80]
    plane = 100 + 0.5 * x - 0.3 * y
    inked = plane.copy()
    inked[20:50, 30:50] = 10  # an eighth of it
    np.testing.assert_allclose(background(inked), plane, atol=1e-3)


def test_the_order_of_sums_does_not_matter():
    """A picture that is turned round is summed in another order, as a page may sum."""
    levels = rounded(RANDOM / 7)
    turned = levels[::-1, ::-1]
    np.testing.assert_array_equal(background(turned)[::-1, ::-1], background(levels))
    np.testing.assert_array_equal(window_means(turned, 3)[::-1, ::-1], window_means(levels, 3))
    means = box_means(levels, (1.25, -2, 39.5, 28.75), (7, 11))
    of_turned = box_means(turned, (2.5, 1.25, 40.75, 32), (7, 11))  # in 42 x 30 pixels
    np.testing.assert_array_equal(of_turned[::-1, ::-1], means)


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (7, 1)])
def test_the_smallest_pictures_have_a_background(shape):
    np.testing.assert_allclose(background(np.full(shape, 80.0)), 80, atol=1e-3)


def test_the_spread_is_the_standard_deviation_of_noise_among_outliers():
    noise = np.random.default_rng(1).normal(0, 3, 100_000)
    assert spread(noise) == pytest.approx(3, rel=0.02)
    noise[:20_000] = 500
    assert spread(noise) == pytest.approx(3, rel=0.35)
