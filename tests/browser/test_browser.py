"""The explorer of a rebuilt pipeline, opened from disk in a browser and used."""

import re

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import expect

from nnlib.analysis.labels import normalized_margin
from nnlib.analysis.predictions import Predictions
from nnlib.data.datasets import open_images
from tests.browser.accessibility import check_bars_nobody

PIXELS = "canvas => [...canvas.getContext('2d').getImageData(0, 0, 28, 28).data]"


@pytest.fixture(scope="module")
def address(rebuilt):
    return (rebuilt.path / "reports/explorer.html").as_uri()


@pytest.fixture(scope="module")
def trained(rebuilt):
    table = pd.read_csv(rebuilt.path / "data/predictions/test.csv")
    y = table.loc[:, "p0":"p9"].to_numpy()
    return table.assign(margin=normalized_margin(Predictions.of(y, table["actual"])))


@pytest.fixture(scope="module")
def untrained(rebuilt):
    return pd.read_csv(rebuilt.path / "data/predictions/untrained.csv")


@pytest.fixture
def page(offline_page, address):
    """The explorer; fails at the end if the console has any message."""
    said = []
    offline_page.on("console", lambda message: said.append(message.text))
    offline_page.goto(address)
    expect(offline_page.get_by_role("status")).not_to_be_empty()
    yield offline_page
    assert said == []


def cell(page, actual, predicted):
    return page.get_by_role("link", name=f"actual {actual} predicted as {predicted}:")


def field(page, name):
    return page.locator(f"form [name={name}]")


def shown(page):
    """Indices of the digits on the page, once it shows what its address says."""
    page.evaluate("new Promise(drawn => requestAnimationFrame(() => requestAnimationFrame(drawn)))")
    texts = page.locator("#results a").all_inner_texts()
    return [int(re.search(r"#(\d+)$", text)[1]) for text in texts]


@pytest.mark.slow
def test_each_cell_of_the_matrix_shows_its_digits(page, trained):
    pairs = [*trained.groupby(["actual", "predicted"]).groups, (0, 1)]
    for actual, predicted in pairs:
        link = cell(page, actual, predicted)
        link.click()
        expect(link).to_have_attribute("aria-current", "true")
        assert page.url.endswith(f"#actual={actual}&predicted={predicted}")
        expected = trained.query(f"actual == {actual} and predicted == {predicted}")
        expect(page.get_by_role("status")).to_contain_text(f"{len(expected)} of 500 digits.")
        assert link.inner_text() == str(len(expected))
        assert shown(page) == expected.sort_values("loss", ascending=False)["index"].tolist()
        assert page.locator("#matrix [aria-current=true]").all_inner_texts() == [link.inner_text()]


def test_the_head_of_a_row_or_column_shows_all_of_its_digit(page, trained):
    page.get_by_role("link", name="all actual 7").click()
    assert sorted(shown(page)) == trained.query("actual == 7")["index"].tolist()
    page.get_by_role("link", name="all predicted as 2").click()
    assert sorted(shown(page)) == trained.query("predicted == 2")["index"].tolist()


def test_filters_narrow_each_other(page, trained):
    digit = trained.query("actual != predicted")["actual"].mode()[0]
    wrong = trained.query(f"actual == {digit} != predicted")
    low, high = (round(100 * c, 1) for c in wrong["confidence"].quantile([0.3, 0.7]))
    field(page, "outcome").select_option("wrong")
    field(page, "actual").select_option(str(digit))
    field(page, "from").fill(str(low))
    field(page, "to").fill(str(high))
    field(page, "to").press("Enter")
    expected = wrong[(100 * wrong["confidence"]).between(low, high)]
    assert 1 < len(expected) < len(wrong) - 2
    assert sorted(shown(page)) == expected["index"].tolist()
    expect(page.get_by_role("status")).to_have_text(f"{len(expected)} of 500 digits.")
    page.get_by_role("button", name="Reset").click()
    expect(page.get_by_role("status")).to_have_text("500 of 500 digits.")
    expect(field(page, "actual")).to_have_value("")


