"""The course of a training run, read back from its tables."""

import numpy as np
import pandas as pd
import pytest

from nnlib.base.archives import write_arrays
from nnlib.base.errors import UserError
from nnlib.base.tables import write_csv
from nnlib.training.history import (
    Epoch,
    Snapshot,
    read_history,
    read_losses,
    read_snapshots,
    write_history,
    write_snapshots,
)

LOSSES = pd.DataFrame({"iteration": [1, 2, 3], "loss": [2.3, 0.0, 1.5]})
HISTORY = pd.DataFrame(
    {"epoch": [0, 1], "iteration": [0, 600], "loss": [2.3, 0.5]}
    | {"train_accuracy": [0.0, 0.95], "test_accuracy": [0.1, 1.0]}
    | {"saturated": [0.0, 0.3], "update_ratio_W1": [0.0, 0.002], "update_ratio_W2": [0.0, 0.001]}
)


VALIDATED = HISTORY.assign(validation_loss=[2.3, 0.6], validation_accuracy=[0.1, 0.9])


@pytest.mark.parametrize(
    ("read", "table"),
    [
        (read_losses, LOSSES),
        (read_history, HISTORY),
        (read_history, VALIDATED),
        (read_history, HISTORY.assign(epoch=[0, 5])),
    ],
)
def test_what_was_written_is_read(tmp_path, read, table):
    write_csv(tmp_path / "table.csv", table)
    pd.testing.assert_frame_equal(read(tmp_path / "table.csv"), table)


@pytest.mark.parametrize(
    ("read", "column", "value", "rule"),
    [
        (read_losses, "loss", "low", "loss must be a finite number; found loss low"),
        (read_losses, "loss", np.inf, "loss must be a finite number"),
        (read_losses, "loss", -0.1, "loss must be from 0 to inf; found loss -0.1"),
        (read_losses, "iteration", 3, "iteration must count from 1; found iteration 3"),
        (read_history, "epoch", 0, "epoch must ascend from 0; found epoch 0"),
        (read_history, "iteration", -1, "iteration must be from 0 to inf"),
        (read_history, "loss", "", "loss must be a finite number; found loss nan"),
        (read_history, "train_accuracy", 1.1, "train_accuracy must be from 0 to 1"),
        (read_history, "test_accuracy", -0.1, "test_accuracy must be from 0 to 1"),
        (read_history, "saturated", 1.1, "saturated must be from 0 to 1"),
        (read_history, "update_ratio_W1", -0.1, "update_ratio_W1 must be from 0 to inf"),
        (read_history, "update_ratio_W2", np.inf, "update_ratio_W2 must be a finite number"),
    ],
)
def test_a_row_that_is_none_of_it_is_named(tmp_path, read, column, value, rule):
    path = tmp_path / "table.csv"
    table = (LOSSES if read is read_losses else HISTORY).astype(object)
    table.loc[1, column] = value
    table.to_csv(path, index=False)
    with pytest.raises(UserError, match=rf"^.*table\.csv, line 3: {rule}") as caught:
        read(path)
    assert caught.value.file == path


def test_the_history_has_columns_for_a_validation_if_there_was_one(tmp_path):
    for table in (HISTORY, VALIDATED):
        write_history(tmp_path / "history.csv", [Epoch(*row) for row in table.to_numpy().tolist()])
        assert list(read_history(tmp_path / "history.csv")) == list(table)
    VALIDATED.drop(columns="validation_loss").to_csv(tmp_path / "history.csv", index=False)
    with pytest.raises(UserError, match="expected the columns"):
        read_history(tmp_path / "history.csv")
    write_csv(tmp_path / "history.csv", HISTORY.assign(epoch=[1, 2]))
    with pytest.raises(UserError, match="epoch must ascend from 0; found epoch 1"):
        read_history(tmp_path / "history.csv")


def test_true_and_false_are_no_numbers(tmp_path):
    (tmp_path / "table.csv").write_text("iteration,loss\n1,True\n2,False\n")
    with pytest.raises(UserError, match=r"line 2: loss must be a finite number; found loss True$"):
        read_losses(tmp_path / "table.csv")


