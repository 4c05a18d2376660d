"""The voting page, in a browser: what it hides, the keys, and that no vote is lost."""

import re
from string import ascii_lowercase

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import expect

from experiments.labels.page import voting_page
from experiments.labels.published import Labels
from experiments.labels.votes import read_votes
from nnlib.data.corrections import no_corrections
from nnlib.data.datasets import MNIST
from tests.browser.accessibility import check_bars_nobody, check_bars_nobody_in_any_window

N = 12
# Names that begin as each other, as a command's key or as a formula, or that are hard to type.
NAMES = (
    *("umbrella", "bus", "bicycle", "bird", "skipper", "cat", "caterpillar", "Ankle boot"),
    *("T-shirt, top", "été", "=1+1", "'=1+1", "?what", "\u05e9\u05dc\u05d5\u05dd", '"quoted"'),
    *("7 of 9", "/slash", ".dot", "zebra", "worm", "vole", "toad"),
    *(f"species {letter}" for letter in ascii_lowercase[:17]),
    "seal with a name that is too long for any button",
)
THINGS = MNIST.model_copy(
    update={
        "name": "Things & <b>more</b>",
        "class_names": NAMES,
        "class_noun": "thing",
        "image_shape": (40, 24),
        "has_strokes": False,
        "prepared_as_mnist": False,
    }
)


def suspects_of(dataset):
    """A list: the label of sample `10 * i` is class `i`, and the next class is suggested."""
    names = dataset.class_names
    places = np.arange(N)
    return pd.DataFrame(
        {
            "rank": places + 1,
            "set": np.where(places % 2, "train", "test"),
            "index": 10 * places,
            "label": [names[place % len(names)] for place in places],
            "suggested": [names[(place + 1) % len(names)] for place in places],
            "score": 0.5,
            "file": [f"{names[place % len(names)]}/{place}.png" for place in places],
        }
    )


def labels_of(dataset):
    """The published labels that the list is of."""
    labels = np.arange(10 * N) // 10 % dataset.classes
    return {"train": labels.astype(np.uint8), "test": labels.astype(np.uint8)}


@pytest.fixture(scope="module")
def write(tmp_path_factory):
    """Writes a page, and returns its address."""

    def write(dataset, suspects=None):
        suspects = suspects_of(dataset) if suspects is None else suspects
        shape = (len(suspects), *dataset.image_shape)
        images = np.random.default_rng(0).integers(256, size=shape, dtype=np.uint8)
        path = tmp_path_factory.mktemp("votes") / "labels.html"
        path.write_text(voting_page(suspects, images, dataset), encoding="utf-8")
        return path.as_uri()

    return write


@pytest.fixture(scope="module")
def digits(write):
    return write(MNIST)


@pytest.fixture(scope="module")
def things(write):
    return write(THINGS)


def begin(page, address, name="Ann"):
    page.goto(address)
    page.get_by_label("Your name").fill(name)
    page.keyboard.press("Enter")
    expect(page.locator("#heading")).to_be_focused()


def type_keys(page, text):
    for key in text:
        page.keyboard.press("Space" if key == " " else key)


def heading(page):
    return page.locator("#heading").inner_text()


def last(page):
    return " ".join(page.locator("#last").inner_text().split())


def exported(page, path, button="Export your votes"):
    with page.expect_download() as download:
        page.get_by_role("button", name=button).click()
    download.value.save_as(path)
    return download.value.suggested_filename


def votes_in(path, dataset):
    return read_votes([path], dataset, Labels(labels_of(dataset), no_corrections()))


