"""What each change of the recipe is worth: `python -m experiments.record.ablation [--seeds N]`.

Each is added to the default settings alone, and taken away from the recipe alone.
"""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from experiments.commands import exit_of_command, parse_with_seeds, seeds_from
from experiments.data import data_of_params, only_one_trains
from experiments.record.recipe import RECIPE, recipe_for
from experiments.sweep.overrides import merge_values
from experiments.trials import Trial, run_trials
from nnlib.base.files import write_text
from nnlib.base.tables import write_mixed_csv
from nnlib.report.templating import literal, render
from nnlib.stats.paired import PairedT, paired_t
from nnlib.stats.proportions import holm
from nnlib.stats.significance import ALPHA
from stages.common import PARAMS, REPORTS
from stages.download import described
from stages.params import Params, check_params, leaves, read_params

TABLE, REPORT = REPORTS / "ablation.csv", REPORTS / "ablation.md"
SEEDS = 5
# The recipe's network takes half an hour of a core, and here are sixteen settings.
SHORTER = {"train.hidden_size": 512, "train.epochs": 30}
# The parameters of each change. Those of the optimizer are one, as a learning rate and a weight
# decay that suit one optimizer do not suit another.
CHANGES = {
    "more hidden units": ("train.hidden_size",),
    "ReLU and He's initial weights": ("train.activation", "train.weight_init"),
    "Adam, with its learning rate and weight decay": (
        "train.optimizer.name",
        "train.optimizer.beta2",
        "train.learning_rate",
        "train.weight_decay",
    ),
    "a learning rate that falls": ("train.schedule.name",),
    "more epochs, in large shuffled batches": (
        "train.epochs",
        "train.batch_size",
        "train.sampling",
    ),
    "distorted images": (
        "train.augmentation.rotation",
        "train.augmentation.shear",
        "train.augmentation.scale",
        "train.augmentation.shift",
        "train.augmentation.elastic",
    ),
    "a moving average of the weights": ("train.averaging",),
}


def main() -> None:
    """Read the command line, train and report."""
    parser = argparse.ArgumentParser(prog="python -m experiments.record.ablation")
    seeds = parse_with_seeds(parser, f"train each setting N times; {SEEDS} if left out").seeds
    with exit_of_command("ablation"), only_one_trains():
        defaults = read_params(Params, PARAMS)
        dataset = described(defaults.data)
        recipe = recipe_for(dataset.image_shape) | SHORTER
        settings = settings_of(defaults, recipe)
        numbers = seeds_from(defaults, seeds or SEEDS)
        table = train(settings, defaults, numbers)
        write_mixed_csv(TABLE, table)
        write_text(REPORT, ablation_report(table, dataset.name, changed(defaults, recipe)))
    print(f"Report: {REPORT}, {TABLE}")


class Settings(NamedTuple):
    """The settings that tell what a change is worth."""

    start: str  # `default` or `recipe`
    change: str  # that is added to the former, or taken away from the latter; "" for none
    params: Params


def settings_of(defaults: Params, recipe: Mapping[str, Any]) -> list[Settings]:
    """Both ends, and each of them with one change.

    Parameters
    ----------
    defaults : Params
    recipe : mapping of str to values
        As `recipe_for` gives it.
    """
    values = {name.removeprefix("+"): value for name, value in recipe.items()}

    def params(changes: Sequence[str]) -> Params:
        content = defaults.model_dump()
        merge_values(content, {name: values[name] for each in changes for name in CHANGES[each]})
        return check_params(Params, content, RECIPE)

    settings = [Settings("default", "", params([])), Settings("recipe", "", params([*CHANGES]))]
    for change in CHANGES:
        others = [other for other in CHANGES if other != change]
        settings.append(Settings("default", change, params([change])))
        settings.append(Settings("recipe", change, params(others)))
    return settings


def train(settings: Sequence[Settings], defaults: Params, seeds: Sequence[int]) -> pd.DataFrame:
    """Train each of the settings with each seed.

    Returns
    -------
    DataFrame with `start`, `change`, `seed` and `test_accuracy`
    """
    trials = [
        Trial(params.normalize.scaling, params.train.model_copy(update={"seed": seed}))
        for *_, params in settings
        for seed in seeds
    ]
    with data_of_params(defaults.data) as data:
        results = run_trials(trials, data)
    rows = [(start, change, seed) for start, change, _ in settings for seed in seeds]
    table = pd.DataFrame(rows, columns=["start", "change", "seed"])
    return table.assign(test_accuracy=[result.test_accuracy for result in results])


class Effect(NamedTuple):
    """What a change does to the test error of the settings that it changes."""

    error: PairedT  # with it
    change: PairedT  # this, less the error without it
    is_significant: bool


class Row(NamedTuple):
    """A change of the recipe."""

    name: str
    added: Effect  # to the default settings
    removed: Effect  # from the recipe


class Ablation(NamedTuple):
    """The changes, and the test errors between which they lead."""

    default: PairedT
    recipe: PairedT
    rows: list[Row]  # what costs most, taken away from the recipe, first


def summarise_ablation(table: pd.DataFrame) -> Ablation:
    """Compare each of the settings with where it starts from, seed by seed.

    Significance is that of Student's paired test, adjusted for all differences by Holm's method.

    Parameters
    ----------
    table : DataFrame
        As `train` makes it, with two seeds or more.
    """
    errors = 1 - table.pivot_table("test_accuracy", "seed", ["start", "change"])
    names = [name for name in dict.fromkeys(table["change"]) if name]
    keys = [(start, name) for start in ("default", "recipe") for name in names]
    changes = {key: paired_t(errors[key] - errors[key[0], ""]) for key in keys}
    is_significant = holm([change.p for change in changes.values()]) < ALPHA
    effects = {
        key: Effect(paired_t(errors[key]), changes[key], bool(holds))
        for key, holds in zip(keys, is_significant, strict=True)
    }
    rows = [Row(name, effects["default", name], effects["recipe", name]) for name in names]
    rows.sort(key=lambda row: -row.removed.change.mean)
    return Ablation(paired_t(errors["default", ""]), paired_t(errors["recipe", ""]), rows)


def changed(defaults: Params, recipe: Mapping[str, Any]) -> dict[str, list[tuple[str, ...]]]:
    """The parameters of each change: the name, and the values before and after."""
    before = dict(leaves(defaults.model_dump()))
    after = {name.removeprefix("+"): value for name, value in recipe.items()}
    return {
        change: [(name, str(before.get(name, "-")), str(after[name])) for name in names]
        for change, names in CHANGES.items()
    }


def ablation_report(
    table: pd.DataFrame, data: str, parameters: Mapping[str, Sequence[tuple[str, ...]]]
) -> str:
    """Write the report, in Markdown.

    Parameters
    ----------
    table : DataFrame
        As `train` makes it.
    data : str
        The name of the data set.
    parameters : mapping of str to (name, before, after)
        Of each change.
    """
    return render(
        "ablation.md",
        Path(__file__).parent,
        a=summarise_ablation(table),
        data=literal(data),
        seeds=table["seed"].nunique(),
        trainings=len(table),
        changed=parameters,
        shorter=SHORTER,
    )


if __name__ == "__main__":
    main()
