"""The figures of the report on a sweep. Each function draws one and writes it as PNG to a folder.

`measure` says which samples the errors are of.
"""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import style
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray
from pandas.api.types import is_numeric_dtype

from experiments.sweep.summary import Effect, Level, Measure, Sweep
from nnlib.base.arrays import Floats
from nnlib.report.style import BLUE, DARK, ERRORS, ORANGE, STYLE, save, set_log_scale, set_log_ticks

MOST_NUMBERS = 12  # rows or columns of a heat map whose cells hold numbers
MOST_LINES = 200  # of parallel coordinates
MOST_TICKS = 10  # of an axis of them


def short(name: str) -> str:
    """A parameter without its section: `learning_rate` of `train.learning_rate`."""
    return name.partition(".")[2]


def _text(value: object) -> str:
    """A value, with as many digits as tell it from others."""
    return f"{value:.15g}" if isinstance(value, float) else str(value)


def level_text(level: Level) -> str:
    """A level of a parameter: its value, or the range of its quarter."""
    least, most = map(_text, level[:2])
    return least if least == most else f"{least} to {most}"


def map_title(values: pd.DataFrame) -> str | None:
    """What the figure of all parameters together is called; None for one parameter."""
    if values.shape[1] == 1:
        return None
    if values.shape[1] == 2:
        return "Both parameters together"
    lines = "" if len(values) <= MOST_LINES else f", the best {MOST_LINES} settings"
    return f"All parameters together{lines}"


@style.context(STYLE)
def draw_effects(folder: Path, effects: Sequence[Effect], measure: Measure) -> None:
    """Draw the mean error at each level of each parameter, with the interval over the seeds."""
    columns = min(len(effects), 3)
    rows = math.ceil(len(effects) / columns)
    figure = Figure(figsize=(max(3.4 * columns, 5), 3.2 * rows), layout="constrained")
    figure.suptitle("The mean error at each value of a parameter")
    panels = figure.subplots(rows, columns, sharey=True, squeeze=False)
    for axes, effect in zip(panels.flat, effects, strict=False):
        errors, low, high = (
            100 * np.array([level[place] for level in effect.levels], float) for place in (3, 4, 5)
        )
        places = range(len(errors))
        axes.errorbar(
            places,
            errors,
            yerr=np.nan_to_num([errors - low, high - errors]),
            fmt="o-",
            color=BLUE,
            capsize=3,
            linewidth=0.8,
        )
        names = [level_text(level).replace(" to ", " to\n") for level in effect.levels]
        axes.set_xticks(places, names, fontsize=8, rotation=90 if _is_crowded(names) else 0)
        axes.set(xlabel=short(effect.parameter), xlim=(-0.5, len(errors) - 0.5))
        axes.grid(axis="y", color="0.92")
    for axes in panels[:, 0]:
        axes.set(ylabel=f"mean {measure} error (%)")
    for axes in panels.flat[len(effects) :]:
        axes.remove()
    save(figure, folder / "effects.png")


def _is_crowded(names: Sequence[str]) -> bool:
    return sum(max(map(len, name.split("\n"))) for name in names) > 30


@style.context(STYLE)
def draw_learning_curves(folder: Path, curves: Mapping[str, Sequence[Sequence[float]]]) -> None:
    """Draw the loss by epoch: the mean over the seeds, and their range.

    Parameters
    ----------
    curves : mapping of str to sequences of float
        The loss of each epoch with each seed, by the name of a setting.
    """
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots()
    axes.set_title("The loss of the best settings by epoch")
    for name, of_seeds in curves.items():
        losses = np.array(of_seeds)  # (seeds, epochs)
        epochs = np.arange(1, losses.shape[1] + 1)
        (line,) = axes.plot(epochs, losses.mean(axis=0), label=name)
        ends = losses.min(axis=0), losses.max(axis=0)
        axes.fill_between(epochs, *ends, color=line.get_color(), alpha=0.2, linewidth=0)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set(xlabel="epoch", ylabel="mean loss of its batches (nats, logarithmic)")
    set_log_scale(axes)
    axes.grid(axis="y", which="both", color="0.92")
    axes.legend(frameon=False, fontsize=8)
    save(figure, folder / "learning.png")


