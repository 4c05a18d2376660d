"""The pad to draw on, as a class uses it: any size, any pointer, any browser."""

import contextlib
import functools
import http.server
import json
import re
import threading
from urllib.parse import urlsplit
from urllib.request import url2pathname

import numpy as np
import pytest
from playwright.sync_api import expect

from nnlib.analysis.evidence import unit_evidence
from tests.browser.conftest import N, drag, image
from tests.browser.drawings import DRAWINGS, strokes_at
from tools.picture import FLAGS, find_browser

EMPTY = "Draw one of the 10 digits."
SCREENS = [(1400, 900), (1024, 768), (390, 844)]


@pytest.fixture
def page(digits_page):
    return digits_page


@pytest.fixture
def pad(page):
    page.locator("#draw summary").click()
    return page


def prepared(page, strokes, tool="pencil"):
    """What the network gets of strokes, each a list of places in dots, or with its tool."""
    drawing = [
        stroke if isinstance(stroke, dict) else {"tool": tool, "places": stroke}
        for stroke in strokes
    ]
    pixels = page.evaluate("strokes => JSON.stringify([...preparedStrokes(strokes)])", drawing)
    return np.reshape(json.loads(pixels), (28, 28))


def thickness(pixels):
    """Of strokes, in pixels: twice the area by the length of the edge, which is the slope's sum."""
    ink = np.pad(pixels, 1) / 255
    down, right = np.diff(ink, axis=0)[:, :-1], np.diff(ink, axis=1)[:-1]
    return 2 * ink.sum() / np.hypot(down, right).sum()


def test_a_small_digit_is_no_blob(page, networks):
    network = networks["unit"]
    names = list(DRAWINGS)
    digits = np.array([DRAWINGS[name][0] for name in names])
    for size, middle in ((1, (14, 14)), (0.3, (9, 20)), (0.15, (24, 5))):
        drawings = [strokes_at(DRAWINGS[name][1], size, middle) for name in names]
        images = np.array([prepared(page, strokes) for strokes in drawings], np.uint8)
        predicted = network.predict(network.encoding.inputs(images)).argmax(axis=1)
        assert (predicted == digits).sum() >= 11
        for pixels in images:
            assert thickness(pixels) == pytest.approx(2.4, abs=0.3)
            rows, columns = np.nonzero(pixels)
            assert max(np.ptp(rows), np.ptp(columns)) + 1 == 20


def test_the_eraser_takes_the_same_parts_of_a_small_digit(page):
    left, right = [(60, 60), (60, 100)], [(120, 60), (120, 100)]
    rub = {"tool": "eraser", "places": [(60, 50), (60, 110)]}
    np.testing.assert_array_equal(prepared(page, [left, right, rub]), prepared(page, [right]))
    again = prepared(page, [left, rub, left, right])  # only what was there before is erased
    np.testing.assert_array_equal(again, prepared(page, [left, right]))
    assert prepared(page, [left, rub]).sum() == 0

    # The middle of a line of 60 dots, by an eraser of 0.12 x 280: 13 dots stay at each end.
    gap = {"tool": "eraser", "places": [(140, 140), (140, 140)]}
    column = prepared(page, [[(140, 110), (140, 170)], gap])[:, 13:15].max(axis=1)
    ends = (30 - 0.06 * 280) / 60 * 17.6 + 1.2  # and half of the pencil's width at the outer one
    rows = np.flatnonzero(column > 127)
    assert np.ptp(rows) + 1 == 20
    assert np.diff(rows).max() - 1 == pytest.approx(20 - 2 * ends, abs=1)


def test_a_dot_stays_a_dot(pad):
    drag(pad, (5, 5))
    assert image(pad).sum() / 255 == pytest.approx(np.pi * 1.2**2, abs=0.5)
    expect(pad.locator("#draw-result")).to_contain_text("Predicted: ")


def test_what_lies_outside_of_the_canvas_is_not_seen(page):
    """A line that goes on to the left, where it cannot be seen, is scaled as what can be."""
    beyond = prepared(page, [[(-200, 140), (60, 140)], [(60, 100), (60, 180)]])
    within = prepared(page, [[(0, 140), (60, 140)], [(60, 100), (60, 180)]])
    rows, columns = np.nonzero(np.abs(beyond - within) > 30)
    assert set(columns) <= {np.flatnonzero(within.any(axis=0)).min()}  # where it is cut off
    assert len(rows) <= 4


