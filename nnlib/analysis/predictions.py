"""Predictions of samples whose classes are known: checked once, when they are made or read."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from nnlib.base.arrays import Floats
from nnlib.base.blocks import blocks
from nnlib.base.checks import as_indices, as_probabilities, as_targets, check_not_empty
from nnlib.base.errors import UserError
from nnlib.base.files import BROKEN_ARRAYS
from nnlib.base.tables import check_rows, numbers_in, read_csv_blocks, write_csv_blocks
from nnlib.network.functions import softmax_with_losses, surprisal

OF_SAMPLE = ["index", "actual", "predicted", "confidence", "loss"]


def of_classes(classes: int) -> list[str]:
    """Names of the columns that hold the probabilities of C classes: `p0` ... `p{C - 1}`."""
    return [f"p{label}" for label in range(classes)]


@dataclass(frozen=True, eq=False)
class Predictions:
    """What a network predicts for N samples of C classes.

    `Predictions.of` and `of_logits` make them of any arrays and check these; `read_predictions`
    checks the file. So functions that take predictions need not check them again.
    """

    y: Floats  # (N, C), probabilities
    t: NDArray[np.intp]  # (N,), the actual classes
    predicted: NDArray[np.intp]  # (N,), the most probable classes
    loss: Floats  # (N,), cross-entropy in nats

    @classmethod
    def of(cls, y: ArrayLike, t: ArrayLike) -> "Predictions":
        """Predictions of at least one sample.

        Parameters
        ----------
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
        return cls(y, t, y.argmax(axis=1), surprisal(y[np.arange(len(t)), t]))

    @classmethod
    def of_logits(cls, a2: ArrayLike, t: ArrayLike) -> "Predictions":
        """As `of`, from logits of shape (N, C): their losses are right for any probabilities."""
        y, losses = softmax_with_losses(a2, t)
        return replace(cls.of(y, t), loss=losses)

    def __len__(self) -> int:
        """N."""
        return len(self.t)

    def __getitem__(self, rows: slice | NDArray[np.intp] | NDArray[np.bool_]) -> "Predictions":
        """Those of some of the samples, which may be none."""
        return Predictions(self.y[rows], self.t[rows], self.predicted[rows], self.loss[rows])

    @property
    def classes(self) -> int:
        """C."""
        return self.y.shape[1]

    @cached_property
    def confidence(self) -> Floats:
        """Probability of each predicted class, (N,)."""
        return self.y.max(axis=1)

    @cached_property
    def of_actual(self) -> Floats:
        """Probability of each actual class, (N,)."""
        return self.y[np.arange(len(self)), self.t]

    @cached_property
    def right(self) -> NDArray[np.bool_]:
        """Which predicted classes are the actual ones, (N,)."""
        return self.predicted == self.t

    @property
    def accuracy(self) -> float:
        """Share of the samples whose predicted class is the actual one."""
        return float(self.right.mean())

    @property
    def mean_loss(self) -> float:
        """Mean cross-entropy in nats."""
        return float(self.loss.mean(dtype=np.float64))

    def table(self, rows: slice | Sequence[int] | NDArray[np.intp] = slice(None)) -> pd.DataFrame:
        """Some of the samples as a table, all if left out.

        Parameters
        ----------
        rows : slice, or list or ndarray of int of shape (n,), optional

        Returns
        -------
        DataFrame with the columns `index`, `actual`, `predicted` (int), `confidence` (probability
        of the predicted class), `loss` (cross-entropy in nats) and `p0` ... `p{C - 1}` (float)
        """
        columns = {
            "index": np.arange(len(self)),
            "actual": self.t,
            "predicted": self.predicted,
            "confidence": self.confidence,
            "loss": self.loss,
        }
        of_samples = pd.DataFrame({name: values[rows] for name, values in columns.items()})
        return of_samples.join(pd.DataFrame(self.y[rows], columns=of_classes(self.classes)))


