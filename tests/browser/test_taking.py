"""Pictures in the panel to draw in: chosen, dropped and pasted, of any kind, in any browser."""

import base64
import io
import zlib
from urllib.parse import urlsplit
from urllib.request import url2pathname

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from nnlib.base.errors import UserError
from nnlib.data.datasets import MNIST
from nnlib.pictures.opening import open_picture
from nnlib.pictures.preparation import NOTHING, prepare, scaled
from tests.browser.accessibility import check_bars_nobody_in_any_window
from tests.browser.conftest import N, drag, image, write_page
from tests.browser.test_drawing import NOT_EVERYWHERE, served
from tests.pictures.photographs import KINDS, photograph_file
from tools.picture import FLAGS, find_browser

SCREENS = [(390, 844), (768, 1024), (1024, 768), (1440, 900)]
# The operation that the camera's turn is undone with, by the EXIF orientation.
TURNS = {3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90, 5: Image.Transpose.TRANSPOSE}


@pytest.fixture
def page(digits_page):
    return digits_page


def saved(picture, kind, **options):
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


@pytest.fixture(scope="module")
def photo(digits):
    """A photograph of a digit: pixels of three colours."""
    file = photograph_file(digits[0][3], KINDS["plain"], np.random.default_rng(2))
    return Image.open(io.BytesIO(file)).convert("RGB").resize((240, 200))


def file_of(name, content):
    return {"name": name, "mimeType": "", "buffer": content}


def choose(page, name, content):
    page.locator("[data-takes]").first.set_input_files(file_of(name, content))


# Makes a DataTransfer of files and texts, and dispatches the event of a drop or a paste with it.
TRANSFER = """(place, [kind, files, texts]) => {
  const transfer = new DataTransfer();
  for (const [name, content] of files) {
    const codes = Uint8Array.from(atob(content), (character) => character.charCodeAt(0));
    transfer.items.add(new File([codes], name));
  }
  for (const [type, text] of Object.entries(texts)) transfer.setData(type, text);
  const event = kind === "paste"
    ? new ClipboardEvent(kind, { clipboardData: transfer, bubbles: true, cancelable: true })
    : new DragEvent(kind, { dataTransfer: transfer, bubbles: true, cancelable: true });
  place.dispatchEvent(event);
  return event.defaultPrevented;
}"""


def transfer(place, kind, *files, **texts):
    """Drop or paste at a place; returns whether the browser does no more with it."""
    encoded = [(name, base64.b64encode(content).decode()) for name, content in files]
    return place.evaluate(TRANSFER, [kind, encoded, texts])


def settled(page):
    """Wait until a picture is read; returns the note on it, and the answer."""
    expect(page.locator("#draw-note")).not_to_have_text("Reading the picture ...")
    return page.locator("#draw-note").inner_text(), page.locator("#draw-result").inner_text()


def catch_file_choosers(page):
    """Let Playwright catch them from now on: `expect_file_chooser` may begin to after the key."""
    page.on("filechooser", lambda _: None)


def check_answered(page):
    note, answer = settled(page)
    expect(page.locator("#draw-picture")).to_be_visible()
    assert answer.startswith("Predicted: ")
    return note


def prepared(tmp_path, name, content):
    """What Python makes of a file."""
    (tmp_path / name).write_bytes(content)
    return prepare(open_picture(tmp_path / name))


