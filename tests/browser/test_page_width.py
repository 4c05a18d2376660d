"""Reports as web pages, on a narrow screen."""

import numpy as np

from nnlib.report.pages import page
from nnlib.report.png import png

TABLE = "# T\n\n| | |\n| --- | --- |\n| ![a](a.png) | ![b](a.png) |\n"


def test_images_in_a_table_are_whole_and_beside_each_other(offline_page, tmp_path):
    (tmp_path / "a.png").write_bytes(png(np.zeros((112, 300), np.uint8)))
    (tmp_path / "page.html").write_text(page(TABLE, tmp_path), encoding="utf-8")
    offline_page.set_viewport_size({"width": 390, "height": 800})
    offline_page.goto((tmp_path / "page.html").as_uri())
    left, right = (image.bounding_box() for image in offline_page.locator("img").all())
    assert left["width"] == right["width"] == 300
    assert left["x"] + left["width"] <= right["x"]
    scrolled = "document.documentElement.scrollWidth"
    assert offline_page.evaluate(scrolled) == 390  # the table scrolls, and not the page


def test_long_lines_of_code_scroll_in_their_box(offline_page, tmp_path):
    code = f"# T\n\n```python\n{'x' * 200}\n```\n"
    (tmp_path / "page.html").write_text(page(code, tmp_path), encoding="utf-8")
    offline_page.set_viewport_size({"width": 390, "height": 800})
    offline_page.goto((tmp_path / "page.html").as_uri())
    assert offline_page.evaluate("document.documentElement.scrollWidth") == 390
    box = offline_page.locator("pre")
    assert box.evaluate("box => box.scrollWidth > box.clientWidth")


def test_a_table_of_ten_classes_fits_on_paper(offline_page, tmp_path):
    cells = [["probabilities", *"0123456789"], ["---:"] * 11, ["", *["12.34%"] * 9, "< 0.01%"]]
    rows = "".join(f"| {' | '.join(row)} |\n" for row in cells)
    (tmp_path / "page.html").write_text(page(f"# T\n\n{rows}", tmp_path), encoding="utf-8")
    offline_page.set_viewport_size({"width": 718, "height": 1000})  # A4 without its margins
    offline_page.emulate_media(media="print")
    offline_page.goto((tmp_path / "page.html").as_uri())
    table = offline_page.locator("table")
    assert table.evaluate("table => table.scrollWidth <= table.clientWidth")
