"""What is said of many settings: which is best, what is as good, and what each parameter does."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t, ttest_rel

from experiments.sweep.summary import summarise_sweep

SEEDS = 5


def sweep_of(values, errors, costs=None, work=None):
    errors = np.array(errors)
    costs = np.ones_like(errors) if costs is None else np.array(costs)
    return summarise_sweep(pd.DataFrame(values), errors, costs, work)


@pytest.fixture
def grid():
    """Three by two settings, in an order of their own, whose errors differ significantly."""
    rng = np.random.default_rng(1)
    values = pd.DataFrame(
        [(units, name) for units in (50, 25, 100) for name in ("relu", "tanh")],
        columns=["units", "activation"],
    )
    means = 0.05 + 1 / values["units"] + 0.004 * (values["activation"] == "tanh")
    return values, np.round(means.to_numpy()[:, None] + 0.002 * rng.random((6, SEEDS)), 4)


def test_the_settings_are_compared_as_scipy_does(grid):
    values, errors = grid
    costs = np.random.default_rng(3).random(errors.shape)
    found = sweep_of(values, errors, costs).settings
    means = errors.mean(axis=1)
    order = np.argsort(means)
    assert found["setting"].tolist() == order.tolist()
    assert found["error"].to_numpy() == pytest.approx(means[order])
    assert found["std"].to_numpy() == pytest.approx(errors[order].std(axis=1, ddof=1))
    half = t.ppf(0.975, SEEDS - 1) * errors[order].std(axis=1, ddof=1) / np.sqrt(SEEDS)
    assert found["low"].to_numpy() == pytest.approx(means[order] - half)
    assert found["high"].to_numpy() == pytest.approx(means[order] + half)
    assert found["cost"].to_numpy() == pytest.approx(costs.mean(axis=1)[order])
    best = errors[order[0]]
    assert found["difference"].to_numpy() == pytest.approx(means[order] - best.mean())

    p = np.array([ttest_rel(errors[setting], best).pvalue for setting in order[1:]])
    ranks = np.argsort(p)
    adjusted = np.empty(5)
    adjusted[ranks] = np.minimum(np.maximum.accumulate(p[ranks] * [5, 4, 3, 2, 1]), 1)
    assert np.isnan(found["p"][0])
    assert found["p"][1:].to_numpy() == pytest.approx(adjusted)


def test_what_is_as_good_is_not_significantly_worse():
    best = [0.050, 0.051, 0.052, 0.050, 0.051]
    alike = [0.051, 0.050, 0.053, 0.051, 0.0505]
    worse = [0.060, 0.0615, 0.062, 0.061, 0.0605]
    found = sweep_of({"a": [1, 2, 3]}, [worse, alike, best])
    assert found.as_good["setting"].tolist() == [2, 1]
    assert found.settings["p"][2] < 0.001


def test_differences_without_spread_show_nothing():
    found = sweep_of({"a": [1, 2, 3]}, [[0.1, 0.2], [0.2, 0.3], [0.1, 0.2]])
    assert found.settings["p"][1:].tolist() == [1, 1]
    assert len(found.as_good) == 3


def test_one_seed_leaves_no_intervals():
    found = sweep_of({"a": [1, 2]}, [[0.2], [0.1]])
    assert found.settings["setting"].tolist() == [1, 0]
    assert found.settings[["std", "low", "high", "p"]].isna().all(axis=None)
    assert found.as_good["setting"].tolist() == [1]
    assert np.isnan(found.effects[0].levels[0].low)


def test_an_interval_lies_within_what_shares_can_be():
    (low, high), *_ = sweep_of({"a": [1]}, [[0.001, 0.9]]).settings[["low", "high"]].to_numpy()
    assert (low, high) == (0, 1)


def test_an_effect_is_the_marginal_mean(grid):
    values, errors = grid
    units, activation = sweep_of(values, errors).effects
    assert (units.parameter, activation.parameter) == ("units", "activation")
    assert [level.least for level in units.levels] == [25, 50, 100]
    assert [level.least for level in activation.levels] == ["relu", "tanh"]
    assert units.is_balanced
    assert activation.is_balanced
    for effect in (units, activation):
        for level in effect.levels:
            rows = errors[values[effect.parameter] == level.least]
            assert level.most == level.least
            assert level.settings == len(rows)
            assert level.error == pytest.approx(rows.mean())
            over_seeds = rows.mean(axis=0)
            half = t.ppf(0.975, SEEDS - 1) * over_seeds.std(ddof=1) / np.sqrt(SEEDS)
            assert (level.low, level.high) == pytest.approx(
                (rows.mean() - half, rows.mean() + half)
            )


def test_an_effect_holds_the_others_where_a_setting_has_failed():
    # with "y", a = 2 has failed; what differs between 1 and 2 is to be a alone
    values = {"a": [1, 1, 2, 2], "b": ["x", "y", "x", "y"]}
    found = sweep_of(values, [[0.1, 0.12], [0.5, 0.52], [0.2, 0.22], [np.nan, 0.6]])
    assert found.failed == [3]
    assert found.settings["setting"].tolist() == [0, 2, 1]
    of_a, _ = found.effects
    assert of_a.is_balanced
    assert [level.error for level in of_a.levels] == pytest.approx([0.11, 0.21])


def test_many_numbers_are_taken_in_quarters():
    rng = np.random.default_rng(1)
    rates, errors = rng.random(40), rng.random((40, 2))
    rate, name = sweep_of({"rate": rates, "name": ["x", "y"] * 20}, errors).effects
    assert not rate.is_balanced
    assert not name.is_balanced
    order = np.argsort(rates)
    for quarter, level in enumerate(rate.levels):
        rows = order[10 * quarter : 10 * (quarter + 1)]
        assert (level.least, level.most) == (rates[rows].min(), rates[rows].max())
        assert level.settings == 10
        assert level.error == pytest.approx(errors[rows].mean())


def test_a_few_numbers_are_levels_of_their_own():
    (effect,) = sweep_of({"a": range(8)}, np.linspace(0.1, 0.8, 8)[:, None]).effects
    assert [level.least for level in effect.levels] == list(range(8))
    (effect,) = sweep_of({"a": range(9)}, np.linspace(0.1, 0.9, 9)[:, None]).effects
    assert len(effect.levels) == 4


def test_nothing_dominates_what_is_on_the_front():
    rng = np.random.default_rng(2)
    errors, costs = rng.integers(1, 9, (30, 1)) / 100, rng.integers(1, 9, (30, 1)).astype(float)
    found = sweep_of({"a": range(30)}, errors, costs)
    points = [(float(cost), float(error)) for (cost,), (error,) in zip(costs, errors, strict=True)]

    def is_dominated(point):
        return any(
            other != point and other[0] <= point[0] and other[1] <= point[1] for other in points
        )

    assert {points[setting] for setting in found.front} == {
        point for point in points if not is_dominated(point)
    }
    assert [points[setting][0] for setting in found.front] == sorted(
        {points[setting][0] for setting in found.front}
    )


def test_what_does_the_same_work_costs_the_same():
    rng = np.random.default_rng(4)
    units, rates = np.repeat([25, 50, 100], 4), np.tile([0.1, 0.2, 0.4, 0.8], 3)
    work = units.tolist()
    values = {"units": units, "rate": rates}
    for seeds in (1, 2, 5):
        # of more units and of higher rates, the errors are smaller
        errors = (0.1 - 0.01 * np.log(units * rates))[:, None] + 1e-4 * rng.random((12, seeds))
        costs = (units / 10)[:, None] * rng.uniform(0.9, 1.1, (12, seeds))
        found = sweep_of(values, errors, costs, work)
        assert found.front == [3, 7, 11]  # the highest rate alone
        by_setting = found.settings.set_index("setting")["cost"]
        for first in (0, 4, 8):
            assert len({*by_setting[[*range(first, first + 4)]]}) == 1
            assert by_setting[first] == pytest.approx(costs[first : first + 4].mean())


def test_what_is_listed_is_significantly_cheaper_or_better():
    luck = np.array([1, -1, 2, -2, 0])
    errors = 0.05 + 0.001 * np.array([0 * luck, luck[::-1] + 0.5, 5 + luck, 30 + luck, 31 + luck])
    costs = 5 + np.array([0.2 * luck, 0.2 * luck[::-1] - 2, 0 * luck, 0.1 * luck - 3, 0 * luck - 3])
    found = sweep_of({"a": range(5)}, errors, costs)
    # 0 is the best, but not significantly better than 1, which costs 2 less. 2 costs as much as 0,
    # and is worse. 3 is worse and costs less; 4 costs as much as 3, and is worse.
    assert found.front == [3, 1]


def test_of_two_seeds_the_means_decide():
    found = sweep_of({"a": [1, 2]}, [[0.10, 0.12], [0.11, 0.125]], [[2, 2.2], [1, 1.9]])
    assert found.front == [1, 0]


def test_of_equally_good_settings_the_cheapest_is_listed():
    assert sweep_of({"a": [1, 2, 3]}, [[0.1]] * 3, [[3], [1], [2]]).front == [1]


def test_the_front_agrees_with_what_is_as_good():
    """Of many settings, one with p < 0.05 may be as good as the best, as p is then adjusted."""
    luck = np.array([1, -1, 2, -2, 0])
    errors = 0.05 + 0.001 * np.array([0 * luck, *(2.2 + 0.01 * n + luck for n in range(9))])
    costs = 9 + np.arange(10)[:, None] + 0.1 * luck[::-1]
    costs[1] -= 8
    found = sweep_of({"a": range(10)}, errors, costs)
    assert ttest_rel(errors[1], errors[0]).pvalue < 0.05
    assert len(found.as_good) == 10
    assert found.front == [1]


def test_all_may_fail():
    found = sweep_of({"a": [1, 2]}, [[np.nan, 0.1], [0.1, np.nan]])
    assert found.failed == [0, 1]
    assert found.settings.empty
    assert found.front == []


def test_as_many_works_as_settings():
    with pytest.raises(ValueError, match="work"):
        sweep_of({"a": [1, 2]}, [[0.1], [0.2]], work=["same"])


@pytest.mark.parametrize(
    ("values", "errors", "costs"),
    [
        ({"a": [1, 2]}, [[0.1]], [[1]]),
        ({"a": [1]}, [[0.1]], [[1, 2]]),
        ({"a": [1]}, [0.1], [1]),
        ({"a": []}, np.empty((0, 2)), np.empty((0, 2))),
        ({"a": [1]}, [["x"]], [["x"]]),
    ],
)
def test_what_does_not_fit_is_refused(values, errors, costs):
    with pytest.raises((TypeError, ValueError), match=r"errors|costs"):
        sweep_of(values, errors, costs)
