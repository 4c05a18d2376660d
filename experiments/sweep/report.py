"""The report on a sweep, in Markdown, and its figures."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

from experiments.sweep.figures import (
    draw_effects,
    draw_front,
    draw_learning_curves,
    draw_map,
    draw_parallel,
    level_text,
    map_title,
    short,
)
from experiments.sweep.summary import ENOUGH, Measure, Sweep
from nnlib.base.arrays import Floats
from nnlib.report.templating import render

MOST_ROWS = 40  # settings in a table
CURVES = 5  # settings whose learning is drawn


def setting_name(values: Mapping[Any, object]) -> str:
    """A setting in words: `hidden_size=25 learning_rate=0.1`."""
    return " ".join(f"{short(str(name))}={value}" for name, value in values.items())


def sweep_report(
    sweep: Sweep,
    values: pd.DataFrame,
    *,
    data: str,
    fixed: Mapping[str, str],
    seeds: Sequence[int],
    measure: Measure,
    test_errors: Floats,
    seconds: float,
    same: Sequence[Sequence[str]] = (),
) -> str:
    """Write the report.

    Parameters
    ----------
    sweep : Sweep
        With costs in seconds.
    values : DataFrame of N rows and a column for each parameter that differs
        The settings.
    data : str
        The name of the data set.
    fixed : mapping of str to str
        What all settings have in common, by name, but is not in `params.yaml`.
    seeds : sequence of S int
    measure : str
        What the errors of the sweep are of.
    test_errors : ndarray of float of shape (N,)
        Mean errors on the test set.
    seconds : float
        What all trainings took.
    same : sequence of sequences of str
        The names of settings that came out the same, of which the first is in the table.

    Returns
    -------
    str, Markdown with links to the figures of `draw_sweep`, beside it
    """
    texts = values.astype(object).map(str).to_dict("records")
    names = [setting_name(each) for each in texts]
    front = sweep.settings.set_index("setting").loc[sweep.front]
    return render(
        "report.md",
        Path(__file__).parent,
        data=data,
        total=len(values),
        compared=len(sweep.settings),
        as_good=len(sweep.as_good) - 1,
        seeds=seeds,
        measure=measure,
        is_held_out_easier=bool(
            (test_errors[sweep.settings["setting"]] > sweep.settings["error"]).all()
        ),
        at_end=_at_end(sweep, values),
        parameters=list(values),
        fixed=[f"{name}={value}" for name, value in fixed.items()],
        same=same,
        failed=[names[setting] for setting in sweep.failed],
        most_rows=MOST_ROWS,
        rows=[
            {
                **row,
                "name": names[row["setting"]],
                "texts": list(texts[row["setting"]].values()),
                "test_error": test_errors[row["setting"]],
            }
            for row in sweep.settings.head(MOST_ROWS).to_dict("records")
        ],
        front=[
            {**row, "name": names[int(setting)]}
            for setting, row in zip(front.index, front.to_dict("records"), strict=True)
        ],
        effects=sweep.effects,
        level_text=level_text,
        map_title=map_title(values),
        time=f"{seconds:.1f} seconds" if seconds < 60 else f"{seconds / 60:.1f} minutes",
        enough=ENOUGH,
    )


def _at_end(sweep: Sweep, values: pd.DataFrame) -> list[str]:
    """The parameters of which the best setting has the lowest or highest of several values."""
    if sweep.settings.empty:
        return []
    best = values.iloc[sweep.settings["setting"][0]]
    return [
        f"`{name}`"
        for name, column in values.items()
        if is_numeric_dtype(column)
        and column.nunique() > 2
        and best[name] in {column.min(), column.max()}
    ]


def draw_sweep(
    folder: Path,
    sweep: Sweep,
    values: pd.DataFrame,
    *,
    measure: Measure,
    losses: Sequence[Sequence[Sequence[float]]],
) -> None:
    """Draw the figures of the report.

    Parameters
    ----------
    folder : Path
        Where they go.
    sweep : Sweep
        With at least one setting that could be trained.
    values : DataFrame
        As for `sweep_report`.
    measure : str
        As for `sweep_report`.
    losses : sequences of float
        Of each epoch, by setting and seed.
    """
    draw_effects(folder, sweep.effects, measure)
    best = sweep.settings["setting"]
    rows = values.astype(object).to_dict("records")
    curves = {setting_name(rows[setting]): losses[setting] for setting in best.head(CURVES)}
    draw_learning_curves(folder, curves)
    draw_front(folder, sweep, measure)
    if values.shape[1] > 1:
        ordered, errors = values.iloc[best], sweep.settings["error"].to_numpy(np.float64)
        draw = draw_map if values.shape[1] == 2 else draw_parallel
        draw(folder, ordered, errors, measure)
