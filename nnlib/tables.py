"""Tables as CSV files."""

from pathlib import Path

import pandas as pd


def write_csv(path: str | Path, table: pd.DataFrame) -> None:
    """Write a table without its index, on every system the same bytes.

    Floating-point numbers get six significant digits, of the seven that float32 holds.
    """
    table.to_csv(path, index=False, float_format="%.6g", lineterminator="\n")