@style.context(STYLE)
def draw_front(folder: Path, sweep: Sweep, measure: Measure) -> None:
    """Draw the error against the seconds of a training, and the settings that nothing dominates."""
    settings = sweep.settings
    front = settings.set_index("setting").loc[sweep.front]
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots()
    axes.set_title("The error against the training time")
    axes.plot(
        settings["cost"],
        100 * settings["error"],
        "o",
        color="0.7",
        markersize=4,
        label="all settings",
    )
    axes.plot(
        front["cost"],
        100 * front["error"],
        "o-",
        color=ORANGE,
        drawstyle="steps-post",
        label="Pareto front",
    )
    axes.set(xlabel="CPU seconds per training", ylabel=f"mean {measure} error (%, logarithmic)")
    set_log_scale(axes)
    axes.grid(axis="y", which="both", color="0.92")
    axes.legend(frameon=False)
    save(figure, folder / "front.png")


@style.context(STYLE)
def draw_map(folder: Path, values: pd.DataFrame, errors: Floats, measure: Measure) -> None:
    """Draw the error of each combination of two parameters, as a heat map.

    Parameters
    ----------
    values : DataFrame of N rows and two columns, a parameter each
    errors : ndarray of float of shape (N,)
    """
    (first, rows), (second, columns) = ((name, _codes(values[name])) for name in values)
    shape = len(rows[1]), len(columns[1])
    cells = np.full(shape, np.nan)
    cells[rows[0], columns[0]] = 100 * errors
    figure = Figure(
        figsize=(2.5 + 0.8 * min(shape[1], 12), 2 + 0.5 * min(shape[0], 12)), layout="constrained"
    )
    axes = figure.subplots()
    axes.set(title=map_title(values), xlabel=short(str(second)), ylabel=short(str(first)))
    image = axes.imshow(np.ma.masked_invalid(cells), cmap=ERRORS, aspect="auto")
    figure.colorbar(image, label=f"mean {measure} error (%)")
    if max(shape) <= MOST_NUMBERS:
        low, high = np.nanmin(cells), np.nanmax(cells)
        for row, column in np.argwhere(~np.isnan(cells)):
            is_dark = cells[row, column] > low + DARK * (high - low)
            axes.text(
                column,
                row,
                f"{cells[row, column]:.2f}",
                ha="center",
                va="center",
                color="white" if is_dark else "black",
            )
        axes.set_xticks(range(shape[1]), columns[1])
        axes.set_yticks(range(shape[0]), rows[1])
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    save(figure, folder / "map.png")


def _codes(values: "pd.Series[Any]") -> tuple[NDArray[np.intp], list[str]]:
    """The place of each value among all of them in order, and their names."""
    is_number = is_numeric_dtype(values)
    codes, levels = pd.factorize(values if is_number else values.astype(str), sort=is_number)
    return codes, [*map(_text, levels.tolist())]


@style.context(STYLE)
def draw_parallel(folder: Path, values: pd.DataFrame, errors: Floats, measure: Measure) -> None:
    """Draw a line for each setting through its values, coloured by its error: the best on top.

    Parameters
    ----------
    values : DataFrame of N rows, the best setting first, and a column for each parameter
    errors : ndarray of float of shape (N,)
    """
    shown, shares = values.head(MOST_LINES), 100 * errors[:MOST_LINES]
    figure = Figure(figsize=(2.5 + 1.8 * values.shape[1], 4.5), layout="constrained")
    axes = figure.subplots()
    heights = []
    for place, name in enumerate(shown):
        codes, names = _codes(shown[name])
        heights.append(codes / max(len(names) - 1, 1))
        step = math.ceil(len(names) / MOST_TICKS)
        for code in range(0, len(names), step):
            axes.text(
                place - 0.03,
                code / max(len(names) - 1, 1),
                names[code],
                ha="right",
                va="center",
                fontsize=8,
                bbox={"facecolor": "white", "alpha": 0.7, "linewidth": 0, "pad": 1},
            )
        axes.axvline(place, color="0.6", linewidth=0.8)
    # logarithmic, so that the differences among the good settings show
    norm = LogNorm(max(shares.min(), 0.01), max(shares.max(), 0.02))
    colours = ScalarMappable(norm, f"{ERRORS}_r")
    for line in range(len(shown) - 1, -1, -1):
        axes.plot(
            range(len(heights)),
            [codes[line] for codes in heights],
            color=colours.to_rgba(shares[line]),
            linewidth=2.5 if line == 0 else 1,
        )
    bar = figure.colorbar(colours, ax=axes, label=f"mean {measure} error (%, logarithmic)")
    set_log_ticks(bar.ax)
    axes.set_xticks(range(len(heights)), [short(str(name)) for name in shown])
    axes.set(title=map_title(values), yticks=[], xlim=(-0.4, len(heights) - 0.8))
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    save(figure, folder / "map.png")
