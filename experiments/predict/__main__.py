"""Classifies pictures of one's own: `python -m experiments.predict [--model REVISION] PICTURES`."""

import argparse
import math
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from experiments.commands import exit_of_command
from experiments.predict.answers import answer, reasons, table_of
from experiments.predict.network import read_trained
from experiments.predict.pictures import find_pictures, look_at
from experiments.predict.report import MOST, pictures_report
from nnlib.base.errors import UserError, shown
from nnlib.base.files import write_text
from nnlib.base.progress import progress
from nnlib.base.tables import write_report_csv
from nnlib.report.numerals import count, percent
from nnlib.report.pages import page
from nnlib.report.templating import columns_of
from stages.common import REPORTS

TABLE, PAGE = REPORTS / "pictures.csv", REPORTS / "pictures.html"
MOST_LINES = 200  # of the table on the terminal


def main() -> None:
    """Read the command line and classify."""
    parser = argparse.ArgumentParser(prog="python -m experiments.predict", description=__doc__)
    parser.add_argument("pictures", nargs="+", metavar="PICTURES", help="files and folders")
    parser.add_argument("--model", help="the network of a commit, tag, branch or experiment")
    arguments = parser.parse_args()
    with exit_of_command("pictures"):
        predict(arguments.pictures, arguments.model)


def predict(names: Sequence[str], revision: str | None) -> None:
    """Write `reports/pictures.csv` and `reports/pictures.html`, and print the table.

    Raises
    ------
    UserError
        If there is no such picture or network, or if none of the pictures can be read.
    """
    paths = find_pictures(names)
    trained = read_trained(revision)
    pictures = [
        look_at(path, trained.dataset, with_steps=i < MOST)
        for i, path in enumerate(progress(paths, "pictures", len(paths)))
    ]
    answers = answer(pictures, trained)
    table = table_of(pictures, answers, trained.dataset.class_names)
    why = reasons(answers, trained, sum(seen.image is not None for seen in pictures[:MOST]))
    write_report_csv(TABLE, table)
    with tempfile.TemporaryDirectory() as folder:
        report = pictures_report(
            Path(folder), pictures, table, answers=answers, reasons=why, trained=trained
        )
        write_text(PAGE, page(report, Path(folder)))
    print(text_of(table))
    print(f"Report: {PAGE.as_posix()}, {TABLE.as_posix()}")
    if not any(seen.is_read for seen in pictures):
        n = len(pictures)
        which = "the picture cannot" if n == 1 else f"none of the {count(n)} pictures can"
        raise UserError(f"{which} be read: the column warning says why")


def text_of(table: pd.DataFrame) -> str:
    """The first rows of the table, in columns."""
    lines: list[tuple[str, ...]] = [tuple(name.replace("_", " ") for name in table.columns)]
    for row in table.head(MOST_LINES).itertuples(index=False, name=None):
        *cells, warning = row
        lines.append((*map(_cell, cells), str(warning)))
    widths = [max(map(columns_of, column)) for column in zip(*lines, strict=True)]
    text = "\n".join(
        "  ".join(
            cell + " " * (width - columns_of(cell))
            for cell, width in zip(line, widths, strict=True)
        ).rstrip()
        for line in lines
    )
    more = len(table) - MOST_LINES
    return f"{text}\n... and {count(more)} more" if more > 0 else text


def _cell(value: object) -> str:
    if isinstance(value, float):  # a text that is missing too
        return "" if math.isnan(value) else percent(value)
    return shown(value)


if __name__ == "__main__":
    main()
