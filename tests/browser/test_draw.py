"""The explorer's network, evidence and drawing, in a browser, against Python's."""

import itertools
import json
import re

import numpy as np
import pytest
from playwright.sync_api import expect

from nnlib.analysis.evidence import pixel_evidence, unit_evidence
from nnlib.data.datasets import MNIST
from nnlib.data.encoding import fit_encoding, pixel_statistics
from nnlib.network import TwoLayerNet
from nnlib.network.functions import ACTIVATIONS
from nnlib.report import explorer as explorer_module
from tests.browser.accessibility import check_bars_nobody_in_any_window
from tests.browser.conftest import N, drag, image, write_page

# As JSON, which Playwright passes on faster than arrays.
LOOK = """() => JSON.stringify(Array.from({ length: payload.samples }, (_, index) => {
  const seen = look(pixelsOf(index));
  const [c, k] = [index % names.length, (index + 3) % names.length];
  return [seen.y, unitEvidence(seen, c, k), pixelEvidence(seen, c, k)].map(each => [...each]);
}))"""


@pytest.fixture
def page(digits_page):
    return digits_page


def check_network(page, network, images, atol, rtol):
    x = network.encoding.inputs(images)
    y, units, pixels = zip(*json.loads(page.evaluate(LOOK)), strict=True)
    np.testing.assert_allclose(y, network.predict(x), rtol=0, atol=atol)
    C = network.encoding.classes
    pair = np.arange(len(x)) % C, (np.arange(len(x)) + 3) % C
    for found, expected in (
        (units, unit_evidence(network, x, *pair)),
        (pixels, pixel_evidence(network, x, *pair)),
    ):
        np.testing.assert_allclose(found, expected, rtol=0, atol=rtol * np.abs(expected).max())


def test_the_network_of_the_page_is_that_of_python(
    offline_page, tmp_path, monkeypatch, digits, networks
):
    images, labels = digits[0][:N], digits[1][:N]
    for trained, activation in itertools.product(networks.values(), ACTIVATIONS):
        network = TwoLayerNet.from_params(
            trained.params, activation=activation, encoding=trained.encoding
        )
        offline_page.goto(write_page(tmp_path / "page.html", network, images, labels))
        expect(offline_page.get_by_role("status")).not_to_be_empty()
        check_network(offline_page, network, images, atol=1e-5, rtol=1e-5)
    monkeypatch.setattr(explorer_module, "MOST", 0)
    offline_page.goto(write_page(tmp_path / "rounded.html", network, images, labels))
    assert offline_page.evaluate("JSON.parse(document.getElementById('network').text).isHalf")
    check_network(offline_page, network, images, atol=1e-3, rtol=2e-3)
    expect(offline_page.get_by_text("16-bit numbers")).to_have_count(1)

    codes = np.arange(0, 1 << 16, 7, dtype="<u2")
    numbers = codes.view("<f2").astype(np.float32)
    found = offline_page.evaluate(
        "codes => [...halves(btoa(String.fromCharCode(...codes)))]",
        list(codes[np.isfinite(numbers)].tobytes()),
    )
    np.testing.assert_array_equal(found, numbers[np.isfinite(numbers)])


def prepare(page, drawing):
    script = "text => JSON.stringify([...prepared(Uint8Array.from(JSON.parse(text)))])"
    prepared = page.evaluate(script, json.dumps(drawing.ravel().tolist()))
    return np.reshape(json.loads(prepared), (28, 28))


def test_what_is_drawn_is_prepared_as_mnist_was(page):
    page.locator("#draw summary").click()
    assert image(page).sum() == 0

    # A rectangle of 60 x 120 dots becomes one of 10 x 20 pixels, in the middle by its mass: that of
    # columns 9 ... 18 is at 13.5, which a whole pixel cannot bring nearer to 14.
    drawing = np.zeros((280, 280), int)
    drawing[33:153, 201:261] = 255
    pixels = prepare(page, drawing)
    rows, columns = np.nonzero(pixels)
    assert (np.ptp(rows), np.ptp(columns)) == (19, 9)
    assert abs(rows.mean() - 14) <= 0.5
    assert abs(columns.mean() - 14) <= 0.5
    assert set(pixels.ravel()) == {0, 255}

    # Dots that do not divide into pixels, against means over 20 times as many.
    drawing[33:153, 201:261] = np.random.default_rng(1).integers(256, size=(120, 60))
    drawing[140:177, 100:230] = 200
    pixels = prepare(page, drawing)
    box = drawing[33:177, 100:261].repeat(20, axis=0).repeat(20, axis=1)  # 161 dots are 20 pixels
    cells = np.pad(box, ((0, 18 * 161 - box.shape[0]), (0, 0))).reshape(18, 161, 20, 161)
    means = cells.mean(axis=(1, 3))
    mass = means / means.sum()
    top, left = (round(14 - (mass * where).sum()) for where in np.indices(means.shape))
    expected = np.zeros((28, 28))
    expected[top : top + 18, left : left + 20] = means
    np.testing.assert_allclose(pixels, expected, atol=0.51)


