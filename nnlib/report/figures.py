"""The figures of the report that show numbers. Each function draws one and writes it as PNG.

The figure's name, in the folder that is given, and its title are known here. What is said of the
classes is in the words of the data set.
"""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, PercentFormatter
from numpy.typing import NDArray

from nnlib.analysis.analysis import Analysis
from nnlib.analysis.confidence import FEW
from nnlib.analysis.confusion import shares_of_actual
from nnlib.analysis.slices import ALL, QUINTILES
from nnlib.base.arrays import Floats
from nnlib.data.datasets import Dataset
from nnlib.report.names import fits, words_of
from nnlib.report.numerals import count, percent
from nnlib.report.shapes import PROPERTIES, values
from nnlib.report.style import (
    BLUE,
    DARK,
    DIAGONAL,
    ERRORS,
    ORANGE,
    STYLE,
    legend_above,
    save,
    set_log_scale,
)

FAINT = "0.5"  # what is not to be relied on
# A matrix of more classes has smaller cells, without room for numbers: it is made to be enlarged.
MOST_WITH_NUMBERS = 20
CELL, SMALL_CELL = 0.6, 0.2  # inches
SMOOTHED = 51  # batches, to see the trend of their loss


@style.context(STYLE)
def draw_confusion(folder: Path, analysis: Analysis, dataset: Dataset) -> None:
    """Draw the confusion matrix: counts with their shares of the actual class, which colour errors.

    Where a share differs significantly from that on the training set, this stands below it.
    """
    shares, words = 100 * shares_of_actual(analysis.confusion), words_of(dataset)
    on_train = 100 * shares_of_actual(analysis.train_confusion)
    counts, lines = np.char.mod("%d", analysis.confusion), np.char.mod("\n%.1f%%", shares)
    of_train = np.char.mod("\ntrain %.1f%%", on_train)
    texts = np.where(analysis.confusion > 0, np.char.add(counts, lines), counts)
    texts = np.where(analysis.against_train.sign != 0, np.char.add(texts, of_train), texts)
    shares = _mask_diagonal(shares)
    figure, axes = heat_map(shares, texts, dataset, f"errors: share of the actual {words.noun} (%)")
    axes.set(title=f"Confusion matrix, {words.title}, test set", xlabel=f"predicted {words.noun}")
    save(figure, folder / "confusion.png")


@style.context(STYLE)
def draw_mean_probabilities(folder: Path, means: Floats, dataset: Dataset) -> None:
    """Draw the mean probability that the samples of each class give to each class.

    Parameters
    ----------
    means : ndarray of shape (C, C), the actual class by row; NaN for a class without samples
    """
    texts = np.where(np.isnan(means), "-", np.char.mod("%.2f", 100 * means))
    words = words_of(dataset)
    figure, axes = heat_map(_mask_diagonal(100 * means), texts, dataset, "mean probability (%)")
    axes.set(
        title=f"Second choices, {words.title}, test set",
        xlabel=f"{words.noun} that gets the probability",
    )
    save(figure, folder / "mean_probabilities.png")


def _mask_diagonal(values: Floats) -> "np.ma.MaskedArray[Any, Any]":
    """Mask NaN and the diagonal, whose values would drown out the others."""
    return np.ma.masked_array(values, np.eye(len(values), dtype=bool) | np.isnan(values))


def heat_map(
    values: "np.ma.MaskedArray[Any, Any]", texts: NDArray[np.str_], dataset: Dataset, label: str
) -> tuple[Figure, Axes]:
    """Colour the cells of a square matrix by their values; masked cells are grey.

    Parameters
    ----------
    values : masked array of shape (C, C), the actual class by row
    texts : ndarray of str of shape (C, C)
        What stands in the cells, in white where the size of the value is near the largest. Of more
        than `MOST_WITH_NUMBERS` classes, nothing does.
    dataset : Dataset
    label : str
        Of the colours, which are of values from 0 to the largest size, and at least to 1.
    """
    sizes = np.abs(values.filled(0))
    most, classes, words = max(sizes.max(), 1), dataset.classes, words_of(dataset)
    has_numbers = classes <= MOST_WITH_NUMBERS
    cell, size = (CELL, 10) if has_numbers else (SMALL_CELL, 8)
    side = max(6.0, cell * classes)
    is_upright = all(fits(name, 72 * 0.8 * side / classes, size) for name in words.names)
    room = 0 if is_upright else 0.07 * max(map(len, words.names))  # of the names, in inches
    figure = Figure(figsize=(side + 2 + room, side + 1 + room), layout="constrained")
    axes = figure.subplots()
    axes.set_facecolor(DIAGONAL)
    image = axes.imshow(values, cmap=ERRORS, vmin=0, vmax=most)
    figure.colorbar(image, label=label, shrink=0.8)
    for row, column in np.ndindex(values.shape) if has_numbers else ():
        value, text = values.data[row, column], str(texts[row, column])
        is_dark = sizes[row, column] > DARK * most
        colour = "white" if is_dark else "black" if value else "0.4"
        of_text = 10 - 1.5 * text.count("\n")  # points, so that more lines fit
        axes.text(column, row, text, ha="center", va="center", color=colour, fontsize=of_text)
    axes.set_xticks(range(classes), words.names, rotation=0 if is_upright else 90, fontsize=size)
    axes.set_yticks(range(classes), words.names, fontsize=size)
    axes.set_ylabel(f"actual {words.noun}")
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    return figure, axes


