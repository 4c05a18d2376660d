"""The figures of the report that show images. Each function draws one and writes it as PNG."""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from nnlib.analysis.predictions import PROBABILITIES
from nnlib.data.mnist import CLASSES, IMAGE_SHAPE
from nnlib.network.functions import Floats
from nnlib.report.numerals import percent
from nnlib.report.style import BLUE, ORANGE, STYLE, save

COLUMNS = 8
STRIP = 10  # images of a pair
WEIGHT_COLUMNS = 10
MOST_WEIGHTS = 100  # hidden units whose weights are drawn
# In units of an image's place, which is a square:
GAP = 0.1  # between images
LINE = 0.155  # height of a line of a caption
HEADING = 1.5  # width of a strip's heading


@style.context(STYLE)
def draw_mistakes(
    path: str | Path, images: NDArray[np.uint8], mistakes: pd.DataFrame, title: str
) -> None:
    """Draw mistakes with their actual and predicted digits and the probabilities of both.

    Parameters
    ----------
    path : path
    images : ndarray of uint8 of shape (N, 28, 28)
        The whole test set.
    mistakes : DataFrame, not empty
        Predictions, as `nnlib.analysis.predictions.tabulate` makes them.
    title : str
    """
    captions = [
        f"index {row['index']}\n"
        f"{row['actual']} read as {row['predicted']}\n"
        f"p({row['predicted']}) {percent(row['confidence'])}\n"
        f"p({row['actual']}) {percent(row[PROBABILITIES[row['actual']]])}"
        for row in mistakes.to_dict("records")
    ]
    _draw_gallery(path, images[mistakes["index"]], captions, title)


@style.context(STYLE)
def draw_label_issues(
    path: str | Path, images: NDArray[np.uint8], issues: pd.DataFrame, title: str
) -> None:
    """Draw samples whose label is worth a second look, with the reason.

    Parameters
    ----------
    path : path
    images : ndarray of uint8 of shape (N, 28, 28)
        The whole test set.
    issues : DataFrame, not empty
        As `nnlib.analysis.label_quality.label_issues` makes it.
    title : str
    """
    captions = [
        f"index {row['index']}\n"
        f"label {row['label']}, like {row['looks_like']}?\n"
        f"margin {row['margin']:.3f}"
        for row in issues.to_dict("records")
    ]
    _draw_gallery(path, images[issues["index"]], captions, title)


@style.context(STYLE)
def draw_changes(
    path: str | Path, images: NDArray[np.uint8], changes: pd.DataFrame, title: str
) -> None:
    """Draw samples with what two networks read them as, and how sure each was.

    Parameters
    ----------
    path : path
    images : ndarray of uint8 of shape (N, 28, 28)
        The whole test set.
    changes : DataFrame, not empty
        Samples, as `nnlib.analysis.comparison.Comparison` has them.
    title : str
    """
    captions = [
        f"index {row['index']}\n"
        f"actual {row['actual']}\n"
        f"before {row['predicted_before']}: {percent(row['confidence_before'], 1)}\n"
        f"after {row['predicted_after']}: {percent(row['confidence_after'], 1)}"
        for row in changes.to_dict("records")
    ]
    _draw_gallery(path, images[changes["index"]], captions, title)


def _draw_gallery(
    path: str | Path, images: NDArray[np.uint8], captions: Sequence[str], title: str
) -> None:
    height = 1 + GAP + LINE * (captions[0].count("\n") + 1)
    rows = math.ceil(len(images) / COLUMNS)
    figure, axes = _blank_page(COLUMNS, rows * height, title)
    for i, (image, caption) in enumerate(zip(images, captions, strict=True)):
        row, column = divmod(i, COLUMNS)
        _draw_captioned(axes, image, caption, column, row * height)
    save(figure, path)


@style.context(STYLE)
def draw_pairs(
    path: str | Path,
    images: NDArray[np.uint8],
    mistakes: pd.DataFrame,
    pairs: pd.DataFrame,
    title: str,
) -> None:
    """Draw a strip of images a confused pair, the most confident mistakes first.

    Parameters
    ----------
    path : path
    images : ndarray of uint8 of shape (N, 28, 28)
        The whole test set.
    mistakes : DataFrame
        Predictions, as `nnlib.analysis.predictions.tabulate` makes them.
    pairs : DataFrame
        As `nnlib.analysis.metrics.confused_pairs` makes it.
    title : str
    """
    by_pair = mistakes.sort_values("confidence", ascending=False, kind="stable").groupby(
        ["actual", "predicted"]
    )
    height = 1 + GAP + 2 * LINE
    figure, axes = _blank_page(HEADING + STRIP, len(pairs) * height, title)
    for row, pair in enumerate(zip(pairs["actual"], pairs["predicted"], strict=True)):
        axes.text(0, row * height + 0.45, "{} read as {}".format(*pair), va="center")
        shown = by_pair.get_group(pair).head(STRIP)
        for column, (index, confidence) in enumerate(
            zip(shown["index"], shown["confidence"], strict=True)
        ):
            caption = f"{index}\n{percent(confidence, 1)}"
            _draw_captioned(axes, images[index], caption, HEADING + column, row * height)
    save(figure, path)


