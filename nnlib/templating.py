"""The templates of the report and of the explorer, filled in."""

import math
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from nnlib.numerals import count, percent


def render(template: str, **context: object) -> str:
    """Fill in a template of `nnlib/templates`; what goes into an HTML file is escaped."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"percent": percent, "count": count}
    environment.tests["nan"] = math.isnan
    return environment.get_template(template).render(context)
