"""Files that are cut or of another run are not taken for those of this one."""

from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nnlib.analysis.predictions import Predictions
from nnlib.base.errors import UserError
from nnlib.data.encoding import Encoding
from nnlib.data.samples import Samples
from nnlib.network import TwoLayerNet
from nnlib.training.fit import Settings
from nnlib.training.history import Snapshot
from stages.consistency import (
    check_course,
    check_last_weights,
    check_predictions,
    check_test_set,
)


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
    check_predictions("test", predictions, network, x)
    with pytest.raises(UserError, match=r"test\.csv holds the predictions of another") as caught:
        check_predictions("test", predictions, other, x)
    assert caught.value.file == Path("data/predictions/test.csv")
