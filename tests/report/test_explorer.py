"""What the explorer's file holds; tests/browser/test_browser.py opens it."""

import base64
import html
import json
import re
import zlib

import numpy as np
import pytest
from matplotlib.colors import to_hex

from nnlib.analysis.labels import normalized_margin
from nnlib.data.datasets import MNIST
from nnlib.network import TwoLayerNet
from nnlib.report import explorer as explorer_module
from nnlib.report.explorer import SECOND, address, explorer, packed_probabilities, with_second
from nnlib.report.figures import draw_confusion
from tests.conftest import explorer_parts


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).integers(256, size=(1500, 28, 28), dtype=np.uint8)


@pytest.fixture(scope="module")
def network(analysis, explain):
    return explain(analysis)[0]


@pytest.fixture(scope="module")
def parts(analysis, network):
    return explorer_parts(analysis, network)


@pytest.fixture(scope="module")
def make(analysis, images, network, parts):
    """Makes the page, with some parts changed."""

    def make(dataset=MNIST, **changes):
        return explorer(analysis, images, dataset, network, **parts | changes)

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


def unpacked(held):
    """The images of the page or of its neighbours."""
    pixels = zlib.decompress(base64.b64decode(held["images"]), wbits=-15)
    return np.frombuffer(pixels, np.uint8).reshape(-1, 28, 28)


def test_the_images_are_those_of_the_test_set(payload, images):
    np.testing.assert_array_equal(unpacked(payload), images)
    assert (payload["width"], payload["height"]) == (28, 28)


def test_the_predictions_are_all_there(payload, analysis):
    trained, untrained = analysis.trained.table(), analysis.untrained.table()
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
            margin = normalized_margin(analysis.trained)
            np.testing.assert_allclose(array(payload["margin"], "<f4"), margin, rtol=1e-6)


def test_the_matrix_is_that_of_the_predictions(page, analysis):
    body = page[page.index("<tbody>") : page.index("</tbody>")]
    rows = [re.findall(r"<a>(.*?)</a>", row) for row in body.splitlines()[1:]]
    assert [name for name, *_ in rows] == [f"<bdi>{name}</bdi>" for name in MNIST.class_names]
    np.testing.assert_array_equal([row[1:] for row in rows], analysis.confusion.astype(str))


def test_the_head_is_that_of_the_predictions(page, analysis):
    trained = analysis.trained
    right = int((trained.t == trained.predicted).sum())
    share = f"{100 * right / 1500:.2f}%"
    assert f"classifies {right:,} of 1,500 digits correctly ({share}) and {1500 - right} wr" in page


def test_the_matrix_looks_as_in_the_report(page, analysis, drawn, tmp_path):
    draw_confusion(tmp_path, analysis, MNIST)
    axes = drawn[0].axes[0]
    (image,) = axes.images
    expected = [
        (to_hex(axes.get_facecolor() if masked else image.to_rgba(share)), to_hex(text.get_color()))
        for share, masked, text in zip(
            image.get_array().data.flat, image.get_array().mask.flat, axes.texts, strict=True
        )
    ]
    cells = re.findall(r'<td[^>]* style="background: (#\w{6}); color: (#\w{6})', page)
    assert cells == expected
    assert len(set(cells)) > 5


def test_what_comes_from_the_data_is_escaped(make):
    name = """</script><script>alert("1 & '2'")</script>"""
    page = make(MNIST.model_copy(update={"name": name}))
    assert name not in page
    assert page.count(html.escape(name).replace("&quot;", "&#34;").replace("&#x27;", "&#39;")) == 2


def test_an_address_names_classes():
    assert address("4", "9") == "explorer.html#actual=4&predicted=9"
    assert address("Ankle boot", index=740) == "explorer.html#actual=Ankle%20boot&index=740"
    assert address(predicted="a&b=c/(d)") == "explorer.html#predicted=a%26b%3Dc%2F%28d%29"
    assert address("\u9774", "=<\"'>") == "explorer.html#actual=%E9%9D%B4&predicted=%3D%3C%22%27%3E"
    assert address(index=0) == "explorer.html#index=0"


