"""Photographs of test digits of MNIST get the classes that the digits have in its files."""

import os
from pathlib import Path

import numpy as np
import pytest

from nnlib.data.datasets import FILES, MNIST, load_mnist, open_set
from nnlib.data.encoding import Encoding
from nnlib.data.samples import Samples
from nnlib.pictures.likeness import distances, threshold
from nnlib.pictures.preparation import prepare
from nnlib.training.fit import Settings, fit
from tests.pictures.photographs import KINDS, photograph

MIRROR = Path(os.environ.get("MNIST_MIRROR", "data/raw"))
PAPERS = (
    *("small", "large", "marker", "thick pen", "pencil", "light on dark", "strong light"),
    *("shadow", "vignette", "noisy", "blurred", "ruled", "squared", "at the border"),
)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not all((MIRROR / name).is_file() for name in FILES),
        reason="needs MNIST's four files in the folder MNIST_MIRROR",
    ),
]


@pytest.fixture(scope="module")
def training_set():
    (x, t), _ = load_mnist(folder=MIRROR)
    return Samples(x, t)


@pytest.fixture(scope="module")
def network(training_set):
    settings = Settings(
        hidden_size=100,
        weight_init="he",
        iterations=0,
        epochs=4,
        batch_size=100,
        learning_rate=0.001,
        seed=1,
        activation="relu",
        optimizer={"name": "adam"},
    )
    encoding = Encoding(scaling="unit", pixel_mean=0, pixel_std=1, class_names=MNIST.class_names)
    return fit(settings, training_set, encoding).trained


@pytest.fixture(scope="module")
def digits():
    images, _ = open_set(MIRROR, MNIST, "test")
    return images.read()[np.random.default_rng(31).choice(10_000, 200, replace=False)]


def prepare_all(digits, kinds):
    """What the network sees of photographs of digits, each on the next kind of paper."""
    rng = np.random.default_rng(31)
    photos = (
        photograph(digit, KINDS[kinds[i % len(kinds)]], rng) for i, digit in enumerate(digits)
    )
    return np.array([prepare(photo).image for photo in photos])


@pytest.fixture(scope="module")
def on_plain_paper(digits):
    """Lit, coloured, noisy and blurred."""
    return prepare_all(digits, ["plain"])


def agreement(network, digits, prepared):
    """Share of the photographs that get the class of the digit in its file."""
    in_file, in_photo = (
        network.predict(network.encoding.inputs(images)).argmax(axis=1)
        for images in (digits, prepared)
    )
    return (in_file == in_photo).mean()


def test_on_plain_paper(network, digits, on_plain_paper):
    assert agreement(network, digits, on_plain_paper) >= 0.97


def test_on_all_kinds_of_paper(network, digits):
    assert agreement(network, digits, prepare_all(digits, PAPERS)) >= 0.96


def test_few_photographs_of_digits_are_unlike_all_training_samples(training_set, on_plain_paper):
    x = training_set.x
    limit = threshold(x[-1000:], [x[:-1000]])
    seen = on_plain_paper.reshape(-1, 784) / np.float32(255)
    assert (distances(seen, [x[:-1000]]) > limit).mean() <= 0.03
    noise = np.random.default_rng(0).integers(0, 256, (20, 784)) / np.float32(255)
    assert (distances(noise, [x[:-1000]]) > limit).all()
