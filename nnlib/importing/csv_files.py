"""CSV files with a label and the pixels of an image in each row, as Kaggle's digit recognizer."""

import csv
import warnings
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nnlib.base.errors import UserError, shown
from nnlib.data.datasets import CLASSES
from nnlib.importing.arrays import ALL, LABELS, TRAIN, Labelled, part_in
from nnlib.importing.names import NUMBER, label_texts
from nnlib.importing.notes import Notes, counted, examples
from nnlib.importing.pixels import Size, grey_arrays

SEPARATORS = ",;\t"
LABEL_NAMES = LABELS | {"class", "classes", "digit", "letter", "character"}
NUMBERING = {"", "id", "index", "unnamed: 0"}  # columns that count the rows
CHUNK = 5000  # rows that are read at once
FIRST, LAST = "first", "last"
# Background is at least this share of the pixels in a corner; no class is of the samples.
BACKGROUND = 2 / 3


class Layout(NamedTuple):
    """How a file is to be read."""

    separator: str
    names: Sequence[str] | None  # of the columns, from the header
    columns: int

    def line(self, row: int) -> int:
        """The line of a row; lines count from 1."""
        return row + (1 if self.names is None else 2)

    def numbering(self) -> list[int]:
        """The columns that count the rows."""
        return [i for i, name in enumerate(self.names or ()) if name.lower() in NUMBERING]


def read_csv_files(
    paths: Sequence[Path], label: str | None, shape: Size | None, notes: Notes
) -> dict[str, Labelled]:
    """Read the parts of a data set in one or more files.

    Parameters
    ----------
    paths : sequence of Path
        With more than one, those that are training, validation and test sets by their names.
    label : str, optional
        The name of the column of labels, or "first" or "last"; found if left out.
    shape : (int, int), optional
        Height and width of an image; square if left out.
    notes : Notes

    Raises
    ------
    UserError
        If a file is not such a table.
    """
    by_part: dict[str, Path] = {}
    others = []
    for path in paths:
        part = ALL if len(paths) == 1 else part_in(path.stem)
        if part == ALL and len(paths) > 1:
            others.append(path.name)
        elif part in by_part:
            raise UserError(
                f"{by_part[part]} and {path.name} both seem to hold the {part} set: put each data "
                "set into a folder of its own"
            )
        else:
            by_part[part] = path
    if not by_part.keys() & {TRAIN, ALL}:
        raise UserError(
            f"which of {examples([path.name for path in paths])} is the training set? Name one of "
            "them train.csv, or import one alone: FROM=FILE.csv"
        )
    notes.add_some("left out", others, "other table")
    parts: dict[str, Labelled] = {}
    place: int | None = None  # of the labels in the training set, which knows it best
    first = TRAIN if TRAIN in by_part else ALL
    of_first = _layout(by_part[first])
    columns = of_first.columns - len(of_first.numbering())
    for part in sorted(by_part, key=lambda part: part != first):
        path = by_part[part]
        layout = _layout(path)
        is_short = layout.columns - len(layout.numbering()) < columns
        if part != first and is_short and _named_label(layout) is None:
            notes.add("left out", f"{path.name}, which has no labels")
            continue
        known = place if layout.columns == of_first.columns else None
        images, labels, where = _read(path, layout, label, known, notes)
        place = where if place is None else place
        parts[part] = Labelled(
            grey_arrays(images, path.name, shape),
            label_texts(np.array(labels, object), path.name, notes),
            path.name,
        )
    return parts