@style.context(STYLE)
def draw_reliability(folder: Path, bins: pd.DataFrame, dataset: Dataset) -> None:
    """Draw the reliability diagram, with the number of predictions in each bin.

    Bins with fewer than `FEW` predictions are grey.

    Parameters
    ----------
    bins : DataFrame
        As `nnlib.analysis.confidence.reliability` makes it.
    """
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots()
    full = bins[bins["count"] > 0]
    is_few = full["count"] < FEW
    what = "accuracy at the bin's mean confidence, 95% interval"
    of_few = f"{what if is_few.all() else 'the same'}, of fewer than {FEW} predictions"
    for shown, colour, label in ((full[~is_few], BLUE, what), (full[is_few], FAINT, of_few)):
        if shown.empty:
            continue
        accuracy = shown["accuracy"]
        axes.bar(
            shown["low"],
            accuracy,
            width=shown["high"] - shown["low"],
            align="edge",
            color=colour,
            alpha=0.3,
            edgecolor="white",
        )
        axes.errorbar(
            shown["confidence"],
            accuracy,
            yerr=_to_ends(accuracy, shown["accuracy_low"], shown["accuracy_high"]),
            fmt="o",
            color=colour,
            capsize=3,
            clip_on=False,
            label=label,
        )
    axes.plot([0, 1], [0, 1], color="black", linestyle="--", label="perfectly calibrated")
    for middle, number, few in zip(
        (full["low"] + full["high"]) / 2, full["count"], is_few, strict=True
    ):
        colour = FAINT if few else "black"
        axes.text(middle, 1.02, count(number), ha="center", fontsize=9, color=colour)
    axes.text(1.01, 1.02, "predictions", fontsize=9)
    words = words_of(dataset)
    axes.set(
        xlabel=f"confidence (probability of the predicted {words.noun})",
        ylabel="accuracy",
        xlim=(0, 1),
        ylim=(0, 1),
    )
    axes.set_title(f"Reliability diagram, {words.title}, test set", pad=24)
    axes.legend(loc="upper left", frameon=False)
    save(figure, folder / "reliability.png")


def _to_ends(
    rates: "pd.Series[float]", low: "pd.Series[float]", high: "pd.Series[float]"
) -> Floats:
    """How far the ends of intervals lie below and above their rates, which rounding may put out."""
    return np.maximum([rates - low, high - rates], 0)


@style.context(STYLE)
def draw_confidence(folder: Path, analysis: Analysis, dataset: Dataset) -> None:
    """Draw how confident right and wrong predictions are, and the accuracy of the most confident.

    What is marked are the accuracies wanted of automatic decisions, and what their thresholds gave.
    """
    trained, curve, words = analysis.trained, analysis.accuracy_by_coverage, words_of(dataset)
    figure = Figure(figsize=(10, 4.5), layout="constrained")
    figure.suptitle(f"Confidence, {words.title}, test set")
    left, right = figure.subplots(1, 2)

    for name, chosen, colour, line in (
        ("right", trained.right, BLUE, "-"),
        ("wrong", ~trained.right, ORANGE, "--"),
    ):
        counts, edges = np.histogram(trained.confidence[chosen], np.linspace(0, 1, 26))
        label = f"{name}: {count(chosen.sum())} predictions"
        left.stairs(
            counts, edges, baseline=None, color=colour, linestyle=line, linewidth=2, label=label
        )
    left.set_yscale("log", nonpositive="clip")
    left.yaxis.set_major_formatter("{x:,.0f}")
    left.yaxis.set_minor_formatter(NullFormatter())
    left.set(
        xlabel=f"confidence (probability of the predicted {words.noun})",
        ylabel="predictions (logarithmic)",
        xlim=(0, 1),
        ylim=(0.7, None),
    )

    right.plot(curve["coverage"], curve["accuracy"], color=BLUE, linewidth=2)
    for found, line, marker in zip(analysis.decided, (":", "-."), ("o", "s"), strict=True):
        reached = f"{percent(found.coverage, 1)} of the samples" if found.samples else "none"
        right.plot(
            [0, found.coverage],
            [found.wanted, found.right / found.samples if found.samples else found.wanted],
            color="black",
            linestyle=line,
            marker=marker,
            markevery=[1] if found.samples else [],
            label=f"target accuracy {percent(found.wanted, 1)}: {reached}",
        )
    right.set(
        xlabel="coverage (share of the samples, the most confident first)",
        ylabel="accuracy of these",
        xlim=(0, 1),
    )
    right.xaxis.set_major_formatter(PercentFormatter(1))
    right.yaxis.set_major_formatter(PercentFormatter(1))
    legend_above(left)
    legend_above(right)
    save(figure, folder / "confidence.png")