def probabilities(table: pd.DataFrame) -> Floats:
    """The probabilities in rows of a table of predictions, of shape (n, C)."""
    return table.iloc[:, len(OF_SAMPLE) :].to_numpy()


def write_predictions(path: str | Path, predictions: Predictions) -> None:
    """Write the table of predictions, without ever holding it whole."""
    write_csv_blocks(path, (predictions.table(rows) for rows in blocks(len(predictions))))


def read_predictions(path: str | Path, labels: ArrayLike, classes: int) -> Predictions:
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
    Predictions, to the six digits that each number is written with

    Raises
    ------
    UserError
        If the file is not a table of these columns, has a row that is not a prediction, or is about
        different samples.
    TypeError, ValueError
        If a label is no class.
    """
    parts = [
        (block.y, block.t, block.predicted, block.loss)
        for block in read_prediction_blocks(path, labels, classes)
    ]
    return Predictions(*map(np.concatenate, zip(*parts, strict=True)))


def read_prediction_blocks(
    path: str | Path, labels: ArrayLike, classes: int
) -> Iterator[Predictions]:
    """Read a table that `write_predictions` wrote, a block of rows at a time.

    Parameters and errors: as for `read_predictions`.
    """
    labels = as_indices(labels, classes, "labels")
    count = 0
    for table in read_csv_blocks(path, [*OF_SAMPLE, *of_classes(classes)]):
        rows = slice(count, count + len(table))
        count = rows.stop
        if count <= len(labels):
            yield _checked(path, table, labels[rows])
    if count != len(labels):
        raise UserError(f"{path}: {count} predictions of {len(labels)} samples", file=path)


def _checked(path: str | Path, table: pd.DataFrame, labels: NDArray[np.intp]) -> Predictions:
    """The predictions of a block; a UserError for the first row that is not one of its sample."""
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
    rows, predicted = np.arange(len(y)), predicted.astype(np.intp)
    of_predicted = y[rows, predicted]
    demand(
        (confidence == y.max(axis=1)) & (confidence == of_predicted),
        "confidence must be the highest probability, and predicted its class",
        ["predicted", "confidence", *probability_columns],
    )
    # Below the normal numbers of float32 a probability loses its digits, and in the end is 0.
    tiny = np.finfo(np.float32).tiny
    expected = surprisal(np.maximum(y[rows, labels], tiny))
    demand(
        np.isclose(loss, expected, rtol=1e-5, atol=1e-5)
        | ((y[rows, labels] < tiny) & (loss > expected)),
        "the loss must be -ln of the probability of the actual class",
        ["actual", "loss", *probability_columns],
    )
    return Predictions(y, labels, predicted, loss)


def read_repeats(path: str | Path, seeds: int, samples: int, classes: int) -> NDArray[np.uint8]:
    """Read what networks trained with other seeds predict, one row each.

    Parameters
    ----------
    path : str or Path
    seeds : int
        S.
    samples : int
        N, those that they were tested on.
    classes : int

    Returns
    -------
    ndarray of uint8 of shape (S, N)

    Raises
    ------
    UserError
        If the file is missing or broken, holds another kind of array, or one about other seeds or
        samples, or a prediction that is not one of the classes.
    """
    try:
        with Path(path).open("rb") as file:
            predicted = np.lib.format.read_array(file, allow_pickle=False)
    except BROKEN_ARRAYS as error:
        reason = " ".join(str(error).split())
        raise UserError(f"{path} cannot be read: {reason}", file=path) from error
    if predicted.dtype != np.uint8 or predicted.shape != (seeds, samples):
        raise UserError(
            f"{path}: expected uint8 of shape ({seeds}, {samples}); "
            f"found {predicted.dtype} of shape {predicted.shape}",
            file=path,
        )
    if predicted.max(initial=0) >= classes:
        seed, sample = np.argwhere(predicted >= classes)[0]
        raise UserError(
            f"{path}: the prediction of sample {sample} in row {seed} is "
            f"{predicted[seed, sample]}, but the classes are 0 to {classes - 1}",
            file=path,
        )
    return predicted
