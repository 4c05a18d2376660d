"""The drawn digits: the form of MNIST, and varied enough to learn from."""

import numpy as np
import pytest

from nnlib.base.blocks import BLOCK
from nnlib.data import synthetic
from nnlib.data.datasets import SYNTHETIC
from nnlib.data.distortion import Amounts
from nnlib.data.encoding import fit_encoding, pixel_statistics
from nnlib.data.samples import Samples
from nnlib.data.synthetic import draw_images, draw_labels
from nnlib.training.fit import Settings, fit


def draw_digits(n, rng):
    labels = draw_labels(n, rng)
    return np.concatenate(list(draw_images(labels, rng))), labels


@pytest.fixture(scope="module")
def digits():
    return draw_digits(12_000, np.random.default_rng(0))


def test_the_form_is_that_of_mnist(digits):
    images, labels = digits
    assert images.shape == (12_000, 28, 28)
    assert images.dtype == labels.dtype == np.uint8
    assert labels.shape == (12_000,)
    assert images.max() == 255
    counts = np.bincount(labels, minlength=10)
    assert len(counts) == 10
    assert counts.min() > 1000


def test_the_same_seed_draws_the_same_digits(digits):
    again = draw_digits(12_000, np.random.default_rng(0))
    np.testing.assert_array_equal(again[0], digits[0])
    np.testing.assert_array_equal(again[1], digits[1])


@pytest.mark.parametrize("n", [1, BLOCK, BLOCK + 1])
def test_any_number_can_be_drawn(n):
    images, labels = draw_digits(n, np.random.default_rng(0))
    assert len(images) == len(labels) == n


def test_every_image_has_ink_inside_and_none_at_the_corners(digits):
    images, _ = digits
    assert images[:, 4:24, 4:24].max(axis=(1, 2)).min() > 100
    assert images[:, [0, 0, -1, -1], [0, -1, 0, -1]].mean() < 1


def test_the_centre_of_mass_is_in_the_middle_as_in_mnist(digits):
    images, labels = digits
    for axis in (1, 2):  # rows, and columns
        ink = images.sum(axis=3 - axis, dtype=np.float64)
        centres = ink @ np.arange(28) / ink.sum(axis=1) - 13.5
        of_digits = np.bincount(labels, centres) / np.bincount(labels)
        np.testing.assert_allclose(of_digits, 0, atol=0.25)


def test_no_two_images_are_alike(digits):
    images, _ = digits
    assert len(np.unique(images.reshape(len(images), -1), axis=0)) == len(images)


@pytest.mark.parametrize("distortion", Amounts._fields)
def test_each_distortion_alone_makes_images_differ(monkeypatch, distortion):
    none = Amounts(0, 0, 0, 0, 0)
    only = none._replace(**{distortion: getattr(synthetic.DISTORTION, distortion)})
    monkeypatch.setattr(synthetic, "DISTORTION", only)
    images, _ = draw_digits(1000, np.random.default_rng(0))
    assert len(np.unique(images.reshape(1000, -1), axis=0)) > 900
    monkeypatch.setattr(synthetic, "DISTORTION", none)
    images, _ = draw_digits(1000, np.random.default_rng(0))
    assert len(np.unique(images.reshape(1000, -1), axis=0)) <= 300  # 30 styles of 10 digits


def test_a_network_learns_them_well_but_not_without_errors(digits):
    images, labels = digits
    encoding = fit_encoding("unit", pixel_statistics([images]), SYNTHETIC.class_names)
    x = encoding.inputs(images)
    settings = Settings(
        hidden_size=50,
        weight_init=0.01,
        iterations=5000,
        batch_size=100,
        learning_rate=0.1,
        seed=1,
    )
    network = fit(settings, Samples(x[:10_000], labels[:10_000]), encoding).trained
    assert 0.85 < network.accuracy(x[10_000:], labels[10_000:]) < 0.99