def test_votes_by_keys(offline_page, digits, tmp_path):
    page = offline_page
    begin(page, digits)
    assert heading(page) == "Digit 1 of 12"
    expect(page.locator("#judged")).to_have_text("0 of 12 judged")
    page.keyboard.press("0")
    assert heading(page) == "Digit 2 of 12"
    assert last(page) == "Just judged: 1 your vote 0 label 0 suggested 1 test 0, rank 1, 0/0.png"
    page.keyboard.press("7")
    assert last(page).startswith("Just judged: 2 your vote 7 label 1 suggested 2 train 10, rank 2")
    page.keyboard.press("?")
    assert last(page).startswith("Just judged: 3 your vote cannot tell label 2")
    page.keyboard.press("s")
    assert last(page) == ""
    expect(page.locator("#judged")).to_have_text("3 of 12 judged, 1 skipped")
    page.keyboard.press("x")
    expect(page.locator("#typed")).to_have_text('No digit begins with "x".')
    page.keyboard.press("4")
    assert heading(page) == "Digit 6 of 12"

    name = exported(page, tmp_path / "ann.csv")
    assert name == "votes-Ann.csv"
    assert (tmp_path / "ann.csv").read_text().splitlines() == [
        "reviewer,set,index,given,vote",
        "Ann,test,0,0,0",
        "Ann,train,10,1,7",
        "Ann,test,20,2,",
        "Ann,test,40,4,4",
    ]
    assert votes_in(tmp_path / "ann.csv", MNIST)["vote"].tolist() == ["0", "7", "", "4"]


def test_nothing_tells_the_label_before_the_vote(offline_page, things):
    page = offline_page
    begin(page, things)
    told = set()
    for place in range(N):
        assert heading(page) == f"Thing {place + 1} of 12"
        told.add(
            page.evaluate(
                """[document.title, location.href,
                  document.querySelector("main").outerHTML.replace(/src="[^"]*"/, "")].join()"""
            ).replace(f"Thing {place + 1} of", "Thing N of")
        )
        page.keyboard.press("ArrowRight")
    expect(page.locator("#counts")).to_contain_text("not judged")
    for word in ("rank", "suggested", ".png", "pressed"):
        assert not any(word in each for each in told)
    assert len({re.sub('aria-disabled="[a-z]*"', "", each) for each in told}) == 1


def test_undo_and_another_vote(offline_page, digits, tmp_path):
    page = offline_page
    begin(page, digits)
    for key in "05s":
        page.keyboard.press(key)
    page.keyboard.press("u")
    assert heading(page) == "Digit 3 of 12"
    page.keyboard.press("Control+z")
    assert heading(page) == "Digit 2 of 12"
    expect(page.locator("#typed")).to_have_text("Undone: digit 2 is to be judged again.")
    assert last(page).startswith("Just judged: 1")
    expect(page.locator("#judged")).to_have_text("1 of 12 judged")
    page.keyboard.press("1")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    assert heading(page) == "Digit 1 of 12"
    assert last(page).startswith("Judged your vote 0 label 0 suggested 1")
    expect(page.locator("[aria-pressed=true]")).to_have_text("0")
    page.keyboard.press("s")  # which takes nothing back
    assert heading(page) == "Digit 3 of 12"
    expect(page.locator("#judged")).to_have_text("2 of 12 judged")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    page.get_by_role("button", name="9", exact=True).click()
    assert heading(page) == "Digit 3 of 12"
    exported(page, tmp_path / "ann.csv")
    assert votes_in(tmp_path / "ann.csv", MNIST)["vote"].tolist() == ["9", "1"]
    for _ in range(2):
        page.get_by_role("button", name="Undo").click()
    assert heading(page) == "Digit 2 of 12"
    expect(page.get_by_role("button", name="Undo")).to_have_attribute("aria-disabled", "true")
    page.keyboard.press("3")  # the focus is still where keys vote
    expect(page.locator("#judged")).to_have_text("1 of 12 judged")