@pytest.mark.parametrize("text", ["iteration,loss\n1,{}\n", "{},loss\n1,2\n"])
@pytest.mark.parametrize("value", ["9" * 5000, "x" * 5000])
def test_a_long_value_is_cut(tmp_path, text, value):
    path = tmp_path / "table.csv"
    path.write_text(text.format(value))
    with pytest.raises(UserError) as caught:
        read_losses(path)
    assert str(caught.value).startswith(str(path))
    assert len(str(caught.value).removeprefix(str(path))) < 200


VALIDATED = HISTORY.assign(validation_loss=[2.3, 0.6], validation_accuracy=[0.1, 0.9])


@pytest.mark.parametrize(
    ("read", "table"),
    [
        (read_losses, LOSSES),
        (read_history, HISTORY),
        (read_history, VALIDATED),
        (read_history, HISTORY.assign(epoch=[0, 5])),
    ],
)
def test_no_rows_are_too_few(tmp_path, read, table):
    table[:0].to_csv(tmp_path / "table.csv", index=False)
    with pytest.raises(UserError, match=r"table\.csv has no rows$"):
        read(tmp_path / "table.csv")


WEIGHTS = np.arange(24, dtype=np.float32).reshape(2, 4, 3)  # of 2 moments, 4 inputs, 3 units


def test_the_weights_that_were_written_are_read(tmp_path):
    path = tmp_path / "weights.npz"
    write_snapshots(path, [Snapshot(0, WEIGHTS[0]), Snapshot(600, WEIGHTS[1])])
    found = read_snapshots(path, input_size=4)
    assert [snapshot.iteration for snapshot in found] == [0, 600]
    for snapshot, expected in zip(found, WEIGHTS, strict=True):
        assert snapshot.W1.dtype == np.float32
        np.testing.assert_array_equal(snapshot.W1, expected)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"W1": WEIGHTS[0]}, r"W1 has the shape \(4, 3\), not \(2, 4, units\)"),
        ({"W1": WEIGHTS[:1]}, r"W1 has the shape \(1, 4, 3\), not \(2, 4, units\)"),
        ({"W1": WEIGHTS[:, :3]}, r"W1 has the shape \(2, 3, 3\), not \(2, 4, units\)"),
        ({"W1": WEIGHTS[:, :, :0]}, r"W1 has the shape \(2, 4, 0\), not \(2, 4, units\)"),
        ({"W1": np.where(WEIGHTS == 5, np.nan, WEIGHTS)}, "W1 holds a value that is not a finite"),
        ({"W1": WEIGHTS.astype(int)}, "W1 holds a value that is not a finite"),
        ({"iteration": [0.0, 1.0]}, "iteration is not a list of integers"),
        ({"iteration": 0}, "iteration is not a list of integers"),
        ({"iteration": np.empty(0, int)}, "iteration is not a list of integers"),
        ({"iteration": [1, 2]}, "iteration must begin with 0 and ascend"),
        ({"iteration": [0, 0]}, "iteration must begin with 0 and ascend"),
    ],
)
def test_weights_that_do_not_fit_are_refused(tmp_path, changes, problem):
    path = tmp_path / "weights.npz"
    write_arrays(path, {"iteration": [0, 600], "W1": WEIGHTS} | changes)
    with pytest.raises(UserError, match=rf"weights\.npz: {problem}") as caught:
        read_snapshots(path, input_size=4)
    assert caught.value.file == path


def test_a_file_of_other_arrays_is_refused(tmp_path):
    path = tmp_path / "weights.npz"
    write_arrays(path, {"W1": WEIGHTS})
    with pytest.raises(UserError, match=r"weights\.npz lacks iteration$"):
        read_snapshots(path, input_size=4)
    path.write_bytes(b"PK")
    with pytest.raises(UserError, match=r"weights\.npz is not a file of weights by iteration: "):
        read_snapshots(path, input_size=4)