@style.context(STYLE)
def draw_training(
    folder: Path, loss: pd.DataFrame, history: pd.DataFrame, dataset: Dataset
) -> None:
    """Draw the loss of every iteration, and the error rate by epoch.

    Both axes are logarithmic, so that the slow progress of the late epochs shows. An error rate of
    0 has no place there.

    Parameters
    ----------
    loss : DataFrame with the columns `iteration`, `loss`
    history : DataFrame with the columns of `nnlib.training.history.Epoch`
    """
    figure = Figure(figsize=(10, 5), layout="constrained")
    figure.suptitle(f"Training on {words_of(dataset).title}")
    left, right = figure.subplots(1, 2)

    batch, of_batch = loss["iteration"], loss["loss"]
    trend = of_batch.rolling(SMOOTHED, center=True, min_periods=1).mean()
    left.plot(
        batch, of_batch, ".-", color="0.8", linewidth=0.5, markersize=1, label="of each batch"
    )
    left.plot(batch, trend, color=BLUE, label=f"mean of {SMOOTHED} batches")
    of_set = history["iteration"], history["loss"]
    left.plot(*of_set, "o", color="black", markersize=4, label="of the training set")
    left.set(xlabel="iteration", ylabel="loss (cross-entropy in nats, logarithmic)")

    for name, line, colour, face in (
        ("train", "o-", BLUE, BLUE),
        ("test", "s--", ORANGE, "none"),
        ("validation", "^:", "black", "black"),
    ):
        if f"{name}_accuracy" in history:
            errors = 100 * (1 - history[f"{name}_accuracy"])
            right.plot(
                history["epoch"], errors, line, color=colour, markerfacecolor=face, label=name
            )
    right.set(xlabel="epoch", ylabel="error rate (%, logarithmic)")
    for axes in (left, right):
        set_log_scale(axes)
        axes.grid(axis="y", which="both", color="0.92")
        legend_above(axes, columns=2)
    save(figure, folder / "training.png")


@style.context(STYLE)
def draw_slices(folder: Path, slices: pd.DataFrame, dataset: Dataset) -> None:
    """Draw the error rate by quintiles of each property of the ink, over samples of all classes.

    Quintiles that differ significantly from the others are orange.

    Parameters
    ----------
    slices : DataFrame
        As `nnlib.analysis.slices.compare_quintiles` makes it, of the properties of the ink.
    """
    of_all = slices[(slices["label"] == ALL) & (slices["samples"] > 0)]
    figure = Figure(figsize=(10, 5.2), layout="constrained")
    figure.suptitle(f"Errors by shape, {words_of(dataset).title}, test set")
    panels = figure.subplots(2, math.ceil(len(PROPERTIES) / 2), sharey=True)
    for axes, (name, words) in zip(panels.flat, PROPERTIES.items(), strict=True):
        quintiles = of_all[of_all["property"] == name]
        for shown, colour, marker in (
            (quintiles[quintiles["sign"] == 0], BLUE, "o"),
            (quintiles[quintiles["sign"] != 0], ORANGE, "s"),
        ):
            axes.errorbar(
                shown["fifth"],
                100 * shown["rate"],
                yerr=100 * _to_ends(shown["rate"], shown["low"], shown["high"]),
                fmt=marker,
                color=colour,
                capsize=3,
            )
        rate = 100 * quintiles["errors"].sum() / max(quintiles["samples"].sum(), 1)
        axes.axhline(rate, color="black", linestyle="--", linewidth=0.8)
        ranges = zip(quintiles["least"], quintiles["most"], strict=True)
        ticks = [values(name, *ends, to=" to\n") for ends in ranges]
        axes.set_xticks(quintiles["fifth"], ticks, fontsize=8)
        unit = f" ({words.unit}s)" if words.unit else ""
        axes.set(title=words.name + unit, xlim=(-0.5, QUINTILES - 0.5))
    for axes in panels[:, 0]:
        axes.set(ylabel="error rate (%)", ylim=(0, None))
    save(figure, folder / "ink.png")