def test_an_empty_canvas_asks_for_a_digit(pad):
    result = pad.locator("#draw-result")
    answers = pad.locator("#draw-prediction, #draw-evidence")

    def check(is_empty):
        expect(result).to_have_text(EMPTY if is_empty else re.compile(r"^Predicted: \d, [\d.]+%\."))
        for each in answers.all():
            expect(each).to_be_visible(visible=not is_empty)

    expect(answers).to_have_count(2)
    check(is_empty=True)
    drag(pad, (8, 8), (8, 12))
    check(is_empty=False)
    pad.get_by_label("eraser").check()
    drag(pad, (8, 6), (8, 14))
    check(is_empty=True)
    pad.get_by_role("button", name="Undo").click()
    check(is_empty=False)
    pad.get_by_role("button", name="Clear").click()
    check(is_empty=True)
    pad.get_by_role("button", name="right").click()
    expect(pad.get_by_label("Scale and centre")).to_be_checked()  # there was nothing to shift
    check(is_empty=True)


def test_a_link_of_a_closed_pad_gets_no_focus(pad):
    drag(pad, (8, 8), (8, 12))
    pad.locator("#draw .evidence-units a").first.click()
    pad.locator("#draw summary").click()
    pad.locator("#unit-heading").focus()
    pad.keyboard.press("Escape")
    expect(pad.locator("#results-heading")).to_be_focused()


@pytest.mark.parametrize(("width", "height"), SCREENS)
def test_the_answer_stands_beside_the_canvas(page, width, height):
    page.set_viewport_size({"width": width, "height": height})
    page.reload()
    page.locator("#draw summary").click()
    canvas, result = page.locator("#draw-canvas"), page.locator("#draw-result")
    expect(canvas).to_be_in_viewport(ratio=1)
    expect(result).to_be_in_viewport(ratio=1)
    before = canvas.bounding_box()
    assert before["width"] >= 190
    drag(page, (8, 6), (20, 6), (12, 24))
    expect(result).to_contain_text("Predicted: ")
    box = canvas.bounding_box()
    assert box == before  # nothing moves under the pointer
    rows = page.locator("#draw-probabilities tr")
    expect(rows).to_have_count(10)
    for each in (canvas, result, page.locator("#draw-image"), *rows.all()):
        expect(each).to_be_in_viewport(ratio=1)
    for each in (result, *rows.all()):
        assert each.bounding_box()["x"] >= box["x"] + box["width"]
    assert result.bounding_box()["y"] == pytest.approx(box["y"], abs=10)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")

    page.goto(f"{page.url.split('#')[0]}#index=5")
    page.get_by_role("button", name="Change it").click()
    for each in (canvas, result, *rows.all()):
        expect(each).to_be_in_viewport(ratio=1)


# What some browsers lack, or have only in pages from HTTPS, a file or this machine itself.
NOT_EVERYWHERE = """
for (const [object, names] of [
  [PointerEvent.prototype, ["getCoalescedEvents", "getPredictedEvents"]],
  [Element.prototype, ["checkVisibility"]],
  [Object, ["hasOwn", "groupBy"]],
  [Array.prototype, ["at", "findLast", "toSorted", "toReversed", "with"]],
  [Object.getPrototypeOf(Uint8Array.prototype), ["at", "findLast", "toSorted", "toReversed"]],
  [Object.getPrototypeOf(Uint8Array), ["fromBase64"]],
  [window, ["structuredClone", "DecompressionStream", "OffscreenCanvas", "createImageBitmap"]],
  [window, ["requestIdleCallback", "showSaveFilePicker"]],
  [Blob.prototype, ["arrayBuffer", "stream", "text"]],
  [Crypto.prototype, ["randomUUID", "subtle"]],
  [Navigator.prototype, ["clipboard"]],
]) {
  for (const name of names) delete object[name];
}
"""