def test_any_order(page, trained):
    field(page, "outcome").select_option("wrong")
    wrong = trained.query("actual != predicted")
    for key in ("loss", "confidence", "margin", "index"):
        for order in ("ascending", "descending"):
            field(page, "sort").select_option(f"{key}-{order}")
            expected = wrong.sort_values(key, ascending=order == "ascending", kind="stable")
            assert shown(page) == expected["index"].tolist()[:200], f"{key}-{order}"


def test_more_digits_are_shown_when_asked_for(page):
    assert len(shown(page)) == 200
    page.get_by_role("button", name="Show 200 more").click()
    assert len(shown(page)) == 400
    tile = page.locator("#results a").nth(200)
    expect(tile).to_be_focused()
    tile.click()  # to open a digit leaves the others where they are
    assert len(shown(page)) == 400
    assert page.locator("#results [aria-current=true]").count() == 1
    page.go_back()
    assert len(shown(page)) == 400
    page.get_by_role("button", name="Show 100 more").click()
    assert len(set(shown(page))) == 500
    expect(page.get_by_role("button", name="more")).to_be_hidden()


@pytest.mark.parametrize("index", [0, 45, 499])
def test_an_index_typed_shows_that_digit(page, rebuilt, trained, untrained, index):
    field(page, "index").fill(str(index))
    field(page, "index").press("Enter")
    sample = page.get_by_role("region", name=f"Index {index}")
    row = trained.loc[index]
    outcome = "right" if row["actual"] == row["predicted"] else "wrong"
    facts = dict(
        zip(
            sample.get_by_role("term").all_inner_texts(),
            sample.get_by_role("definition").all_inner_texts(),
            strict=True,
        )
    )
    assert facts["actual"] == f"{row['actual']:.0f}"
    assert facts["predicted"] == f"{row['predicted']:.0f} ({outcome})"
    assert facts["predicted before training"] == str(untrained["predicted"][index])
    assert float(facts["loss"].removesuffix(" nats")) == pytest.approx(row["loss"], abs=6e-5)
    assert float(facts["margin"]) == pytest.approx(row["margin"], abs=6e-5)

    rows = sample.get_by_role("row").all()[1:]
    assert len(rows) == 10
    for digit, cells in enumerate(rows):
        name = cells.get_by_role("rowheader").inner_text()
        assert name.startswith(str(digit))
        assert ("actual" in name) == (digit == row["actual"])
        assert ("predicted" in name) == (digit == row["predicted"])
        for text, table in zip(
            cells.get_by_role("cell").all_inner_texts(), (trained, untrained), strict=True
        ):
            share = float(re.search(r"\d+\.\d+", text)[0]) / 100
            assert share == pytest.approx(table[f"p{digit}"][index], abs=1.01e-4)

    pixels = page.locator("#sample-picture").evaluate(PIXELS)
    image = open_images(rebuilt.path / "data/raw/t10k-images-idx3-ubyte.gz", (28, 28)).read()[index]
    np.testing.assert_array_equal(np.reshape(pixels, (28, 28, 4))[:, :, 0], image)
    assert page.url.endswith(f"#index={index}")
    expect(field(page, "index")).to_be_focused()


def test_a_bar_is_as_long_as_its_probability(page, trained):
    page.goto(f"{page.url}#index=45")
    widths = page.locator("#sample .bar.trained").evaluate_all(
        "bars => bars.map(bar => bar.getBoundingClientRect().width)"
    )
    y = trained.loc[45, "p0":"p9"].to_numpy(float)
    full = max(widths) / y.max()
    assert full > 50
    np.testing.assert_allclose(widths, np.maximum(full * y, 1), atol=0.5)


def test_an_address_can_be_sent_to_somebody(page, browser):
    page.get_by_role("link", name="all actual 4").click()
    field(page, "outcome").select_option("wrong")
    page.locator("#results a").nth(1).click()
    heading = page.locator("#sample-heading")
    expect(heading).to_be_focused()
    elsewhere = browser.new_page()
    elsewhere.goto(page.url)
    expect(elsewhere.locator("#sample-heading")).to_have_text(heading.inner_text())
    assert shown(elsewhere) == shown(page)
    expect(field(elsewhere, "actual")).to_have_value("4")
    expect(field(elsewhere, "outcome")).to_have_value("wrong")
    elsewhere.close()