@pytest.mark.slow
def test_pictures_of_any_kind_are_prepared_as_by_python(page, tmp_path, photo):
    grey = photo.convert("L")
    opaque = grey.point(lambda value: 255 - value).point(lambda value: max(0, value - 90))
    ink = Image.merge("LA", (Image.new("L", grey.size), opaque))
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = photo.transpose(Image.Transpose.ROTATE_90)
    for name, content in {
        "grey.png": saved(grey, "PNG"),
        "palette.png": saved(photo.quantize(64), "PNG"),
        "bits.png": saved(grey.point(lambda value: 255 * (value > 110)).convert("1"), "PNG"),
        "ink.png": saved(ink, "PNG"),
        "a.bmp": saved(photo, "BMP"),
        "a.gif": saved(photo, "GIF", save_all=True, append_images=[Image.new("L", photo.size)]),
        "a.webp": saved(photo, "WEBP", lossless=True),
        "turned.jpg": saved(turned, "JPEG", quality=95, exif=exif),
        "cmyk.jpg": saved(photo.convert("CMYK"), "JPEG"),
    }.items():
        choose(page, name, content)
        check_answered(page)
        expected = prepared(tmp_path, name, content)
        assert np.abs(image(page) - expected.image.astype(int)).max() <= 1, name
    wide = saved(Image.fromarray(np.asarray(grey).astype(np.uint16) * 256), "PNG")
    choose(page, "wide.png", wide)  # of whose 16 bits the browser keeps 8
    check_answered(page)
    assert np.abs(image(page) - prepared(tmp_path, "a.png", wide).image.astype(int)).max() <= 4


def test_each_step_is_shown(page, tmp_path, photo):
    content = saved(photo, "PNG")
    expected = prepared(tmp_path, "a.png", content)
    choose(page, "a.png", content)
    assert check_answered(page) == ""
    np.testing.assert_allclose(image(page), expected.image, atol=1)
    picture, frame = page.locator("#draw-photo"), page.locator("#draw-frame")
    whole, found = picture.bounding_box(), frame.bounding_box()
    scale = whole["width"] / photo.width
    assert whole["height"] == pytest.approx(scale * photo.height, abs=1)
    left, top, right, bottom = (scale * side for side in expected.box)
    assert found["x"] - whole["x"] == pytest.approx(left, abs=1)
    assert found["y"] - whole["y"] == pytest.approx(top, abs=1)
    assert found["width"] == pytest.approx(right - left, abs=1)
    assert found["height"] == pytest.approx(bottom - top, abs=1)
    for name in ("flattened", "ink"):
        height, width = getattr(expected, name).shape
        size = page.locator(f"#draw-{name}").evaluate("each => [each.width, each.height]")
        assert size == [width, height]
    expect(page.locator("#draw-drawing")).to_be_hidden()
    expect(page.locator("#draw-evidence .evidence-sum")).to_contain_text(" against ")
    expect(page.get_by_role("heading", name="Evidence of the picture")).to_be_visible()


