"""Tries many settings with several seeds: `python -m experiments.sweep [options] OVERRIDE...`."""

import argparse
import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from dvc.utils.serialize import modify_yaml

from experiments.commands import exit_of_command, seeds_from
from experiments.data import only_one_trains
from experiments.sweep.overrides import (
    Setting,
    count_settings,
    make_settings,
    merge_values,
    parse_overrides,
    value_text,
)
from experiments.sweep.report import draw_sweep, setting_name, sweep_report
from experiments.sweep.runs import run_settings
from experiments.sweep.summary import Measure, summarise_sweep
from experiments.trials import Result
from nnlib.base.errors import UserError
from nnlib.base.files import whole_folder, write_text
from nnlib.base.tables import write_mixed_csv
from nnlib.report.numerals import count, percent
from nnlib.report.pages import page
from stages.common import PARAMS, REPORTS
from stages.download import described
from stages.params import MOST_SEEDS, Params, read_params

SWEEPS = REPORTS / "sweeps"  # a folder for each, by its name
NAME = r"\w[\w.-]*"
MANY = 1000  # trainings, more of which need --yes


def main() -> None:
    """Read the command line and sweep."""
    parser = argparse.ArgumentParser(prog="python -m experiments.sweep", description=__doc__)
    parser.add_argument(
        "overrides", nargs="*", help="as for `dvc exp run -S`: train.hidden_size=25,50"
    )
    parser.add_argument("--seeds", type=int, default=1, metavar="N", help="of each setting")
    parser.add_argument("--samples", type=int, metavar="N", help="settings drawn at random")
    parser.add_argument("--cluster", metavar="ADDRESS", help="of a Dask scheduler")
    parser.add_argument("--apply", choices=["best"], help="set the best in params.yaml")
    parser.add_argument("--name", default="last", help="of the report's folder, in reports/sweeps")
    parser.add_argument("--yes", action="store_true", help=f"to more than {MANY} trainings")
    arguments = parser.parse_args()
    if not 1 <= arguments.seeds <= MOST_SEEDS:
        parser.error(f"--seeds: from 1 to {MOST_SEEDS}")
    if arguments.samples is not None and arguments.samples < 1:
        parser.error("--samples: at least 1")
    if not re.fullmatch(NAME, arguments.name):
        parser.error("--name: letters, digits, and hyphens, dots and underscores behind the first")
    with exit_of_command("sweep"), only_one_trains():
        sweep(arguments)


def sweep(arguments: argparse.Namespace) -> None:
    """Train what is missing, and report on all."""
    defaults = read_params(Params, PARAMS)
    seeds = seeds_from(defaults, arguments.seeds)
    texts = [text for each in arguments.overrides for text in _split(each)]
    overrides = parse_overrides(texts, defaults)
    trainings = count_settings(overrides, arguments.samples) * arguments.seeds
    if trainings > MANY and not arguments.yes:
        raise UserError(f"these are {count(trainings)} trainings; confirm with YES=1")
    settings = make_settings(overrides, defaults, samples=arguments.samples)
    for names in same_settings(settings):
        print(f"note: these are the same training, which is done once: {'; '.join(names)}")
    if arguments.samples is not None and len(settings) < arguments.samples:
        print(
            f"note: only {count(len(settings))} of {count(arguments.samples)} drawn settings differ"
        )
    results = run_settings(settings, seeds, arguments.cluster)
    best = report(settings, seeds, results, SWEEPS / arguments.name)
    if arguments.apply == "best":
        if best is None:
            raise UserError("no setting could be trained with every seed, so there is no best one")
        with modify_yaml(PARAMS) as params:
            merge_values(params, best.changes)
        print(f"Set in {PARAMS}: {setting_name(_shown(best.changes))}")


def _split(text: str) -> list[str]:
    """Split overrides at their spaces, but for those in quotes."""
    try:
        return shlex.split(text)
    except ValueError as error:
        raise UserError(f"{text}: {error}") from error


def report(
    settings: Sequence[Setting],
    seeds: Sequence[int],
    results: Sequence[Sequence[Result]],
    folder: Path,
) -> Setting | None:
    """Write the table and the report, and print the best setting, which is returned."""
    values = pd.DataFrame([_shown(setting.swept) for setting in settings])
    validation, test, seconds = (
        np.array([[getattr(result, name) for result in of_seeds] for of_seeds in results], float)
        for name in ("validation_accuracy", "test_accuracy", "seconds")
    )  # (N, S), NaN for None, as where a trial failed
    measure: Measure = "test" if np.isnan(validation[~np.isnan(test)]).any() else "validation"
    errors = 1 - (test if measure == "test" else validation)
    found = summarise_sweep(values, errors, seconds, [setting.work for setting in settings])
    data_names = dict.fromkeys(described(each.params.data).name for each in settings)
    text = sweep_report(
        found,
        values,
        data=" and ".join(data_names),
        same=same_settings(settings),
        fixed={name: value_text(value) for name, value in settings[0].fixed.items()},
        seeds=seeds,
        measure=measure,
        test_errors=1 - test.mean(axis=1),
        seconds=float(np.nansum(seconds)),
    )
    with whole_folder(folder) as part:
        write_table(part / "sweep.csv", settings, seeds, results)
        if not found.settings.empty:
            losses = [[result.losses for result in each] for each in results]
            draw_sweep(part, found, values, measure=measure, losses=losses)
        write_text(part / "sweep.md", text)
        write_text(part / "sweep.html", page(text, part))
    best = None
    if not found.settings.empty:
        first = found.settings.iloc[0]
        best = settings[int(first["setting"])]
        print(
            f"Best: {setting_name(_shown(best.swept))}, {measure} error {percent(first['error'])}"
        )
    print("Report: " + ", ".join(f"{folder / 'sweep'}.{kind}" for kind in ("html", "md", "csv")))
    return best


def same_settings(settings: Sequence[Setting]) -> list[list[str]]:
    """The names of those that came out the same although their values differ."""
    return [
        [setting_name(_shown(values)) for values in (setting.swept, *setting.same)]
        for setting in settings
        if setting.same
    ]


def _shown(values: Mapping[str, Any]) -> dict[str, float | str]:
    """The values of a setting: numbers, and texts."""
    return {
        name: value if isinstance(value, int | float) else value_text(value)
        for name, value in values.items()
    }


def write_table(
    path: Path,
    settings: Sequence[Setting],
    seeds: Sequence[int],
    results: Sequence[Sequence[Result]],
) -> None:
    """Write a row for each training, with what does not depend on who did it, or how fast."""
    rows: list[dict[str, Any]] = []
    for number, (setting, of_seeds) in enumerate(zip(settings, results, strict=True)):
        for seed, result in zip(seeds, of_seeds, strict=True):
            rows.append(
                {
                    "setting": number,
                    **_shown(setting.swept),
                    "seed": seed,
                    "validation_accuracy": result.validation_accuracy,
                    "test_accuracy": result.test_accuracy,
                    "loss": result.losses[-1] if result.losses else np.nan,
                    "failure": result.failure,
                }
            )
    write_mixed_csv(path, pd.DataFrame(rows))


if __name__ == "__main__":
    main()
