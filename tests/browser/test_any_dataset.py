"""The explorer of other data sets, in a browser: many classes and few, odd names, any shape."""

import json
import re
from urllib.parse import quote

import numpy as np
import pytest
from playwright.sync_api import expect

from nnlib.analysis.analysis import analyse_predictions
from nnlib.analysis.confusion import confusion_matrix
from nnlib.analysis.predictions import Predictions
from nnlib.data.datasets import MNIST
from nnlib.data.encoding import fit_encoding, pixel_statistics
from nnlib.network import TwoLayerNet
from nnlib.network.functions import softmax
from nnlib.report.explorer import address, explorer
from tests.browser.accessibility import check_bars_nobody
from tests.conftest import explorer_parts

pytestmark = pytest.mark.slow

ARABIC, OVERRIDE = "صندوق (12)", "boots \u202e shoes"
ODD_NAMES = (
    *("=1+1", "+1", "<script>alert(1)</script>", "</script><b>x</b>", "&amp; & <bdi>", "<!--"),
    *(
        "a, \"b\", 'c'",
        r"back\slash \n",
        "アンクルブーツ",
        ARABIC,
        OVERRIDE,
        "👟🏽 👩‍👩‍👧",
        "a-b-c",
    ),
    *("any", "predicted", "%20 + %", "#actual=4", "a&predicted=b", "two  spaces", "constructor"),
    *("Ankle boot", "M" * 100, "ab " * 33 + "a"),
)
FORTY = "a name of forty characters, for class "
HUNDRED = MNIST.model_copy(
    update={
        "name": "Hundred <things> & more",
        "class_names": (*ODD_NAMES, *(f"{FORTY}{number}" for number in range(10, 87))),
        "class_noun": "class",
        "image_shape": (8, 8),
        "has_strokes": False,
        "prepared_as_mnist": False,
    }
)
ODD = HUNDRED.model_copy(update={"class_names": ODD_NAMES})
TWO = MNIST.model_copy(
    update={
        "name": "letters",
        "class_names": (FORTY + "10", "B"),
        "class_noun": "letter",
        "image_shape": (40, 24),
        "prepared_as_mnist": False,
    }
)
THREE = HUNDRED.model_copy(update={"class_names": ("cod", "eel", "ray"), "class_noun": "fish"})


class Explored:
    """An explorer of random images, and what is in it."""

    def __init__(self, path, dataset, t, skill):
        C, shape = dataset.classes, dataset.image_shape
        rng = np.random.default_rng(0)
        self.dataset, self.names = dataset, dataset.class_names
        self.images = rng.integers(256, size=(len(t), *shape), dtype=np.uint8)
        encoding = fit_encoding("unit", pixel_statistics([self.images]), self.names)
        network = TwoLayerNet(np.prod(shape), 8, C, weight_init=0.5, encoding=encoding, rng=rng)
        y = softmax(rng.standard_normal((len(t), C)) + skill * np.eye(C)[t])
        self.predictions = Predictions.of(y, t)
        self.confusion = confusion_matrix(t, self.predictions.predicted, C)
        repeats = np.array([self.predictions.predicted] * 2)
        analysis = analyse_predictions(self.predictions, self.predictions, self.confusion, repeats)
        parts = explorer_parts(analysis, network, shape)
        html = explorer(analysis, self.images, dataset, network, **parts)
        path.write_text(html, encoding="utf-8")
        self.address = path.as_uri()

    def counts(self, actual, predicted):
        """How many samples there are of two classes by label, one of which may be None."""
        rows = slice(None) if actual is None else actual
        columns = slice(None) if predicted is None else predicted
        return int(self.confusion[rows, columns].sum())


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("explorers")


@pytest.fixture(scope="module")
def hundred(folder):
    t = np.arange(1000) % 100
    return Explored(folder / "hundred.html", HUNDRED, t, skill=3)


@pytest.fixture(scope="module")
def odd(folder):
    return Explored(folder / "explorer.html", ODD, np.arange(230) % 23, skill=3)


@pytest.fixture(scope="module")
def two(folder):
    return Explored(folder / "two.html", TWO, np.arange(60) % 2, skill=1)


