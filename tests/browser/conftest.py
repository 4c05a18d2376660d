"""Digits, networks trained on them, and pages that hold both."""

import json

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from nnlib.analysis.analysis import analyse_predictions
from nnlib.analysis.confusion import confusion_matrix
from nnlib.analysis.predictions import Predictions
from nnlib.data.datasets import MNIST
from nnlib.data.encoding import fit_encoding, pixel_statistics
from nnlib.data.samples import Samples
from nnlib.data.synthetic import draw_images, draw_labels
from nnlib.report.explorer import explorer
from nnlib.training.fit import Settings, fit
from tests.conftest import explorer_parts

N = 100  # samples of each page


def prepare_as_mnist(image):
    """Into a box of 20 x 20 pixels, by Pillow; then centred by its mass, by whole pixels."""
    ink = Image.fromarray(image)
    ink = ink.crop(ink.getbbox())
    size = [round(20 * side / max(ink.size)) for side in ink.size]
    ink = np.asarray(ink.resize(size, Image.Resampling.BOX))
    mass = ink / ink.sum()
    y, x = (round(14 - (mass * where).sum()) for where in np.indices(ink.shape))
    prepared = np.zeros((28, 28), np.uint8)
    window = prepared[y : y + 20, x : x + 20]
    height, width = np.minimum(window.shape, ink.shape)
    window[:height, :width] = ink[:height, :width]
    return prepared


@pytest.fixture(scope="session")
def digits():
    """Digits that are prepared as MNIST was, and their labels."""
    rng = np.random.default_rng(0)
    labels = draw_labels(1500, rng)
    drawn = np.concatenate(list(draw_images(labels, rng)))
    return np.array([prepare_as_mnist(image) for image in drawn]), labels


@pytest.fixture(scope="session")
def networks(digits):
    """A trained network for each scaling."""
    return {scaling: trained_on(digits, scaling) for scaling in ("unit", "standard")}


def trained_on(digits, scaling):
    images, labels = digits[0][N:], digits[1][N:]
    encoding = fit_encoding(scaling, pixel_statistics([images]), MNIST.class_names)
    settings = Settings(
        hidden_size=30,
        weight_init=0.05,
        iterations=300,
        batch_size=50,
        learning_rate=0.5,
        seed=1,
    )
    return fit(settings, Samples(encoding.inputs(images), labels), encoding).trained


def write_page(path, network, images, labels, dataset=MNIST, **changes):
    C = dataset.classes
    predictions = Predictions.of(network.predict(network.encoding.inputs(images)), labels)
    counts = confusion_matrix(labels, predictions.predicted, C)
    repeats = np.array([predictions.predicted] * 2)
    analysis = analyse_predictions(predictions, predictions, counts, repeats)
    parts = explorer_parts(analysis, network, images.shape[1:]) | changes
    path.write_text(explorer(analysis, images, dataset, network, **parts), encoding="utf-8")
    return path.as_uri()


@pytest.fixture(scope="session")
def address(tmp_path_factory, digits, networks):
    """A page of 100 digits, and a trained network."""
    path = tmp_path_factory.mktemp("draw") / "page.html"
    return write_page(path, networks["unit"], digits[0][:N], digits[1][:N])


@pytest.fixture
def digits_page(offline_page, address):
    offline_page.goto(address)
    expect(offline_page.get_by_role("status")).not_to_be_empty()
    return offline_page


def image(page):
    """What the network gets."""
    frames = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
    page.evaluate(frames)
    pixels = page.locator("#draw-image").evaluate(
        "canvas => JSON.stringify([...canvas.getContext('2d').getImageData(0, 0, 28, 28).data])"
    )
    return np.reshape(json.loads(pixels), (28, 28, 4))[:, :, 0]


def drag(page, *places):
    """Draw through places in pixels of the image."""
    canvas = page.locator("#draw-canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    scale = box["width"] / 28
    for i, (x, y) in enumerate(places):
        page.mouse.move(box["x"] + x * scale, box["y"] + y * scale, steps=3)
        if i == 0:
            page.mouse.down()
    page.mouse.up()
