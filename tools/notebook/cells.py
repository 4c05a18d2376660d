"""Reads cells from a Python file in the "percent" format."""

import re
from typing import Literal, NamedTuple

MARKER = re.compile(r"# %%( \[markdown\])?")


class Cell(NamedTuple):
    """A cell of a notebook."""

    kind: Literal["code", "markdown"]
    source: str


def read_cells(text: str) -> list[Cell]:
    """Cells of a file, each from its marker to the next, without the blank lines at its ends.

    Parameters
    ----------
    text : str
        Python code, in which a line `# %%` begins a cell of code, and `# %% [markdown]` one of
        Markdown, whose lines are comments. What comes before the first cell is left out.

    Raises
    ------
    ValueError
        If a line of Markdown is not a comment: it would be code that never runs.
    """
    cells: list[tuple[Literal["code", "markdown"], list[str]]] = []
    for line in text.splitlines():
        marker = MARKER.fullmatch(line)
        if marker:
            cells.append(("markdown" if marker[1] else "code", []))
        elif cells:
            cells[-1][1].append(line)
    return [
        Cell(kind, "\n".join(map(_uncomment, lines) if kind == "markdown" else lines).strip("\n"))
        for kind, lines in cells
    ]


def _uncomment(line: str) -> str:
    if line in {"", "#"}:
        return ""
    if not line.startswith("# "):
        raise ValueError(f"not a comment, in a cell of Markdown: {line!r}")
    return line[2:]
