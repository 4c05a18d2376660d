"""Markdown as a web page in one file."""

import base64
import re
from pathlib import Path

from markdown_it import MarkdownIt

from nnlib.report.templating import render

# The only HTML that counts, a paragraph each: where a part that is folded up begins, with what is
# then seen of it, which is plain text, and where it ends.
FOLD = re.compile(r"<details><summary>[^<>&]*</summary>|</details>")


def page(markdown: str, folder: Path) -> str:
    """Turn Markdown into HTML that holds its pictures.

    Parameters
    ----------
    markdown : str
        Its first heading is the page's title; HTML in it is shown as text, except `FOLD`.
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
            picture = base64.b64encode((folder / str(token.attrs["src"])).read_bytes())
            token.attrs["src"] = f"data:image/png;base64,{picture.decode('ascii')}"
    for opening, content, closing in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if content.type == "inline" and FOLD.fullmatch(content.content):
            opening.hidden = closing.hidden = True
            content.type, content.children = "html_block", None
    title = next(token.content for token in tokens if token.type == "inline")
    body = parser.renderer.render(tokens, parser.options, {})
    return render("page.html", title=title, body=body)
