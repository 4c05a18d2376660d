"""The course of a training run."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from nnlib.base.archives import read_arrays, write_arrays
from nnlib.base.arrays import Floats
from nnlib.base.errors import UserError
from nnlib.base.tables import check_rows, read_numbers, write_csv


class Epoch(NamedTuple):
    """How the network does on the full sets after some number of updates."""

    epoch: int
    iteration: int  # updates so far
    loss: float  # mean cross-entropy on the training set, in nats
    train_accuracy: float
    test_accuracy: float
    saturated: float  # share of the activations on the training set, as evaluation.Evaluation says
    update_ratio_W1: float  # norm of the last update over that of the weights; 0 before the first
    update_ratio_W2: float
    # on the training samples that are held out, if there are any
    validation_loss: float | None = None
    validation_accuracy: float | None = None


VALIDATION = ["validation_loss", "validation_accuracy"]
COLUMNS = [column for column in Epoch._fields if column not in VALIDATION]


class Snapshot(NamedTuple):
    """The weights of a few hidden units after some number of updates."""

    iteration: int
    W1: Floats  # (D, units)


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
    """Read the measurements before the training and after its epochs.

    Returns
    -------
    DataFrame with the columns of `Epoch`, but those of the validation only if there was one; the
    epochs ascend from 0

    Raises
    ------
    UserError
        If the file is not such a table, or is empty.
    """
    table = read_numbers(path, COLUMNS, optional=VALIDATION)
    rises = np.diff(table["epoch"], prepend=-1) > 0
    rises[0] = table["epoch"].iloc[0] == 0
    check_rows(path, table, rises, "epoch must ascend from 0", ["epoch"])
    shares = {"train_accuracy", "test_accuracy", "saturated", "validation_accuracy"}
    for column in table.columns.drop("epoch"):
        _check_range(path, table, column, most=1 if column in shares else math.inf)
    return table


def write_history(path: str | Path, history: Sequence[Epoch]) -> None:
    """Write the measurements, at least one, with the columns that `read_history` reads."""
    write_csv(path, pd.DataFrame(history).dropna(axis="columns"))


def write_snapshots(path: str | Path, snapshots: Sequence[Snapshot]) -> None:
    """Write the weights of S moments, at least one, to an uncompressed `.npz` file.

    The file holds `iteration` (S,) and `W1` (S, D, units).
    """
    arrays = {
        "iteration": [snapshot.iteration for snapshot in snapshots],
        "W1": [snapshot.W1 for snapshot in snapshots],
    }
    write_arrays(path, {key: np.array(values) for key, values in arrays.items()})


def read_snapshots(path: str | Path, input_size: int) -> list[Snapshot]:
    """Read what `write_snapshots` wrote.

    Parameters
    ----------
    path : str or Path
    input_size : int
        D that the weights must be of.

    Raises
    ------
    UserError
        If the file is not an `.npz` of both arrays, in matching shapes and finite numbers, or if
        the iterations do not begin with 0 and ascend.
    """
    arrays = read_arrays(path, ("iteration", "W1"), "a file of weights by iteration")
    iteration, W1 = arrays["iteration"], arrays["W1"]
    if iteration.ndim != 1 or iteration.dtype.kind not in "iu" or not len(iteration):
        raise UserError(f"{path}: iteration is not a list of integers", file=path)
    if iteration[0] != 0 or np.any(iteration[1:] <= iteration[:-1]):
        raise UserError(f"{path}: iteration must begin with 0 and ascend", file=path)
    if W1.ndim != 3 or W1.shape[:2] != (len(iteration), input_size) or W1.shape[2] == 0:
        expected = f"({len(iteration)}, {input_size}, units)"
        raise UserError(f"{path}: W1 has the shape {W1.shape}, not {expected}", file=path)
    if not np.issubdtype(W1.dtype, np.floating) or not np.isfinite(W1).all():
        raise UserError(f"{path}: W1 holds a value that is not a finite number", file=path)
    return [Snapshot(int(each), weights) for each, weights in zip(iteration, W1, strict=True)]


def _check_counting(path: str | Path, table: pd.DataFrame, column: str, first: int) -> None:
    holds = table[column] == np.arange(first, first + len(table))
    check_rows(path, table, holds, f"{column} must count from {first}", [column])


def _check_range(
    path: str | Path, table: pd.DataFrame, column: str, most: float = math.inf
) -> None:
    rule = f"{column} must be from 0 to {most}"
    check_rows(path, table, table[column].between(0, most), rule, [column])