def test_votes_survive_closing_the_page(browser, digits, write, tmp_path):
    context = browser.new_context()
    page = context.new_page()
    begin(page, digits)
    for key in "01s":
        page.keyboard.press(key)
    page.close()
    page = context.new_page()
    page.goto(digits)
    expect(page.locator("#judged")).to_have_text("2 of 12 judged, 1 skipped")
    assert heading(page) == "Digit 4 of 12"
    expect(page.locator("#heading")).to_be_focused()
    page.keyboard.press("3")

    other = context.new_page()  # a second tab, in which both go on
    other.goto(digits)
    other.keyboard.press("4")
    expect(page.locator("#judged")).to_have_text("4 of 12 judged, 1 skipped")
    for key in ("ArrowRight", "ArrowRight", "6"):
        page.keyboard.press(key)
    expect(other.locator("#judged")).to_have_text("5 of 12 judged, 1 skipped")
    assert heading(page) == "Digit 8 of 12"  # not one before it

    # a third one has voted, and this one has not yet been told
    page.evaluate(
        """() => {
          const kept = JSON.parse(localStorage[KEY]);
          kept.reviewers[0].decisions.push({ place: 5, vote: 9 });
          localStorage[KEY] = JSON.stringify(kept);
        }"""
    )
    page.keyboard.press("7")
    exported(page, tmp_path / "ann.csv")
    votes = votes_in(tmp_path / "ann.csv", MNIST)["vote"].tolist()
    assert votes == ["0", "1", "3", "4", "9", "6", "7"]

    others = suspects_of(MNIST).assign(index=lambda table: table["index"] + 1)
    page.goto(write(MNIST, others))  # another list
    expect(page.get_by_label("Your name")).to_be_focused()
    context.close()


def test_the_skipped_ones_and_the_end(offline_page, digits):
    page = offline_page
    begin(page, digits)
    for key in "01ss4?789501":
        page.keyboard.press(key)
    assert heading(page) == "All digits"
    expect(page.locator("#heading")).to_be_focused()
    rows = [" ".join(row.split()) for row in page.locator("#counts tr").all_inner_texts()]
    assert rows == [
        *("for the label 5", "for what was suggested 3", "for another digit 1", "cannot tell 1"),
        *("skipped 2", "not judged 0"),
    ]
    page.get_by_role("button", name="Judge the 2 skipped").click()
    assert heading(page) == "Digit 3 of 12"
    expect(page.locator("#heading")).to_be_focused()
    page.keyboard.press("2")
    assert heading(page) == "Digit 4 of 12"
    page.keyboard.press("3")
    expect(page.locator("#end-note")).to_have_text("You have judged all. Export your votes.")
    page.keyboard.press("ArrowLeft")
    assert heading(page) == "Digit 12 of 12"
    page.keyboard.press("ArrowRight")
    page.keyboard.press("u")
    assert heading(page) == "Digit 4 of 12"


def test_the_first_letters_of_a_name(offline_page, things, tmp_path):
    page = offline_page
    begin(page, things)
    typed = page.locator("#typed")
    type_keys(page, "b")
    expect(typed).to_have_text("Typed: b. It can be bus, bicycle, bird.")
    expect(page.locator(".matching")).to_have_count(3)
    type_keys(page, "i")
    expect(page.locator(".matching")).to_have_text(["bicycle", "bird"])
    type_keys(page, "x")
    expect(typed).to_have_text('No thing begins with "bix".')
    page.keyboard.press("Backspace")
    type_keys(page, "us")  # of which the last letter only ends the name
    assert heading(page) == "Thing 2 of 12"
    assert last(page).startswith("Just judged: 1 your vote bus label umbrella")

    type_keys(page, "cat")
    expect(typed).to_contain_text("Enter: cat.")
    page.keyboard.press("Enter")
    type_keys(page, "cate")
    type_keys(page, "u")  # an umbrella, not undone
    assert last(page).startswith("Just judged: 4 your vote umbrella")
    type_keys(page, "sk")
    type_keys(page, "t")
    expect(typed).to_have_text("Typed: t. It can be T-shirt, top, toad.")
    page.keyboard.press("Escape")
    expect(typed).to_be_empty()
    type_keys(page, "e")
    type_keys(page, "species b")
    type_keys(page, "=")
    type_keys(page, "'")
    expect(page.locator("#cannot-tell")).to_contain_text("F2")
    page.keyboard.press("F2")
    page.keyboard.press("F4")
    type_keys(page, "?")
    expect(page.locator("#judged")).to_have_text("11 of 12 judged, 1 skipped")
    exported(page, tmp_path / "ann.csv")
    votes = votes_in(tmp_path / "ann.csv", THINGS)
    assert votes["vote"].tolist() == [
        *("bus", "cat", "caterpillar", "umbrella", "skipper", "été", "species b", "=1+1"),
        *("'=1+1", "", "?what"),
    ]


