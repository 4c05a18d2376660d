"""The quiz of the explorer, in a browser: guesses first, the network's prediction after them."""

import re
from collections import Counter

import numpy as np
import pytest
from playwright.sync_api import expect
from scipy.stats import chisquare

from nnlib.data.datasets import MNIST
from nnlib.report.explorer import explorer
from tests.browser.accessibility import check_bars_nobody
from tests.conftest import explorer_parts

N = 1500
# The index of a sample is written into its pixels, so that a picture says which one it is.
PIXELS = """canvas => {
    const copy = new OffscreenCanvas(28, 28).getContext("2d");
    copy.drawImage(canvas, 0, 0);
    return [...copy.getImageData(0, 0, 28, 28).data];
}"""
SCORE = r"Right of (\d+): you (\d+), the network (\d+)\."


@pytest.fixture(scope="module")
def write(analysis, explain, tmp_path_factory):
    """Writes an explorer, and returns its address."""
    network, _ = explain(analysis)

    def write(dataset=MNIST):
        images = np.zeros((N, 28, 28), np.uint8)
        images[:, 0, 0], images[:, 0, 1] = np.divmod(np.arange(N), 256)
        path = tmp_path_factory.mktemp("quiz") / "explorer.html"
        parts = explorer_parts(analysis, network)
        path.write_text(explorer(analysis, images, dataset, network, **parts), encoding="utf-8")
        return path.as_uri()

    return write


@pytest.fixture(scope="module")
def address(write):
    return write()


@pytest.fixture(scope="module")
def trained(analysis):
    return analysis.trained.table()


@pytest.fixture
def page(offline_page):
    said = []
    offline_page.on("console", lambda message: said.append(message.text))
    yield offline_page
    assert said == []


def open_at(page, address):
    page.goto("about:blank")
    page.goto(address)
    expect(page.locator("#status")).not_to_be_empty()


def asked(page):
    """Index of the sample whose picture the quiz shows."""
    pixels = page.locator("#quiz-picture").evaluate(PIXELS)
    return 256 * pixels[0] + pixels[4]


def all_asked(page):
    """The indices of the whole quiz, in its order."""
    return page.evaluate("shuffled(Uint32Array.from(results).sort(), Number(state.quiz))")


def assert_nothing_is_given_away(page):
    assert str(asked(page)) not in page.title()
    expect(page.locator("#quiz-answer")).to_be_empty()
    expect(page.locator("#quiz-network tbody tr")).to_have_count(0)
    for element in ("#matrix", "#results", "#sample", "#form", "#status", "#quiz-details"):
        expect(page.locator(element)).to_be_hidden()
    text = page.locator("#quiz").inner_text()
    for word in ("actual", "predicted", "confidence", "The network:"):
        assert word not in text


def test_a_quiz_from_the_first_guess_to_the_counts(page, address, trained):
    open_at(page, f"{address}#outcome=wrong&index=7")
    start = page.get_by_role("button", name="Quiz")
    start.press("Enter")
    heading, answer = page.locator("#quiz-heading"), page.locator("#quiz-answer")
    wrong = trained.query("actual != predicted")
    expect(heading).to_have_text(f"Quiz: digit 1 of {len(wrong)}")
    expect(heading).to_be_focused()
    assert page.url.endswith("#outcome=wrong&quiz=1")

    right = 0
    for number in range(1, 5):
        row = trained.loc[asked(page)]
        assert row["actual"] != row["predicted"]
        assert_nothing_is_given_away(page)

        guess = int(row["actual"] if number != 2 else (row["actual"] + 1) % 10)
        right += number != 2
        if number % 2:
            page.keyboard.press(str(guess))  # the focus is on the heading
        else:
            page.get_by_role("button", name=str(guess), exact=True).click()
        verdict = "right" if number != 2 else "wrong"
        expect(answer).to_have_text(
            f"Actual: {row['actual']:.0f}. Your guess: {guess} ({verdict}). The network:"
            f" {row['predicted']:.0f} (wrong), confidence {100 * row['confidence']:.2f}%."
        )
        expect(answer.locator("xpath=ancestor::*[@aria-live='polite']")).to_have_count(1)
        (score,) = re.findall(SCORE, page.locator("#quiz-score").inner_text())
        assert score == (str(number), str(right), "0")
        shares = page.locator("#quiz-network td").all_inner_texts()
        for label, share in enumerate(shares):
            shown = float(re.search(r"\d+\.\d+", share)[0]) / 100
            assert shown == pytest.approx(row[f"p{label}"], abs=1.01e-4)
        assert len(shares) == 10
        page.keyboard.press("5")  # a second guess does not count
        expect(page.locator("#quiz-score")).to_have_text(re.compile(rf"^Right of {number}:"))
        expect(page.get_by_role("link", name="Next")).to_be_focused()
        page.keyboard.press("Enter")
        expect(heading).to_have_text(f"Quiz: digit {number + 1} of {len(wrong)}")
        expect(heading).to_be_focused()