def test_redrawn_digits_keep_their_predictions(page, digits):
    """Each digit is put on the canvas in large dots, and prepared."""
    images = digits[0][:N]
    redrawn = page.evaluate(
        """() => JSON.stringify(Array.from({ length: payload.samples }, (_, index) => {
          drawn.change(pixelsOf(index), index);
          const asItIs = [...drawn.image()];
          document.getElementById("draw-prepare").checked = true;
          const prepared = drawn.image();
          return [asItIs, look(prepared).ranked[0] === look(asItIs).ranked[0]];
        }))"""
    )
    pixels, is_kept = zip(*json.loads(redrawn), strict=True)
    np.testing.assert_array_equal(np.reshape(pixels, images.shape), images)
    assert sum(is_kept) >= 95


def test_drawing(page, digits):
    page.locator("#draw summary").click()
    result, undo = page.locator("#draw-result"), page.get_by_role("button", name="Undo")
    drag(page, (20, 4), (20, 24))
    stroke = image(page)
    # A line of 20 pixels, as thick as the strokes of MNIST, with round ends.
    assert np.flatnonzero(stroke.any(axis=1)).size == 20
    assert stroke.sum() / 255 == pytest.approx(20 * 2.4 - (1 - np.pi / 4) * 2.4**2, abs=1)
    assert re.match(r"Predicted: \d, ", result.inner_text())
    against = page.locator("#draw .evidence-against")
    expect(against.locator("option")).to_have_count(11)  # it has no actual digit
    expect(against).to_have_value("second")
    shares = page.locator("#draw-probabilities .number").all_inner_texts()
    assert len(shares) == 10
    assert sum(float(re.search(r"[\d.]+", share)[0]) for share in shares) == pytest.approx(
        100, abs=0.2
    )

    drag(page, (4, 4), (20, 4))
    assert image(page).sum() != stroke.sum()
    page.keyboard.press("Control+z")
    np.testing.assert_array_equal(image(page), stroke)
    undo.press("Enter")
    undo.press("Enter")  # nothing is left to undo
    assert image(page).sum() == 0

    page.goto(f"{page.url}#index=5")
    page.get_by_role("button", name="Change it").click()
    expect(page.locator("#draw summary")).to_be_focused()
    np.testing.assert_array_equal(image(page), digits[0][5])
    expect(result).to_contain_text(f"It began as index 5, actual {digits[1][5]}.")
    expect(against).to_have_value("usual")
    page.get_by_role("button", name="left").click()
    page.get_by_role("button", name="up").click()
    np.testing.assert_array_equal(image(page)[:-1, :-1], digits[0][5][1:, 1:])
    undo.click()
    undo.click()
    np.testing.assert_array_equal(image(page), digits[0][5])
    page.get_by_label("eraser").check()
    drag(page, (14, 0), (14, 28))
    erased = image(page)
    assert erased[:, 13:15].max() == 0
    np.testing.assert_array_equal(erased[:, :11], digits[0][5][:, :11])

    # Where it was prepared, that is what a shift moves.
    page.get_by_label("Scale and centre").check()
    centred = image(page)
    page.get_by_role("button", name="right").click()
    np.testing.assert_array_equal(image(page)[:, 1:], centred[:, :-1])
    expect(page.get_by_label("Scale and centre")).not_to_be_checked()
    page.get_by_role("button", name="Clear").click()
    assert image(page).sum() == 0
    page.get_by_label("pencil").check()
    drag(page, (14, 4), (14, 24))
    expect(against).to_have_value("second")