def test_back_goes_back_and_next_goes_on(page, trained):
    wrong = trained.query("actual != predicted").sort_values("loss", ascending=False)["index"]
    first, second = wrong[:2]
    field(page, "outcome").select_option("wrong")
    page.locator("#results a").first.click()
    heading = page.locator("#sample-heading")
    expect(heading).to_have_text(f"Index {first}")
    expect(page.get_by_role("link", name="Previous")).to_be_hidden()
    page.get_by_role("link", name="Next").click()
    expect(heading).to_have_text(f"Index {second}")
    assert page.url.endswith(f"#index={second}&outcome=wrong")
    expect(page).to_have_title(re.compile(f"^Index {second} - "))
    expect(page.get_by_role("link", name="Next")).to_be_focused()
    page.get_by_role("link", name="Previous").click()
    expect(heading).to_have_text(f"Index {first}")
    page.go_back()
    expect(heading).to_have_text(f"Index {second}")
    for _ in range(3):
        page.go_back()
    expect(page.get_by_role("status")).to_have_text("500 of 500 digits.")


def test_a_digit_that_the_filters_leave_out(page, trained):
    index = trained.query("actual == 7")["index"].iloc[0]
    page.goto(f"{page.url}#actual=4&index={index}")
    expect(page.locator("#sample-heading")).to_have_text(f"Index {index}")
    expect(page.get_by_text("Not among the digits chosen below")).to_be_visible()
    expect(page.get_by_role("link", name="Next")).to_be_hidden()


def test_a_reversed_range_says_so(page):
    page.goto(f"{page.url}#from=90&to=50")
    expect(page.get_by_role("status")).to_have_text("0 of 500 digits. Nothing matches all filters.")
    message = page.get_by_role("alert")
    expect(message).to_have_text("The range is reversed: 90 is more than 50.")
    for name in ("from", "to"):
        expect(field(page, name)).to_have_attribute("aria-invalid", "true")
        expect(field(page, name)).to_have_accessible_description(message.inner_text())
    field(page, "to").fill("90.5")
    field(page, "to").press("Enter")
    expect(message).to_have_count(0)
    expect(page.locator("[aria-invalid]")).to_have_count(0)
    field(page, "from").fill("95")
    field(page, "from").press("Enter")
    expect(message).to_have_text("The range is reversed: 95 is more than 90.5.")
    field(page, "to").fill("101")
    field(page, "to").press("Enter")
    expect(message).to_have_text("Type a number from 0 to 100.")
    expect(page.locator("[aria-invalid]")).to_have_count(1)


def test_a_cell_keeps_the_order(page):
    field(page, "sort").select_option("index-ascending")
    cell(page, 4, 4).click()
    assert page.url.endswith("#actual=4&predicted=4&sort=index-ascending")
    assert shown(page) == sorted(shown(page))


def test_a_cell_brings_its_digits_to_a_narrow_screen(page):
    page.set_viewport_size({"width": 360, "height": 700})
    cell(page, 4, 4).click()
    expect(page.get_by_role("heading", name="Digits", exact=True)).to_be_in_viewport()
    expect(page.locator("#results a").first).to_be_in_viewport()


def test_the_focus_is_never_lost(page, trained):
    page.goto(f"{page.url}#actual=4&outcome=wrong")
    last, before_last = shown(page)[-1], shown(page)[-2]
    page.locator("#results a").nth(-2).press("Enter")
    heading = page.locator("#sample-heading")
    expect(heading).to_be_focused()
    page.get_by_role("link", name="Next").press("Enter")
    expect(heading).to_have_text(f"Index {last}")
    expect(heading).to_be_focused()  # there is no next one any more
    page.go_back()
    expect(heading).to_have_text(f"Index {before_last}")
    page.go_back()
    expect(page.locator("#sample")).to_be_hidden()
    expect(page.locator("#results a", has_text=f"#{before_last}")).to_be_focused()


def test_what_is_typed_and_not_taken_is_reset(page):
    for _ in range(2):  # the second time the address does not change
        field(page, "index").fill("500")
        field(page, "from").fill("")
        page.get_by_role("button", name="Reset").click()
        expect(field(page, "index")).to_have_value("")
        expect(field(page, "from")).to_have_value("0")