def test_the_ways_back_and_out(page, address, trained):
    open_at(page, f"{address}#outcome=wrong&quiz=1")
    heading, score = page.locator("#quiz-heading"), page.locator("#quiz-score")
    expect(heading).to_be_focused()
    for _ in range(2):
        page.keyboard.press(str(int(trained["actual"][asked(page)])))
        page.keyboard.press("Enter")
    page.go_back()
    expect(page.locator("#quiz-answer")).to_contain_text("Your guess")
    page.go_back()
    expect(page.locator("#quiz-answer")).to_be_empty()
    expect(score).to_have_text("Right of 1: you 1, the network 0.")
    page.reload()  # the address holds the guesses
    expect(score).to_have_text("Right of 1: you 1, the network 0.")
    expect(heading).to_be_focused()

    page.keyboard.press(str(int(trained["actual"][asked(page)])))
    index = asked(page)
    page.get_by_role("link", name="All about this digit").press("Enter")
    expect(page.locator("#sample-heading")).to_have_text(f"Index {index}")
    expect(page.locator("#sample-heading")).to_be_focused()
    page.go_back()
    expect(page.get_by_role("link", name="Next")).to_be_focused()
    page.get_by_role("button", name="Leave the quiz").press("Enter")
    assert page.url.endswith("#outcome=wrong")
    expect(page.get_by_role("button", name="Quiz")).to_be_focused()
    expect(page.locator("#results a")).to_have_count(200)
    expect(page).not_to_have_title(re.compile("Quiz"))
    page.locator("#results a").first.click()  # the tiles do not lead back into it
    assert "quiz" not in page.url.split("#")[1]


def test_the_networks_count_is_of_its_right_ones(page, address, trained):
    open_at(page, f"{address}#from=0&to=70&quiz=3")
    order = all_asked(page)[:12]
    assert order[0] == asked(page)
    rows = trained.loc[order]
    network = int((rows["actual"] == rows["predicted"]).sum())
    guess = rows["actual"].iloc[-1]
    page.goto(f"{address}#to=70&quiz=3&guesses={'-'.join([str(guess)] * 12)}")
    mine = int((rows["actual"] == guess).sum())
    expect(page.locator("#quiz-score")).to_have_text(
        f"Right of 12: you {mine}, the network {network}."
    )
    assert 0 < network < 12
    assert mine != network


@pytest.mark.slow
def test_a_link_gives_the_same_quiz_whatever_the_order_of_the_tiles(page, address, trained):
    orders = {}
    for name, rest in (
        ("one", "quiz=1"),
        ("again", "quiz=1&guesses=1-2-3"),
        ("sorted", "sort=confidence-ascending&quiz=1"),
        ("other", "quiz=2"),
        ("fewer", "actual=4&quiz=1"),
    ):
        open_at(page, f"{address}#{rest}")
        orders[name] = all_asked(page)
    assert orders["one"] == orders["again"] == orders["sorted"]
    assert sorted(orders["one"]) == sorted(orders["other"]) == list(range(N))
    assert np.mean(np.equal(orders["one"], orders["other"])) < 0.01
    assert sorted(orders["fewer"]) == trained.query("actual == 4")["index"].tolist()

    open_at(page, f"{address}#actual=4&quiz=9999&guesses=4-9-")
    expect(page.get_by_text("To give somebody this quiz")).to_be_visible()
    page.get_by_role("link", name="Start again").click()
    assert page.url.endswith("#actual=4&quiz=9999")
    page.get_by_role("link", name="Another order").click()
    assert page.url.endswith("#actual=4&quiz=1")
    expect(page.locator("#quiz-heading")).to_be_focused()
    open_at(page, f"{address}#outcome=wrong")
    page.get_by_role("link", name="the hard ones").click()
    assert page.url.endswith("#outcome=wrong&to=70&quiz=1")
    hard = trained.query("actual != predicted and confidence <= 0.7")["index"]
    assert sorted(all_asked(page)) == hard.tolist()
    expect(page.locator("#quiz-choice")).to_have_text(
        f"{len(hard)} of 1,500 digits (wrong, confidence from 0 to 70%), shuffled: order 1."
    )


