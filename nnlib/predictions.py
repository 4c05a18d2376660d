"""Predictions as a table, a row a sample."""

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nnlib.errors import UserError
from nnlib.functions import Floats, cross_entropy_errors
from nnlib.mnist import CLASSES

PROBABILITIES = [f"p{digit}" for digit in range(CLASSES)]
COLUMNS = ["index", "actual", "predicted", "confidence", "loss", *PROBABILITIES]


def tabulate(y: Floats, t: NDArray[np.integer]) -> pd.DataFrame:
    """Table of predictions, in the order of the samples.

    Parameters
    ----------
    y : ndarray of shape (N, 10)
        Probabilities.
    t : ndarray of int of shape (N,)
        Targets.

    Returns
    -------
    DataFrame with the columns `index`, `actual`, `predicted` (int), `confidence` (probability of
    the predicted digit), `loss` (cross-entropy in nats) and `p0` ... `p9` (float)
    """
    table = pd.DataFrame(
        {
            "index": np.arange(len(t)),
            "actual": t,
            "predicted": y.argmax(axis=1),
            "confidence": y.max(axis=1),
            "loss": cross_entropy_errors(y, t),
        }
    )
    return table.join(pd.DataFrame(y, columns=PROBABILITIES))


def read_predictions(path: str | Path) -> pd.DataFrame:
    """Read a table that `tabulate` made and `nnlib.tables.write_csv` wrote.

    Raises
    ------
    UserError
        If the file is no table of these columns.
    """
    try:
        table = pd.read_csv(path)
    except (OSError, ValueError) as error:  # pandas' errors are ValueErrors
        raise UserError(f"{path}: cannot be read as CSV: {error}") from error
    if list(table.columns) != COLUMNS:
        raise UserError(f"{path}: expected the columns {COLUMNS}, found {list(table.columns)}")
    return table
