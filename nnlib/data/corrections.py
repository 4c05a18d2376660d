"""Corrections of the labels of a data set: a CSV file, whose rows each correct one sample.

The files of the data set stay as they were published. A table of corrections has these columns:

`set` : str
    "train" or "test".
`index` : int
    Of the sample in the published set, from 0.
`given` : int
    The class that it was published with, or `UNKNOWN`.
`label` : int
    The class that it has instead, or `DROPPED`.
"""

import csv
import difflib
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nnlib.base.errors import UserError, shown
from nnlib.base.tables import no_formula, write_mixed_csv
from nnlib.data.datasets import TEST, TRAIN, Dataset, Part, read_labels

COLUMNS = ("set", "index", "label")  # of a file
GIVEN = "given"  # a column that it may have too
DROP = "drop"  # in place of a label: the sample is left out
DROPPED, UNKNOWN = -1, -2  # in a table, in place of the number of a class
APPLIED = "corrections.csv"  # the file beside samples that says how they were corrected
NO_ROWS = b"set,index,given,label\n"  # what `write_corrections` writes where there are none
CALLED: Mapping[Part, str] = {"train": "training set", "test": "test set"}
PARTS: tuple[Part, ...] = ("train", "test")
MOST_PROBLEMS = 20  # that a message lists

Labels = Mapping[Part, NDArray[np.uint8]]


@dataclass(frozen=True)
class Row:
    """A row of a table of corrections."""

    set: Part
    index: int
    given: int
    label: int


class Counts(NamedTuple):
    """How many samples of a set are corrected."""

    relabelled: int
    dropped: int


def read_published_labels(folder: Path, dataset: Dataset) -> Labels:
    """The labels of both sets of a data set, as they were published."""
    return {
        "train": read_labels(folder / TRAIN.labels, dataset.classes),
        "test": read_labels(folder / TEST.labels, dataset.classes),
    }


def read_corrections(
    path: str | Path, class_names: Sequence[str], published: Labels | None = None
) -> pd.DataFrame:
    """Read a file of corrections, and check it.

    It has the columns `set`, `index` and `label`, and perhaps `given`, in any order. Labels are
    names of classes, read as text, and `label` may be `drop`.

    Parameters
    ----------
    path : str or Path
    class_names : sequence of str
    published : mapping of "train" and "test" to ndarray of uint8 of shape (N,), optional
        The published labels. Without them, what has to do with these is not checked.

    Returns
    -------
    DataFrame, a table of corrections, those of the training set first, each set by index

    Raises
    ------
    UserError
        If the file cannot be read; or with all that is wrong in it, each with its line and column:
        a set, index or class that there is not, a sample that occurs twice, a label that is
        published already, or one that was not published as `given` says.
    """
    numbers = {name: number for number, name in enumerate(class_names)}
    for number, name in enumerate(class_names):  # as a table of the reports has it
        numbers.setdefault(str(no_formula(name)), number)
    problems: list[str] = []
    rows: list[Row] = []
    lines: dict[tuple[str, int], int] = {}
    for line, cells in _read_lines(path):
        found = [*_problems_of_cells(cells, numbers)]
        if not found:
            row = _row(cells, numbers)
            found = [*_problems_of_row(row, class_names, published)]
            first = lines.setdefault((row.set, row.index), line)
            if first != line:
                found.append(
                    f"index: sample {row.index} of the {CALLED[row.set]} is in line {first} too: "
                    "keep one of the two"
                )
            rows.append(row)
        problems += [f"line {line}, {problem}" for problem in found]
    if problems:
        raise UserError("\n".join([f"{path}:", *_listed(problems)]), file=path)
    table = _table(rows)
    for part, labels in (published or {}).items():
        is_of_part = table["set"] == part
        table.loc[is_of_part, "given"] = labels[table["index"][is_of_part]]
        if not kept_samples(table, part, len(labels)).any():
            raise UserError(f"{path}: no sample of the {CALLED[part]} is left", file=path)
    return table.sort_values(["set", "index"], ascending=[False, True], ignore_index=True)


def no_corrections() -> pd.DataFrame:
    """The table of a data set that is as it was published."""
    return _table([])


def _table(rows: Sequence[Row]) -> pd.DataFrame:
    types = {"set": str, "index": np.int64, "given": np.int64, "label": np.int64}
    return pd.DataFrame(rows, columns=[*types]).astype(types)


def write_corrections(
    path: str | Path, corrections: pd.DataFrame, class_names: Sequence[str]
) -> None:
    """Write a table of corrections, with what was given, as a file of corrections."""
    names = {DROPPED: DROP, **dict(enumerate(class_names))}
    columns = {column: corrections[column].map(names) for column in ("given", "label")}
    write_mixed_csv(path, corrections.assign(**columns))


def count_corrections(corrections: pd.DataFrame, part: Part) -> Counts:
    """Count the corrections of a set."""
    is_dropped = corrections["label"][corrections["set"] == part] == DROPPED
    return Counts(relabelled=int((~is_dropped).sum()), dropped=int(is_dropped.sum()))


def kept_samples(corrections: pd.DataFrame, part: Part, count: int) -> NDArray[np.bool_]:
    """Which samples of a set of that size are not dropped, (N,)."""
    kept = np.ones(count, np.bool_)
    is_dropped = (corrections["set"] == part) & (corrections["label"] == DROPPED)
    kept[corrections["index"][is_dropped]] = False
    return kept