def test_a_quiz_about_chosen_digits_does_not_name_them(page, address, trained):
    wrong = trained.query("actual != predicted")
    actual, predicted = wrong.groupby(["actual", "predicted"]).size().idxmax()
    pair = wrong.query("actual == @actual and predicted == @predicted")
    for choice, chosen in (
        (f"actual={actual}&predicted={predicted}", pair),
        (f"actual={actual}", trained.query("actual == @actual")),
        (f"predicted={predicted}", trained.query("predicted == @predicted")),
    ):
        open_at(page, f"{address}#{choice}&quiz=1")
        assert_nothing_is_given_away(page)
        text = f"{len(chosen)} of 1,500 digits (of your choice), shuffled: order 1."
        expect(page.locator("#quiz-choice")).to_have_text(text)
        expect(page.locator("#quiz-heading")).to_have_text(f"Quiz: digit 1 of {len(chosen)}")
        title = f"Quiz: digit 1 of {len(chosen)} - Explorer: MNIST, test set"
        expect(page).to_have_title(title)
    open_at(page, f"{address}#quiz=1")
    expect(page.locator("#quiz-heading")).to_have_text("Quiz: digit 1 of 1,500")


def test_all_orders_are_as_likely(page, address):
    open_at(page, address)
    orders = page.evaluate(
        "Array.from({length: 6000}, (_, seed) => shuffled([0, 1, 2, 3], seed + 1).join(''))"
    )
    counts = Counter(orders)
    assert len(counts) == 24
    assert chisquare(list(counts.values())).pvalue > 0.001


def test_the_last_one_and_none(page, address, trained):
    low, high = 100 * np.sort(trained["confidence"])[:2].astype(np.float32)
    between = f"{(low + high) / 2:.6f}".rstrip("0")
    open_at(page, f"{address}#to={between}&quiz=1")
    expect(page.locator("#quiz-heading")).to_have_text("Quiz: digit 1 of 1")
    page.keyboard.press("0")
    expect(page.locator("#quiz-score")).to_have_text(re.compile(SCORE))
    expect(page.get_by_role("link", name="Next")).to_be_hidden()
    expect(page.locator("#quiz-heading")).to_be_focused()
    for many in ("0-", "0-0"):
        open_at(page, f"{address}#to={between}&quiz=1&guesses={many}")
        expect(page.locator("#quiz-choice")).to_contain_text("Ignored in the address: guesses.")
        expect(page.locator("#quiz-answer")).to_be_empty()
    for nonsense in ("guesses=10", "guesses=-1", "guesses=1--2", "guesses=x"):
        page.goto(f"{address}#quiz=1")
        expect(page.locator("#quiz-choice")).not_to_contain_text("Ignored")
        page.goto(f"{address}#quiz=1&{nonsense}")
        expect(page.locator("#quiz-choice")).to_contain_text("Ignored in the address: guesses.")
    for nonsense in ("quiz=0", "quiz=1.5", "quiz=x", "quiz=10000"):
        page.goto(f"{address}#")
        expect(page.locator("#status")).to_have_text("1,500 of 1,500 digits.")
        page.goto(f"{address}#{nonsense}")
        expect(page.get_by_role("status")).to_contain_text("Ignored in the address: quiz.")
        expect(page.locator("#quiz")).to_be_hidden()

    open_at(page, f"{address}#from=90&to=50")
    page.get_by_role("button", name="Quiz").click()
    expect(page.locator("#quiz-choice")).to_contain_text("0 of 1,500 digits")
    expect(page.locator("#quiz-heading")).to_be_focused()
    expect(page.locator("#quiz-picture")).to_be_hidden()
    page.keyboard.press("4")
    page.keyboard.press("Escape")
    assert page.url.endswith("#from=90&to=50&quiz=1")


def test_names_that_are_no_numerals_have_numbers_as_keys(page, write):
    names = ("bag", "boot", "coat", "dress", "shirt", "shoe", "skirt", "sock", "tie", "top")
    clothes = MNIST.model_copy(update={"class_names": names, "class_noun": "item"})
    open_at(page, f"{write(clothes)}#quiz=1")
    button = page.get_by_role("button", name="dress 3")
    expect(button).to_have_attribute("aria-keyshortcuts", "3")
    page.keyboard.press("Control+3")
    page.keyboard.press("d")
    expect(button).to_be_visible()
    page.keyboard.press("3")
    expect(page.locator("#quiz-answer")).to_contain_text("Your guess: dress (")


@pytest.mark.slow
def test_nothing_bars_anybody(page, address):
    for scheme, width, rest in (
        ("light", 1400, "quiz=1&guesses=4-9"),
        ("light", 360, "quiz=1"),
        ("dark", 360, "quiz=1&guesses=4"),
    ):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 700})
        open_at(page, f"{address}#{rest}")
        check_bars_nobody(page)
        if rest == "quiz=1":
            expect(page.get_by_role("button", name="9", exact=True)).to_be_in_viewport(ratio=1)