@pytest.fixture
def page(offline_page):
    said = []
    offline_page.on("console", lambda message: said.append(message.text))
    offline_page.on("dialog", lambda dialog: said.append(dialog.message))
    yield offline_page
    assert said == []


def open_at(page, explored, choice=""):
    page.goto("about:blank")
    page.goto(explored.address + choice)
    expect(page.locator("#status")).not_to_be_empty()


def isolated(name):
    """What is shown in a text: only what is written from right to left is set apart."""
    return f"\u2068{name}\u2069" if name in (ARABIC, OVERRIDE) else name


def test_names_are_shown_as_they_are(page, odd):
    open_at(page, odd)
    expect(page).to_have_title("Explorer: Hundred <things> & more, test set")
    names = list(odd.names)
    for place in ("thead bdi", "tbody bdi"):
        assert page.locator(f"#matrix {place}").all_text_contents() == names
    for field in ("actual", "predicted"):
        options = page.locator(f"[name={field}] option")
        assert options.all_text_contents() == ["any", *names]
    labels = (
        page.locator("#matrix tbody tr")
        .nth(9)
        .locator("a")
        .evaluate_all("links => links.map(link => link.getAttribute('aria-label'))")
    )
    first, *others = labels
    assert names[9] == ARABIC
    assert first == f"all actual {isolated(ARABIC)}"
    assert others == [
        f"actual {isolated(ARABIC)} predicted as {isolated(name)}: {odd.confusion[9, label]}"
        for label, name in enumerate(names)
    ]
    expect(page.locator("body script, body b")).to_have_count(6)  # the page's own


def test_an_address_names_its_classes(page, odd):
    """Each name goes into the address by the form, and comes back out of it."""
    open_at(page, odd)
    status = page.get_by_role("status")
    read = """address => {
      const [{ actual, predicted }, ignored] = readAddress(address);
      return [actual, predicted, ignored.size];
    }"""
    for label, name in enumerate(odd.names):
        other = odd.names[label - 1]
        page.locator("[name=predicted]").select_option(index=1 + odd.names.index(other))
        page.locator("[name=actual]").select_option(index=1 + label)
        expect(status).to_have_text(re.compile(f"^{odd.confusion[label, label - 1]} of 230 im"))
        for wanted in (
            page.url,
            address(name, other),
            f"#predicted={quote(other)}&actual={quote(name)}",
        ):
            assert page.evaluate(read, "#" + wanted.split("#")[1]) == [name, other, 0]
    page.locator("#matrix tbody th a").nth(odd.names.index("Ankle boot")).click()
    assert page.url.endswith("#actual=Ankle%20boot")
    expect(status).to_have_text("10 of 230 images.")
    page.reload()
    expect(status).to_have_text("10 of 230 images.")


def test_an_address_with_a_name_that_does_not_exist(page, odd):
    for choice, ignored in (
        ("#actual=Boot", "actual"),
        ("#actual=20&predicted=3", "actual, predicted"),
        ("#predicted=%E0%A4", "predicted"),
        ("#actual=ankle%20boot", "actual"),
        ("#actual=two%20spaces", "actual"),
    ):
        open_at(page, odd, choice)
        expect(page.get_by_role("status")).to_have_text(
            f"230 of 230 images. Ignored in the address: {ignored}."
        )


def test_the_most_confused_pairs_come_first(page, odd):
    open_at(page, odd, "#sort=index-ascending")
    errors = odd.confusion.copy()
    np.fill_diagonal(errors, 0)
    most = np.sort(errors.ravel())[::-1][:10]
    links = page.locator("#pairs a")
    expect(links).to_have_count(10)
    found = []
    for place, link in enumerate(links.all()):
        link.click()
        expect(link).to_have_attribute("aria-current", "true")
        expect(page.locator("#matrix [aria-current]")).to_have_count(1)
        pair = [page.locator(f"[name={name}]").input_value() for name in ("actual", "predicted")]
        count = errors[*map(odd.names.index, pair)]
        found.append(count)
        line = page.locator("#pairs li").nth(place).inner_text()
        assert line == f"{pair[0]} classified as {pair[1]}: {count} of 10".replace("  ", " ")
        expect(page.get_by_role("status")).to_contain_text(f"{count} of 230")
        assert page.url.endswith("&sort=index-ascending")
    assert found == most.tolist()


