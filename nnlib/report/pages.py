"""Markdown as a web page in one file."""

import base64
from pathlib import Path

from markdown_it import MarkdownIt

from nnlib.report.templating import render


def page(markdown: str, folder: Path) -> str:
    """Turn Markdown into HTML that holds its pictures.

    Parameters
    ----------
    markdown : str
        Its first heading is the page's title; HTML in it is shown as text.
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
    title = next(token.content for token in tokens if token.type == "inline")
    body = parser.renderer.render(tokens, parser.options, {})
    return render("page.html", title=title, body=body)
