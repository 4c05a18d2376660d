"""Markdown as a web page: what is a link, a picture or a fold, and what is only text."""

import re

import numpy as np
from matplotlib.figure import Figure

from nnlib.report.explorer import address
from nnlib.report.pages import page
from nnlib.report.png import png
from nnlib.report.templating import literal


def test_a_part_can_be_collapsed(tmp_path):
    html = page("# T\n\n<details><summary>2 more</summary>\n\n- a\n\n</details>\n\nend\n", tmp_path)
    body = html[html.index("<main>") :]
    fold = "<details><summary>2 more</summary>\n<ul>\n<li>a</li>\n</ul>\n</details>\n<p>end</p>"
    assert fold in body


def test_any_other_html_is_text(tmp_path):
    for text in (
        "<script>alert(1)</script>",
        "see <details><summary>a</summary>",
        "<details><summary><b>a</b></summary>",
        "<details onclick='a()'><summary>a</summary>",
        literal("<details><summary>a</summary>"),
    ):
        html = page(f"# T\n\n{text}\n", tmp_path)
        body = html[html.index("</h1>") :]
        assert "<script" not in body
        assert "<details" not in body
        assert "&lt;" in body


def test_a_picture_that_is_a_link(tmp_path):
    (tmp_path / "a.png").write_bytes(png(np.zeros((2, 2), np.uint8)))
    html = page("# T\n\n[![index 1](a.png)](explorer.html#actual=0&index=1)\n", tmp_path)
    assert '<a href="explorer.html#actual=0&amp;index=1"><img src="data:image/png;base64,' in html


def test_names_in_a_title_and_in_a_link_stay_as_they_are(tmp_path):
    name = "<script>a_b</script> & *c* \\ [d](e) 靴"
    link = address(name, "x (1)", index=3)
    html = page(f"# Report: {literal(name)}\n\n[{literal(name)}]({link})\n", tmp_path)
    shown = "&lt;script&gt;a_b&lt;/script&gt; &amp; *c* \\ [d](e) 靴"
    assert f"<title>Report: {shown}</title>" in html
    assert f">Report: {shown}</h1>" in html
    assert f'<a href="{link.replace("&", "&amp;")}">{shown}</a>' in html


def test_a_link_to_a_heading(tmp_path):
    html = page("# T\n\n[a](#holms-method)\n\n## One, two-three\n\n### Holm's method\n", tmp_path)
    assert '<a href="#holms-method">a</a>' in html
    assert '<h2 id="one-two-three">' in html
    assert '<h3 id="holms-method">' in html


def test_a_link_to_another_page(tmp_path):
    links = ("glossary.md#loss", "shapes.md", "https://a.org/b.md", "../README.md", "a.mdx")
    html = page("# T\n\n" + " ".join(f"[a]({link})" for link in links), tmp_path)
    found = re.findall(r'<a href="([^"]+)"', html)
    assert found == ["glossary.html#loss", "shapes.html", *links[2:]]


def test_a_figure_has_the_size_that_its_resolution_says(tmp_path):
    Figure(figsize=(5, 2)).savefig(tmp_path / "figure.png", dpi=150)
    (tmp_path / "picture.png").write_bytes(png(np.zeros((2, 2), np.uint8)))
    html = page("# T\n\n![](figure.png)\n\n![](picture.png)\n", tmp_path)
    assert re.findall(r'width="(\d+)"', html) == ["432"]  # 5 inches of 86.4 pixels
