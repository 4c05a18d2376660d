"""What each change of the recipe is worth: the settings, a comparison by hand, the command."""

import re
import sys

import pandas as pd
import pytest

from experiments.record.ablation import (
    CHANGES,
    SHORTER,
    ablation_report,
    changed,
    settings_of,
    summarise_ablation,
)
from experiments.record.recipe import recipe_for
from stages.params import Params, leaves, read_params
from tests.markdown import table
from tools.checkouts import ROOT

NOT_LEARNED = {"train.evaluate_every", "repeat.seeds"}
RECIPE = recipe_for((28, 28))


@pytest.fixture(scope="module")
def defaults():
    return read_params(Params, ROOT / "params.yaml")


def differing(params, others):
    """The parameters of `params` that `others` has not, or has other values of."""
    values = dict(leaves(others.model_dump()))
    return {
        name: value
        for name, value in leaves(params.model_dump())
        if name not in values or values[name] != value
    }


def test_the_changes_make_up_the_recipe(defaults):
    names = [name for each in CHANGES.values() for name in each]
    assert len(names) == len(set(names))
    assert set(names) == {name.removeprefix("+") for name in RECIPE} - NOT_LEARNED
    settings = {(start, change): params for start, change, params in settings_of(defaults, RECIPE)}
    assert settings["default", ""] == defaults
    whole = dict(leaves(settings["recipe", ""].model_dump()))
    for name, value in RECIPE.items():
        assert name in NOT_LEARNED or whole[name.removeprefix("+")] == value
    for change, names in CHANGES.items():
        added = differing(settings["default", change], defaults)
        removed = differing(settings["recipe", ""], settings["recipe", change])
        for differs in (added, removed):
            of_adam = {"train.optimizer.beta1", "train.optimizer.epsilon"}  # with their defaults
            assert set(differs) - of_adam == set(names)


# The test errors of two seeds, in per cent.
ERRORS = {
    ("default", ""): (6, 5),
    ("default", "wide"): (4, 3.2),  # -2 and -1.8
    ("default", "long"): (6.5, 5.5),
    ("recipe", ""): (1, 1),
    ("recipe", "wide"): (1.5, 1.5),
    ("recipe", "long"): (1.9, 2.1),  # 0.9 and 1.1
}
TABLE = pd.DataFrame(
    [
        (start, change, seed, 1 - errors[seed - 1] / 100)
        for (start, change), errors in ERRORS.items()
        for seed in (1, 2)
    ],
    columns=["start", "change", "seed", "test_accuracy"],
)


def test_changes_are_compared_with_what_they_change_seed_by_seed():
    found = summarise_ablation(TABLE.sample(frac=1, random_state=1))
    assert found.default.mean == pytest.approx(0.055)
    assert found.recipe.mean == pytest.approx(0.01)
    long, wide = found.rows
    assert (long.name, wide.name) == ("long", "wide")  # what costs most comes first
    assert wide.added.error.mean == pytest.approx(0.036)
    assert wide.added.change.mean == pytest.approx(-0.019)
    assert long.removed.change.mean == pytest.approx(0.01)
    # Student's 97.5% quantile for one degree of freedom is 12.706; the standard error is 0.1 points
    assert long.removed.change.high == pytest.approx(0.01 + 0.012706, abs=1e-6)


def test_what_is_significant_is_adjusted_for_all_differences():
    # p of +1.0 with a standard error of 0.1 and one degree of freedom is 0.063; where both seeds
    # differ by the same, it is 0
    found = {row.name: row for row in summarise_ablation(TABLE).rows}
    assert not found["long"].removed.is_significant
    assert found["wide"].removed.is_significant
    several = pd.concat([TABLE, *(TABLE.assign(seed=TABLE["seed"] + 2 * i) for i in (1, 2, 3))])
    found = {row.name: row for row in summarise_ablation(several).rows}
    assert found["long"].removed.is_significant
    assert found["wide"].added.is_significant


def test_the_report_says_what_costs_and_gains_most(defaults):
    several = pd.concat([TABLE, *(TABLE.assign(seed=TABLE["seed"] + 2 * i) for i in (1, 2, 3))])
    text = ablation_report(several, "my *set*", changed(defaults, RECIPE | SHORTER))
    assert text.startswith("# What each change of the recipe is worth: my \\*set\\*, test set\n")
    assert "these cost most: long (+1.00); wide (+0.50) points" in text
    assert "these gain most: wide (-1.90) points" in text  # and not long, which costs
    # the standard error, 0.1 / 7 ** 0.5, times Student's quantile for 7 degrees, 2.3646
    rows = table("| change | default with", text.replace("\N{NO-BREAK SPACE}", " "))
    assert [row[0] for row in rows] == ["none", "long", "wide"]
    assert rows[1][3].startswith("2.00%")
    assert rows[1][4].startswith("**+1.00** (+0.91 to +1.09)")
    assert "mean of 8 seeds" in text
    assert "`make ablation SEEDS=8` trains them again" in text
    of_recipe = settings_of(defaults, RECIPE | SHORTER)[1].params.train
    updates = of_recipe.epochs * (60_000 // of_recipe.batch_size)
    assert f"make {updates:,} updates; the default settings make" in text
    assert f"make {defaults.train.iterations:,}. `" in text
    assert "| more hidden units | `train.hidden_size` | 50 | 512 |" in text


def test_the_report_claims_nothing_that_is_not_significant(defaults):
    few = TABLE[TABLE["change"] != "wide"]
    few = few.assign(test_accuracy=few["test_accuracy"] + (few["seed"] == 1) * few.index / 1000)
    text = ablation_report(few, "MNIST", changed(defaults, RECIPE | SHORTER))
    assert "no single change costs significantly" in text
    assert "no single change gains significantly" in text


@pytest.mark.slow
def test_the_command(checkout):
    said = checkout.run(sys.executable, "-m", "experiments.record.ablation", "--seeds", "2")
    assert "Report: reports/ablation.md, reports/ablation.csv" in said
    results = pd.read_csv(checkout.path / "reports/ablation.csv", keep_default_na=False)
    assert len(results) == 2 * 2 * (1 + len(CHANGES))
    text = (checkout.path / "reports/ablation.md").read_text()
    assert re.search(r"The default settings misclassify \d", text)


def test_the_committed_report_is_that_of_the_committed_table(defaults):
    results = pd.read_csv(ROOT / "reports/ablation.csv", keep_default_na=False)
    assert results["change"].drop_duplicates().tolist() == ["", *CHANGES]
    parameters = changed(defaults, recipe_for((28, 28)) | SHORTER)
    text = (ROOT / "reports/ablation.md").read_text(encoding="utf-8")
    assert text == ablation_report(results, "MNIST", parameters)
