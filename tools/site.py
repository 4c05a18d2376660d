"""Writes the reports as a website, in the folder `site`: `make site`."""

import json
import os
import re
import shutil
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from markdown_it import MarkdownIt

from nnlib.base.errors import UserError
from nnlib.base.files import write_text
from nnlib.data.datasets import read_dataset
from nnlib.report.pages import page
from nnlib.report.templating import render
from stages.common import RAW, REPORTS, exit_on_user_error
from stages.git import git

SITE = Path("site")
EXPLORER = REPORTS / "explorer.html"
FIRST = REPORTS / "confusion.md"  # in the index
BACK = "All reports"  # the text of the links to the index
COPIED = {".csv", ".ipynb"}
# Files in Git call the explorer, which is not there, by its path; on the site it lies beside them.
OF_EXPLORER = {
    "`reports/explorer.html`": "[the explorer](explorer.html)",
    ", which `dvc repro` writes, and which is not in Git": "",
}
PART = "A page of the confusion report."  # how such a page begins, before it says what it found
METADATA = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)  # of a model card, in YAML


class Entry(NamedTuple):
    """What the index says of a page."""

    address: str
    title: str
    sentence: str  # the first one, in which a report says what it found


def main() -> None:
    """Write it anew, and say what is missing."""
    with exit_on_user_error():
        write_site()


def write_site() -> None:
    """Write the reports as pages, the tables, the notebook and the explorer, and an index."""
    if not EXPLORER.exists():
        raise UserError(f"{EXPLORER} is missing; `make repro` writes it")
    # The reports on comparisons and on pictures of one's own are not for others: Git ignores them.
    listing = ("ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", str(REPORTS))
    reports = [path for name in git(*listing).split("\0")[:-1] if (path := Path(name)).exists()]
    dataset = read_dataset(RAW)
    shutil.rmtree(SITE, ignore_errors=True)
    entries = []
    for path in sorted(reports, key=lambda path: (path != FIRST, path)):
        place = SITE / path.relative_to(REPORTS)
        if path.suffix in COPIED:
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, place)
        if path.suffix == ".md":
            text = METADATA.sub("", path.read_text(encoding="utf-8"))
            write_text(place.with_suffix(".html"), page(for_site(text, place), path.parent))
            entries.append(entry(place.with_suffix(".html"), text))
        if path.suffix == ".ipynb":
            first_cell = json.loads(path.read_bytes())["cells"][0]
            entries.append(entry(place, "".join(first_cell["source"])))
    link = f'<p><a href="index.html">{BACK}</a></p>'
    explorer = EXPLORER.read_text(encoding="utf-8").replace("</header>", f"{link}\n</header>", 1)
    write_text(SITE / EXPLORER.name, explorer)
    template = Path(__file__).with_suffix(".md")
    index = render(template.name, template.parent, dataset=dataset, entries=entries)
    write_text(SITE / "index.html", page(index, REPORTS))


def for_site(text: str, place: Path) -> str:
    """A report's Markdown with links to pages instead of files, and to the index below its title.

    Parameters
    ----------
    text : str
        Its first line is the title.
    place : Path
        Of the page.
    """
    for in_git, on_site in OF_EXPLORER.items():
        text = text.replace(in_git, on_site)
    text = re.sub(r"(\]\((?!https?:)[^()\s]+)\.md(#[^()\s]+)?\)", r"\1.html\2)", text)
    title, rest = text.split("\n", 1)
    back = Path(os.path.relpath(SITE / "index.html", place.parent)).as_posix()
    return f"{title}\n\n[{BACK}]({back})\n{rest}"


def entry(place: Path, markdown: str) -> Entry:
    """What the index says of a page: its heading and its first sentence, as plain text."""
    tokens = MarkdownIt("js-default").parse(markdown)
    texts: dict[str, str] = {}  # of the first block of each type
    for block, content in pairwise(tokens):
        if content.type == "inline":
            parts = (
                part.content or " " * (part.type == "softbreak") for part in content.children or []
            )
            if (text := "".join(parts)) != PART:
                texts.setdefault(block.type, text)
    return Entry(
        address=place.relative_to(SITE).as_posix(),
        title=texts["heading_open"],
        sentence=re.split(r"(?<=[a-z)%]\.)\s+(?!\d)", texts["paragraph_open"])[0],
    )


if __name__ == "__main__":
    main()