def is_seen(link):
    """Whether the middle of a link is on the screen, with nothing above it."""
    return link.evaluate(
        """link => {
          const { left, right, top, bottom } = link.getBoundingClientRect();
          return link.contains(document.elementFromPoint((left + right) / 2, (top + bottom) / 2));
        }"""
    )


@pytest.mark.parametrize("width", [1400, 390])
def test_the_keys_walk_through_a_matrix_that_scrolls(page, hundred, width):
    page.set_viewport_size({"width": width, "height": 844})
    open_at(page, hundred)
    head = page.locator("#matrix thead a").first
    head.focus()
    cells = page.locator("#matrix tbody tr")

    def check(row, column):
        link = cells.nth(row).locator("a").nth(column)
        expect(link).to_be_focused()
        assert is_seen(link), (row, column)

    for key, count, place in (
        ("ArrowDown", 1, (0, 1)),
        ("ArrowDown", 30, (30, 1)),
        ("ArrowRight", 40, (30, 41)),
        ("ArrowUp", 25, (5, 41)),
        ("ArrowLeft", 35, (5, 6)),
        ("End", 1, (5, 100)),
        ("Home", 1, (5, 0)),
        ("Control+End", 1, (99, 100)),
        ("ArrowLeft", 30, (99, 70)),
    ):
        for _ in range(count):
            page.keyboard.press(key)
        check(*place)
    expect(page.locator("#matrix a[tabindex='0']")).to_have_count(1)
    page.locator("#matrix-box").evaluate("box => box.scrollIntoView()")
    names = [page.locator("#matrix tbody th a").nth(99), page.locator("#matrix thead a").nth(69)]
    assert all(map(is_seen, names))  # of the row and of the column
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text(f"{hundred.confusion[99, 69]} of 1,000")
    page.keyboard.press("Control+Home")
    expect(head).to_be_focused()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_the_matrix_zooms(page, hundred):
    open_at(page, hundred)
    box = page.locator("#matrix-box")
    hidden = "box => box.scrollWidth - box.clientWidth"
    assert box.evaluate(hidden) > 1000
    page.get_by_label("Zoom").fill("0.25")
    assert box.evaluate(hidden) == 0
    cell = page.locator("#matrix tbody tr").nth(3).locator("a").nth(4)  # the diagonal
    assert 4 < cell.bounding_box()["width"] < 9
    cell.hover()
    count = hundred.confusion[3, 3]
    name = f"actual {hundred.names[3]} predicted as {hundred.names[3]}: {count}"
    expect(cell).to_have_attribute("title", name)
    cell.click()
    expect(page.get_by_role("status")).to_contain_text(f"{count} of 1,000 images.")


@pytest.mark.parametrize("place", ["#sample", "#draw", "#unit"])
def test_of_many_classes_the_likeliest_come_first(page, hundred, place):
    y, t = hundred.predictions.y, hundred.predictions.t
    index = int(np.argmin(y[np.arange(len(t)), t]))  # whose actual class is not among them
    open_at(page, hundred, f"#index={index}&unit=2" if place == "#unit" else f"#index={index}")
    if place == "#draw":
        page.get_by_role("button", name="Change it").click()
    rows = page.locator(f"{place} .probabilities tbody tr")
    expect(rows).to_have_count(100)
    number = "rows => rows.map(row => row.querySelector('.number').textContent)"

    def values():
        texts = page.locator(f"{place} .probabilities tbody tr:visible").evaluate_all(number)
        return [abs(float(re.search(r"[-+]?[\d.]+", text)[0])) for text in texts]

    first = values()
    assert len(first) == (11 if place == "#sample" else 10)  # with the actual class
    button = page.locator(f"{place} .unfold")
    expect(button).to_have_attribute("aria-expanded", "false")
    button.click()
    expect(button).to_have_attribute("aria-expanded", "true")
    assert values() == sorted(values(), reverse=True)
    assert values()[:10] == first[:10]
    assert len(values()) == 100
    button.click()
    assert values() == first
    if place == "#sample":
        likeliest = np.sort(y[index])[::-1][:10]
        np.testing.assert_allclose(first[:10], 100 * likeliest, atol=0.0059)
        last = page.locator("#sample .probabilities tbody tr:visible").last
        name = isolated(hundred.names[t[index]])
        expect(last.get_by_role("rowheader")).to_have_text(f"{name} actual")
        assert page.evaluate("percent(shares(btoa('\\0\\0'))[0])") == "< 0.01%"
        is_held = "trained[names.length * index + predicted[index]] === y"
        assert page.evaluate(f"[...keys.confidence].every((y, index) => {is_held})")
        facts = page.locator("#sample-facts").inner_text()
        assert f"actual\n{name}\n" in facts


