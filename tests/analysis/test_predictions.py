"""Predictions, checked, written and read."""

import re

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, log_loss

from nnlib.analysis.predictions import (
    Predictions,
    read_prediction_blocks,
    read_predictions,
    read_repeats,
    write_predictions,
)
from nnlib.base import tables
from nnlib.base.archives import write_array
from nnlib.base.blocks import BLOCK
from nnlib.base.errors import UserError
from nnlib.base.tables import write_csv
from nnlib.network.evaluation import predict
from nnlib.network.functions import softmax
from nnlib.network.two_layer_net import TwoLayerNet


@pytest.fixture
def probabilities():
    return softmax(np.random.default_rng(0).standard_normal((50, 10)).astype(np.float32))


@pytest.fixture
def targets():
    return np.random.default_rng(1).integers(10, size=50, dtype=np.uint8)


@pytest.fixture
def predictions(probabilities, targets):
    return Predictions.of(probabilities, targets)


@pytest.fixture
def table(predictions):
    return predictions.table()


def test_a_row_worked_by_hand():
    y = np.array([[0.0, 0.25, 0.5, 0, 0, 0, 0, 0, 0.25, 0.0]])
    table = Predictions.of(y, np.array([8])).table()
    row = table.iloc[0].to_dict()
    assert row["index"] == 0
    assert row["actual"] == 8
    assert row["predicted"] == 2
    assert row["confidence"] == 0.5
    assert row["loss"] == pytest.approx(np.log(4))
    assert [row[f"p{digit}"] for digit in range(10)] == y[0].tolist()


def test_the_columns(table):
    columns = "index actual predicted confidence loss p0 p1 p2 p3 p4 p5 p6 p7 p8 p9"
    assert list(table.columns) == columns.split()


def test_the_rows_of_a_table_are_those_asked_for(predictions, table):
    for rows in (slice(7, 20), [45, 3], np.array([8])):
        expected = table.iloc[rows].reset_index(drop=True)
        pd.testing.assert_frame_equal(predictions.table(rows), expected)
        some = predictions[rows].table().drop(columns="index")
        pd.testing.assert_frame_equal(some, expected.drop(columns="index"))


def test_loss_and_accuracy_are_scikit_learns(predictions, probabilities, targets):
    y = probabilities.astype(float)
    expected = log_loss(targets, y / y.sum(axis=1, keepdims=True), labels=range(10))
    assert predictions.mean_loss == pytest.approx(expected, rel=1e-6)
    assert predictions.accuracy == accuracy_score(targets, probabilities.argmax(axis=1))


def test_what_is_written_is_read_to_six_digits(tmp_path, predictions, table, targets):
    write_predictions(tmp_path / "test.csv", predictions)
    read = read_predictions(tmp_path / "test.csv", targets, 10).table()
    pd.testing.assert_frame_equal(read, table, check_dtype=False, rtol=1e-5)
    assert read[["index", "actual", "predicted"]].equals(
        table[["index", "actual", "predicted"]].astype(np.int64)
    )


