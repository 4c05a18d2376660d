"""The confusion report, in Markdown."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

DATA_SETS = {"mnist": "MNIST", "synthetic": "synthetic digits"}


def render(template: str, **context: object) -> str:
    """Fill in one of the templates beside this module.

    Parameters
    ----------
    template : str
        File name in `nnlib/templates`.
    **context
        What the template names; a name it lacks raises `jinja2.UndefinedError`.
    """
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - Markdown of numbers and our own words, no HTML
    )
    return environment.get_template(template).render(context)
