"""What became of each sample, counted again one by one."""

import itertools
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

from experiments.compare.comparison import compare_predictions
from experiments.compare.report import seeds_verdict, verdict
from experiments.compare.seeds import summarise_seeds
from nnlib.analysis.predictions import Predictions
from tests.conftest import DEGENERATE, predict_at_random

T = np.random.default_rng(0).integers(10, size=700)


@pytest.fixture(scope="module")
def before():
    return predict_at_random(1, T, skill=3)


@pytest.fixture(scope="module")
def after():
    return predict_at_random(2, T, skill=4)


def test_every_sample_is_where_it_belongs(before, after):
    comparison = compare_predictions(before, after)
    a, b = (each.predicted for each in (before, after))
    expected = {"fixed": [], "broken": [], "both_wrong": []}
    for i, t in enumerate(T):
        if a[i] != t and b[i] == t:
            expected["fixed"].append(i)
        if a[i] == t and b[i] != t:
            expected["broken"].append(i)
        if a[i] != t and b[i] != t:
            expected["both_wrong"].append(i)
    for name, indices in expected.items():
        table = getattr(comparison, name)
        assert sorted(table["index"]) == indices
        assert table["change"].abs().is_monotonic_decreasing
        for row in table.head(3).itertuples():
            assert (row.predicted_before, row.predicted_after) == (a[row.index], b[row.index])
            assert row.confidence_after == after.y[row.index].max()
            of_actual = row.index, row.actual
            assert row.change == after.y[of_actual] - before.y[of_actual]
    assert comparison.same_predictions == (a == b).sum()
    assert comparison.difference == pytest.approx((b == T).mean() - (a == T).mean())
    for digit, row in comparison.by_class.iterrows():
        of_digit = digit == T
        assert row["support"] == of_digit.sum()
        assert row["right_after"] == (of_digit & (b == T)).sum()
        assert row["fixed"] - row["broken"] == row["right_after"] - row["right_before"]
    change = pd.crosstab(T, b).to_numpy() - pd.crosstab(T, a).to_numpy()
    np.testing.assert_array_equal(comparison.confusion_change, change)


def test_samples_that_are_wrong_in_another_way(before, after):
    comparison = compare_predictions(before, after)
    a, b = (each.predicted.tolist() for each in (before, after))
    expected = [i for i, t in enumerate(T) if len({a[i], b[i], t}) == 3]
    assert sorted(comparison.otherwise_wrong["index"]) == expected
    switches = Counter((int(T[i]), a[i], b[i]) for i in expected)
    assert len(switches) < len(expected)  # some are switched alike
    found = comparison.switches.to_numpy().tolist()
    assert {tuple(row[:3]): row[3] for row in found} == switches
    assert comparison.switches["count"].is_monotonic_decreasing


def test_pairs_in_both_directions(before, after):
    comparison = compare_predictions(before, after)
    a, b = (each.predicted for each in (before, after))
    directions = list(itertools.permutations(range(10), 2))
    tests = []
    for actual, read in directions:
        of_actual = actual == T
        come = int((of_actual & (a != read) & (b == read)).sum())
        gone = int((of_actual & (a == read) & (b != read)).sum())
        tests.append(binomtest(come, come + gone).pvalue if come + gone else 1)
    # Holm's method: the k-th smallest p times the number of those that are left, and never falling
    order = np.argsort(tests, kind="stable")
    steps = [min(1, tests[i] * (90 - k)) for k, i in enumerate(order)]
    adjusted = dict(zip([directions[i] for i in order], np.maximum.accumulate(steps), strict=True))
    sizes = []
    for row in comparison.pairs.to_dict("records"):
        first, second = row["first"], row["second"]
        for actual, read, way in ((first, second, ""), (second, first, "reverse_")):
            assert row[f"{way}before"] == ((actual == T) & (a == read)).sum()
            assert row[f"{way}after"] == ((actual == T) & (b == read)).sum()
            assert row[f"{way}p"] == pytest.approx(adjusted.pop((actual, read)))
        size = abs(row["after"] - row["before"])
        reverse_size = abs(row["reverse_after"] - row["reverse_before"])
        assert size >= reverse_size
        sizes.append(size + reverse_size)
    assert sizes == sorted(sizes, reverse=True)
    assert not any(((i == T) & (a != b) & ((a == j) | (b == j))).any() for i, j in adjusted)