def test_what_is_written_on_a_picture_is_as_that_of_python(page, tmp_path, photo):
    white = Image.new("L", (300, 200), 240)
    two = white.copy()
    for x in (20, 200):
        two.paste(
            photo.convert("L").resize((80, 120)).point(lambda value: min(value, 240)), (x, 40)
        )
    cut = photo.crop((photo.width // 3, 0, photo.width, photo.height))
    for picture in (two, cut):
        content = saved(picture, "PNG")
        choose(page, "a.png", content)
        note = check_answered(page)
        for warning in prepared(tmp_path, "a.png", content).warnings:
            assert warning in note

    choose(page, "blank.png", saved(white, "PNG"))
    _, answer = settled(page)
    assert answer == f"No answer: {NOTHING}."
    for each in ("#draw-prediction", "#draw-evidence", "#draw-frame", "#draw-nearest-step"):
        expect(page.locator(each)).to_be_hidden()
    expect(page.locator("#draw-photo")).to_be_visible()
    expect(page.get_by_role("button", name="Change it")).to_have_count(0)


def test_a_picture_is_dropped_or_pasted(page, photo):
    panel, drawing = page.locator("#draw"), page.locator("#draw-drawing")
    content = saved(photo, "PNG")
    assert transfer(panel, "drop", ("a.png", content), ("b.png", b"no picture"))  # it opens
    assert check_answered(page).startswith("Of 2 files, a.png was taken.")
    taken = image(page)
    page.get_by_role("button", name="Draw instead").click()
    expect(page.locator("#draw-canvas")).to_be_focused()
    expect(page.locator("#draw-note")).to_be_hidden()
    expect(page.locator("#draw-result")).to_have_text("Draw one of the 10 digits.")
    assert transfer(page.locator("body"), "paste", ("image.png", content))
    check_answered(page)
    np.testing.assert_array_equal(image(page), taken)

    assert transfer(panel, "drop", **{"text/uri-list": "https://example.com/a.png"})
    note, _ = settled(page)
    assert note.startswith("That is a link or a text, and no file: save the picture")
    assert transfer(panel, "dragover", ("a.png", content))
    assert not transfer(page.locator("body"), "paste", **{"text/plain": "4"})
    expect(page.locator("#draw-note")).to_have_text("The clipboard holds no picture.")
    # beside the panel a file does nothing, and a text what it always does
    assert transfer(page.locator("#matrix"), "drop", ("a.png", content))
    assert not transfer(page.locator("[name=index]"), "drop", **{"text/plain": "4"})
    assert not transfer(page.locator("[name=index]"), "paste", **{"text/plain": "4"})
    expect(drawing).to_be_hidden()  # as the picture is still there


def test_a_picture_can_be_changed(page, photo):
    page.locator("#draw summary").click()
    drag(page, (8, 6), (20, 6))
    drawing = image(page)
    choose(page, "a.png", saved(photo, "PNG"))
    check_answered(page)
    taken = image(page)
    page.get_by_role("button", name="Change it").click()
    expect(page.locator("#draw-canvas")).to_be_focused()
    np.testing.assert_array_equal(image(page), taken)
    expect(page.get_by_label("Scale and centre")).not_to_be_checked()
    drag(page, (2, 2), (2, 26))
    changed = image(page)
    assert changed[4:24, 2].min() == 255
    np.testing.assert_array_equal(changed[:, 5:], taken[:, 5:])
    for expected in (taken, drawing):
        page.get_by_role("button", name="Undo").click()
        np.testing.assert_array_equal(image(page), expected)
    choose(page, "a.png", saved(photo, "PNG"))
    check_answered(page)
    page.goto(f"{page.url}#index=5")  # a sample takes the picture's place
    page.locator("#change").click()
    expect(page.locator("#draw-picture")).to_be_hidden()
    expect(page.locator("#draw-result")).to_contain_text("It began as index 5")


def hundred_megapixels():
    """A PNG file that is small, as it is blank."""

    def chunk(name, data):
        crc = zlib.crc32(name + data).to_bytes(4, "big")
        return len(data).to_bytes(4, "big") + name + data + crc

    size = (10_000).to_bytes(4, "big")
    header = chunk(b"IHDR", size + size + bytes([1, 0, 0, 0, 0]))
    data = chunk(b"IDAT", zlib.compress(bytes(1_251) * 10_000, 9))
    return b"\x89PNG\r\n\x1a\n" + header + data + chunk(b"IEND", b"")


HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(99)
KNOWN_TO_PYTHON = {
    "a.HEIC": HEIC,
    "text.png": b"a digit\n",
    "empty.jpg": b"",
    "large.png": hundred_megapixels(),
}


def test_what_cannot_be_read_is_said_as_by_python(page, tmp_path, photo):
    choose(page, "a.png", saved(photo, "PNG"))
    check_answered(page)
    for name, content in KNOWN_TO_PYTHON.items():
        choose(page, name, content)
        note, answer = settled(page)
        with pytest.raises(UserError) as caught:
            prepared(tmp_path, name, content)
        assert note == str(caught.value).replace(str(tmp_path / name), name) + "."
        assert answer == "Draw one of the 10 digits."  # and none of the picture before
    drag(page, (8, 6), (20, 6))
    expect(page.locator("#draw-note")).to_be_hidden()
    content = saved(photo, "PNG")
    for name, given, reason in (
        ("a.tif", saved(photo, "TIFF"), "a TIFF picture: save it as JPEG or PNG"),
        ("a.png", content[:20], "the picture is broken, or this browser does not know its kind"),
    ):
        choose(page, name, given)
        note, _ = settled(page)
        assert note.startswith(f"{name} cannot be read: {reason}")
    choose(page, "a.png", content[: len(content) // 2])
    assert "the file may be broken or cut off" in check_answered(page)


@pytest.mark.slow
def test_the_last_picture_is_shown_though_it_is_read_first(page, photo):
    small, large = saved(photo, "PNG"), saved(photo.resize((300, 300)), "PNG")
    page.evaluate(
        """() => {
          const { loaded: original } = window;
          window.loaded = async (address) => {
            const picture = await original(address);
            const isLarge = picture.naturalWidth === 300;
            if (isLarge) await new Promise((resolve) => { window.release = resolve; });
            return picture;
          };
        }"""
    )
    choose(page, "large.png", large)
    page.evaluate(
        "async () => { while (!window.release) await new Promise(requestAnimationFrame); }"
    )
    choose(page, "small.png", small)
    check_answered(page)
    taken = image(page)
    page.evaluate("window.release()")
    np.testing.assert_array_equal(image(page), taken)
    assert page.locator("#draw-photo").evaluate("each => each.naturalWidth") == photo.width


# As privacy browsers do: what is read from a canvas is a bit off, or is anything.
NOISY = """
const original = CanvasRenderingContext2D.prototype.getImageData;
CanvasRenderingContext2D.prototype.getImageData = function (...places) {
  const picture = original.apply(this, places);
  const { data } = picture;
  for (let i = 0; i < data.length; i += 101) data[i] = CHANGED;
  return picture;
};
"""


def test_a_browser_that_changes_what_is_read_is_found_out(browser, address, photo):
    for changed, is_answered in (("data[i] ^ 1", True), ("256 * Math.random()", False)):
        page = browser.new_page()
        page.add_init_script(NOISY.replace("CHANGED", changed))
        page.goto(address)
        choose(page, "a.png", saved(photo, "PNG"))
        note, answer = settled(page)
        assert "against tracking, this browser changes what a page reads of a picture" in note
        if is_answered:
            assert "by up to 1 of 255 levels" in note
            assert answer.startswith("Predicted: ")
        else:
            assert "or open it in another browser" in note
            assert answer == "Draw one of the 10 digits."
        page.close()


@pytest.mark.slow
def test_a_picture_that_is_unlike_all_is_warned_of(offline_page, tmp_path, digits, networks, photo):
    images = digits[0][:N]
    content = saved(photo, "PNG")
    seen = prepared(tmp_path, "a.png", content).image.ravel().astype(int)
    squares = ((images.reshape(N, -1) - seen) ** 2).sum(axis=1)
    nearest = int(squares.argmin())
    for unlike, is_unlike in (
        (np.sqrt(squares.min()), False),
        (np.sqrt(squares.min() - 1), True),
        (np.inf, False),
    ):
        path = tmp_path / "page.html"
        offline_page.goto(write_page(path, networks["unit"], images, digits[1][:N], unlike=unlike))
        choose(offline_page, "a.png", content)
        note = check_answered(offline_page)
        assert ("unlike all digits here" in note) == is_unlike
    link = offline_page.locator("#draw-nearest-link")
    expect(link).to_have_text(f"#{nearest}, {digits[1][nearest]}")
    link.click()
    expect(offline_page.locator("#sample-heading")).to_have_text(f"Index {nearest}")


def test_a_picture_of_other_images_is_only_scaled(offline_page, tmp_path, digits, networks, photo):
    other = MNIST.model_copy(update={"name": "EMNIST Digits", "prepared_as_mnist": False})
    page_of = write_page(tmp_path / "a.html", networks["unit"], digits[0][:N], digits[1][:N], other)
    offline_page.goto(page_of)
    content = saved(photo, "PNG")
    choose(offline_page, "a.png", content)
    check_answered(offline_page)
    (tmp_path / "a.png").write_bytes(content)
    expected = scaled(open_picture(tmp_path / "a.png"), (28, 28))
    assert np.abs(image(offline_page) - expected.astype(int)).max() <= 1
    expect(offline_page.locator("#draw-picture")).to_contain_text(
        "It is only scaled, and not prepared"
    )
    for each in ("#draw-frame", "#draw-flattened", "#draw-ink"):
        expect(offline_page.locator(each)).to_be_hidden()
    expect(offline_page.locator("#draw-nearest")).to_be_visible()


@pytest.mark.slow
def test_what_not_every_browser_has_is_not_needed(browser, page, address, photo):
    """In an older browser, and over HTTP from another machine."""
    content = saved(photo, "PNG")
    choose(page, "a.png", content)
    check_answered(page)
    folder, name = url2pathname(urlsplit(address).path).rsplit("/", 1)
    rules = "--host-resolver-rules=MAP class.test 127.0.0.1"
    launched = browser.browser_type.launch(executable_path=find_browser(), args=[*FLAGS, rules])
    with served(folder) as port, launched as elsewhere:
        older = elsewhere.new_page()
        errors = []
        older.on("pageerror", lambda error: errors.append(str(error)))
        older.add_init_script(NOT_EVERYWHERE)
        older.goto(f"http://class.test:{port}/{name}")
        assert not older.evaluate("isSecureContext || window.createImageBitmap")
        choose(older, "a.png", content)
        assert check_answered(older) == ""
        np.testing.assert_array_equal(image(older), image(page))
        assert errors == []


@pytest.mark.slow
def test_a_picture_that_no_canvas_may_hold_is_scaled(page, tmp_path, photo):
    large = saved(photo.resize((5000, 5000), Image.Resampling.BICUBIC), "PNG", compress_level=1)
    page.set_default_timeout(30_000)
    choose(page, "large.png", large)
    expect(page.locator("#draw-picture")).to_be_visible(timeout=30_000)
    check_answered(page)
    expected = prepared(tmp_path, "large.png", large).image.astype(int)
    assert np.abs(image(page) - expected).mean() < 1


@pytest.mark.slow
@pytest.mark.parametrize(("width", "height"), SCREENS)
def test_the_answer_stands_beside_the_picture(page, photo, width, height):
    page.set_viewport_size({"width": width, "height": height})
    page.reload()
    page.locator("#draw summary").click()
    choose(page, "a.png", saved(photo, "PNG"))
    check_answered(page)
    rows = page.locator("#draw-probabilities tr")
    expect(rows).to_have_count(10)
    picture = page.locator("#draw-photo")
    box = picture.bounding_box()
    shown = ("#draw-result", "#draw-image", "#draw-flattened", "#draw-ink", "#draw-picture-change")
    for each in (picture, *map(page.locator, shown), *rows.all()):
        expect(each).to_be_in_viewport(ratio=1)
    for each in (page.locator("#draw-result"), *rows.all()):
        assert each.bounding_box()["x"] >= box["x"] + box["width"]
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


@pytest.mark.slow
def test_a_picture_bars_nobody(page, photo):
    catch_file_choosers(page)
    choose(page, "a.png", saved(photo, "PNG"))
    check_answered(page)
    check_bars_nobody_in_any_window(page)
    field = page.get_by_label("Choose a picture")
    page.locator("#draw-picture-close").focus()
    page.keyboard.press("Tab")
    expect(field).to_be_focused()
    with page.expect_file_chooser():
        page.keyboard.press("Space")


def test_a_phone_offers_its_camera(browser, address):
    context = browser.new_context(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True
    )
    page = context.new_page()
    page.goto(address)
    page.locator("#draw summary").tap()
    catch_file_choosers(page)
    camera = page.get_by_label("Take a photo")
    assert camera.get_attribute("capture") == "environment"
    with page.expect_file_chooser():
        page.get_by_text("Take a photo").tap()
    context.close()
