"""Markdown as a web page in one file."""

import base64
import re
import struct
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

from nnlib.report.templating import anchor, render

# The only HTML that counts, a paragraph each: where a collapsed part begins, with its summary in
# plain text, and where it ends.
FOLD = re.compile(r"<details><summary>[^<>&]*</summary>|</details>")
OTHER_PAGE = re.compile(r"^([\w-]+)\.md(?=#|$)")
# A PNG picture's pixels per metre, across; in pHYs, a chunk before the pixels' (IDAT).
RESOLUTION = re.compile(rb"pHYs(.{4}).{4}\x01", re.DOTALL)
CSS_PIXELS = 86.4 / 0.0254  # per metre: text of 10 points is 12 pixels high


def page(markdown: str, folder: Path) -> str:
    """Turn Markdown into HTML that holds its pictures.

    Parameters
    ----------
    markdown : str
        Its first heading is the page's title; HTML in it is shown as text, except `FOLD`. A link
        to `#` and a heading's text leads there, written as GitHub wants it: in lower case, with
        hyphens for spaces and without punctuation. A link to another page, `NAME.md`, leads to
        `NAME.html`.
    folder : Path
        What the links to PNG pictures are relative to.

    Returns
    -------
    str, HTML
    """
    parser = MarkdownIt("js-default")
    tokens = parser.parse(markdown)
    for token in (child for block in tokens for child in block.children or []):
        if token.type == "image":
            _embed(token, folder)
        elif token.type == "link_open":
            token.attrs["href"] = OTHER_PAGE.sub(r"\1.html", str(token.attrs["href"]))
    for opening, content, closing in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if content.type == "inline" and FOLD.fullmatch(content.content):
            opening.hidden = closing.hidden = True
            content.type, content.children = "html_block", None
        if opening.type == "heading_open":
            opening.attrs["id"] = anchor(content.content)
    heading = next(token for token in tokens if token.type == "inline")
    title = "".join(child.content for child in heading.children or [])  # without its Markdown
    body = parser.renderer.render(tokens, parser.options, {})
    return render("page.html", title=title, body=body)


def _embed(image: Token, folder: Path) -> None:
    """Put a picture into the page, in the size of its resolution if it says one."""
    png = (folder / str(image.attrs["src"])).read_bytes()
    image.attrs["src"] = f"data:image/png;base64,{base64.b64encode(png).decode('ascii')}"
    if found := RESOLUTION.search(png.partition(b"IDAT")[0]):
        ((width,), (resolution,)) = (struct.unpack(">I", each) for each in (png[16:20], found[1]))
        image.attrs["width"] = str(round(width * CSS_PIXELS / resolution))