def test_blocks_are_those_of_the_whole(tmp_path):
    rng = np.random.default_rng(0)
    N = tables.CHUNK + BLOCK + 1
    y, t = softmax(rng.standard_normal((N, 10))), rng.integers(10, size=N)
    predictions = Predictions.of(y, t)
    write_predictions(tmp_path / "blocks.csv", predictions)
    write_csv(tmp_path / "whole.csv", predictions.table())
    assert (tmp_path / "blocks.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()
    read = list(read_prediction_blocks(tmp_path / "blocks.csv", t, 10))
    assert [len(block) for block in read] == [tables.CHUNK, BLOCK + 1]
    whole = read_predictions(tmp_path / "whole.csv", t, 10)
    for name in ("y", "t", "predicted", "loss"):
        parts = np.concatenate([getattr(block, name) for block in read])
        np.testing.assert_array_equal(getattr(whole, name), parts)


@pytest.mark.parametrize("gap", [0.0, 17.3, 80.2, 99.9, 101.7, 102.5, 104, 1e4, 1e30])
def test_any_loss_of_a_float32_network_is_read(tmp_path, gap):
    logits = np.zeros((2, 10), np.float32)
    logits[1, 3] = gap
    t = np.array([0, 1], np.uint8)
    write_predictions(tmp_path / "test.csv", Predictions.of_logits(logits, t))
    read = read_predictions(tmp_path / "test.csv", t, 10)
    np.testing.assert_allclose(read.loss, [np.log(10), np.logaddexp(np.log(9), gap)], rtol=1e-5)


def test_a_loss_below_that_of_a_probability_that_rounds_to_0_is_refused(tmp_path):
    path = tmp_path / "test.csv"
    write_predictions(path, Predictions.of_logits(np.array([[0, 200]], np.float32), [0]))
    path.write_text(path.read_text().replace("200", "80"))
    with pytest.raises(UserError, match="the loss must be -ln of the probability"):
        read_predictions(path, [0], 2)


def test_whole_numbers_are_read_as_such_however_they_are_written(tmp_path, table, targets):
    table.astype({"index": float, "predicted": float}).to_csv(tmp_path / "test.csv", index=False)
    read = read_predictions(tmp_path / "test.csv", targets, 10)
    assert read.predicted.tolist() == table["predicted"].tolist()
    assert read.predicted.dtype == np.intp


@pytest.mark.parametrize("content", [None, "", "index,actual\n0,1\n", "\x00\x01"])
def test_what_is_no_table_of_predictions_is_refused(tmp_path, content, targets):
    path = tmp_path / "test.csv"
    if content is not None:
        path.write_text(content)
    with pytest.raises(UserError, match=r"test\.csv") as caught:
        read_predictions(path, targets, 10)
    assert caught.value.file == path


@pytest.mark.parametrize(
    ("column", "value", "rule"),
    [
        ("p3", "", "p3 must be a finite number; found p3 nan"),
        ("p3", "ink", "p3 must be a finite number; found p3 ink"),
        ("loss", "inf", "loss must be a finite number"),
        ("index", "10000", "count the samples from 0"),
        ("index", "6.5", "count the samples from 0"),
        ("actual", "10", "label of the sample"),
        ("predicted", "10", "a class from 0 to 9"),
        ("predicted", "-1", "a class from 0 to 9"),
        ("predicted", "2.5", "a class from 0 to 9"),
        ("p0", "-0.01", "probabilities must not be negative"),
        ("p0", "0.9", "sum to 1"),
        ("confidence", "0.123", "highest probability"),
        ("loss", "0.01", "-ln of the probability"),
        ("predicted", "1", "highest probability"),  # in row 7 it is not
    ],
)
def test_a_row_that_is_no_prediction_is_refused(tmp_path, predictions, column, value, rule):
    table = predictions.table().astype(object)
    assert table.loc[7, "predicted"] != 1
    table.loc[7, column] = value
    table.to_csv(tmp_path / "test.csv", index=False)
    with pytest.raises(UserError) as refusal:
        read_predictions(tmp_path / "test.csv", predictions.t, 10)
    assert str(refusal.value).startswith(f"{tmp_path / 'test.csv'}, line 9: ")
    assert rule in str(refusal.value)


def test_rows_with_more_values_than_columns_are_refused(tmp_path, table, targets):
    rows = table.to_csv(index=False, header=False).splitlines()
    text = "\n".join([",".join(table.columns), *(f"x,{row}" for row in rows)])
    (tmp_path / "test.csv").write_text(text)
    with pytest.raises(UserError, match=r"test\.csv: rows of more than 15 values"):
        read_predictions(tmp_path / "test.csv", targets, 10)


@pytest.mark.parametrize("n", [49, 51])
def test_predictions_of_another_number_of_samples_are_refused(tmp_path, predictions, targets, n):
    write_predictions(tmp_path / "test.csv", predictions)
    with pytest.raises(UserError, match=rf"test\.csv: 50 predictions of {n} samples"):
        read_predictions(tmp_path / "test.csv", np.resize(targets, n), 10)


def test_prediction_in_blocks_is_prediction_at_once():
    rng = np.random.default_rng(0)
    network = TwoLayerNet(5, 4, 10, rng=rng)
    x = rng.random((BLOCK + 3, 5))
    np.testing.assert_allclose(predict(network, x), network.predict(x), rtol=1e-12)


PREDICTED = np.array([[0, 1, 1, 2, 2], [0, 0, 1, 2, 2], [1, 1, 2, 0, 1]], np.uint8)


def save_archive(path):
    with path.open("wb") as file:
        np.savez(file, PREDICTED)


@pytest.fixture
def repeats(tmp_path):
    write_array(tmp_path / "predictions.npy", PREDICTED)
    return tmp_path / "predictions.npy"


def test_the_predictions_of_repeats_are_read(repeats):
    found = read_repeats(repeats, 3, 5, 3)
    assert found.dtype == np.uint8
    assert np.array_equal(found, PREDICTED)


def test_no_repeats_are_none(repeats):
    write_array(repeats, PREDICTED[:0])
    assert read_repeats(repeats, 0, 5, 3).shape == (0, 5)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda path: np.save(path, PREDICTED[:, 1:]), r"expected uint8 of shape \(3, 5\)"),
        (lambda path: np.save(path, PREDICTED[:1]), r"expected .*\(3, 5\); found .*\(1, 5\)"),
        (lambda path: np.save(path, PREDICTED[[0, 1, 2, 2]]), r"found uint8 of shape \(4, 5\)"),
        (lambda path: np.save(path, PREDICTED[0]), r"found uint8 of shape \(5,\)"),
        (lambda path: np.save(path, PREDICTED.astype(int)), "found int64"),
        (lambda path: np.save(path, PREDICTED + np.uint8(1)), "sample 3 in row 0 is 3, but the"),
        (save_archive, "cannot be read"),
        (lambda path: path.write_bytes(path.read_bytes()[:-1]), "cannot be read"),
        (lambda path: path.write_bytes(b""), "cannot be read"),
        (lambda path: path.write_text("seed,actual\n1,2\n"), "cannot be read"),
        (lambda path: path.unlink(), "cannot be read"),
    ],
)
def test_what_are_no_repeats_of_these_samples_is_refused(repeats, change, says):
    change(repeats)
    with pytest.raises(UserError, match=f"{re.escape(str(repeats))}.*{says}") as caught:
        read_repeats(repeats, 3, 5, 3)
    assert "\n" not in str(caught.value)
    assert caught.value.file == repeats