def test_a_change_of_a_pair_that_is_significant():
    t = np.repeat([0, 1], 12)
    first, second = (
        Predictions.of(0.1 + 0.7 * np.eye(3)[predicted], t)
        for predicted in (np.where(t == 0, 1, t), np.where(t == 0, 0, t))
    )
    (pair,) = compare_predictions(first, second).pairs.to_dict("records")
    assert (pair["first"], pair["second"], pair["before"], pair["after"]) == (0, 1, 12, 0)
    assert (pair["reverse_before"], pair["reverse_after"], pair["reverse_p"]) == (0, 0, 1)
    assert pair["p"] == pytest.approx(6 * 2 / 2**12)  # of six directions


def test_the_one_way_mirrors_the_other(before, after):
    there, back = compare_predictions(before, after), compare_predictions(after, before)
    assert list(there.fixed["index"]) == list(back.broken["index"])
    assert list(there.both_wrong["index"]) == list(back.both_wrong["index"])
    assert there.before == back.after
    assert there.difference == -back.difference
    assert (there.difference_low, there.difference_high) == (
        -back.difference_high,
        -back.difference_low,
    )
    assert there.p == back.p
    assert there.equivalence.p == back.equivalence.p
    ways = {"before": "after", "reverse_before": "reverse_after"}
    mirrored = back.pairs.rename(columns=ways | {second: first for first, second in ways.items()})
    pd.testing.assert_frame_equal(there.pairs, mirrored[list(there.pairs)])
    np.testing.assert_array_equal(there.confusion_change, -back.confusion_change)


@pytest.mark.parametrize("name", DEGENERATE)
def test_with_itself_nothing_changes(name):
    predicted, t, rest = DEGENERATE[name](np.arange(40) % 10)
    table = Predictions.of(rest + (1 - 10 * rest) * np.eye(10)[predicted], t)
    comparison = compare_predictions(table, table)
    assert comparison.net == len(comparison.fixed) == len(comparison.broken) == 0
    assert comparison.difference_low <= 0 <= comparison.difference_high
    assert comparison.p == 1
    assert not comparison.confusion_change.any()
    assert len(comparison.pairs) == len(comparison.otherwise_wrong) == len(comparison.switches) == 0
    assert verdict(comparison).startswith("Nothing changed")


def test_the_verdict_in_words(before, after):
    comparison = compare_predictions(before, after)
    fixed, broken = len(comparison.fixed), len(comparison.broken)
    assert fixed > broken
    text = verdict(comparison)
    assert text.startswith(
        f"{fixed} fixed, {broken} broken: {fixed - broken} more of 700 are right. "
    )
    back = verdict(compare_predictions(after, before))
    assert back.startswith(
        f"{broken} fixed, {fixed} broken: {fixed - broken} fewer of 700 are right. "
    )


def test_seeds_are_summarised():
    seeds = summarise_seeds([1, 2, 3], [0.90, 0.92, 0.91], [0.93, 0.93, 0.93])
    assert seeds.mean_before == pytest.approx(0.91)
    assert seeds.std_before == pytest.approx(0.01)
    assert seeds.std_after == pytest.approx(0)
    assert seeds.difference.mean == pytest.approx(0.02)
    # 4.302653 is Student's 97.5% quantile for two degrees of freedom
    assert seeds.difference.high == pytest.approx(0.02 + 4.302653 * 0.01 / np.sqrt(3))
    assert [run.after - run.before for run in seeds.runs] == pytest.approx([0.03, 0.01, 0.02])


def test_the_deviations_of_seeds_are_those_of_a_sample():
    seeds = summarise_seeds([1, 2, 3], [0.90, 0.92, 0.91], [0.90, 0.96, 0.93])
    assert seeds.std_before == pytest.approx(0.01)
    assert seeds.std_after == pytest.approx(0.03)
    assert seeds.std_difference == pytest.approx(0.02)


