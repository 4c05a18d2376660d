"""Predictions as a table, one row per sample."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from nnlib.base.blocks import blocks
from nnlib.base.checks import as_indices, as_probabilities, as_targets, check_not_empty
from nnlib.base.errors import UserError
from nnlib.base.tables import check_rows, numbers_in, read_csv_blocks, write_csv_blocks
from nnlib.network.functions import cross_entropy_errors

OF_SAMPLE = ["index", "actual", "predicted", "confidence", "loss"]


def of_classes(classes: int) -> list[str]:
    """Names of the columns that hold the probabilities of C classes: `p0` ... `p{C - 1}`."""
    return [f"p{label}" for label in range(classes)]


def tabulate(y: ArrayLike, t: ArrayLike, start: int = 0) -> pd.DataFrame:
    """Table of predictions, in the order of the samples.

    Parameters
    ----------
    y : array_like of shape (N, C)
        Probabilities.
    t : array_like of int of shape (N,), or one-hot of shape (N, C)
        Targets.
    start : int
        Index of the first sample.

    Returns
    -------
    DataFrame with the columns `index`, `actual`, `predicted` (int), `confidence` (probability of
    the predicted class), `loss` (cross-entropy in nats) and `p0` ... `p{C - 1}` (float)

    Raises
    ------
    TypeError, ValueError
        If `y` are not probabilities, or `t` not their targets.
    """
    y = as_probabilities(y)
    t = as_targets(t, y.shape)
    table = pd.DataFrame(
        {
            "index": np.arange(start, start + len(t)),
            "actual": t,
            "predicted": y.argmax(axis=1),
            "confidence": y.max(axis=1),
            "loss": cross_entropy_errors(y, t),
        }
    )
    return table.join(pd.DataFrame(y, columns=of_classes(y.shape[1])))


def probabilities(table: pd.DataFrame) -> NDArray[np.float64]:
    """The probabilities in a table of predictions, of shape (N, C)."""
    y = as_probabilities(table.iloc[:, len(OF_SAMPLE) :], "table")
    return y.astype(np.float64, copy=False)


def is_right(table: pd.DataFrame) -> "pd.Series[bool]":
    """Which predictions of a table are right, of shape (N,)."""
    for column in ("actual", "predicted"):
        as_indices(table[column], table.shape[1] - len(OF_SAMPLE), f"table.{column}")
    return table["actual"] == table["predicted"]


def check_same_samples(**tables: pd.DataFrame) -> None:
    """Raise a ValueError if two tables, by the names of their arguments, are about other samples.

    They are about the same if they have the same columns and, in the same order, the same actual
    classes.
    """
    one, other = tables.values()
    if list(one.columns) != list(other.columns) or not np.array_equal(
        one["actual"], other["actual"]
    ):
        raise ValueError(f"{' and '.join(tables)} are about different samples")


def write_predictions(path: str | Path, y: ArrayLike, t: ArrayLike) -> None:
    """Write the table of `tabulate`, without ever holding it whole.

    Parameters
    ----------
    path : str or Path
    y : array_like of shape (N, C)
        Probabilities.
    t : array_like of int of shape (N,), or one-hot of shape (N, C)
        Targets.

    Raises
    ------
    TypeError, ValueError
        If `y` are not probabilities, `t` not their targets, or there are none.
    """
    y = as_probabilities(y)
    t = as_targets(t, y.shape)
    check_not_empty(y, "y")
    write_csv_blocks(path, (tabulate(y[rows], t[rows], rows.start) for rows in blocks(len(t))))


def read_predictions(path: str | Path, labels: ArrayLike, classes: int) -> pd.DataFrame:
    """Read a table that `write_predictions` wrote.

    Parameters
    ----------
    path : str or Path
    labels : array_like of int of shape (N,), in 0 ... C - 1
        Labels of the samples that were predicted.
    classes : int
        C.

    Returns
    -------
    DataFrame with the columns of `tabulate`

    Raises
    ------
    UserError
        If the file is not a table of these columns, has a row that is not a prediction, or is about
        different samples.
    TypeError, ValueError
        If a label is no class.
    """
    return pd.concat(read_prediction_blocks(path, labels, classes))


def read_prediction_blocks(
    path: str | Path, labels: ArrayLike, classes: int
) -> Iterator[pd.DataFrame]:
    """Read a table that `write_predictions` wrote, a block of rows at a time.

    Parameters and errors: as for `read_predictions`.

    Yields
    ------
    DataFrame with the columns of `tabulate`, whose index counts the samples from 0
    """
    labels = as_indices(labels, classes, "labels")
    count = 0
    for table in read_csv_blocks(path, [*OF_SAMPLE, *of_classes(classes)]):
        rows = slice(count, count + len(table))
        count = rows.stop
        if count <= len(labels):
            _check(path, table, labels[rows])
            yield table.astype(dict.fromkeys(("index", "actual", "predicted"), np.int64))
    if count != len(labels):
        raise UserError(f"{path}: {count} predictions of {len(labels)} samples", file=path)


def _check(path: str | Path, table: pd.DataFrame, labels: NDArray[np.integer]) -> None:
    """Raise a UserError for the first row of a block that is not a prediction of its sample."""
    demand = partial(check_rows, path, table)
    values = numbers_in(path, table)
    index, actual, predicted, confidence, loss = values[:, : len(OF_SAMPLE)].T
    y = values[:, len(OF_SAMPLE) :]
    classes = y.shape[1]
    probability_columns = of_classes(classes)
    demand(index == table.index, "the index must count the samples from 0", ["index"])
    demand(actual == labels, "actual must be the label of the sample", ["actual"])
    demand(
        np.isin(predicted, range(classes)),
        f"predicted must be a class from 0 to {classes - 1}",
        ["predicted"],
    )
    demand((y >= 0).all(axis=1), "probabilities must not be negative", probability_columns)
    # to within the six significant digits that each is written with
    demand(np.abs(y.sum(axis=1) - 1) < 1e-5, "the probabilities must sum to 1", probability_columns)
    of_predicted = y[np.arange(len(y)), predicted.astype(int)]
    demand(
        (confidence == y.max(axis=1)) & (confidence == of_predicted),
        "confidence must be the highest probability, and predicted its class",
        ["predicted", "confidence", *probability_columns],
    )
    demand(
        np.isclose(loss, cross_entropy_errors(y, labels), rtol=1e-5, atol=1e-5),
        "the loss must be -ln of the probability of the actual class",
        ["actual", "loss", *probability_columns],
    )