def _blank_page(width: float, height: float, title: str) -> tuple[Figure, Axes]:
    """A page without lines, in units of an image's place, from the top left."""
    inches = 9 / width
    figure = Figure(figsize=(9, 0.4 + height * inches), layout="constrained")
    figure.suptitle(title)
    axes = figure.subplots()
    axes.axis("off")
    axes.set(xlim=(0, width), ylim=(height, 0), aspect="equal", autoscale_on=False)
    return figure, axes


def _extent(x: float, y: float) -> tuple[float, float, float, float]:
    """Left, right, bottom and top of an image in the place whose top left corner is (x, y)."""
    side = 1 - GAP
    return x, x + side, y + side, y


def _draw_captioned(axes: Axes, image: NDArray[np.uint8], caption: str, x: float, y: float) -> None:
    axes.imshow(image, extent=_extent(x, y), cmap="gray_r", vmin=0, vmax=255)
    axes.text(x + (1 - GAP) / 2, y + 1 - GAP / 2, caption, ha="center", va="top", fontsize=9)


@style.context(STYLE)
def draw_cards(
    path: str | Path,
    images: NDArray[np.uint8],
    trained: pd.DataFrame,
    untrained: pd.DataFrame,
    title: str,
) -> None:
    """Draw a card a sample: its picture, and its probabilities before and after training.

    Parameters
    ----------
    path : path
    images : ndarray of uint8 of shape (n, 28, 28)
    trained, untrained : DataFrame
        Predictions of these n samples, as `nnlib.analysis.predictions.tabulate` makes them.
    title : str
    """
    figure = Figure(figsize=(9, 0.3 + 2.6 * len(images)), layout="constrained")
    figure.suptitle(title)
    digits = np.arange(CLASSES)
    rows = figure.subplots(len(images), 2, squeeze=False, gridspec_kw={"width_ratios": [1, 3]})
    for (picture, bars), image, after, before in zip(
        rows, images, trained.to_dict("records"), untrained.to_dict("records"), strict=True
    ):
        picture.imshow(image, cmap="gray_r", vmin=0, vmax=255)
        picture.set(title=f"index {after['index']}: actual {after['actual']}", xticks=[], yticks=[])
        picture.spines[:].set_visible(True)

        for offset, prediction, colour, label in (
            (-0.2, before, ORANGE, "untrained"),
            (+0.2, after, BLUE, "trained"),
        ):
            heights = [prediction[column] for column in PROBABILITIES]
            says = f"{label}: {prediction['predicted']} ({percent(prediction['confidence'], 1)})"
            bars.bar(digits + offset, heights, width=0.4, color=colour, label=says)
        bars.set(xlabel="digit", ylabel="probability", xticks=digits, ylim=(0, 1))
        bars.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, frameon=False)
    save(figure, path)


@style.context(STYLE)
def draw_weights(path: str | Path, W1: Floats, title: str) -> None:
    """Draw the weights between the pixels and each hidden unit as an image.

    Parameters
    ----------
    path : path
    W1 : ndarray of shape (784, H)
        Weights of the first layer, of which the first `MOST_WEIGHTS` hidden units are drawn.
    title : str
    """
    weights = W1.T[:MOST_WEIGHTS].reshape(-1, *IMAGE_SHAPE)
    if len(weights) < W1.shape[1]:
        title += f", the first {len(weights)} of {W1.shape[1]} hidden units"
    figure, axes = _blank_page(WEIGHT_COLUMNS, math.ceil(len(weights) / WEIGHT_COLUMNS), title)
    most = np.percentile(np.abs(weights), 99.5)  # the few beyond it would leave the others pale
    for i, image in enumerate(weights):
        row, column = divmod(i, WEIGHT_COLUMNS)
        extent = _extent(column, row)
        drawn = axes.imshow(image, extent=extent, cmap="PuOr", vmin=-most, vmax=most)
    figure.set_figheight(figure.get_figheight() + 0.8)
    figure.colorbar(
        drawn, location="bottom", shrink=0.5, aspect=40, extend="both", label="weight of the pixel"
    )
    save(figure, path)