def test_a_finger_draws(browser, address):
    context = browser.new_context(
        viewport={"width": 360, "height": 700}, has_touch=True, is_mobile=True
    )
    page = context.new_page()
    page.goto(address)
    page.locator("#draw summary").tap()
    canvas = page.locator("#draw-canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    before = page.evaluate("window.scrollY")
    session = context.new_cdp_session(page)
    x = box["x"] + box["width"] / 2
    for kind, y in (("Start", 40), ("Move", 80), ("Move", 160), ("Move", 220), ("End", None)):
        points = [] if y is None else [{"x": x, "y": box["y"] + y}]
        session.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": points})
    drawn = image(page)
    assert np.flatnonzero(drawn.any(axis=1)).size == 20
    assert np.flatnonzero(drawn.any(axis=0)).size < 6
    assert page.evaluate("window.scrollY") == before
    context.close()


def numbers(text):
    return [float(number) for number in re.findall(r"[+-]\d+\.\d+", text)]


def check_words(page, network, labels, unit):
    """What the unit does is said first, and of which digits those are that activate it most."""
    weights = network.params["W2"][unit]
    most, least = weights.argmax(), weights.argmin()
    expect(page.locator("#unit-speaks")).to_have_text(
        f"Active, it speaks most for {most} ({weights[most]:+.2f}) and most against {least}"
        f" ({weights[least]:+.2f})."
    )
    texts = page.locator("#unit").inner_text()
    assert texts.index("Active, it speaks") < texts.index("Its weights to each digit")
    assert texts.index("activate it most") < texts.index("cost of leaving it out")
    examples = page.locator("#unit-examples a").all_inner_texts()
    shown = labels[[int(text.split("#")[1]) for text in examples]]
    digit = np.bincount(shown).argmax()
    n = int((shown == digit).sum())
    expect(page.locator("#unit-examples-classes")).to_have_text(
        f"{n} of these {len(shown)} {'is' if n == 1 else 'are'} {digit}, to which its weight is"
        f" {weights[digit]:+.2f}."
    )


def check_parts(evidence, sums):
    """The bars begin in the middle: to the right are those for the class."""
    rows = evidence.locator(".evidence-parts tr").all()
    shares = []
    for row, expected in zip(rows, sums, strict=True):
        assert numbers(row.inner_text()) == [expected]
        cell, bar = (part.bounding_box() for part in (row.locator("td").last, row.locator(".part")))
        middle = cell["x"] + cell["width"] - (cell["width"] - 12) / 2  # 12 are beside it
        near = bar["x"] if expected >= 0 else bar["x"] + bar["width"]
        assert near == pytest.approx(middle, abs=2)
        colour = "rgb(230, 159, 0)" if expected >= 0 else "rgb(0, 114, 178)"
        expect(row.locator(".part")).to_have_css("background-color", colour)
        shares.append(bar["width"] / (cell["width"] - 12) * 2)
    np.testing.assert_allclose(shares, np.abs(sums) / np.abs(sums).max(), atol=0.02)


def test_the_evidence_of_a_prediction(page, digits, networks):
    network = networks["unit"]
    images, labels = digits[0][:N], digits[1][:N]
    x = network.encoding.inputs(images)
    y = network.predict(x)
    ranked = np.argsort(-y, axis=1)
    wrong = int(np.flatnonzero(ranked[:, 0] != labels)[0])
    right = int(np.flatnonzero(ranked[:, 0] == labels)[0])
    evidence = page.locator("#evidence")
    text, plain = evidence.locator(".evidence-sum"), page.url

    def check(index, c, k):
        expect(text).to_contain_text(f"{c} against {k}: ")
        units = unit_evidence(network, x[[index]], c, k)[0]
        total, of_ink, blank = numbers(text.inner_text())
        assert total == pytest.approx(np.log(y[index, c] / y[index, k]), abs=0.006)
        assert of_ink == pytest.approx(units.sum(), abs=0.006)
        assert total == pytest.approx(of_ink + blank, abs=0.011)
        check_parts(evidence, [blank, of_ink, total])
        order = np.argsort(-np.abs(units), kind="stable")
        listed = evidence.locator(".evidence-units a").all_inner_texts()
        assert [int(re.search(r"unit (\d+):", line)[1]) for line in listed] == order[:5].tolist()
        np.testing.assert_allclose(
            [number for line in listed for number in numbers(line)], units[order[:5]], atol=0.0051
        )
        rest = evidence.locator(".evidence-others").inner_text()
        assert numbers(rest) == pytest.approx([units[order[5:]].sum()], abs=0.006)
        return order

    page.goto(f"{plain}#index={right}")
    check(right, *ranked[right, :2])
    page.goto(f"{plain}#index={wrong}")
    check(wrong, ranked[wrong, 0], labels[wrong])
    evidence.locator(".evidence-for").select_option("3")
    evidence.locator(".evidence-against").select_option("5")
    order = check(wrong, 3, 5)

    evidence.locator(".evidence-units a").nth(2).click()
    expect(page.locator("#unit-heading")).to_have_text(f"Unit {order[2]}")
    rows = page.locator("#unit-outputs tr").all_inner_texts()
    weights = [number for row in rows for number in numbers(row)]
    np.testing.assert_allclose(weights, network.params["W2"][order[2]], atol=0.0051)
    check_words(page, network, labels, order[2])
    c, k = ranked[wrong, 0], labels[wrong]
    here = page.locator("#unit-here").inner_text()
    assert here.endswith(f" nats for {c} against {k}.")
    units = unit_evidence(network, x[[wrong]], c, k)[0]
    assert numbers(here) == pytest.approx([units[order[2]]], abs=0.006)
    activation = network.forward(x[[wrong]])[0][0, order[2]]
    assert f"For index {wrong}: activation {activation:.2f} (blank image: " in here
    page.go_back()
    evidence.locator(".evidence-against").select_option("3")
    expect(text).to_have_text("Choose two different digits.")
    page.goto(f"{plain}#")
    expect(evidence).to_be_hidden()


def test_weights_have_colours_that_evidence_does_not_have(page, networks):
    """Purple below 0, green above, as the report's figures."""
    params = networks["unit"].params
    page.goto(f"{page.url}#unit=4")
    pixels = json.loads(
        page.locator("#unit-picture").evaluate(
            "c => JSON.stringify([...c.getContext('2d').getImageData(0, 0, 28, 28).data])"
        )
    )
    red, green, blue, opacity = np.reshape(pixels, (-1, 4)).T
    weights = params["W1"][:, 4]
    np.testing.assert_allclose(opacity, 255 * np.abs(weights) / np.abs(weights).max(), atol=0.51)
    seen = opacity > 100  # what a canvas keeps of the colours of others is rounded
    assert (green > np.maximum(red, blue))[seen & (weights > 0)].all()
    assert (green < np.minimum(red, blue))[seen & (weights < 0)].all()
    colours = page.locator("#unit-outputs .bar").evaluate_all(
        "bars => bars.map(bar => getComputedStyle(bar).backgroundColor)"
    )
    expected = np.where(params["W2"][4] < 0, "rgb(150, 88, 178)", "rgb(49, 148, 79)")
    assert colours == expected.tolist()


@pytest.mark.slow
def test_the_panels_bar_nobody(page):
    page.goto(f"{page.url}#index=5")
    page.get_by_role("button", name="Change it").click()
    check_bars_nobody_in_any_window(page)


def test_drawing_works_in_a_sandboxed_frame(offline_page, page):
    text = json.dumps(page.content()).replace("</", "<\\/").replace("<!--", "<\\!--")
    page.goto("about:blank")
    page.evaluate(
        f"""const frame = document.createElement("iframe");
        frame.sandbox = "allow-scripts";
        frame.width = 1200;
        frame.height = 800;
        frame.src = URL.createObjectURL(new Blob([{text}], {{ type: "text/html" }}));
        document.body.append(frame);"""
    )
    frame = page.frame_locator("iframe")
    frame.locator("#results a").first.click()
    expect(frame.locator("#evidence .evidence-sum")).to_contain_text(" against ")
    frame.get_by_role("button", name="Change it").click()
    expect(frame.locator("#draw-result")).to_contain_text("It began as index ")


def test_other_images_are_taken_as_they_are_drawn(offline_page, tmp_path):
    names = ("bar", "dot", "ring")
    shapes = MNIST.model_copy(
        update={
            "name": "shapes",
            "class_names": names,
            "class_noun": "shape",
            "image_shape": (6, 5),
            "prepared_as_mnist": False,
        }
    )
    rng = np.random.default_rng(0)
    images = rng.integers(256, size=(7, 6, 5), dtype=np.uint8)
    encoding = fit_encoding("standard", pixel_statistics([images]), names)
    network = TwoLayerNet(30, 2, 3, weight_init=0.5, encoding=encoding, rng=rng)
    offline_page.goto(write_page(tmp_path / "page.html", network, images, np.arange(7) % 3, shapes))
    expect(offline_page.get_by_role("status")).not_to_be_empty()
    check_network(offline_page, network, images, atol=1e-5, rtol=1e-5)
    offline_page.goto(f"{offline_page.url}#index=4")
    offline_page.get_by_role("button", name="Change it").click()
    expect(offline_page.get_by_label("Scale and centre")).to_be_hidden()
    assert offline_page.evaluate("[...drawn.image()]") == images[4].ravel().tolist()
    expect(offline_page.locator("#draw .evidence-units li")).to_have_count(2)


def test_a_network_that_is_too_large_is_left_out(
    offline_page, tmp_path, monkeypatch, digits, networks
):
    monkeypatch.setattr(explorer_module, "MOST", 0)
    monkeypatch.setattr(explorer_module, "MOST_ROUNDED", 0)
    network = networks["unit"]
    offline_page.goto(write_page(tmp_path / "page.html", network, digits[0][:N], digits[1][:N]))
    expect(offline_page.get_by_text("The network is left out")).to_be_visible()
    offline_page.locator("#results a").first.click()
    expect(offline_page.locator("#sample-heading")).to_be_focused()
    expect(offline_page.get_by_role("button", name="Change it")).to_have_count(0)
    expect(offline_page.get_by_text("All are left out, as this page")).to_be_visible()
    offline_page.goto(f"{offline_page.url}&unit=0")
    expect(offline_page.get_by_role("status")).to_contain_text("Ignored in the address: unit.")