def test_probabilities_of_many_classes_take_half_of_the_bytes():
    y = np.random.default_rng(0).dirichlet(np.full(100, 0.1), size=20)
    found = array(packed_probabilities(y), "<u2").reshape(20, 100) / 65535
    np.testing.assert_allclose(found, y, rtol=0, atol=1 / 131_000)
    few = y[:, :10]
    np.testing.assert_array_equal(
        array(packed_probabilities(few), "<f4"), few.astype("<f4").ravel()
    )


WORDS = {  # a noun, and what the page says of samples and of classes
    "item": ("items correctly", "each item", "All about this item", "two items' probabilities"),
    "fish": ("fishes correctly", "each fish", "All about this fish", "two fishes' probabilities"),
    "class": ("images correctly", "each class", "All about this image", "two classes' prob"),
    "Gebäude": ("Gebäudes correctly", "each Gebäude", "All about this Geb", "two Gebäudes' prob"),
}


@pytest.mark.parametrize("noun", WORDS)
def test_the_words_are_those_of_the_data_set(make, noun):
    names = tuple(f"kind {number}" for number in range(10))
    changes = {"name": "some", "class_names": names, "class_noun": noun}
    other = MNIST.model_copy(update={**changes, "prepared_as_mnist": False})
    page = html.unescape(re.sub(r"<(script|style).*?</\1>", "", make(other), flags=re.DOTALL))
    for words in WORDS[noun]:
        assert words in page
    wrong = r"digit|MNIST|la[s]{3}|fishs|\ban? (item|fish|class)\b"
    assert not re.search(wrong, page, re.IGNORECASE)


def test_nothing_is_loaded_from_elsewhere(page):
    assert "http://" not in page
    assert "https://" not in page
    assert not re.search(r"(src|href)=\"(?!#|data:)", page)
    assert "default-src 'none'" in page


def test_an_explorer_of_any_analysis(degenerate_analysis, network):
    images = np.zeros((len(degenerate_analysis.trained), 28, 28), np.uint8)
    parts = explorer_parts(degenerate_analysis, network)
    page = explorer(degenerate_analysis, images, MNIST, network, **parts)
    assert "nan" not in page.split('type="application/json"')[0]


def check_neighbours(held, mistakes, neighbours):
    """Check that the page holds what the table has of these mistakes, each image once."""
    table = neighbours.table[neighbours.table["index"].isin(mistakes)]
    image_of = dict(
        zip(sorted(set(neighbours.table["train_index"])), neighbours.images, strict=True)
    )
    assert array(held["mistakes"], "<u4").tolist() == sorted(mistakes)
    train_index = array(held["trainIndex"], "<u4")
    assert train_index.tolist() == sorted(set(table["train_index"]))
    places = array(held["places"], "<u4")
    np.testing.assert_array_equal(train_index[places], table["train_index"])
    np.testing.assert_array_equal(array(held["labels"], np.uint8)[places], table["label"])
    np.testing.assert_allclose(array(held["distances"], "<f4"), table["distance"], rtol=1e-6)
    expected = [image_of[index] for index in train_index]
    np.testing.assert_array_equal(unpacked(held), expected)


def test_the_neighbours_of_all_mistakes_are_there(page, analysis, parts):
    mistakes = analysis.mistakes["index"].tolist()
    held = held_in(page, "neighbours-payload")
    check_neighbours(held, mistakes, parts["neighbours"])
    assert held["spaces"] == list(parts["neighbours"].table["space"].unique())


def test_a_page_that_is_too_large_leaves_out_neighbours_first(make, analysis, parts, monkeypatch):
    """Those of the mistakes with the lowest loss; and it says so."""
    monkeypatch.setattr(explorer_module, "MOST_MISTAKES", 8)
    monkeypatch.setattr(explorer_module, "MOST", 0)
    mistakes = analysis.mistakes["index"].tolist()
    size = len(make().encode())
    for most, held in ((size, 8), (size - 1000, 4)):
        monkeypatch.setattr(explorer_module, "MOST_ROUNDED", most)
        page = make()
        assert len(page.encode()) <= most
        assert held_in(page, "network")["isHalf"]
        check_neighbours(held_in(page, "neighbours-payload"), mistakes[:held], parts["neighbours"])
        assert f"It holds those of the {held} mistakes with the highest loss." in page
    monkeypatch.setattr(explorer_module, "MOST_ROUNDED", 0)
    page = make()
    assert 'id="neighbours-payload"' not in page
    assert 'id="network"' not in page
    assert "All are left out, as this page would be larger than 0 MB." in page


