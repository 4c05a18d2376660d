"""What the explorer's file holds; tests/test_browser.py opens it."""

import base64
import dataclasses
import html
import io
import json
import re

import numpy as np
import pytest
from matplotlib.colors import to_hex
from PIL import Image

from nnlib.analysis.label_quality import normalized_margin
from nnlib.data.datasets import MNIST
from nnlib.report.explorer import contact_sheet, explorer, is_explorer_of
from nnlib.report.figures import draw_confusion
from tests.conftest import units_at_random


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).integers(256, size=(1500, 28, 28), dtype=np.uint8)


@pytest.fixture(scope="module")
def network(analysis, explain):
    return explain(analysis)[0]


@pytest.fixture(scope="module")
def units():
    return units_at_random(hidden=5)


@pytest.fixture(scope="module")
def make(analysis, images, network, units):
    """Makes the page of a data set."""

    def make(dataset=MNIST):
        return explorer(analysis, images, dataset, network, units=units)

    return make


@pytest.fixture(scope="module")
def page(make):
    return make()


def held_in(page, name):
    (found,) = re.findall(rf'<script type="application/json" id="{name}">(.*?)</script>', page)
    return json.loads(found)


@pytest.fixture(scope="module")
def payload(page):
    return held_in(page, "payload")


def array(text, dtype):
    return np.frombuffer(base64.b64decode(text), dtype)


@pytest.mark.parametrize("n", [1, 2, 4, 5, 99, 100, 101])
def test_a_contact_sheet_holds_every_image_in_its_place(n):
    images = np.random.default_rng(0).integers(256, size=(n, 3, 2), dtype=np.uint8)
    sheet = contact_sheet(images)
    columns = sheet.shape[1] // 2
    assert (columns - 1) ** 2 < n <= columns**2
    for i, image in enumerate(images):
        row, column = divmod(i, columns)
        place = sheet[3 * row : 3 * row + 3, 2 * column : 2 * column + 2]
        np.testing.assert_array_equal(place, image)
    assert sheet.sum() == images.sum()


def test_the_images_are_those_of_the_test_set(payload, images):
    png = base64.b64decode(payload["sheet"].removeprefix("data:image/png;base64,"))
    with Image.open(io.BytesIO(png)) as sheet:
        np.testing.assert_array_equal(np.asarray(sheet), contact_sheet(images))
    assert payload["columns"] == 39  # 38 * 38 < 1500 <= 39 * 39
    assert (payload["width"], payload["height"]) == (28, 28)


def test_whose_predictions_an_explorer_shows(page, analysis):
    assert is_explorer_of(page, analysis.trained)
    assert not is_explorer_of(page, analysis.untrained)
    assert not is_explorer_of(page, analysis.trained.assign(actual=0))
    assert not is_explorer_of("", analysis.trained)


def test_the_predictions_are_all_there(payload, analysis):
    trained, untrained = analysis.trained, analysis.untrained
    assert payload["samples"] == 1500
    for name in ("actual", "predicted"):
        np.testing.assert_array_equal(array(payload[name], np.uint8), trained[name])
    predicted = array(payload["untrainedPredicted"], np.uint8)
    np.testing.assert_array_equal(predicted, untrained["predicted"])
    for name in ("confidence", "loss"):
        np.testing.assert_allclose(array(payload[name], "<f4"), trained[name], rtol=1e-6)
    for name, table in (("trained", trained), ("untrained", untrained)):
        y = table.loc[:, "p0":"p9"].to_numpy()
        np.testing.assert_allclose(array(payload[name], "<f4").reshape(1500, 10), y, rtol=1e-6)
        if name == "trained":
            margin = normalized_margin(y, trained["actual"].to_numpy())
            np.testing.assert_allclose(array(payload["margin"], "<f4"), margin, rtol=1e-6)


def test_the_matrix_is_that_of_the_predictions(page, analysis):
    cells = re.findall(r'data-actual="(\d)" data-predicted="(\d)"[^>]*>(\d+)</a>', page)
    expected = [(*pair, count) for pair, count in np.ndenumerate(analysis.confusion)]
    assert [tuple(int(number) for number in cell) for cell in cells] == expected


def test_the_head_is_that_of_the_predictions(page, analysis):
    trained = analysis.trained
    right = int((trained["actual"] == trained["predicted"]).sum())
    share = f"{100 * right / 1500:.2f} %"
    assert f"reads {right:,} of 1,500 digits right ({share}), {1500 - right} wrong." in page


def test_the_matrix_looks_as_in_the_report(page, analysis, drawn, tmp_path):
    draw_confusion(tmp_path / "confusion.png", analysis.confusion, "title", dataset=MNIST)
    axes = drawn[0].axes[0]
    (image,) = axes.images
    expected = [
        (to_hex(axes.get_facecolor() if masked else image.to_rgba(share)), to_hex(text.get_color()))
        for share, masked, text in zip(
            image.get_array().data.flat, image.get_array().mask.flat, axes.texts, strict=True
        )
    ]
    cells = re.findall(r'<td style="background: (#\w{6}); color: (#\w{6})">', page)
    assert cells == expected
    assert len(set(cells)) > 5


def test_what_comes_from_the_data_is_escaped(make):
    name = """</script><script>alert("1 & '2'")</script>"""
    page = make(dataclasses.replace(MNIST, name=name))
    assert name not in page
    assert page.count(html.escape(name).replace("&quot;", "&#34;").replace("&#x27;", "&#39;")) == 2


def test_nothing_is_loaded_from_elsewhere(page):
    assert "http://" not in page
    assert "https://" not in page
    assert not re.search(r"(src|href)=\"(?!#|data:)", page)
    assert "default-src 'none'" in page


def test_an_explorer_of_any_analysis(degenerate_analysis, network):
    images = np.zeros((len(degenerate_analysis.trained), 28, 28), np.uint8)
    units = units_at_random(hidden=5, samples=len(images))
    page = explorer(degenerate_analysis, images, MNIST, network, units=units)
    assert "nan" not in page.split('type="application/json"')[0]


def test_the_units_are_those_measured(page, units):
    held = held_in(page, "units")
    for column in ("mean", "std", "cost", "fixed", "broken", "p", "changed", "class", "class_cost"):
        assert held[column] == units.table[column].tolist()
    assert held["examples"] == units.examples.tolist()
