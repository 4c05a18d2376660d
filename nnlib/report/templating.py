"""The templates of the report and of the explorer, filled in."""

import math
import re
import unicodedata
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from nnlib.report.numerals import (
    bare_percent,
    count,
    odds,
    p_value,
    percent,
    three_digits,
    unbroken,
)

TEMPLATES = Path(__file__).parent / "templates"


def render(template: str, folder: Path = TEMPLATES, **context: object) -> str:
    """Fill in a template of a folder, which may include those of `TEMPLATES`.

    What goes into an HTML file is escaped.
    """
    environment = Environment(
        loader=FileSystemLoader([folder, TEMPLATES]),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "percent": percent,
        "bare_percent": bare_percent,
        "count": count,
        "odds": odds,
        "p_value": p_value,
        "three_digits": three_digits,
        "unbroken": unbroken,
        "literal": literal,
        "with_article": with_article,
        "anchor": anchor,
    }
    environment.tests["nan"] = math.isnan
    return environment.get_template(template).render(context)


def literal(text: str) -> str:
    """Markdown that shows a text as it stands: links, HTML and formulas in it are plain text.

    Nor does it begin a heading, a list or a line across, if a line begins with it.
    """
    text = re.sub(r"([\\`*_\[\]<>&~|$])", r"\\\1", text)
    text = re.sub(r"^(?=(#{1,6}|[-+])(\s|$)|[-=]+$)", r"\\", text)
    return re.sub(r"^(\d+)(?=[.)](\s|$))", r"\1\\", text)


def columns_of(text: str) -> int:
    """How many columns of a terminal a text takes: a wide character two, an accent none."""
    return sum(
        0 if unicodedata.combining(each) else 1 + (unicodedata.east_asian_width(each) in "WF")
        for each in text
    )


def with_article(noun: str) -> str:
    """A noun with "a" or "an", by its first letter."""
    return f"{'an' if noun[:1].lower() in set('aeiou') else 'a'} {noun}"


def anchor(heading: str) -> str:
    """What a link to a heading has behind its `#`, as GitHub makes it."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
