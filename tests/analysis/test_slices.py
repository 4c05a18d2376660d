"""Which slices are called weak: planted ones, and none in errors that are anywhere."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest, fisher_exact

from nnlib.analysis.predictions import Predictions
from nnlib.analysis.slices import ALL, compare_quintiles, number_findings, quintiles

CLASSES = 4
N = 4000


@pytest.fixture(scope="module")
def properties():
    """Two properties that have nothing to do with the class; of the second many are equal."""
    rng = np.random.default_rng(0)
    slant, strokes = rng.standard_normal(N), rng.choice([1.0, 2.0, 3.0], N, p=[0.7, 0.2, 0.1])
    return pd.DataFrame({"slant": slant, "strokes": strokes})


@pytest.fixture(scope="module")
def actual():
    return np.random.default_rng(1).integers(CLASSES, size=N)


def predict(actual, rate, seed):
    """Predictions that are wrong at the given rates."""
    is_wrong = np.random.default_rng(seed).random(len(actual)) < rate
    return np.where(is_wrong, (actual + 1) % CLASSES, actual)


def compare(properties, actual, predicted, repeats):
    predictions = Predictions.of(np.eye(CLASSES)[predicted], actual)
    return compare_quintiles(properties, predictions, repeats)


def plant(actual, properties):
    """Rates of 5%, but 20% for the most slanted quintile of class 2."""
    of_class = actual == 2
    weak = of_class & (properties["slant"] > properties["slant"][of_class].quantile(0.8))
    return np.where(weak, 0.2, 0.05)


def found(table):
    named = table[table["sign"] != 0]
    return [tuple(row) for row in named[["property", "label", "fifth", "sign"]].to_numpy()]


def test_the_quintiles_of_different_values_are_those_of_pandas():
    values = np.random.default_rng(2).standard_normal(1001)
    expected = pd.qcut(values, 5, labels=False)
    np.testing.assert_array_equal(np.bincount(quintiles(values)), [200, 200, 201, 200, 200])
    assert (np.abs(quintiles(values) - expected) <= 1).all()
    values = values[:1000]
    np.testing.assert_array_equal(quintiles(values), pd.qcut(values, 5, labels=False))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([30, 10, 50, 20, 40], [2, 0, 4, 1, 3]),
        ([7, 7, 7, 7], [2, 2, 2, 2]),  # the middle of all ranks
        ([1, 1, 1, 1, 1, 1, 1, 1, 1, 2], [2] * 9 + [4]),
        ([1, 1, 2, 2, 2, 2, 2, 2, 2, 2], [0, 0] + [3] * 8),  # the middle of 2 ... 10 is 6
        ([np.nan, 3, np.nan, 1], [-1, 3, -1, 1]),
        ([np.nan], [-1]),
        ([5], [2]),
        ([], []),
    ],
)
def test_the_quintiles_of_equal_values_by_hand(values, expected):
    assert quintiles(np.array(values, float)).tolist() == expected


def test_a_planted_weak_slice_is_found_and_nothing_else_of_its_property(properties, actual):
    rate = plant(actual, properties)
    repeats = [predict(actual, rate, seed) for seed in (11, 12, 13)]
    table = compare(properties, actual, predict(actual, rate, 10), repeats)
    assert ("slant", 2, 4, 1) in found(table)
    # all classes' most slanted quintile has some of these errors
    assert set(found(table)) <= {("slant", 2, 4, 1), ("slant", ALL, 4, 1)}


def test_one_seed_without_it_is_enough_to_say_nothing(properties, actual):
    rate = plant(actual, properties)
    others = [predict(actual, each, 12) for each in (rate, np.where(rate > 0.1, 0, rate))]
    table = compare(properties, actual, predict(actual, rate, 10), others)
    assert ("slant", 2, 4, 1) not in found(table)
    assert table.query("property == 'slant' and label == 2 and fifth == 4")["p"].item() < 0.001


@pytest.mark.parametrize("seeds", [0, 1])
def test_without_two_other_seeds_nothing_is_said(properties, actual, seeds):
    predicted = predict(actual, plant(actual, properties), 10)
    repeats = np.array([predicted] * seeds, np.uint8).reshape(seeds, N)
    table = compare(properties, actual, predicted, repeats)
    assert table["p"].min() < 0.001
    assert found(table) == []


def test_none_is_found_in_shuffled_errors(properties, actual):
    with_any = 0
    is_wrong = predict(actual, plant(actual, properties), 10) != actual
    for seed in range(20):
        wrong = np.random.default_rng(seed).permutation(is_wrong)
        predicted = np.where(wrong, (actual + 1) % CLASSES, actual)
        # the other seeds make the same errors: only the adjusted p stands against chance
        table = compare(properties, actual, predicted, [predicted] * 2)
        with_any += found(table) != []
    assert with_any <= 1  # at most 5% of 20


def test_the_numbers_are_those_of_scipy(properties, actual):
    predicted = predict(actual, plant(actual, properties), 10)
    table = compare(properties, actual, predicted, [])
    assert len(table) == 2 * (CLASSES + 1) * 5
    is_wrong = predicted != actual
    p = []
    for row in table.to_dict("records"):
        values = properties[row["property"]].to_numpy()
        of_group = np.full(N, True) if row["label"] == ALL else actual == row["label"]
        if row["samples"] == 0:
            assert np.isnan([row["least"], row["most"], row["rate"], row["low"]]).all()
            assert row["p"] == 1
            p.append(1)
            continue
        inside = of_group & (values >= row["least"]) & (values <= row["most"])
        counts = []
        for prefix, chosen in (("", inside), ("other_", of_group & ~inside)):
            errors, samples = is_wrong[chosen].sum(), chosen.sum()
            counts.append([errors, samples - errors])
            assert row[f"{prefix}samples"] == samples
            assert row[f"{prefix}errors"] == errors
            interval = binomtest(int(errors), int(samples)).proportion_ci(method="wilson")
            low, rate, high = (row[f"{prefix}{key}"] for key in ("low", "rate", "high"))
            assert (low, high) == pytest.approx((interval.low, interval.high))
            assert rate == errors / samples
        p.append(fisher_exact(counts).pvalue)
    order = np.argsort(p)
    adjusted = np.maximum.accumulate(np.array(p)[order] * np.arange(len(p), 0, -1))
    np.testing.assert_allclose(table["p"].to_numpy()[order], np.minimum(adjusted, 1))


def test_the_quintiles_of_a_class_are_those_of_its_own_samples(properties, actual):
    table = compare(properties, actual, actual, [])
    for label in range(CLASSES):
        of_class = table.query("property == 'slant' and label == @label")
        assert np.ptp(of_class["samples"]) <= 1
        assert of_class["samples"].sum() == (actual == label).sum()
    assert (table["p"] == 1).all()


def test_samples_without_the_property_are_in_no_quintile():
    properties = pd.DataFrame({"slant": [1.0, np.nan, 2.0, np.nan, 3.0, 4.0, 5.0]})
    table = compare(properties, np.zeros(7, int), [0, 1, 1, 1, 0, 0, 0], [])
    of_all = table[table["label"] == ALL]
    assert of_all["samples"].tolist() == [1] * 5
    assert of_all["errors"].tolist() == [0, 1, 0, 0, 0]
    assert of_all["other_errors"].tolist() == [1, 0, 1, 1, 1]
    assert table[table["label"] == 1]["samples"].sum() == 0


def test_slices_that_say_the_same_have_the_same_number():
    slices = pd.DataFrame(
        [
            ("slant", 8.0, 1),  # of the same property as the one with the largest excess
            ("ink", 7.0, 1),  # half of its errors are those of that one
            ("width", 6.0, 1),  # less than half are
            ("height", 30.0, -1),  # fewer errors
            ("slant", 20.0, 1),
            ("height", 5.0, 1),  # all of them are those of the width
            ("x", 50.0, 0),  # not significant
            ("ink", 4.0, 1),  # of a property whose other slice only repeats what another says
        ],
        columns=["property", "excess", "sign"],
    )
    mistakes = [{90}, {1, 2, 91, 92}, {1, 93, 94, 5, 6, 7}, {1}, {1, 2, 3}, {93, 94}, {1}, {95}]
    assert number_findings(slices, mistakes).tolist() == [0, 0, 1, -1, 0, 1, -1, 2]


def test_the_excess_of_errors(properties, actual):
    predicted = predict(actual, plant(actual, properties), 10)
    table = compare(properties, actual, predicted, [predicted] * 2)
    (row,) = table.query("property == 'slant' and label == 2 and fifth == 4").to_dict("records")
    expected = row["errors"] - row["samples"] * row["other_errors"] / row["other_samples"]
    assert row["excess"] == pytest.approx(expected)
    assert row["finding"] == 0
    assert (table["finding"] >= 0).tolist() == (table["sign"] == 1).tolist()