def test_a_page_is_as_large_as_its_bytes(make, monkeypatch):
    dataset = MNIST.model_copy(update={"name": "数字"})
    page = make(dataset)
    assert not held_in(page, "network")["isHalf"]
    for most, is_half in ((len(page.encode()), False), (len(page.encode()) - 1, True)):
        monkeypatch.setattr(explorer_module, "MOST", most)
        assert held_in(make(dataset), "network")["isHalf"] is is_half


def test_neighbours_of_more_mistakes_than_a_page_holds(make, analysis, parts, monkeypatch):
    monkeypatch.setattr(explorer_module, "MOST_MISTAKES", 3)
    most_expensive = analysis.mistakes["index"].tolist()[:3]
    given = parts["neighbours"].of(most_expensive)
    assert len(given.images) == given.table["train_index"].nunique()
    page = make(neighbours=given)
    check_neighbours(held_in(page, "neighbours-payload"), most_expensive, parts["neighbours"])
    assert "It holds those of the 3 mistakes with the highest loss." in page


def test_a_second_network_has_255_steps_for_the_weights_of_a_unit(page, network, analysis):
    params = {key: values.copy() for key, values in network.params.items()}
    params["W1"][:, 1] = 0
    params["W1"][:, 2] *= 1000
    other = TwoLayerNet.from_params(params, encoding=network.encoding)
    name = "</script><b>"
    whole = with_second(page, name, other, analysis.untrained)
    held = held_in(whole, "second")
    assert held["name"] == name
    assert name not in whole
    np.testing.assert_array_equal(array(held["predicted"], np.uint8), analysis.untrained.predicted)
    y = array(held["y"], "<u2").reshape(-1, 10) / 65535
    np.testing.assert_allclose(y, analysis.untrained.y, rtol=0, atol=1 / 131_000)
    codes = array(held["W1"], np.int8).reshape(params["W1"].shape)
    found = codes * array(held["scales"], "<f4")
    half_a_step = np.abs(params["W1"]).max(axis=0) / 254
    assert (np.abs(found - params["W1"]) <= half_a_step * 1.00001).all()
    assert np.abs(codes[:, [0, 2]]).max(axis=0).tolist() == [127, 127]
    for key in ("b1", "W2", "b2"):
        np.testing.assert_allclose(array(held[key], "<f4"), params[key].ravel(), rtol=1e-6)
    rest = re.sub(r'<script type="application/json" id="second">.*?</script>', "", whole)
    assert rest == page.replace(SECOND, "")
    with pytest.raises(ValueError, match="page has no place for another network"):
        with_second(whole, name, other, analysis.untrained)


def test_the_units_are_those_measured(page, parts):
    held, units = held_in(page, "units"), parts["units"]
    for column in ("mean", "std", "cost", "fixed", "broken", "changed", "class", "class_cost"):
        assert held[column] == units.table[column].tolist()
    assert held["p"] == pytest.approx(units.table["p"].tolist(), rel=5e-6)
    assert held["p"] == [float(f"{p:.6g}") for p in held["p"]]
    assert held["examples"] == units.examples.tolist()


def test_a_picture_is_unlike_all_beyond_some_distance(page, payload, make):
    assert payload["unlike"] == 5000**2
    assert "farther from the nearest of the digits here" in page
    page = make(unlike=np.sqrt(3_727_171))
    assert held_in(page, "payload")["unlike"] == 3_727_171
    page = make(unlike=np.inf)  # of too few samples
    assert held_in(page, "payload")["unlike"] is None
    assert "farther from the nearest of the digits here" not in page