def test_capitals_matter_where_they_alone_tell_classes_apart(offline_page, write):
    dataset = THINGS.model_copy(update={"class_names": ("A", "a", "S", "s", "B", "U")})
    page = offline_page
    begin(page, write(dataset))
    for key in ("a", "A", "s", "Shift+S", "u", "U"):
        page.keyboard.press(key)
        if key == "u":  # no class, so the command
            assert heading(page) == "Thing 4 of 12"
    assert last(page).startswith("Just judged: 4 your vote U")
    page.keyboard.press("1")  # a few classes have their numbers as keys, too
    assert last(page).startswith("Just judged: 5 your vote a")
    page.keyboard.press("?")
    page.keyboard.press(".")  # as "s" is a class
    expect(page.locator("#judged")).to_have_text("6 of 12 judged, 1 skipped")
    expect(page.get_by_role("button", name="A", exact=True)).to_contain_text("0")


def test_what_is_no_vote(offline_page, digits):
    page = offline_page
    begin(page, digits)
    judged = page.locator("#judged")
    page.get_by_role("button", name="9", exact=True).dblclick()  # is one
    expect(judged).to_have_text("1 of 12 judged")
    page.keyboard.down("5")
    page.keyboard.down("5")  # as of a key that is held
    expect(judged).to_have_text("2 of 12 judged")
    page.keyboard.press("Alt+5")
    page.get_by_label("You are").press("5")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("5")
    expect(judged).to_have_text("2 of 12 judged")
    page.locator("#judged").click()
    right_alt = "{ key: '5', bubbles: true, ctrlKey: true, altKey: true, modifierAltGraph: true }"
    page.evaluate(
        f"document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {right_alt}))"
    )
    expect(judged).to_have_text("3 of 12 judged")


def test_several_reviewers(offline_page, digits, tmp_path):
    page = offline_page
    begin(page, digits, "=Zoë, the  first")
    page.keyboard.press("0")
    page.get_by_role("button", name="Somebody else").click()
    page.get_by_label("Your name").fill("Bob")
    page.get_by_role("button", name="Begin").click()
    assert heading(page) == "Digit 1 of 12"
    assert last(page) == ""
    page.keyboard.press("5")
    page.keyboard.press("?")
    page.get_by_role("button", name="Somebody else").click()
    page.get_by_label("Your name").fill(" =zoë,  THE first ")  # who is known
    page.keyboard.press("Enter")
    expect(page.get_by_label("You are").locator("option")).to_have_text(["=Zoë, the first", "Bob"])
    assert heading(page) == "Digit 2 of 12"
    page.get_by_label("You are").select_option("Bob")
    assert heading(page) == "Digit 3 of 12"
    assert exported(page, tmp_path / "all.csv", "Export those of all") == "votes-all.csv"
    votes = votes_in(tmp_path / "all.csv", MNIST)
    assert votes.groupby("reviewer").size().to_dict() == {"=zoë, the first": 1, "bob": 2}
    assert '"\'=Zoë, the first"' in (tmp_path / "all.csv").read_text(encoding="utf-8")
    exported(page, tmp_path / "bob.csv")
    assert votes_in(tmp_path / "bob.csv", MNIST)["reviewer"].tolist() == ["bob", "bob"]


def test_votes_go_on_in_another_browser(browser, things, tmp_path):
    context = browser.new_context()
    page = context.new_page()
    begin(page, things, '-"A", b')
    for text in ("=", "'", '"', "T-"):
        type_keys(page, text)
    page.keyboard.press("F2")
    exported(page, tmp_path / "a.csv")
    votes = votes_in(tmp_path / "a.csv", THINGS)
    names = ["=1+1", "'=1+1", '"quoted"', "T-shirt, top", ""]
    context.close()
    assert votes["vote"].tolist() == names

    page = browser.new_page()
    begin(page, things, "Bob")
    page.keyboard.press("F2")
    text = (tmp_path / "a.csv").read_text(encoding="utf-8")
    other = text + "Ann,train,0,umbrella,\nAnn,test,1,umbrella,\nAnn,test,0,bus,\n"
    for content, said in (
        (f"\ufeff{other}".rstrip("\n"), "5 votes taken from the file, 3 left out"),
        (text, "0 votes taken from the file, 5 left out"),
        ("a;b\n", "This is no file of votes: it has no column reviewer."),
    ):
        (tmp_path / "b.csv").write_text(content, encoding="utf-8", newline="")
        page.locator("#import").set_input_files(tmp_path / "b.csv")
        expect(page.locator("#said")).to_contain_text(said)
    page.get_by_label("You are").select_option('-"A", b')
    assert exported(page, tmp_path / "again.csv") == "votes--A-b.csv"
    assert (tmp_path / "again.csv").read_text(encoding="utf-8") == text
    page.close()


