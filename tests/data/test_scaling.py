"""The two scalings of the pixels."""

import numpy as np
import pytest
from sklearn.preprocessing import StandardScaler

from nnlib.base.errors import UserError
from nnlib.data.encoding import fit_encoding, pixel_statistics


@pytest.fixture
def images():
    rng = np.random.default_rng(0)
    return rng.integers(256, size=(1007, 28, 28), dtype=np.uint8)


def encode(images, scaling, training_images):
    encoding = fit_encoding(scaling, pixel_statistics([training_images]), "0123456789")
    return encoding.inputs(images)


def test_statistics_are_those_of_the_pixels_as_shares_of_full_ink(images):
    statistics = pixel_statistics([images[:1000], images[1000:]])
    assert statistics.mean == pytest.approx((images / 255).mean(), rel=1e-12)
    assert statistics.std == pytest.approx((images / 255).std(), rel=1e-12)


def test_unit_scaling_is_pixel_by_255(images):
    x = encode(images, "unit", images)
    assert x.shape == (len(images), 784)
    assert x.dtype == np.float32
    np.testing.assert_array_equal(x, images.reshape(-1, 784).astype(np.float32) / np.float32(255))


def test_standard_scaling_is_scikit_learns_over_all_pixels(images):
    x = encode(images, "standard", images)
    assert x.shape == (len(images), 784)
    assert x.dtype == np.float32
    expected = StandardScaler().fit_transform(images.reshape(-1, 1).astype(np.float64))
    np.testing.assert_allclose(x.reshape(-1, 1), expected, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("scaling", ["unit", "standard"])
def test_an_encoding_names_its_scaling_and_its_classes_in_their_order(images, scaling):
    encoding = fit_encoding(scaling, pixel_statistics([images]), ["right", "left"])
    assert encoding.scaling == scaling
    assert encoding.class_names == ("right", "left")


def test_the_test_images_are_scaled_by_the_training_images_numbers(images):
    darker = images // 2
    x = encode(darker, "standard", images)
    assert x.mean() == pytest.approx(-0.86, abs=0.02)  # (mean / 2 - mean) / std of uniform pixels
    assert x.std() == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("shade", [0, 7, 255])
def test_pixels_that_are_all_the_same_cannot_be_standardised(shade):
    images = np.full((1000, 28, 28), shade, np.uint8)
    statistics = pixel_statistics([images])
    assert statistics == (shade / 255, 0)
    with pytest.raises(UserError, match=r"scaling cannot be standard, .* all .* the same"):
        fit_encoding("standard", statistics, "0123456789")
    assert (encode(images, "unit", images) == np.float32(shade / 255)).all()


def test_one_pixel_that_differs_is_enough():
    images = np.full((1000, 28, 28), 255, np.uint8)
    images[3, 4, 5] = 254
    statistics = pixel_statistics([images])
    assert statistics.std == pytest.approx(images.astype(np.longdouble).std() / 255, rel=1e-6)
    assert np.isfinite(encode(images, "standard", images)).all()