def use_all(page):
    """Draw, and use what is around the pad; returns the drawing."""
    page.locator("#draw summary").click()
    drag(page, (20, 4), (12, 14), (20, 24))
    drawn = image(page)
    expect(page.locator("#draw-result")).to_contain_text("Predicted: ")
    page.locator("#matrix a").first.press("Control+End")
    page.locator("#results a").first.click()
    expect(page.locator("#evidence .evidence-sum")).to_contain_text(" against ")
    page.locator("#evidence .evidence-units a").first.press("Enter")
    expect(page.locator("#unit-heading")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#evidence .evidence-units a").first).to_be_focused()
    page.get_by_role("button", name="Quiz").click()
    page.keyboard.press("3")
    expect(page.locator("#quiz-answer")).to_contain_text("Your guess: 3")
    return drawn


@pytest.mark.slow
def test_what_not_every_browser_has_is_not_needed(browser, address):
    page, older = browser.new_page(), browser.new_page()
    errors = []
    older.add_init_script(NOT_EVERYWHERE)
    older.on("pageerror", lambda error: errors.append(str(error)))
    for each in (page, older):
        each.goto(address)
    assert older.evaluate("!PointerEvent.prototype.getCoalescedEvents && ![].at")
    np.testing.assert_array_equal(use_all(older), use_all(page))
    assert errors == []
    page.close()
    older.close()


@contextlib.contextmanager
def served(folder):
    """Serve a folder on this machine; yields the port."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_args):
            pass

    handler = functools.partial(Handler, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@pytest.mark.slow
def test_the_pad_works_over_http_from_another_machine(browser, page, address):
    folder, name = url2pathname(urlsplit(address).path).rsplit("/", 1)
    expected = use_all(page)
    rules = "--host-resolver-rules=MAP class.test 127.0.0.1"
    launched = browser.browser_type.launch(executable_path=find_browser(), args=[*FLAGS, rules])
    with served(folder) as port, launched as elsewhere:
        there = elsewhere.new_page()
        there.goto(f"http://class.test:{port}/{name}")
        assert not there.evaluate("isSecureContext")
        assert there.evaluate("PointerEvent.prototype.getCoalescedEvents === undefined")
        np.testing.assert_array_equal(use_all(there), expected)


# As privacy browsers do: each byte that is read from a canvas is a bit off, or is anything.
NOISY = """
window.read = 0;
for (const type of [CanvasRenderingContext2D, OffscreenCanvasRenderingContext2D]) {
  const original = type.prototype.getImageData;
  type.prototype.getImageData = function (...places) {
    window.read += 1;
    const picture = original.apply(this, places);
    for (let i = 0; i < picture.data.length; i++) picture.data[i] = 256 * Math.random();
    return picture;
  };
}
"""


def test_nothing_is_read_from_a_canvas(browser, address, digits, networks):
    page = browser.new_page()
    page.add_init_script(NOISY)
    page.goto(address)
    network, images = networks["unit"], digits[0][:N]
    x = network.encoding.inputs(images)
    found = page.evaluate(
        """() => JSON.stringify(Array.from({ length: payload.samples }, (_, index) => {
          const seen = look(pixelsOf(index));
          return [[...pixelsOf(index)], [...unitEvidence(seen, 7, 8)]];
        }))"""
    )
    pixels, units = zip(*json.loads(found), strict=True)
    np.testing.assert_array_equal(np.reshape(pixels, images.shape), images)
    expected = unit_evidence(network, x, np.full(N, 7), np.full(N, 8))
    np.testing.assert_allclose(units, expected, rtol=0, atol=1e-5 * np.abs(expected).max())

    page.locator("#draw summary").click()
    drag(page, (20, 4), (12, 14), (20, 24))
    drawn = np.reshape(json.loads(page.evaluate("JSON.stringify([...drawn.image()])")), (28, 28))
    places = [[(200, 40), (120, 140), (200, 240)]]
    assert np.abs(drawn - prepared(page, places)).mean() < 1
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#draw-result")).to_have_text(EMPTY)
    page.goto(f"{address}#index=5")
    page.get_by_role("button", name="Change it").click()
    page.get_by_role("button", name="left").click()
    assert page.evaluate("window.read") == 0
    page.close()


def send(page, kind, x, y, identifier=1, **event):
    """Dispatch an event of a pointer at a place in pixels of the image."""
    page.locator("#draw-canvas").evaluate(
        """(canvas, [kind, x, y, event]) => {
          canvas.setPointerCapture = () => {}; // there is no such pointer
          const { left, top, width } = canvas.getBoundingClientRect();
          canvas.dispatchEvent(new PointerEvent(`pointer${kind}`, {
            clientX: left + x * width / 28, clientY: top + y * width / 28, bubbles: true, ...event,
          }));
        }""",
        [kind, x, y, {"pointerId": identifier, "isPrimary": True, "pointerType": "mouse", **event}],
    )


def ink(page):
    """Where the canvas has ink, in pixels: left, top, right, bottom."""
    image(page)  # which waits for the next frame
    found = page.locator("#draw-canvas").evaluate(
        "c => JSON.stringify([...c.getContext('2d').getImageData(0, 0, 280, 280).data]"
        ".filter((_, i) => i % 4 === 0))"
    )
    rows, columns = np.nonzero(np.reshape(json.loads(found), (280, 280)) > 127)
    if not len(rows):
        return None
    return [columns.min() / 10, rows.min() / 10, columns.max() / 10, rows.max() / 10]


def test_a_pointer_that_is_up_does_not_draw(pad):
    """Where no event says that it went up, as outside of a window, its buttons do."""
    send(pad, "down", 5, 5, buttons=1)
    send(pad, "move", 5, 15, buttons=1)
    before = ink(pad)
    for buttons in (0, 2, 1):  # it hovers; the right button; the left one, that came down elsewhere
        send(pad, "move", 20, 20, buttons=buttons)
        assert ink(pad) == before
    send(pad, "down", 20, 20, buttons=1)  # though nothing said that it went up
    send(pad, "move", 20, 25, buttons=1)
    assert ink(pad)[2:] == pytest.approx([21, 26], abs=0.3)
    pad.get_by_role("button", name="Undo").click()
    assert ink(pad) == before
    send(pad, "down", 5, 20, buttons=2, button=2)  # the right one does not draw
    send(pad, "move", 9, 20, buttons=2)
    assert ink(pad) == before


def test_what_is_undone_while_it_is_drawn_goes_on_no_more(pad):
    send(pad, "down", 5, 5, buttons=1)
    send(pad, "move", 5, 15, buttons=1)
    pad.locator("#draw-undo").press("Enter")
    send(pad, "move", 5, 20, buttons=1)
    assert ink(pad) is None


@pytest.mark.parametrize(
    ("lost", "after"), [("touch", "touch"), ("touch", "mouse"), ("mouse", "touch")]
)
def test_a_pointer_that_was_lost_does_not_block_the_next(pad, lost, after):
    send(pad, "down", 5, 5, 2, pointerType=lost, buttons=1)
    send(pad, "move", 5, 15, 2, pointerType=lost, buttons=1)
    send(pad, "down", 20, 5, 3, pointerType=after, buttons=1)  # the only one of its type
    send(pad, "move", 20, 15, 3, pointerType=after, buttons=1)
    assert ink(pad) == pytest.approx([3.8, 3.8, 21.1, 16.1], abs=0.2)  # both lines


@pytest.mark.parametrize("kind", ["touch", "pen"])
def test_a_palm_that_rests_first_blocks_nothing(pad, kind):
    palm = {"pointerType": "touch", "buttons": 1}
    writing = {"pointerType": kind, "buttons": 1, "isPrimary": kind == "pen"}
    send(pad, "down", 25, 25, 2, **palm)
    send(pad, "move", 25.4, 25, 2, **palm)
    send(pad, "down", 5, 5, 3, **writing)
    send(pad, "move", 25.6, 25, 2, **palm)
    send(pad, "move", 5, 15, 3, **writing)
    send(pad, "up", 5, 15, 3, **{**writing, "buttons": 0})
    line = pytest.approx([3.8, 3.8, 6.1, 16.1], abs=0.2)
    assert ink(pad) == line  # and no dot of the palm
    send(pad, "move", 22, 22, 2, **palm)
    assert ink(pad) == line
    pad.get_by_role("button", name="Undo").click()
    assert ink(pad) is None


@pytest.mark.parametrize("kind", ["touch", "pen"])
def test_a_palm_that_comes_later_does_not_draw(pad, kind):
    writing = {"pointerType": kind, "buttons": 1}
    palm = {"pointerType": "touch", "buttons": 1, "isPrimary": kind == "pen"}
    send(pad, "down", 5, 5, 2, **writing)
    send(pad, "move", 5, 10, 2, **writing)
    send(pad, "down", 25, 25, 3, **palm)
    send(pad, "move", 25, 20, 3, **palm)
    send(pad, "move", 5, 15, 2, **writing)
    assert ink(pad) == pytest.approx([3.8, 3.8, 6.1, 16.1], abs=0.2)


def test_fingers_of_a_touch_screen(browser, address):
    """The same by a browser's own events: a palm rests, and a finger draws."""
    context = browser.new_context(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True
    )
    page = context.new_page()
    page.goto(address)
    page.locator("#draw summary").tap()
    box = page.locator("#draw-canvas").bounding_box()
    session = context.new_cdp_session(page)

    def touch(kind, *places):
        points = [
            {"x": box["x"] + x, "y": box["y"] + y, "id": identifier} for identifier, x, y in places
        ]
        session.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": points})

    palm = (1, 180, 180)
    touch("Start", palm)
    touch("Start", palm, (2, 50, 40))
    for y in (60, 100, 140):
        touch("Move", palm, (2, 50, y))
    touch("End", palm)
    touch("End")
    expected = np.array([50, 40, 50, 140]) * 28 / box["width"] + [-1.2, -1.2, 1.2, 1.2]
    assert ink(page) == pytest.approx(expected, abs=0.3)
    context.close()


def test_the_other_end_of_a_pen_erases(pad):
    drag(pad, (5, 5), (5, 20))
    drag(pad, (20, 5), (20, 20))
    pen = {"pointerType": "pen", "buttons": 32}
    send(pad, "down", 20, 2, 2, button=5, **pen)
    send(pad, "move", 20, 23, 2, **pen)
    send(pad, "up", 20, 23, 2, button=5, pointerType="pen")
    assert ink(pad) == pytest.approx([3.8, 3.8, 6.1, 21.1], abs=0.2)
    expect(pad.get_by_label("pencil")).to_be_checked()
    pad.get_by_role("button", name="Undo").click()
    assert ink(pad)[2] == pytest.approx(21.1, abs=0.2)