@pytest.mark.parametrize("broken", ["getItem", "setItem"])
def test_a_browser_that_keeps_nothing(offline_page, digits, tmp_path, broken):
    page = offline_page
    page.add_init_script(f"Storage.prototype.{broken} = () => {{ throw new Error('full'); }};")
    begin(page, digits)
    expect(page.get_by_role("alert")).to_contain_text("This browser keeps nothing")
    for key in "012":
        page.keyboard.press(key)
    assert heading(page) == "Digit 4 of 12"
    expect(page.get_by_role("alert")).to_contain_text("This browser keeps nothing")
    exported(page, tmp_path / "ann.csv")
    assert votes_in(tmp_path / "ann.csv", MNIST)["vote"].tolist() == ["0", "1", "2"]


def test_a_phone(browser, things):
    context = browser.new_context(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True
    )
    page = context.new_page()
    page.goto(things)
    page.get_by_label("Your name").fill("Ann")
    page.get_by_role("button", name="Begin").tap()
    buttons = page.locator("#classes button")
    for button in (*buttons.all(), *page.locator("#question .tools button").all()):
        box = button.bounding_box()
        assert box["height"] >= 44
        assert box["width"] >= 44
    buttons.last.tap()  # below, where the picture is still seen
    expect(page.locator("#picture")).to_be_in_viewport(ratio=1)
    assert heading(page) == "Thing 2 of 12"
    assert page.evaluate("document.documentElement.scrollWidth") == 390  # as the window was
    context.close()


def test_after_a_vote_on_a_phone(browser, write):
    suspects = suspects_of(MNIST).assign(file=f"train/{'long' * 20}.png")
    context = browser.new_context(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True
    )
    page = context.new_page()
    page.goto(write(MNIST, suspects))
    page.get_by_label("Your name").fill("Ann")
    page.get_by_role("button", name="Begin").tap()
    buttons = page.locator("#classes button")
    buttons.first.tap()
    expect(page.locator("#last")).to_contain_text("longlong")
    assert page.evaluate("document.documentElement.scrollWidth") == 390  # as the window was
    # The button that was touched does not look chosen on the next image.
    page.wait_for_selector("#classes button:hover")
    colours = [each.evaluate("each => getComputedStyle(each).background") for each in buttons.all()]
    assert len(set(colours)) == 1
    context.close()


@pytest.mark.parametrize("name", ["digits", "things"])
def test_nothing_bars_anybody(offline_page, request, name):
    page = offline_page
    page.goto(request.getfixturevalue(name))
    check_bars_nobody(page)
    begin(page, page.url)
    page.locator("#classes button").first.click()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("b")
    check_bars_nobody_in_any_window(page)
    for _ in range(N):
        page.keyboard.press("ArrowRight")
    check_bars_nobody(page)


def test_a_list_without_samples(offline_page, write):
    begin(offline_page, write(MNIST, suspects_of(MNIST).head(0)))
    assert heading(offline_page) == "All digits"


@pytest.mark.parametrize("shape", [(28, 28), (1, 30), (64, 64)])
def test_pictures_are_whole_and_crisp(offline_page, write, shape):
    dataset = MNIST.model_copy(update={"image_shape": shape})
    page = offline_page
    begin(page, write(dataset))
    size, fit, rendering, box = page.locator("#picture").evaluate(
        """image => [[image.naturalHeight, image.naturalWidth], getComputedStyle(image).objectFit,
          getComputedStyle(image).imageRendering, [image.offsetHeight, image.offsetWidth]]"""
    )
    assert (tuple(size), fit, rendering) == (shape, "contain", "pixelated")
    assert box[0] == box[1] > 300