def test_a_drawing_of_many_classes_on_a_phone(page, hundred):
    page.set_viewport_size({"width": 390, "height": 844})
    open_at(page, hundred)
    page.locator("#draw summary").click()
    result = page.locator("#draw-result")
    expect(result).to_have_text("Draw one of the 100 classes.")
    canvas = page.locator("#draw-canvas")
    canvas.click()
    expect(result).to_contain_text("Predicted: ")
    expect(page.locator("#draw-probabilities tr:visible")).to_have_count(10)
    box = canvas.bounding_box()
    for part in (result, *page.locator("#draw-probabilities tr:visible").all()):
        assert part.bounding_box()["x"] >= box["x"] + box["width"]
    expect(result).to_be_in_viewport(ratio=1)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_a_quiz_of_many_classes_has_a_list(page, hundred):
    open_at(page, hundred, "#quiz=1")
    names, quiz = page.locator("#quiz-names"), page.locator("#quiz")
    expect(page.locator("#quiz-heading")).to_be_focused()
    for key in ("3", "=", "a"):
        page.keyboard.press(key)  # no keys: there are too many classes
    expect(page.locator("#quiz-answer")).to_be_empty()
    for name in hundred.names:  # all are offered, and none is a hint
        assert name in names.locator("option").all_text_contents()
    guess = page.get_by_role("button", name="Guess")
    guess.click()  # nothing is chosen
    expect(names).to_be_focused()
    expect(page.locator("#quiz-answer")).to_be_empty()
    page.keyboard.type("Ank")
    expect(names).to_have_value("20")
    page.keyboard.press("Tab")
    expect(guess).to_be_focused()
    page.keyboard.press("Enter")
    assert page.url.endswith("#quiz=1&guesses=20")
    expect(page.locator("#quiz-answer")).to_contain_text("Your guess: Ankle boot (")
    expect(names).to_be_hidden()
    page.get_by_role("link", name="Next").press("Enter")
    expect(names).to_have_value("")
    names.select_option(ARABIC)
    guess.click()
    expect(page.locator("#quiz-answer")).to_contain_text(f"Your guess: {isolated(ARABIC)} (")
    assert page.url.endswith("#quiz=1&guesses=20-9")
    expect(quiz.locator(".probabilities tbody tr:visible").first).to_be_visible()
    page.reload()
    expect(page.locator("#quiz-answer")).to_contain_text("Your guess: ")


def test_a_quiz_about_two_classes(page, two):
    open_at(page, two, f"#{address('B').split('#')[1]}&quiz=1")
    expect(page.locator("#quiz-choice")).to_have_text(
        "30 of 60 letters (of your choice), shuffled: order 1."
    )
    buttons = page.locator("#quiz-guesses button")
    assert buttons.all_inner_texts() == [f"{TWO.class_names[0]} 0", "B 1"]
    page.keyboard.press("2")
    expect(page.locator("#quiz-answer")).to_be_empty()
    page.keyboard.press("1")
    expect(page.locator("#quiz-answer")).to_contain_text("Your guess: B (right)")


def drawn_image(page, shape):
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    return np.reshape(json.loads(page.evaluate("JSON.stringify([...drawn.image()])")), shape)


