"""What the analysis stage writes for machines."""

import dataclasses
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nnlib.analysis.held_out import decide
from nnlib.analysis.predictions import Predictions
from nnlib.base.errors import UserError
from nnlib.data.encoding import Encoding
from nnlib.data.samples import Samples
from nnlib.network import TwoLayerNet
from nnlib.training.fit import Settings
from nnlib.training.history import Snapshot
from stages.analyse import (
    check_course,
    check_last_weights,
    check_predictions,
    check_test_set,
    metrics,
    table_by_digit,
)


def test_the_table_by_digit_has_every_number_and_no_list(analysis):
    table = table_by_digit(analysis)
    assert table["digit"].tolist() == list(range(10))
    assert set(table.columns) == {"digit", *analysis.by_class.columns} - {"taken_for"}
    assert all(np.issubdtype(dtype, np.number) for dtype in table.dtypes)
    trained = analysis.trained.table()
    for digit, confidence in zip(table["digit"], table["mean_confidence"], strict=True):
        expected = trained.loc[trained["actual"] == digit, "confidence"].mean()
        assert confidence == pytest.approx(expected)


def test_the_coverage_is_that_of_thresholds_chosen_on_the_other_half(analysis):
    # in each half the 100 most confident are right, and the last two wrong: 100 of 101 is enough
    confidence = np.linspace(1, 0.51, 204)
    y = np.transpose([confidence, 1 - confidence])
    decided = decide(Predictions.of(y, np.repeat([0, 1], [200, 4])), 0.99)
    found = metrics(dataclasses.replace(analysis, decided=[decided]))
    assert found["coverage_at_99"] == pytest.approx(202 / 204, abs=1 / 204)


def test_any_analysis_has_metrics_that_are_finite(degenerate_analysis):
    found = metrics(degenerate_analysis)
    assert all(np.isfinite(value) for value in found.values())
    assert (found["worst_pair"] == 0) == (found["errors"] == 0)


def test_a_test_set_of_other_images_is_the_users_to_mend():
    encoding = Encoding(scaling="unit", pixel_mean=0, pixel_std=1, class_names=("a", "b"))
    images, labels = np.arange(12, dtype=np.uint8).reshape(3, 2, 2), np.uint8([0, 1, 1])
    x = encoding.inputs(images)
    check_test_set(Samples(x, labels), images, labels, encoding)
    for name, other in (
        ("x_test", Samples(x[:2], labels[:2])),
        ("x_test", Samples(x[:, 1:], labels)),
        ("x_test", Samples(x[::-1], labels)),
        ("t_test", Samples(x, labels[::-1])),
    ):
        with pytest.raises(UserError, match=rf"{name}\.npy is not of the test set in data/raw"):
            check_test_set(other, images, labels, encoding)


SETTINGS = Settings(
    hidden_size=4, weight_init=1, iterations=75, batch_size=10, learning_rate=0.1, seed=1
)  # on 100 samples, an epoch is 10 iterations


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"loss": 74}, r"loss.csv: expected a last iteration 75, found 74"),
        ({"loss": 76}, r"loss.csv: expected a last iteration 75, found 76"),
        (
            {"epochs": [0, 3, 6]},
            r"history.csv: expected the epochs \[0, 3, 6, 7\], found \[0, 3, 6\]",
        ),
        ({"epochs": [0, 3, 7]}, r"history.csv: expected the epochs"),
        ({"size": 9}, r"history.csv: expected the iterations \[0, 30, 60, 70\], found \[0, 27, "),
        ({"shown": [0, 75]}, None),
        ({"shown": [0]}, r"weights.npz: expected the iterations \[0, 75\], found \[0\]"),
        ({"shown": [0, 10, 75]}, r"weights.npz: expected the iterations"),
    ],
)
def test_a_course_that_lacks_a_part_is_the_users_to_mend(change, says):
    recorded = {"loss": 75, "epochs": [0, 3, 6, 7], "size": 10, "shown": [0, 75]} | change
    epochs = np.array(recorded["epochs"])
    arguments = (
        SETTINGS._replace(evaluate_every=3, validation=50),
        150,
        pd.DataFrame({"loss": range(recorded["loss"])}),
        pd.DataFrame({"epoch": epochs, "iteration": recorded["size"] * epochs}),
        [Snapshot(iteration, np.zeros((2, 4))) for iteration in recorded["shown"]],
    )
    with nullcontext() if says is None else pytest.raises(UserError, match=says):
        check_course(*arguments)


def test_what_another_network_has_left_is_the_users_to_mend():
    network, other = (TwoLayerNet(6, 9, 3, 1, rng=np.random.default_rng(i)) for i in (0, 1))
    check_last_weights([Snapshot(0, network.params["W1"][:, :5])], network)
    with pytest.raises(
        UserError, match=r"weights\.npz is not of the network in data/models/trained"
    ):
        check_last_weights([Snapshot(0, network.params["W1"][:, :5])], other)
    x = np.random.default_rng(2).random((20, 6))
    predictions = Predictions.of(network.predict(x).round(6), np.zeros(20, int))
    path = Path("data/predictions/test.csv")
    check_predictions(path, predictions, network, x)
    with pytest.raises(UserError, match=r"test\.csv holds the predictions of another") as caught:
        check_predictions(path, predictions, other, x)
    assert caught.value.file == path