def test_a_tile_shows_its_own_digit(page, rebuilt, trained):
    images = open_images(rebuilt.path / "data/raw/t10k-images-idx3-ubyte.gz", (28, 28)).read()
    for place in (0, 7):
        tile = page.locator("#results a").nth(place)
        row = trained.sort_values("loss", ascending=False).iloc[place]
        labels = [f"{name} {row[name]:.0f}" for name in ("actual", "predicted")]
        share = f"{100 * row['confidence']:.2f}%"
        assert tile.inner_text().split("\n") == [*labels, share, f"#{row['index']:.0f}"]
        pixels = tile.locator("canvas").evaluate(PIXELS)
        assert np.array_equal(np.reshape(pixels, (28, 28, 4))[:, :, 0], images[int(row["index"])])


def test_the_matrix_is_coloured_by_share_of_the_actual_digit(page, trained):
    counts = pd.crosstab(trained["actual"], trained["predicted"]).to_numpy()
    shares = counts / counts.sum(axis=1, keepdims=True)
    np.fill_diagonal(shares, 0)
    colours = page.locator("#matrix tbody td").evaluate_all(
        "cells => cells.map(cell => getComputedStyle(cell).backgroundColor)"
    )
    blue = np.array([float(re.findall(r"[\d.]+", colour)[2]) for colour in colours])
    off_diagonal = ~np.eye(10, dtype=bool).ravel()
    order = np.argsort(shares.ravel()[off_diagonal], kind="stable")
    assert (np.diff(blue[off_diagonal][order]) <= 0).all()  # from white to orange
    assert blue[off_diagonal].max() > 2 * blue[off_diagonal].min()


def test_in_the_dark_the_matrix_is_dark_and_errors_shine(page, trained):
    page.emulate_media(color_scheme="dark")
    counts = pd.crosstab(trained["actual"], trained["predicted"]).to_numpy()
    shares = counts / counts.sum(axis=1, keepdims=True)
    lightness = page.locator("#matrix tbody td").evaluate_all(
        "cells => cells.map(cell => getComputedStyle(cell).backgroundColor)"
        ".map(colour => colour.startsWith('oklab(') ? Number(colour.match(/[\\d.]+/)[0]) : null)"
    )
    off_diagonal = ~np.eye(10, dtype=bool).ravel()
    found = np.array(lightness, float)[off_diagonal]
    order = np.argsort(shares.ravel()[off_diagonal], kind="stable")
    assert (np.diff(found[order]) > -0.005).all()  # but for the rounding of the shades
    assert found.min() < 0.3
    assert found.max() > 0.7
    assert lightness[::11] == [None] * 10


def test_the_names_of_a_cell_that_is_pointed_at_are_marked(page):
    cell(page, 4, 9).hover()
    marked = page.locator("#matrix .pointed")
    assert marked.all_inner_texts() == ["9", "4"]
    page.locator("h1").hover()
    expect(marked).to_have_count(0)


def test_an_index_that_does_not_exist_gets_a_message_and_changes_nothing(page):
    index, message = field(page, "index"), page.get_by_role("alert")
    wanted = "Type a whole number from 0 to 499."
    for typed in ("500", "12000", "-3", "4.5", "-", "1e"):
        index.clear()
        index.press_sequentially(typed)
        index.press("Enter")
        number = f"There is no index {typed}. " if typed not in ("-", "1e") else ""
        expect(message).to_have_text(number + wanted)
        expect(index).to_have_attribute("aria-invalid", "true")
        expect(index).to_have_accessible_description(number + wanted)
        assert "#" not in page.url
        expect(page.locator("#sample")).to_be_hidden()
    field(page, "outcome").select_option("wrong")  # does not wait for the index
    assert page.url.endswith("#outcome=wrong")
    expect(index).to_have_value("")
    index.fill("500")
    index.press("Enter")
    expect(message).to_be_visible()
    index.fill("7")
    index.press("Enter")
    expect(message).to_have_count(0)
    expect(index).not_to_have_attribute("aria-invalid", "true")
    expect(page.locator("#sample-heading")).to_have_text("Index 7")


