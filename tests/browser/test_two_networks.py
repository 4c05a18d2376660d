"""An explorer with a second network, in a browser: both answer, and either gives evidence."""

import json
import re

import numpy as np
import pytest
from playwright.sync_api import expect

from nnlib.analysis.evidence import pixel_evidence, unit_evidence
from nnlib.analysis.predictions import Predictions
from nnlib.network import TwoLayerNet
from nnlib.report.explorer import with_second
from tests.browser.accessibility import check_bars_nobody_in_any_window
from tests.browser.conftest import N, drag, image, write_page

NAME = "<b>other</b> & more"
LOOK = """() => JSON.stringify(Array.from({ length: payload.samples }, (_, index) => {
  const seen = look(pixelsOf(index), "second");
  const [c, k] = [index % names.length, (index + 3) % names.length];
  return [seen.y, unitEvidence(seen, c, k), pixelEvidence(seen, c, k)].map(each => [...each]);
}))"""


def rounded(network):
    """The network with 255 steps for the weights of each hidden unit."""
    W1 = network.params["W1"]
    step = np.abs(W1).max(axis=0) / 127
    return TwoLayerNet.from_params(
        {**network.params, "W1": np.rint(W1 / step) * step},
        activation=network.activation,
        encoding=network.encoding,
    )


@pytest.fixture(scope="module")
def two(digits, networks, tmp_path_factory):
    """The images, their labels, what each network predicts, and the address of the page."""
    images, labels = digits[0][:N], digits[1][:N]
    first, second = networks["unit"], networks["standard"]
    predictions = [
        Predictions.of(each.predict(each.encoding.inputs(images)), labels)
        for each in (first, second)
    ]
    path = tmp_path_factory.mktemp("two") / "page.html"
    write_page(path, first, images, labels)
    page = path.read_text(encoding="utf-8")
    path.write_text(with_second(page, NAME, second, predictions[1]), encoding="utf-8")
    return images, labels, *predictions, path.as_uri()


@pytest.fixture
def page(offline_page, two):
    offline_page.goto(two[-1])
    expect(offline_page.get_by_role("status")).not_to_be_empty()
    return offline_page


def shown(page):
    texts = page.locator("#results a").all_inner_texts()
    return sorted(int(text.split("#")[1]) for text in texts)


def test_the_second_network_is_that_of_python(page, two, networks):
    images, network = two[0], rounded(networks["standard"])
    x = network.encoding.inputs(images)
    y, units, pixels = zip(*json.loads(page.evaluate(LOOK)), strict=True)
    np.testing.assert_allclose(y, network.predict(x), rtol=0, atol=1e-5)
    pair = np.arange(N) % 10, (np.arange(N) + 3) % 10
    for found, expected in (
        (units, unit_evidence(network, x, *pair)),
        (pixels, pixel_evidence(network, x, *pair)),
    ):
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5 * np.abs(expected).max())
    np.testing.assert_allclose(y, two[3].y, rtol=0, atol=0.02)  # of the network as it is


def test_what_only_one_of_them_gets_wrong(page, two):
    _, labels, first, second, address = two
    only_first = np.flatnonzero((first.predicted != labels) & (second.predicted == labels))
    only_second = np.flatnonzero((first.predicted == labels) & (second.predicted != labels))
    assert len(only_first) + len(only_second) > 0
    outcome = page.locator("[name=outcome]")
    for option, value, expected in (
        ("only trained is wrong", "only-trained-wrong", only_first),
        (f"only {NAME} is wrong", "only-second-wrong", only_second),
        ("wrong", "wrong", np.flatnonzero(first.predicted != labels)),
    ):
        outcome.select_option(label=option)
        expect(page).to_have_url(f"{address}#outcome={value}")
        expect(page.get_by_role("status")).to_contain_text(f"{len(expected)} of {N} digit")
        assert shown(page) == expected.tolist()


def test_both_answers_stand_beside_each_other(page, two):
    _, labels, first, second, _ = two
    index = int(np.flatnonzero(first.predicted != labels)[0])
    page.goto(f"{page.url}#index={index}")
    facts = page.locator("#sample-facts").inner_text()
    outcome = "right" if second.predicted[index] == labels[index] else "wrong"
    assert f"predicted by {NAME}\n{second.predicted[index]} ({outcome})" in facts
    heads = page.locator("#sample-probabilities thead th").all_inner_texts()
    assert heads == ["digit", "trained", NAME, "untrained"]
    for column, y in ((0, first.y[index]), (1, second.y[index])):
        cells = page.locator(f"#sample-probabilities tbody td:nth-of-type({column + 1})")
        found = [float(re.search(r"[\d.]+", text)[0]) for text in cells.all_inner_texts()]
        np.testing.assert_allclose(found, 100 * y, atol=0.0101)


def test_the_evidence_is_that_of_the_network_chosen(page, two, networks):
    images, labels, first, second, _ = two
    index = int(np.flatnonzero((first.predicted == labels) & (second.predicted == labels))[0])
    page.goto(f"{page.url}#index={index}")
    evidence = page.locator("#evidence")
    text = evidence.locator(".evidence-sum")
    for value, network in (
        ("network", networks["unit"]),
        ("second", rounded(networks["standard"])),
        ("network", networks["unit"]),
    ):
        evidence.locator(".evidence-of").select_option(value)
        y = network.predict(network.encoding.inputs(images[[index]]))[0]
        c, k = np.argsort(-y)[:2]
        expect(text).to_contain_text(f"{c} against {k}: ")
        total = float(re.search(r"[+-]\d+\.\d+", text.inner_text())[0])
        assert total == pytest.approx(np.log(y[c] / y[k]), abs=0.006)
        # only the page's own units have pages
        links = evidence.locator(".evidence-units a[href]")
        expect(links).to_have_count(5 if value == "network" else 0)


def test_both_classify_a_drawing(page, networks):
    page.locator("#draw summary").click()
    drag(page, (14, 4), (14, 24))
    pixels = image(page)[None]
    texts = []
    for network in (networks["unit"], rounded(networks["standard"])):
        (y,) = network.predict(network.encoding.inputs(pixels))
        texts.append(f"{y.argmax()}, {100 * y.max():.2f}%.")
    result = page.locator("#draw-result")
    expect(result).to_have_text(f"Predicted: {texts[0]} By {NAME}: {texts[1]}")
    heads = page.locator("#draw-prediction thead th").all_inner_texts()
    assert heads == ["digit", "trained", NAME]
    expect(page.locator("#draw-probabilities .bar.second")).to_have_count(10)
    page.locator("#draw .evidence-of").select_option("second")
    expect(page.locator("#draw .evidence-sum")).to_contain_text(f"{texts[1][0]} against ")


@pytest.mark.slow
def test_two_networks_bar_nobody(page, two):
    index = int(np.flatnonzero(two[2].predicted != two[1])[0])
    page.goto(f"{page.url}#index={index}")
    page.get_by_role("button", name="Change it").click()
    check_bars_nobody_in_any_window(page)
