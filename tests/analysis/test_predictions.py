"""The table of predictions, written and read."""

import numpy as np
import pandas as pd
import pytest

from nnlib.analysis.predictions import (
    read_prediction_blocks,
    read_predictions,
    tabulate,
    write_predictions,
)
from nnlib.base import tables
from nnlib.base.blocks import BLOCK
from nnlib.base.errors import UserError
from nnlib.base.tables import write_csv
from nnlib.network.evaluation import predict, score
from nnlib.network.functions import cross_entropy_error, softmax
from nnlib.network.two_layer_net import TwoLayerNet


@pytest.fixture
def probabilities():
    return softmax(np.random.default_rng(0).standard_normal((50, 10)).astype(np.float32))


@pytest.fixture
def targets():
    return np.random.default_rng(1).integers(10, size=50, dtype=np.uint8)


@pytest.fixture
def predictions(probabilities, targets):
    return tabulate(probabilities, targets)


def test_a_row_worked_by_hand():
    y = np.array([[0.0, 0.25, 0.5, 0, 0, 0, 0, 0, 0.25, 0.0]])
    table = tabulate(y, np.array([8]))
    row = table.iloc[0].to_dict()
    assert row["index"] == 0
    assert row["actual"] == 8
    assert row["predicted"] == 2
    assert row["confidence"] == 0.5
    assert row["loss"] == pytest.approx(np.log(4))
    assert [row[f"p{digit}"] for digit in range(10)] == y[0].tolist()


def test_the_columns(probabilities, targets):
    columns = "index actual predicted confidence loss p0 p1 p2 p3 p4 p5 p6 p7 p8 p9"
    assert list(tabulate(probabilities, targets).columns) == columns.split()


def test_what_is_written_is_read_to_six_digits(tmp_path, probabilities, targets):
    table = tabulate(probabilities, targets)
    write_predictions(tmp_path / "test.csv", probabilities, targets)
    read = read_predictions(tmp_path / "test.csv", targets, 10)
    pd.testing.assert_frame_equal(read, table, check_dtype=False, rtol=1e-5)
    assert read[["index", "actual", "predicted"]].equals(
        table[["index", "actual", "predicted"]].astype(np.int64)
    )


def test_blocks_are_those_of_the_whole(tmp_path):
    rng = np.random.default_rng(0)
    N = tables.CHUNK + BLOCK + 1
    y, t = softmax(rng.standard_normal((N, 10))), rng.integers(10, size=N)
    write_predictions(tmp_path / "blocks.csv", y, t)
    write_csv(tmp_path / "whole.csv", tabulate(y, t))
    assert (tmp_path / "blocks.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()
    read = list(read_prediction_blocks(tmp_path / "blocks.csv", t, 10))
    assert [len(block) for block in read] == [tables.CHUNK, BLOCK + 1]
    pd.testing.assert_frame_equal(pd.concat(read), read_predictions(tmp_path / "whole.csv", t, 10))


@pytest.mark.parametrize("gap", [0.0, 17.3, 80.2, 99.9, 101.7, 102.5])
def test_any_loss_of_a_float32_network_is_read(tmp_path, gap):
    logits = np.zeros((2, 10), np.float32)
    logits[1, 3] = gap
    t = np.array([0, 1], np.uint8)
    write_csv(tmp_path / "test.csv", tabulate(softmax(logits), t))
    assert read_predictions(tmp_path / "test.csv", t, 10)["loss"][1] == pytest.approx(
        np.log(9 + np.exp(gap)), rel=0.02
    )


def test_whole_numbers_are_read_as_such_however_they_are_written(tmp_path, predictions):
    lines = predictions.to_csv(index=False).splitlines(keepends=True)
    lines[1] = "0.0," + lines[1].split(",", 1)[1]
    (tmp_path / "test.csv").write_text("".join(lines))
    read = read_predictions(tmp_path / "test.csv", predictions["actual"], 10)
    assert read["index"].dtype == np.int64


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
    table = predictions.astype(object)
    assert table.loc[7, "predicted"] != 1
    table.loc[7, column] = value
    table.to_csv(tmp_path / "test.csv", index=False)
    with pytest.raises(UserError) as refusal:
        read_predictions(tmp_path / "test.csv", predictions["actual"], 10)
    assert str(refusal.value).startswith(f"{tmp_path / 'test.csv'}, line 9: ")
    assert rule in str(refusal.value)


def test_rows_with_more_values_than_columns_are_refused(tmp_path, predictions):
    rows = predictions.to_csv(index=False, header=False).splitlines()
    text = "\n".join([",".join(predictions.columns), *(f"x,{row}" for row in rows)])
    (tmp_path / "test.csv").write_text(text)
    with pytest.raises(UserError, match=r"test\.csv: rows of more than 15 values"):
        read_predictions(tmp_path / "test.csv", predictions["actual"], 10)


@pytest.mark.parametrize("n", [49, 51])
def test_predictions_of_another_number_of_samples_are_refused(tmp_path, probabilities, targets, n):
    write_csv(tmp_path / "test.csv", tabulate(probabilities, targets))
    with pytest.raises(UserError, match=rf"test\.csv: 50 predictions of {n} samples"):
        read_predictions(tmp_path / "test.csv", np.resize(targets, n), 10)


def test_prediction_in_blocks_is_prediction_at_once():
    rng = np.random.default_rng(0)
    network = TwoLayerNet(5, 4, 10, rng=rng)
    x = rng.random((BLOCK + 3, 5))
    np.testing.assert_allclose(predict(network, x), network.predict(x), rtol=1e-12)


def test_score_is_loss_and_accuracy(probabilities, targets):
    loss, accuracy = score(probabilities, targets)
    assert loss == cross_entropy_error(probabilities, targets)
    assert accuracy == np.mean(
        [y.argmax() == t for y, t in zip(probabilities, targets, strict=True)]
    )