def test_escape_or_a_button_closes_the_panel(page):
    page.locator("#results a").nth(3).press("Enter")
    expect(page.locator("#sample-heading")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#sample")).to_be_hidden()
    expect(page.locator("#results a").nth(3)).to_be_focused()
    page.go_back()  # the digit again
    page.get_by_role("button", name="Close").press("Enter")
    expect(page.locator("#sample")).to_be_hidden()
    expect(page.locator("#results a").nth(3)).to_be_focused()
    plain = page.url
    page.keyboard.press("Escape")  # nothing is open
    assert page.url == plain

    index = int(page.locator("#results a").last.inner_text().split("#")[1])
    page.goto(f"{plain.split('#')[0]}#actual=4&index={index}")  # perhaps not among those below
    field(page, "index").press("Escape")
    expect(page.locator("#sample")).to_be_hidden()
    expect(field(page, "index")).to_be_focused()
    expect(field(page, "index")).to_have_value("")


def check_facts(facts, row):
    """Check what the page says of a unit against its row of units.csv."""
    assert f"{100 * row['cost']:.2f} percentage points of accuracy" in facts
    counts = f"({row['broken']} digits are right only with it, {row['fixed']} only without it)"
    assert counts in facts
    p = f"{row['p']:.2g}" if row["p"] >= 0.0001 else "< 0.0001"
    assert f"{p}, of McNemar's exact test" in facts
    suffers = f"{row['class']}, {100 * row['class_cost']:.2f} percentage points of its recall"
    assert (suffers if row["class_cost"] > 0 else "suffers most\nnone") in facts
    assert f"{row['mean']:.2f}, standard deviation {row['std']:.2f}" in facts


def walk_by_units(page, plain, last):
    """Open a unit by its address, and go on to its neighbours by keyboard."""
    heading = page.locator("#unit-heading")
    page.goto(f"{plain}#unit={last - 1}")  # what one sends to somebody
    page.get_by_role("link", name=f"Unit {last}").press("Enter")
    expect(heading).to_have_text(f"Unit {last}")
    expect(heading).to_be_focused()  # there is no next one any more
    page.get_by_role("link", name=f"Unit {last - 1}").press("Enter")
    page.get_by_role("link", name=f"Unit {last - 2}").press("Enter")
    expect(page.get_by_role("link", name=f"Unit {last - 3}")).to_be_focused()


def test_each_unit_has_a_page(page, rebuilt, trained):
    units = pd.read_csv(rebuilt.path / "reports/units.csv")
    last = len(units) - 1
    plain = page.url
    index = (
        trained.query("actual != predicted").sort_values("loss", ascending=False)["index"].iloc[2]
    )
    page.goto(f"{plain}#outcome=wrong&index={index}")
    opener = page.locator("#evidence .evidence-units a").nth(1)
    unit = int(re.match(r"unit (\d+):", opener.inner_text())[1])
    opener.press("Enter")
    heading = page.locator("#unit-heading")
    expect(heading).to_be_focused()
    assert page.url.endswith(f"#index={index}&unit={unit}&outcome=wrong")
    expect(page).to_have_title(re.compile(f"^Unit {unit} - "))
    expect(page.get_by_role("img", name=f"Weights of unit {unit} from the pixels")).to_be_visible()
    expect(page.locator("#sample")).to_be_hidden()
    page.emulate_media(color_scheme="dark")
    page.set_viewport_size({"width": 360, "height": 900})
    check_bars_nobody(page)

    page.get_by_role("link", name=f"Back to index {index}").press("Enter")
    expect(opener).to_be_focused()
    page.go_back()
    expect(heading).to_be_focused()
    page.keyboard.press("Escape")
    expect(opener).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#sample")).to_be_hidden()
    expect(page.locator("#results a", has_text=f"#{index}")).to_be_focused()

    walk_by_units(page, plain, last)

    for row in units.sort_values("cost").iloc[[0, -1]].to_dict("records"):
        field(page, "unit").fill(str(row["unit"]))
        field(page, "unit").press("Enter")
        expect(heading).to_have_text(f"Unit {row['unit']}")
        check_facts(page.locator("#unit-facts").inner_text(), row)
    expect(field(page, "unit")).to_be_focused()
    field(page, "unit").fill(str(last + 1))
    field(page, "unit").press("Enter")
    message = f"There is no unit {last + 1}. Type a whole number from 0 to {last}."
    expect(page.get_by_role("alert")).to_have_text(message)

    page.locator("#unit-examples a").first.press("Enter")
    expect(page.locator("#sample-heading")).to_be_focused()
    expect(heading).to_be_hidden()
    page.go_back()
    expect(heading).to_be_focused()


def test_the_nearest_training_digits_of_each_mistake(page, rebuilt, trained):
    table = pd.read_csv(rebuilt.path / "data/neighbours/neighbours.csv")
    images = open_images(rebuilt.path / "data/raw/train-images-idx3-ubyte.gz", (28, 28)).read()
    wrong = trained.query("actual != predicted")
    for row in wrong.iloc[[0, len(wrong) // 2, -1]].to_dict("records"):
        page.goto(f"{page.url.split('#')[0]}#index={row['index']}")
        for name, space in (("By the activations", "activations"), ("By pixels", "pixels")):
            tiles = page.get_by_role("list", name=name).get_by_role("listitem")
            expected = table[(table["index"] == row["index"]) & (table["space"] == space)]
            assert len(expected) == 5
            tags = {row["actual"]: ["as the actual"], row["predicted"]: ["as predicted"]}
            for tile, near in zip(tiles.all(), expected.to_dict("records"), strict=True):
                *label, distance, train_index = tile.inner_text().split("\n")
                assert label == [f"labelled {near['label']}", *tags.get(near["label"], [])]
                assert float(distance) == pytest.approx(near["distance"], rel=0.006)
                assert train_index == f"#{near['train_index']}"
                pixels = np.reshape(tile.locator("canvas").evaluate(PIXELS), (28, 28, 4))
                np.testing.assert_array_equal(pixels[:, :, 0], images[near["train_index"]])
    right = trained.query("actual == predicted")["index"].iloc[0]
    page.goto(f"{page.url.split('#')[0]}#index={right}")
    expect(page.locator("#sample-heading")).to_have_text(f"Index {right}")
    expect(page.locator("#neighbours")).to_be_hidden()


def test_paper_has_no_controls_and_all_of_each_panel(page, trained):
    index = trained.query("actual != predicted")["index"].iloc[0]
    for choice in (f"#index={index}", "#unit=3", "#outcome=wrong&quiz=1&guesses=4"):
        page.emulate_media(media="screen", color_scheme="dark")
        page.goto(page.url.split("#")[0] + choice)
        expect(page.locator("#status")).not_to_be_empty()
        cards = page.locator(".card:visible")
        controls = page.locator("button:visible, input:visible, select:visible, .steps:visible")
        assert controls.count() > 2
        page.emulate_media(media="print", color_scheme="dark")
        expect(controls).to_have_count(0)
        assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "light"
        assert page.evaluate("getComputedStyle(document.body).color") == "rgb(29, 33, 39)"
        assert cards.count() > 0
        for card in cards.all():
            breaks, overflow, cut = card.evaluate(
                """card => {
                  const { breakInside, overflowY } = getComputedStyle(card);
                  const column = getComputedStyle(card.parentElement);
                  return [breakInside, overflowY, column.maxHeight !== "none"];
                }"""
            )
            is_list = card.locator("#results").count() > 0  # of many pages
            assert (breaks, overflow, cut) == ("auto" if is_list else "avoid", "visible", False)


def test_closing_a_digit_that_has_no_tile_keeps_the_focus(page, trained):
    index = trained.query("actual == 7")["index"].iloc[0]
    page.goto(f"{page.url}#actual=4&index={index}")
    page.get_by_role("button", name="Close").press("Enter")
    expect(page.locator("#results-heading")).to_be_focused()


def test_the_arrow_keys_walk_through_the_matrix(page):
    grid = page.get_by_role("grid", name="Confusion matrix")
    expect(grid.get_by_role("gridcell")).to_have_count(101)  # and the corner
    expect(grid.locator("a[tabindex='0']")).to_have_count(1)
    cell(page, 4, 4).focus()
    for key, place in (
        ("ArrowRight", cell(page, 4, 5)),
        ("ArrowDown", cell(page, 5, 5)),
        ("ArrowLeft", cell(page, 5, 4)),
        ("ArrowUp", cell(page, 4, 4)),
        ("End", cell(page, 4, 9)),
        ("ArrowRight", cell(page, 4, 9)),
        ("Home", page.get_by_role("link", name="all actual 4")),
        ("ArrowLeft", page.get_by_role("link", name="all actual 4")),
        ("Control+End", cell(page, 9, 9)),
        ("ArrowDown", cell(page, 9, 9)),
        ("Control+Home", page.get_by_role("link", name="all predicted as 0")),
        ("ArrowUp", page.get_by_role("link", name="all predicted as 0")),
        ("ArrowLeft", page.get_by_role("link", name="all predicted as 0")),
        ("ArrowDown", cell(page, 0, 0)),
    ):
        page.keyboard.press(key)
        expect(place).to_be_focused()
        expect(grid.locator("a[tabindex='0']")).to_have_count(1)
    page.keyboard.press("Tab")
    expect(field(page, "index")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    expect(cell(page, 0, 0)).to_be_focused()
    field(page, "actual").select_option("7")
    field(page, "predicted").select_option("2")
    expect(cell(page, 7, 2)).to_have_attribute("tabindex", "0")
    expect(grid.locator("a[tabindex='0']")).to_have_count(1)


def test_a_phone_scrolls_to_the_digit(page, browser):
    page.set_viewport_size({"width": 360, "height": 700})
    picture = page.locator("#sample-picture")
    field(page, "index").fill("45")
    field(page, "index").press("Enter")
    expect(picture).to_be_in_viewport(ratio=1)
    top = page.evaluate("scrollY")
    page.get_by_role("link", name="Next").press("Enter")  # nothing jumps on the way
    assert page.evaluate("scrollY") == top
    page.locator("#results a").nth(20).click()
    expect(picture).to_be_in_viewport(ratio=1)
    elsewhere = browser.new_page(viewport={"width": 360, "height": 700})
    elsewhere.goto(page.url)
    expect(elsewhere.locator("#sample-picture")).to_be_in_viewport(ratio=1)
    elsewhere.close()


def test_bars_use_the_width_of_a_phone(page):
    page.set_viewport_size({"width": 360, "height": 700})
    page.goto(f"{page.url}#sort=confidence-descending&index=45")
    page.locator("#results a").first.click()
    widths = page.locator("#sample .bar.trained").evaluate_all(
        "bars => bars.map(bar => bar.getBoundingClientRect().width)"
    )
    assert max(widths) > 85


NONSENSE = (
    "index=500",
    "index=-1",
    "index=1.5",
    "index=007",
    "index=1.0",
    "actual=10",
    "sort=size",
    "from=x",
    "constructor=1",
)


def test_an_address_that_makes_no_sense_is_named_and_ignored(page):
    plain = page.url
    status = page.get_by_role("status")
    for nonsense in NONSENSE:
        page.goto(f"{plain}#")
        expect(status).to_have_text("500 of 500 digits.")
        page.goto(f"{plain}#{nonsense}")
        expect(status).to_contain_text(f"Ignored in the address: {nonsense.split('=')[0]}.")
        expect(status).to_contain_text("500 of 500 digits.")
        expect(page.locator("#sample")).to_be_hidden()


def test_the_keyboard_is_enough(page):
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # skip to filter and sort
    page.keyboard.press("Tab")
    expect(field(page, "index")).to_be_focused()
    page.reload()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # skip to the digits
    page.keyboard.press("Tab")
    expect(page.locator("#results a").first).to_be_focused()
    page.reload()
    for _ in range(3):
        page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="all predicted as 0")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(cell(page, 0, 0)).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url("**#actual=0&predicted=0")
    expect(cell(page, 0, 0)).to_be_focused()


@pytest.mark.parametrize(("width", "scheme"), [(1400, "light"), (360, "dark")])
def test_nothing_bars_anybody(page, scheme, width):
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"{page.url}#outcome=wrong&index=45")
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (min(map(int, re.findall(r"\d+", background))) > 240) == (scheme == "light")
    check_bars_nobody(page)
