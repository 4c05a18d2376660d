"""The course of a training run."""

import math
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from nnlib.tables import check_rows, read_numbers


class Epoch(NamedTuple):
    """How the network does on the full sets after some number of updates."""

    epoch: int
    iteration: int  # updates so far
    loss: float  # mean cross-entropy on the training set, in nats
    train_accuracy: float
    test_accuracy: float


def read_losses(path: str | Path) -> pd.DataFrame:
    """Read the loss of each batch.

    Returns
    -------
    DataFrame with the columns `iteration`, from 1 on, and `loss` (nats)

    Raises
    ------
    UserError
        If the file is not such a table, or is empty.
    """
    table = read_numbers(path, ["iteration", "loss"])
    _check_counting(path, table, "iteration", first=1)
    _check_range(path, table, "loss")
    return table


def read_history(path: str | Path) -> pd.DataFrame:
    """Read the measurements before the training and after each epoch.

    Returns
    -------
    DataFrame with the columns of `Epoch`, the epochs from 0 on

    Raises
    ------
    UserError
        If the file is not such a table, or is empty.
    """
    table = read_numbers(path, list(Epoch._fields))
    _check_counting(path, table, "epoch", first=0)
    for column in ("iteration", "loss"):
        _check_range(path, table, column)
    for column in ("train_accuracy", "test_accuracy"):
        _check_range(path, table, column, most=1)
    return table


def _check_counting(path: str | Path, table: pd.DataFrame, column: str, first: int) -> None:
    holds = table[column] == np.arange(first, first + len(table))
    check_rows(path, table, holds, f"{column} must count from {first}", [column])


def _check_range(
    path: str | Path, table: pd.DataFrame, column: str, most: float = math.inf
) -> None:
    rule = f"{column} must be from 0 to {most}"
    check_rows(path, table, table[column].between(0, most), rule, [column])
