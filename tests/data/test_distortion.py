"""The distortion of images, against SciPy's interpolation and maps worked by hand."""

import numpy as np
import pytest
from scipy.ndimage import map_coordinates

from nnlib.data.distortion import BLOCK, Amounts, Distortion, interpolate

NONE = Amounts(0, 0, 0, 0, 0)
SHAPE = 28, 20
MIDDLE = (np.array(SHAPE) - 1) / 2


def positions(n=2000, **amounts):
    """How far each pixel looks from where it is, (2, n, height, width)."""
    distortion = Distortion(NONE._replace(**amounts), SHAPE)
    found = np.array(distortion.draw_positions(n, np.random.default_rng(0))).reshape(2, n, *SHAPE)
    return found, np.indices(SHAPE) - MIDDLE[:, np.newaxis, np.newaxis]


def test_interpolation_is_that_of_scipy():
    rng = np.random.default_rng(0)
    images = rng.random((3, *SHAPE), np.float32)
    places = rng.uniform(-3, 31, (2, 3, 100)).astype(np.float32)
    expected = [
        map_coordinates(image, places[:, n], order=1, mode="nearest")
        for n, image in enumerate(images)
    ]
    found = interpolate(images, *places.copy())
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("n", [1, BLOCK, BLOCK + 1])
def test_without_amounts_images_stay(n):
    x = np.random.default_rng(0).random((n, 560), np.float32)
    np.testing.assert_allclose(Distortion(NONE, SHAPE)(x, np.random.default_rng(1)), x, atol=1e-5)


def maps(n=2000, **amounts):
    """The matrices (n, 2, 2) and shifts (n, 2) that lead from an image to its distorted one."""
    found, places = positions(n, **amounts)
    known = np.vstack([places.reshape(2, -1), np.ones(places[0].size)]).T
    fitted = np.linalg.lstsq(known, found.reshape(2 * n, -1).T.astype(np.float64), rcond=None)[0]
    inverse = fitted.T.reshape(2, n, 3).swapaxes(0, 1)
    matrices = np.linalg.inv(inverse[:, :, :2])
    return matrices, -(matrices @ inverse[:, :, 2:])[:, :, 0]


def test_a_rotation_keeps_distances_and_turns_by_at_most_its_degrees():
    found, places = positions(rotation=30)
    np.testing.assert_allclose(
        (found**2).sum(axis=0), np.broadcast_to((places**2).sum(axis=0), found[0].shape), rtol=1e-3
    )
    angles = np.degrees(np.arctan2(found[0, :, 20, 3], found[1, :, 20, 3]))
    turned = (angles - np.degrees(np.arctan2(*places[:, 20, 3])) + 180) % 360 - 180
    assert 29 < turned.max() <= 30.001
    assert -29 > turned.min() >= -30.001
    assert abs(turned.mean()) < 1.5


def test_a_shear_leans_the_vertical():
    matrices, shifts = maps(shear=20)
    lean = matrices[:, 1, 0]
    expected = np.array([[np.ones_like(lean), np.zeros_like(lean)], [lean, np.ones_like(lean)]])
    np.testing.assert_allclose(matrices, np.moveaxis(expected, -1, 0), atol=1e-5)
    np.testing.assert_allclose(shifts, 0, atol=1e-4)
    largest = np.tan(np.radians(20))
    for side in (lean, -lean):
        assert 0.97 * largest < side.max() <= largest * 1.001


def test_axes_are_scaled_each_on_its_own():
    matrices, _ = maps(scale=0.3)
    np.testing.assert_allclose(matrices[:, [0, 1], [1, 0]], 0, atol=1e-5)
    factors = matrices[:, [0, 1], [0, 1]].T
    for factor in factors:
        assert 0.7 <= factor.min() + 1e-5 < 0.71
        assert 1.29 < factor.max() <= 1.3 + 1e-5
        assert factor.mean() == pytest.approx(1, abs=0.01)
    assert abs(np.corrcoef(factors)[0, 1]) < 0.1


def test_together_none_exceeds_its_amount():
    matrices, shifts = maps(4000, rotation=45, shear=20, scale=0.5, shift=2)
    # of the image's axes, the column's is only scaled and turned, and the row's leans too
    height = np.linalg.det(matrices) / np.linalg.norm(matrices[:, :, 1], axis=1)
    angles = np.degrees(np.arctan2(-matrices[:, 0, 1], matrices[:, 1, 1]))
    tilts = np.degrees(np.arctan2(matrices[:, 1, 0], matrices[:, 0, 0])) - angles
    for values, middle, amount in [
        (np.linalg.norm(matrices[:, :, 1], axis=1), 1, 0.5),
        (height, 1, 0.5),
        (angles, 0, 45),
        (tilts, 0, 20),
        (shifts[:, 0], 0, 2),
        (shifts[:, 1], 0, 2),
    ]:
        assert 0.98 * amount < (values - middle).max() <= 1.001 * amount
        assert -0.98 * amount > (values - middle).min() >= -1.001 * amount


def test_an_image_gets_the_size_and_place_that_its_map_says():
    image = np.zeros((1, *SHAPE), np.float32)
    image[0, 8:20, 4:16] = 1  # 12 x 12 pixels in the middle
    x = np.repeat(image.reshape(1, -1), 2000, axis=0)
    scaled = Distortion(NONE._replace(scale=0.3), SHAPE)(x, np.random.default_rng(0))
    # to within the half of a pixel by which the interpolation moves a border
    heights = scaled.reshape(-1, *SHAPE)[:, :, 10].sum(axis=1) / 12
    assert 0.66 < heights.min() < 0.72
    assert 1.28 < heights.max() < 1.33


def test_a_shift_is_the_same_for_all_pixels():
    found, places = positions(shift=3)
    moved = found - places[:, np.newaxis]
    np.testing.assert_allclose(moved, np.broadcast_to(moved[..., :1, :1], moved.shape), atol=1e-5)
    for axis in moved[..., 0, 0]:
        assert -3 <= axis.min() < -2.9
        assert 2.9 < axis.max() <= 3
    assert abs(np.corrcoef(moved[..., 0, 0])[0, 1]) < 0.1  # of rows and columns


def test_the_elastic_displacement_is_smooth_and_everywhere_of_its_standard_deviation():
    found, places = positions(4000, elastic=2)
    moved = found - places[:, np.newaxis]
    np.testing.assert_allclose(moved.std(axis=1), 2, rtol=0.05)
    # white noise smoothed by a Gaussian of s pixels has a correlation of exp(-d^2 / 4 s^2)
    for distance in (2, 4, 8, 12):
        found = np.corrcoef(moved[0, :, 6, 10], moved[0, :, 6 + distance, 10])[0, 1]
        assert found == pytest.approx(np.exp(-(distance**2) / 4 / 6**2), abs=0.06)
    assert abs(np.corrcoef(moved[:, :, 6, 10])[0, 1]) < 0.05  # of rows and columns


def test_a_seed_repeats_it_and_samples_differ():
    x = np.tile(np.random.default_rng(0).random(560, np.float32), (100, 1))
    distort = Distortion(Amounts(10, 10, 0.1, 1, 1), SHAPE)
    once, again = (distort(x, np.random.default_rng(1)) for _ in range(2))
    np.testing.assert_array_equal(once, again)
    assert len(np.unique(once, axis=0)) == 100
    assert once.dtype == np.float32
