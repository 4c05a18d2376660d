"""Tables of numbers as CSV files."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from nnlib.base.errors import UserError, shown
from nnlib.base.files import whole_file

CHUNK = 10_000  # rows that are read at once
# What a cell of text begins with that a spreadsheet takes for a formula and runs:
# https://owasp.org/www-community/attacks/CSV_Injection
FORMULA = (*"=+-@\t\r", *"\uff1d\uff0b\uff0d\uff20")  # the last four are wide ones


def write_csv(path: str | Path, table: pd.DataFrame) -> None:
    """Write a table of numbers without its index, with the same bytes on every system.

    Floating-point numbers get six significant digits, of the seven that float32 holds.
    """
    write_csv_blocks(path, [table])


def write_mixed_csv(path: str | Path, table: pd.DataFrame) -> None:
    """Write a table of texts and numbers, the numbers as `write_csv` writes them."""
    with whole_file(path) as part:
        table.to_csv(part, index=False, float_format="%.6g", lineterminator="\n")


def write_report_csv(path: str | Path, table: pd.DataFrame) -> None:
    """Write a table as `write_mixed_csv` does, for people to open it, perhaps in a spreadsheet.

    A text that a spreadsheet would run as a formula gets an apostrophe before it, in the names of
    the columns too. So all that reads such a file finds it; a text that is a number has none.
    """
    columns = [no_formula(name) for name in table.columns]
    write_mixed_csv(path, table.map(no_formula).set_axis(columns, axis="columns"))


def no_formula(value: object) -> object:
    """What a cell holds, so that no spreadsheet runs it."""
    if not isinstance(value, str) or not value.startswith(FORMULA):
        return value
    try:
        float(value)
    except ValueError:
        return f"'{value}"
    return value


def write_csv_blocks(path: str | Path, tables: Iterable[pd.DataFrame]) -> None:
    """Write a table block by block, as `write_csv` writes it whole."""
    with whole_file(path) as part, part.open("w", encoding="utf-8", newline="") as file:
        for i, table in enumerate(tables):
            header = "" if i else ",".join(map(str, table.columns))
            formats = ["%d" if dtype.kind in "iu" else "%.6g" for dtype in table.dtypes]
            numbers = table.to_numpy(np.float64)
            # pandas' to_csv takes more than twice as long
            np.savetxt(file, numbers, formats, delimiter=",", header=header, comments="")


def read_csv(path: str | Path, columns: list[str], optional: Sequence[str] = ()) -> pd.DataFrame:
    """Read a table that `write_csv` wrote, with or without the optional columns after the others.

    Raises
    ------
    UserError
        If the file cannot be read as CSV, or has other columns.
    """
    return pd.concat(read_csv_blocks(path, columns, optional))


def read_numbers(
    path: str | Path, columns: list[str], optional: Sequence[str] = ()
) -> pd.DataFrame:
    """Read a table, as `read_csv` does, of at least one row and of finite numbers.

    Raises
    ------
    UserError
        As for `read_csv`, or for the first row that holds anything else.
    """
    table = read_csv(path, columns, optional)
    if table.empty:
        raise UserError(f"{path} has no rows", file=path)
    numbers_in(path, table)
    return table


def numbers_in(path: str | Path, table: pd.DataFrame) -> NDArray[np.float64]:
    """The values of a table that was read from a file, of shape (rows, columns).

    Raises
    ------
    UserError
        For the first row in which one is not a finite number.
    """
    values = table.apply(pd.to_numeric, errors="coerce").to_numpy(float)
    for column, numbers in zip(table.columns, values.T, strict=True):
        rule = f"{column} must be a finite number"
        # pandas reads a column of nothing but True and False as numbers 1 and 0
        holds = np.isfinite(numbers) & (table[column].dtype != bool)
        check_rows(path, table, holds, rule, [column])
    return values


def check_rows(
    path: str | Path, table: pd.DataFrame, holds: ArrayLike, rule: str, columns: list[str]
) -> None:
    """Raise a UserError for the first row of a table, read from a file, that breaks a rule.

    Parameters
    ----------
    path : str or Path
    table : DataFrame
        Its index counts the rows of the file from 0.
    holds : array_like of bool of shape (rows,)
        Which rows satisfy the rule.
    rule : str
    columns : list of str
        The columns whose values the message gives.
    """
    holds = np.asarray(holds)
    if not holds.all():
        row = int(np.argmin(holds))
        found = ", ".join(f"{column} {shown(table[column].iloc[row])}" for column in columns)
        line = int(table.index[row]) + 2  # lines count from 1, and the first holds the names
        raise UserError(f"{path}, line {line}: {rule}; found {found}", file=path)


def read_csv_blocks(
    path: str | Path, columns: list[str], optional: Sequence[str] = ()
) -> Iterator[pd.DataFrame]:
    """Read a table, as `read_csv` does, `CHUNK` rows at a time.

    Yields
    ------
    DataFrame, whose index counts the rows of the whole table from 0

    Raises
    ------
    UserError
        As for `read_csv`.
    """
    try:
        with pd.read_csv(path, chunksize=CHUNK) as tables:
            count = 0
            for table in tables:
                if list(table.columns) not in (columns, [*columns, *optional]):
                    raise UserError(
                        f"{path}: expected the columns {', '.join(columns)}; "
                        f"found {shown(', '.join(table.columns))}",
                        file=path,
                    )
                # where rows have more values than there are names, pandas takes the first as index
                if not table.index.equals(pd.RangeIndex(count, count + len(table))):
                    raise UserError(
                        f"{path}: rows of more than {len(table.columns)} values", file=path
                    )
                yield table
                count += len(table)
    except (OSError, ValueError) as error:  # pandas' errors are ValueErrors
        reason = " ".join(str(error).split())
        raise UserError(f"{path} cannot be read as CSV: {reason}", file=path) from error