def test_predictions_are_summarised(before):
    found = compare_predictions(before, before).after
    right = before.t == before.predicted
    assert found.right == right.sum()
    assert found.accuracy == right.mean()
    assert found.accuracy_low < found.accuracy < found.accuracy_high
    assert found.loss == pytest.approx(np.mean(-np.log(before.y[range(700), T])))
    assert found.confidence == pytest.approx(before.y.max(axis=1).mean())
    assert found.predictions == [(before.predicted == digit).sum() for digit in range(10)]


def test_the_verdict_over_seeds_in_words():
    clear = summarise_seeds([1, 2, 3], [0.90, 0.92, 0.91], [0.95, 0.972, 0.961])
    assert seeds_verdict(clear).startswith(
        "Over 3 seeds, the mean accuracy goes from 91.00% to 96.10%: +5.10 points, "
    )
    assert seeds_verdict(clear).endswith(
        "; this is statistically significant (paired t test, p = 0.00013)."
    )
    unclear = summarise_seeds([1, 2, 3], [0.90, 0.92, 0.91], [0.93, 0.90, 0.91])
    assert seeds_verdict(unclear).endswith(
        "; this is not statistically significant (paired t test, p = 0.84)."
    )


def test_differences_without_spread_are_not_tested():
    # 0.93 - 0.90 and 0.94 - 0.91 are not the same float
    seeds = summarise_seeds([1, 2], [0.90, 0.91], [0.93, 0.94])
    assert seeds_verdict(seeds) == (
        "Over 2 seeds, the mean accuracy goes from 90.50% to 93.50%: +3.00 points with each of "
        "them, so there is no variation to test this against."
    )


def test_seeds_with_which_the_accuracies_are_equivalent():
    seeds = summarise_seeds([1, 2, 3], [0.940, 0.942, 0.941], [0.941, 0.942, 0.941])
    # mean 1/30 and standard error 1/30 points: t = 14, with two degrees of freedom
    p = (1 - 14 / (2 + 14**2) ** 0.5) / 2
    assert seeds.equivalence_p == pytest.approx(p)
    assert seeds_verdict(seeds).endswith(
        "this is not statistically significant (paired t test, p = 0.42); the mean accuracies are "
        "equivalent within ±0.5 points (two one-sided tests, p = 0.0025)."
    )


@pytest.mark.parametrize(
    ("fixed", "broken", "n", "expected"),
    [
        (
            10,
            12,
            10_000,
            "The accuracies of these two networks are equivalent within ±0.5 points",
        ),
        (47, 13, 10_000, "The accuracies of these two networks differ, but are equivalent within"),
        (3, 2, 100, "The accuracies are shown neither to differ nor to be equivalent within ±0.5"),
    ],
)
def test_the_verdict_on_equivalence(fixed, broken, n, expected):
    t = np.zeros(n, int)
    first, second = (
        Predictions.of(np.where(wrong[:, np.newaxis], [0.2, 0.8], [0.8, 0.2]), t)
        for wrong in (np.arange(n) < fixed, np.arange(n) >= n - broken)
    )
    comparison = compare_predictions(first, second)
    _, text = verdict(comparison).split("(exact McNemar test). ")
    assert text.startswith(expected)
    assert ", p " in text


def test_of_accuracies_that_differ_nothing_is_said_of_equivalence():
    t = np.zeros(10_000, int)
    first, second = (
        Predictions.of(np.where(np.c_[np.arange(10_000) < wrong], [0.2, 0.8], [0.8, 0.2]), t)
        for wrong in (272, 41)
    )
    text = verdict(compare_predictions(first, second))
    assert text.endswith("occurs in < 0.01% of cases (exact McNemar test).")


def test_the_verdict_where_wrong_samples_are_wrong_in_another_way():
    t = np.zeros(50, int)
    first, second = (Predictions.of(0.1 + 0.7 * np.eye(3)[np.full(50, i)], t) for i in (1, 2))
    text = verdict(compare_predictions(first, second))
    assert text.startswith("Nothing fixed or broken, but 50 wrong in another way. The accuracies ")
