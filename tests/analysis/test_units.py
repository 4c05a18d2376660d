"""Leaving out hidden units, against networks that are really built without them."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest
from sklearn.metrics import accuracy_score, recall_score

from nnlib.analysis.units import EXAMPLES, MOST_UNITS, leave_out_units
from nnlib.base.blocks import BLOCK
from nnlib.network import TwoLayerNet
from tests.conftest import units_at_random

D, H, C, N = 12, 7, 4, BLOCK + 300


def make_network(hidden=H, seed=0):
    rng = np.random.default_rng(seed)
    shapes = {"W1": (D, hidden), "b1": (hidden,), "W2": (hidden, C), "b2": (C,)}
    return TwoLayerNet.from_params(
        {key: rng.standard_normal(shape) for key, shape in shapes.items()}
    )


@pytest.fixture(scope="module")
def measured():
    """The units of a random network, which predicts two thirds of the samples right."""
    network, rng = make_network(), np.random.default_rng(1)
    x = rng.standard_normal((N, D))
    predicted = network.predict(x).argmax(axis=1)
    t = np.where(rng.random(N) < 0.67, predicted, rng.integers(C, size=N))
    return network, x, t, leave_out_units(network, x, t)


def without(network, unit, mean):
    """The network of the other units, whose biases have the mean of what the unit said."""
    params = network.params
    return TwoLayerNet.from_params(
        {
            "W1": np.delete(params["W1"], unit, axis=1),
            "b1": np.delete(params["b1"], unit),
            "W2": np.delete(params["W2"], unit, axis=0),
            "b2": params["b2"] + mean * params["W2"][unit],
        }
    )


def test_what_a_unit_costs_is_what_a_network_without_it_gets_wrong(measured):
    network, x, t, units = measured
    z1, y = network.forward(x)
    predicted = y.argmax(axis=1)
    assert units.table["unit"].tolist() == list(range(H))
    for unit, row in enumerate(units.table.to_dict("records")):
        z = z1[:, unit]
        assert [row["mean"], row["std"]] == pytest.approx([z.mean(), z.std()], rel=1e-9)
        others = without(network, unit, z.mean()).predict(x).argmax(axis=1)
        accuracies = accuracy_score(t, predicted), accuracy_score(t, others)
        assert row["cost"] == pytest.approx(accuracies[0] - accuracies[1], abs=1e-12)
        assert row["fixed"] == ((predicted != t) & (others == t)).sum()
        assert row["broken"] == ((predicted == t) & (others != t)).sum()
        assert row["changed"] == pytest.approx((predicted != others).mean())
        lost = recall_score(t, predicted, average=None) - recall_score(t, others, average=None)
        assert row["class"] == lost.argmax()
        assert row["class_cost"] == pytest.approx(lost.max())
    assert units.table["broken"].min() > 10  # so that there was something to compare


def test_the_p_values_are_adjusted_for_the_number_of_units(measured):
    table = measured[-1].table
    p = [
        binomtest(row["fixed"], row["fixed"] + row["broken"]).pvalue
        for row in table.to_dict("records")
    ]
    adjusted, highest = np.empty(H), 0.0
    for place, unit in enumerate(np.argsort(p, kind="stable")):
        highest = max(highest, min(1, (H - place) * p[unit]))
        adjusted[unit] = highest
    np.testing.assert_allclose(table["p"], adjusted, rtol=1e-9)
    assert measured[-1].needed == ((adjusted < 0.05) & (table["broken"] > table["fixed"])).sum()


def test_a_unit_without_which_more_is_right_is_not_needed():
    # samples of class 1; unit 0 is for class 0 alone, and unit 1 for class 1 alone, if less so
    network = TwoLayerNet.from_params(
        {
            "W1": np.array([[4.0, 2.0]]),
            "b1": np.zeros(2),
            "W2": np.array([[3.0, 0.0], [0.0, 1.0]]),
            "b2": np.array([0.0, 1.5]),
        }
    )
    x = np.repeat([[-1.0], [1.0]], 20, axis=0)
    units = leave_out_units(network, x, np.ones(40, int))
    assert units.table[["fixed", "broken"]].to_numpy().tolist() == [[20, 0], [0, 0]]
    assert units.table["p"][0] < 0.001
    assert units.needed == 0


def test_the_examples_excite_their_unit_most(measured):
    network, x, _, units = measured
    z1 = network.forward(x)[0]
    expected = np.argsort(-z1, axis=0, kind="stable")[:EXAMPLES].T
    np.testing.assert_array_equal(units.examples, expected)
    assert units.examples.max() >= BLOCK > units.examples.min()  # from both blocks


def test_examples_are_told_apart_where_the_activation_rounds_to_1():
    network = TwoLayerNet.from_params(
        {"W1": np.ones((1, 1)), "b1": np.zeros(1), "W2": np.ones((1, 2)), "b2": np.zeros(2)}
    )
    x = np.array([[100.0], [300], [200], [-1], [300], [400], [50]])
    assert (network.forward(x)[0][[0, 1, 2, 4, 5]] == 1).all()
    units = leave_out_units(network, x, np.zeros(7, int))
    assert units.examples.tolist() == [[5, 1, 4, 2, 0]]
    assert leave_out_units(network, x[:2], np.array([0, 1])).examples.tolist() == [[1, 0]]


def test_a_unit_that_tells_nothing_apart_costs_nothing():
    network, rng = make_network(), np.random.default_rng(2)
    network.params["W1"][:, 3], network.params["b1"][3] = 0, 1000  # always 1
    network.params["W2"][3] = [50.0, 0, 0, 0]  # which the bias makes up for
    network.params["b2"][0] -= 50
    x = rng.standard_normal((200, D))
    t = network.predict(x).argmax(axis=1)
    assert len(set(t)) > 2
    row = leave_out_units(network, x, t).table.iloc[3]
    assert row[["mean", "std", "cost", "broken", "changed", "class_cost", "p"]].tolist() == [
        *(1, 0, 0, 0, 0, 0),
        1,
    ]


def test_activations_that_are_all_alike_have_no_deviation():
    network, rng = make_network(hidden=50), np.random.default_rng(2)
    network.params["W1"][:] = 0
    units = leave_out_units(network, rng.standard_normal((200, D)), np.zeros(200, int))
    np.testing.assert_allclose(units.table["mean"], 1 / (1 + np.exp(-network.params["b1"])))
    np.testing.assert_allclose(units.table["std"], 0, atol=1e-7)


def test_a_class_without_samples_does_not_suffer():
    network = make_network()
    x = np.random.default_rng(3).standard_normal((300, D))
    t = np.full(300, 2)  # each unit can fix more than it breaks
    table = leave_out_units(network, x, t).table
    assert (table["class"] == 2).all()
    np.testing.assert_allclose(table["class_cost"], table["cost"])
    assert table["class_cost"].min() < 0 < table["class_cost"].max()


def test_those_that_cost_most_are_shown_of_equal_ones_the_first():
    units = units_at_random(hidden=40)
    costs = units.table["cost"].tolist()
    expected = sorted(range(40), key=lambda unit: (-costs[unit], unit))[:MOST_UNITS]
    assert units.shown["unit"].tolist() == expected
    assert len(set(costs)) < 40  # some are equal


def test_the_table_holds_numbers_only(measured):
    table = measured[-1].table
    assert all(pd.api.types.is_numeric_dtype(dtype) for dtype in table.dtypes)
    assert np.isfinite(table.to_numpy(float)).all()