def corrected_samples(corrections: pd.DataFrame, part: Part, count: int) -> NDArray[np.bool_]:
    """Which samples of a set of that size are relabelled or dropped, (N,)."""
    corrected = np.zeros(count, np.bool_)
    corrected[corrections["index"][corrections["set"] == part]] = True
    return corrected


def corrected_labels(
    corrections: pd.DataFrame, part: Part, published: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """The labels of the samples of a set that are not dropped, (n,).

    Parameters
    ----------
    corrections : DataFrame
    part : str
        "train" or "test".
    published : ndarray of uint8 of shape (N,)
        The published labels of all samples of the set.
    """
    changed = corrections[(corrections["set"] == part) & (corrections["label"] != DROPPED)]
    labels = published.copy()
    labels[changed["index"]] = changed["label"]
    return labels[kept_samples(corrections, part, len(labels))]


def samples_of(
    images: Iterable[NDArray[np.uint8]], wanted: NDArray[np.bool_]
) -> Iterator[NDArray[np.uint8]]:
    """Some of the images of a set, which are read in blocks.

    Parameters
    ----------
    images : iterable of ndarray of uint8 of shape (n, height, width)
        All images of the set, in blocks.
    wanted : ndarray of bool of shape (N,)
        Which of them.

    Yields
    ------
    ndarray of uint8 of shape (n, height, width), of at least one image
    """
    start = 0
    for block in images:
        rows = wanted[start : start + len(block)]
        start += len(block)
        if rows.any():
            yield block[rows]


def _read_lines(path: str | Path) -> Iterator[tuple[int, dict[str, str]]]:
    """The number of each line that is not blank, from 1, and its cells by column."""
    try:
        with Path(path).open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            rows = [
                (reader.line_num, cells) for cells in reader if any(cell.strip() for cell in cells)
            ]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{path} cannot be read as CSV: {error}", file=path) from error
    _, columns = rows[0] if rows else (1, [])
    columns = [column.strip() for column in columns]
    if sorted(columns) not in (sorted(COLUMNS), sorted([*COLUMNS, GIVEN])):
        raise UserError(
            f"{path}: expected the columns {','.join(COLUMNS)} or {','.join([*COLUMNS, GIVEN])}; "
            f"found {shown(','.join(columns))}",
            file=path,
        )
    for line, cells in rows[1:]:
        if len(cells) != len(columns):
            raise UserError(
                f"{path}, line {line}: expected {len(columns)} values, found {len(cells)}; a name "
                'with a comma stands in quotation marks, as in "a, b"',
                file=path,
            )
        # names of classes are in this form, with no spaces around them (nnlib.importing.names)
        texts = [unicodedata.normalize("NFC", cell).strip() for cell in cells]
        yield line, dict(zip(columns, texts, strict=True))


def _problems_of_cells(cells: Mapping[str, str], numbers: Mapping[str, int]) -> Iterator[str]:
    """What is wrong with the texts of a row, each by itself."""
    if cells["set"] not in PARTS:
        yield f"set: expected train or test, found {shown(cells['set'])}"
    if not re.fullmatch("[0-9]{1,9}", cells["index"]):
        yield f"index: expected a whole number from 0 on, found {shown(cells['index'])}"
    if cells["label"] != DROP:
        yield from _problems_of_name("label", cells["label"], [*numbers, DROP])
    elif DROP in numbers:
        yield f"label: {DROP} is the name of a class too, and so unclear: rename that class"
    if GIVEN in cells:
        yield from _problems_of_name(GIVEN, cells[GIVEN], [*numbers])


def _problems_of_name(column: str, name: str, known: Sequence[str]) -> Iterator[str]:
    if name not in known:
        near = difflib.get_close_matches(name, known) or list(known)[:MOST_PROBLEMS]
        yield f"{column}: {shown(name)} is no class; there is {shown(', '.join(near))}"


def _row(cells: Mapping[str, str], numbers: Mapping[str, int]) -> Row:
    """A row of texts that are right, each by itself."""
    part: Part = "train" if cells["set"] == "train" else "test"
    given = numbers[cells[GIVEN]] if GIVEN in cells else UNKNOWN
    label = DROPPED if cells["label"] == DROP else numbers[cells["label"]]
    return Row(part, int(cells["index"]), given, label)


def _problems_of_row(
    row: Row, class_names: Sequence[str], published: Labels | None
) -> Iterator[str]:
    """What is wrong with a row, of which each text is right by itself."""
    given = row.given
    if published is not None:
        labels = published[row.set]
        if row.index >= len(labels):
            last = len(labels) - 1
            yield f"index: {row.index} lies outside the {CALLED[row.set]}, whose last is {last}"
            return
        given = int(labels[row.index])
        if row.given not in (given, UNKNOWN):
            yield (
                f"given: it is {shown(class_names[row.given])}, but sample {row.index} of the "
                f"{CALLED[row.set]} was published as {shown(class_names[given])}: is this file of "
                "another data set?"
            )
            return
    if row.label == given:
        yield f"label: {shown(class_names[given])} is the published label: remove this line"


def _listed(problems: Sequence[str]) -> Iterator[str]:
    """The lines of a message, of which there may be too many."""
    yield from (f"  {problem}" for problem in problems[:MOST_PROBLEMS])
    if len(problems) > MOST_PROBLEMS:
        yield f"  and {len(problems) - MOST_PROBLEMS} more"