@pytest.mark.parametrize("shape", [(40, 24), (24, 40), (8, 8), (64, 64), (6, 5), (1, 30)])
def test_images_of_any_shape(page, folder, shape):
    """They are neither distorted nor cut, and what is drawn lands where the pointer is."""
    height, width = shape
    dataset = TWO.model_copy(update={"image_shape": shape})
    explored = Explored(folder / "shape.html", dataset, np.arange(30) % 2, skill=1)
    open_at(page, explored, "#index=7")
    for place in ("#results canvas", "#sample-picture", "#evidence canvas", "#neighbours canvas"):
        for canvas in page.locator(place).all()[:3]:
            size, fit, box = canvas.evaluate(
                """c => [
                  [c.height, c.width],
                  getComputedStyle(c).objectFit,
                  [c.offsetHeight, c.offsetWidth],
                ]"""
            )
            assert (tuple(size), fit) == (shape, "contain")
            assert box[0] == box[1] > 30
    pixels = page.locator("#sample-picture").evaluate(
        "c => [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data]"
    )
    np.testing.assert_array_equal(pixels[::4], explored.images[7].ravel())

    page.get_by_role("button", name="Change it").click()
    np.testing.assert_array_equal(drawn_image(page, shape), explored.images[7])
    page.get_by_role("button", name="right").click()
    shifted = np.pad(explored.images[7], ((0, 0), (1, 0)))[:, :width]
    np.testing.assert_array_equal(drawn_image(page, shape), shifted)

    page.get_by_role("button", name="Clear").click()
    canvas = page.locator("#draw-canvas")
    box = canvas.bounding_box()
    assert box["width"] / box["height"] == pytest.approx(width / height, rel=0.02)
    page.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 0.5 * box["height"])
    page.mouse.down()
    page.mouse.up()
    image = drawn_image(page, shape) / 255
    dot = 0.085 * min(shape)  # the pencil is as thick, by the shorter side, as on MNIST's square
    assert image.sum() == pytest.approx(np.pi * (dot / 2) ** 2, rel=0.25, abs=0.1)
    y, x = ((image * (where + 0.5)).sum() / image.sum() for where in np.indices(shape))
    assert (y, x) == pytest.approx((0.5 * height, 0.3 * width), abs=0.25)
    page.set_viewport_size({"width": 360, "height": 700})
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_a_small_set_without_errors_and_with_a_class_without_samples(page, folder):
    t = np.array([0, 2] * 25)
    explored = Explored(folder / "three.html", THREE, t, skill=50)
    open_at(page, explored)
    expect(page.get_by_text("classifies 50 of 50 fishes correctly (100.00%)")).to_be_visible()
    expect(page.get_by_role("heading", name="Fishes")).to_be_visible()
    expect(page.locator("#pairs")).to_have_count(0)
    page.get_by_role("link", name="all actual eel").click()
    status = page.get_by_role("status")
    expect(status).to_have_text("0 of 50 fishes. Nothing matches all filters.")
    page.get_by_role("button", name="Quiz").click()
    expect(page.locator("#quiz-heading")).to_have_text("Quiz")
    open_at(page, explored, "#actual=ray&index=3")
    expect(status).to_have_text("25 of 50 fishes.")
    expect(page.locator("#evidence .evidence-sum")).to_contain_text(" against ")
    expect(page.locator("#neighbours")).to_have_count(0)
    open_at(page, explored, "#unit=0")
    expect(page.locator("#unit-facts")).to_contain_text("fish that suffers most")


@pytest.mark.parametrize("has_strokes", [True, False])
def test_only_strokes_are_shown_as_ink_on_paper(page, folder, has_strokes):
    dataset = THREE.model_copy(update={"has_strokes": has_strokes})
    open_at(page, Explored(folder / "ink.html", dataset, np.arange(20) % 3, skill=1))
    found = page.locator("#results canvas").first.evaluate("c => getComputedStyle(c).filter")
    assert found == ("invert(1)" if has_strokes else "none")


def check_for_axe(page, explored, *choices):
    for choice in choices:
        open_at(page, explored, choice)
        if "index" in choice and "unit" not in choice:
            page.get_by_role("button", name="Change it").click()
        check_bars_nobody(page)


@pytest.mark.parametrize(("width", "scheme"), [(1400, "light"), (360, "dark")])
@pytest.mark.parametrize("name", ["odd", "two"])
def test_nothing_bars_anybody(page, request, name, width, scheme):
    explored = request.getfixturevalue(name)
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 900})
    wrong = f"#index={np.flatnonzero(~explored.predictions.right)[0]}"
    check_for_axe(page, explored, wrong, f"{wrong}&unit=1", "#quiz=1&guesses=1-", "#quiz=1")


def test_a_large_matrix_bars_nobody(page, hundred):
    check_for_axe(page, hundred, "#")
