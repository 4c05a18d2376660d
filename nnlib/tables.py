"""Tables as CSV files."""

from pathlib import Path

import pandas as pd

from nnlib.errors import ANEW, UserError
from nnlib.files import whole_file


def write_csv(path: str | Path, table: pd.DataFrame) -> None:
    """Write a table without its index, on every system the same bytes.

    Floating-point numbers get six significant digits, of the seven that float32 holds.
    """
    with whole_file(path) as part:
        table.to_csv(part, index=False, float_format="%.6g", lineterminator="\n")


def read_csv(path: str | Path, columns: list[str]) -> pd.DataFrame:
    """Read a table that `write_csv` wrote.

    Raises
    ------
    UserError
        If the file cannot be read as CSV, or has other columns.
    """
    try:
        table = pd.read_csv(path)
    except (OSError, ValueError) as error:  # pandas' errors are ValueErrors
        reason = " ".join(str(error).split())
        raise UserError(f"{path} cannot be read as CSV: {reason}; {ANEW}") from error
    if list(table.columns) != columns:
        raise UserError(
            f"{path}: expected the columns {columns}, found {list(table.columns)}; {ANEW}"
        )
    return table