def _layout(path: Path) -> Layout:
    """The separator, and the header if there is one."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            line = file.readline()
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not UTF-8: save it so", file=path) from error
    separator = max(SEPARATORS, key=line.count)
    fields = [field.strip() for field in next(csv.reader([line], delimiter=separator), [])]
    if len(fields) < 3:
        raise UserError(
            f"{path} has rows of {counted(len(fields), 'value')}; expected a label and the pixels "
            "of an image",
            file=path,
        )
    inner = fields[1:-1]  # without the label, whether it is first or last
    counts = [str(int(inner[0]) + i) for i in range(len(inner))] if inner[0].isdecimal() else []
    # pandas calls the columns of an array 0, 1, 2, ...
    is_header = not any(map(_is_number, inner)) or (len(inner) > 2 and inner == counts)
    return Layout(separator, fields if is_header else None, len(fields))


def is_table(path: Path) -> bool:
    """Whether the first row of a file may be that of a label and an image, of 2 x 2 pixels or more.

    A file that only lists classes or other files has fewer columns, or more of texts.
    """
    try:
        layout = _layout(path)
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(islice(csv.reader(file, delimiter=layout.separator), 2))
    except (UserError, UnicodeDecodeError, csv.Error):
        return False
    texts = [text for text in rows[-1] if not _is_number(text)]
    return layout.columns - len(layout.numbering()) >= 1 + 2 * 2 and len(texts) <= 1


def _is_number(text: str) -> bool:
    return NUMBER.fullmatch(text.strip()) is not None


def _named_label(layout: Layout) -> int | None:
    """The column that is called a label."""
    for i, name in enumerate(layout.names or ()):
        if name.lower() in LABEL_NAMES:
            return i
    return None


def _read(
    path: Path, layout: Layout, label: str | None, known: int | None, notes: Notes
) -> tuple[NDArray[Any], list[str], int]:
    """Pixels of shape (N, D), labels, and the column of these."""
    numbering = layout.numbering()
    where = _asked_label(path, layout, label)
    if where is None:
        where = known
    if where is None:
        where = _found_label(path, layout, numbering)
    labels: list[str] = []
    pixels: list[NDArray[Any]] = []
    for table in _tables(path, layout, {where: str}):
        for text in table[where]:
            if not text.strip():
                raise UserError(f"{path}, line {layout.line(len(labels))} has no label", file=path)
            labels.append(text)
        numbers = table.drop(columns=[where, *(i for i in numbering if i != where)])
        pixels.append(_numbers(path, layout, numbers))
    if not labels:
        raise UserError(f"{path} has no rows", file=path)
    if label is None:
        name = f"{shown(layout.names[where])}, " if layout.names else ""
        place = f"column {name}number {where + 1} of {layout.columns:,}"
        notes.add("found", f"{path.name}: the labels are in {place}")
    if numbering and layout.names:
        names = [shown(layout.names[i]) for i in numbering]
        notes.add("left out", f"{path.name}: columns that number the rows: {examples(names)}")
    return np.concatenate(pixels), labels, where


def _tables(path: Path, layout: Layout, texts: dict[int, type[str]]) -> Iterator[pd.DataFrame]:
    """The rows in blocks, with columns 0, 1, 2, ...; those that are `texts` are read as such.

    The index counts the rows of the file from 0.
    """
    try:
        with (
            warnings.catch_warnings(action="error", category=pd.errors.ParserWarning),
            pd.read_csv(
                path,
                sep=layout.separator,
                header=None,
                skiprows=0 if layout.names is None else 1,
                names=range(layout.columns),
                index_col=False,
                dtype=texts,
                keep_default_na=False,  # a class may be called NA
                skipinitialspace=True,
                encoding="utf-8-sig",
                chunksize=CHUNK,
            ) as tables,
        ):
            yield from tables
    except (OSError, ValueError, pd.errors.ParserWarning) as error:  # pandas' are ValueErrors
        reason = " ".join(str(error).split())
        raise UserError(f"{path} cannot be read as CSV: {shown(reason)}", file=path) from error


def _asked_label(path: Path, layout: Layout, label: str | None) -> int | None:
    """The column that the user names, or that is called a label."""
    if label is None:
        return _named_label(layout)
    if layout.names is not None and label in layout.names:
        return layout.names.index(label)
    if label in {FIRST, LAST}:
        return 0 if label == FIRST else layout.columns - 1
    known = f"columns {examples(layout.names)}" if layout.names else "no header"
    raise UserError(f"{path} has no column {shown(label)}, but {known}; or LABEL=first or last")


def _found_label(path: Path, layout: Layout, numbering: list[int]) -> int:
    """The first or the last column, whichever looks more like labels.

    Raises
    ------
    UserError
        If both do, or neither.
    """
    first, last = 0, layout.columns - 1
    if numbering:
        return last if first in numbering else first
    ends = pd.concat(
        table[[first, last]] for table in _tables(path, layout, {first: str, last: str})
    )
    ranks = _rank(ends[first]), _rank(ends[last])
    if ranks[0] == ranks[1] and len(ends):
        raise UserError(
            f"{path}: either the first or the last column may be that of the labels: say which, "
            "LABEL=first or LABEL=last"
        )
    return last if ranks[1] > ranks[0] else first


def _rank(column: "pd.Series[str]") -> tuple[bool, bool, bool]:
    """How much a column looks like labels, rather than like the pixel in a corner.

    Labels may be texts; but a few texts among numbers are broken pixels. Each of a few classes has
    several samples, and in a corner is mostly background, while no class is as common.
    """
    counts = column.value_counts()
    n = len(column)
    texts = [text for text in counts.index if text.strip() and not _is_number(text)]
    is_text = int(counts[texts].sum()) > n / 2
    is_repeated = 2 <= len(counts) <= min(CLASSES[-1], n / 2)
    return is_text, is_repeated, n > 0 and int(counts.max()) < BACKGROUND * n


def _numbers(path: Path, layout: Layout, table: pd.DataFrame) -> NDArray[Any]:
    """The values of pixels, in the narrowest type."""
    values = table.to_numpy()
    if values.dtype.kind not in "iuf":  # a column holds texts
        values = table.apply(pd.to_numeric, errors="coerce").to_numpy()
    if values.dtype.kind in "iu":
        is_byte = values.size > 0 and values.min() >= 0 and values.max() <= 255
        return values.astype(np.uint8) if is_byte else values
    values = values.astype(np.float64)
    is_number = np.isfinite(values)
    if not is_number.all():
        row, column = map(int, np.argwhere(~is_number)[0])
        raise UserError(
            f"{path}, line {layout.line(int(table.index[row]))}: column "
            f"{int(table.columns[column]) + 1} holds {shown(table.iloc[row, column])}, which is no "
            "pixel; every row must have a label and the same number of pixels",
            file=path,
        )
    return values
