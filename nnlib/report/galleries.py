"""The figures of the report that show images. Each function draws one and writes it as PNG."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Colormap, LinearSegmentedColormap, Normalize, to_rgba
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.ticker import PercentFormatter
from numpy.typing import NDArray

from nnlib.analysis.evidence import STRONGEST, MeanEvidence, PairEvidence
from nnlib.analysis.neighbours import NEIGHBOURS, SPACES
from nnlib.analysis.predictions import probabilities
from nnlib.analysis.units import EXAMPLES, Units
from nnlib.base.arrays import Floats
from nnlib.data.datasets import Dataset
from nnlib.report.numerals import count, percent
from nnlib.report.style import BLUE, ORANGE, STYLE, save, set_log_scale
from nnlib.training.history import Snapshot

COLUMNS = 8
STRIP = 10  # images of a pair
WEIGHT_COLUMNS = 10
UNIT_COLUMNS = 2
MOST_WEIGHTS = 100  # hidden units whose weights are drawn
# In units of an image's place, which is a square:
GAP = 0.1  # between images
LINE = 0.155  # height of a line of a caption
HEADING = 1.5  # width of a strip's heading
SCALE = 0.7  # height of a scale of colours with its label

# Blue speaks against, orange for; nearer to 0, more is seen of the image below.
AGAINST_AND_FOR = LinearSegmentedColormap.from_list(
    "against and for",
    [
        (0.0, to_rgba(BLUE, 1)),
        (0.5, to_rgba(BLUE, 0)),
        (0.5, to_rgba(ORANGE, 0)),
        (1.0, to_rgba(ORANGE, 1)),
    ],
)


@style.context(STYLE)
def draw_mistakes(
    path: str | Path,
    images: NDArray[np.uint8],
    mistakes: pd.DataFrame,
    title: str,
    *,
    dataset: Dataset,
) -> None:
    """Draw mistakes with their actual and predicted classes and the probabilities of both.

    Parameters
    ----------
    path : str or Path
    images : ndarray of uint8 of shape (N, height, width)
        The whole test set.
    mistakes : DataFrame, not empty
        Predictions, as `nnlib.analysis.predictions.tabulate` makes them.
    title : str
    dataset : Dataset
    """
    names = dataset.class_names
    captions = [
        f"index {row['index']}\n"
        f"{names[row['actual']]} read as {names[row['predicted']]}\n"
        f"p({names[row['predicted']]}) {percent(row['confidence'])}\n"
        f"p({names[row['actual']]}) {percent(y[row['actual']])}"
        for row, y in zip(mistakes.to_dict("records"), probabilities(mistakes), strict=True)
    ]
    _draw_gallery(path, images[mistakes["index"]], captions, title)


@style.context(STYLE)
def draw_label_issues(
    path: str | Path,
    images: NDArray[np.uint8],
    issues: pd.DataFrame,
    title: str,
    *,
    dataset: Dataset,
) -> None:
    """Draw samples whose label is worth a second look, with the reason.

    Parameters
    ----------
    path : str or Path
    images : ndarray of uint8 of shape (N, height, width)
        The whole test set.
    issues : DataFrame, not empty
        As `nnlib.analysis.labels.label_issues` makes it.
    title : str
    dataset : Dataset
    """
    names = dataset.class_names
    captions = [
        f"index {row['index']}\n"
        f"label {names[row['label']]}, like {names[row['looks_like']]}?\n"
        f"margin {row['margin']:.3f}"
        for row in issues.to_dict("records")
    ]
    _draw_gallery(path, images[issues["index"]], captions, title)


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
    *,
    dataset: Dataset,
) -> None:
    """Draw a strip of images for each confused pair, the most confident mistakes first.

    Parameters
    ----------
    path : str or Path
    images : ndarray of uint8 of shape (N, height, width)
        The whole test set.
    mistakes : DataFrame
        Predictions, as `nnlib.analysis.predictions.tabulate` makes them.
    pairs : DataFrame
        As `nnlib.analysis.pairs.confused_pairs` makes it.
    title : str
    dataset : Dataset
    """
    by_pair = mistakes.sort_values("confidence", ascending=False, kind="stable").groupby(
        ["actual", "predicted"]
    )
    height = 1 + GAP + 2 * LINE
    figure, axes = _blank_page(HEADING + STRIP, len(pairs) * height, title)
    for row, pair in enumerate(zip(pairs["actual"], pairs["predicted"], strict=True)):
        actual, predicted = (dataset.class_names[label] for label in pair)
        axes.text(0, row * height + 0.45, f"{actual} read as {predicted}", va="center")
        shown = by_pair.get_group(pair).head(STRIP)
        for column, (index, confidence) in enumerate(
            zip(shown["index"], shown["confidence"], strict=True)
        ):
            caption = f"{index}\n{percent(confidence, 1)}"
            _draw_captioned(axes, images[index], caption, HEADING + column, row * height)
    save(figure, path)


def _blank_page(width: float, height: float, title: str) -> tuple[Figure, Axes]:
    """A page without axes, in units of an image's place, from the top left."""
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
    _draw_caption(axes, caption, x, y)


def _draw_caption(axes: Axes, caption: str, x: float, y: float, *, colour: str = "black") -> None:
    middle, below = x + (1 - GAP) / 2, y + 1 - GAP / 2
    axes.text(middle, below, caption, ha="center", va="top", fontsize=9, color=colour)


@style.context(STYLE)
def draw_cards(
    path: str | Path,
    images: NDArray[np.uint8],
    trained: pd.DataFrame,
    untrained: pd.DataFrame,
    title: str,
    *,
    dataset: Dataset,
) -> None:
    """Draw a card for each sample: its picture, and its probabilities before and after training.

    Parameters
    ----------
    path : str or Path
    images : ndarray of uint8 of shape (n, height, width)
    trained, untrained : DataFrame
        Predictions of these n samples, as `nnlib.analysis.predictions.tabulate` makes them.
    title : str
    dataset : Dataset
    """
    figure = Figure(figsize=(9, 0.3 + 2.6 * len(images)), layout="constrained")
    figure.suptitle(title)
    names, classes = dataset.class_names, np.arange(dataset.classes)
    rows = figure.subplots(len(images), 2, squeeze=False, gridspec_kw={"width_ratios": [1, 3]})
    for i, ((picture, bars), image) in enumerate(zip(rows, images, strict=True)):
        index, actual = trained.iloc[i][["index", "actual"]].astype(int)
        picture.imshow(image, cmap="gray_r", vmin=0, vmax=255)
        picture.set(title=f"index {index}: actual {names[actual]}", xticks=[], yticks=[])
        picture.spines[:].set_visible(True)

        for offset, table, colour, label in (
            (-0.2, untrained, ORANGE, "untrained"),
            (+0.2, trained, BLUE, "trained"),
        ):
            predicted, confidence = table["predicted"].iloc[i], table["confidence"].iloc[i]
            says = f"{label}: {names[predicted]} ({percent(confidence, 1)})"
            heights = probabilities(table)[i]
            bars.bar(classes + offset, heights, width=0.4, color=colour, label=says)
        bars.set(xlabel=dataset.class_noun, ylabel="probability", ylim=(0, 1))
        bars.set_xticks(classes, names)
        bars.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, frameon=False)
    save(figure, path)


@style.context(STYLE)
def draw_weights(path: str | Path, W1: Floats, title: str, *, dataset: Dataset) -> None:
    """Draw the weights between the pixels and each hidden unit as an image.

    Parameters
    ----------
    path : str or Path
    W1 : ndarray of shape (D, H)
        Weights of the first layer, of which the first `MOST_WEIGHTS` hidden units are drawn.
    title : str
    dataset : Dataset
    """
    weights = W1.T[:MOST_WEIGHTS].reshape(-1, *dataset.image_shape)
    if len(weights) < W1.shape[1]:
        title += f", the first {len(weights)} of {W1.shape[1]} hidden units"
    figure, axes = _blank_page(WEIGHT_COLUMNS, math.ceil(len(weights) / WEIGHT_COLUMNS), title)
    most = _full_colour(weights)
    for i, image in enumerate(weights):
        row, column = divmod(i, WEIGHT_COLUMNS)
        drawn = _draw_signed(axes, image, column, row, cmap="PuOr", most=most)
    figure.set_figheight(figure.get_figheight() + 0.8)
    figure.colorbar(
        drawn, location="bottom", shrink=0.5, aspect=40, extend="both", label="weight of the pixel"
    )
    save(figure, path)


def _full_colour(values: Floats) -> float:
    """The size that gets the full colour: the few larger ones would leave the others pale."""
    return float(np.percentile(np.abs(values), 99.5))


def _draw_signed(
    axes: Axes, image: Floats, x: float, y: float, *, cmap: str | Colormap, most: float
) -> AxesImage:
    return axes.imshow(image, extent=_extent(x, y), cmap=cmap, vmin=-most, vmax=most)


@style.context(STYLE)
def draw_learning(
    path: str | Path,
    snapshots: Sequence[Snapshot],
    history: pd.DataFrame,
    title: str,
    *,
    dataset: Dataset,
) -> None:
    """Draw the weights of a few hidden units as they change, their saturation and their updates.

    Parameters
    ----------
    path : str or Path
    snapshots : sequence of Snapshot, not empty
    history : DataFrame with the columns of `nnlib.training.history.Epoch`
    title : str
    dataset : Dataset
    """
    figure = Figure(figsize=(10, 5.2), layout="constrained")
    figure.suptitle(title)
    page, saturation, updates = figure.subplot_mosaic(
        [["weights", "saturation"], ["weights", "updates"]]
    ).values()

    units = snapshots[0].W1.shape[1]
    page.axis("off")
    page.set(
        xlim=(-HEADING / 2, len(snapshots)),
        ylim=(units + SCALE, -LINE),
        aspect="equal",
        autoscale_on=False,
    )
    most = _full_colour(np.array([snapshot.W1 for snapshot in snapshots]))
    for unit in range(units):
        page.text(-GAP, unit + (1 - GAP) / 2, f"unit {unit}", ha="right", va="center", fontsize=9)
    epochs = dict(zip(history["iteration"], history["epoch"], strict=True))
    for column, (iteration, W1) in enumerate(snapshots):
        heading = f"epoch {epochs[iteration]}" if iteration in epochs else "at the end"
        page.text(column + (1 - GAP) / 2, -GAP / 2, heading, ha="center", va="bottom", fontsize=9)
        for unit, image in enumerate(W1.T.reshape(-1, *dataset.image_shape)):
            _draw_signed(page, image, column, unit, cmap="PuOr", most=most)
    middle = (len(snapshots) - 2) / 2
    _draw_scale(page, "weight of the pixel", middle, units, cmap="PuOr", most=most)

    saturation.plot(history["epoch"], history["saturated"], color=BLUE, marker="o")
    saturation.set(ylabel="saturated activations", ylim=(0, None))
    saturation.yaxis.set_major_formatter(PercentFormatter(1, symbol=" %"))
    updated = history[history["iteration"] > 0]
    for key, colour, marker, face, line in (
        ("W1", BLUE, "o", BLUE, "-"),
        ("W2", ORANGE, "s", "none", "--"),
    ):
        updates.plot(
            updated["epoch"],
            updated[f"update_ratio_{key}"],
            color=colour,
            marker=marker,
            markerfacecolor=face,
            linestyle=line,
            label=key,
        )
    updates.set(xlabel="epoch", ylabel="update / weights (norms)", xlim=saturation.get_xlim())
    set_log_scale(updates)
    updates.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, frameon=False)
    save(figure, path)


@style.context(STYLE)
def draw_evidence(
    path: str | Path,
    evidence: Sequence[PairEvidence],
    params: Mapping[str, Floats],
    title: str,
    *,
    dataset: Dataset,
) -> None:
    """Draw what speaks for the wrong class in each confused pair: pixels, and hidden units.

    Parameters
    ----------
    path : str or Path
    evidence : sequence of PairEvidence, not empty
    params : mapping of ndarray
        The network's `W1` of shape (D, H) and `W2` of shape (H, C).
    title : str
    dataset : Dataset
    """
    W1, W2 = params["W1"], params["W2"]
    pixels = [means.pixels for pair in evidence for means in (pair.confused, pair.right) if means]
    most_evidence, most_weight = _full_colour(np.array(pixels)), _full_colour(W1)
    units = HEADING + 2  # where the hidden units begin
    height = 1 + GAP + 2 * LINE
    end = len(evidence) * height
    figure, axes = _blank_page(units + 2 * STRONGEST, end + SCALE, title)
    for row, pair in enumerate(evidence):
        y = row * height
        actual, predicted = (dataset.class_names[label] for label in (pair.actual, pair.predicted))
        axes.text(0, y + 0.45, f"{actual} read as {predicted}", va="center")
        _draw_means(axes, pair.confused, "confused", HEADING, y, most=most_evidence)
        if pair.right:
            _draw_means(axes, pair.right, "right", HEADING + 1, y, most=most_evidence)
        for place, unit in enumerate(pair.strongest):
            x = units + 2 * place
            weights = W1[:, unit].reshape(dataset.image_shape)
            _draw_signed(axes, weights, x, y, cmap="PuOr", most=most_weight)
            _draw_caption(axes, f"unit {unit}\n{percent(pair.shares[unit], 1)}", x, y)
            colours = ["0.7"] * W2.shape[1]
            colours[pair.predicted], colours[pair.actual] = ORANGE, BLUE
            _draw_output_weights(axes, W2[unit], colours, x + 1, y, most=np.abs(W2).max())
            to_predicted, to_actual = W2[unit, [pair.predicted, pair.actual]]
            caption = f"{predicted}: {to_predicted:+.2f}\n{actual}: {to_actual:+.2f}"
            _draw_caption(axes, caption, x + 1, y)
    _draw_scale(axes, "evidence (nats)", HEADING, end, cmap=AGAINST_AND_FOR, most=most_evidence)
    _draw_scale(axes, "weight of the pixel", units, end, cmap="PuOr", most=most_weight)
    save(figure, path)


def _draw_means(
    axes: Axes, means: MeanEvidence, are: str, x: float, y: float, *, most: float
) -> None:
    # the mean image in a grey that is light enough for the colours on it
    axes.imshow(means.image, extent=_extent(x, y), cmap="gray_r", vmin=0, vmax=2 * 255)
    _draw_signed(axes, means.pixels, x, y, cmap=AGAINST_AND_FOR, most=most)
    _draw_caption(axes, f"{count(means.samples)} {are}\n{means.pixels.sum():+.2f}", x, y)


def _draw_output_weights(
    axes: Axes, weights: Floats, colours: list[str], x: float, y: float, *, most: float
) -> None:
    """Draw a hidden unit's weight to each class as a bar from the middle of its place."""
    side, classes = 1 - GAP, len(weights)
    middle = y + side / 2
    axes.bar(
        x + side * np.arange(classes) / classes,
        -weights / most * side / 2,  # upwards, where the page's y is smaller
        width=0.8 * side / classes,
        bottom=middle,
        align="edge",
        color=colours,
    )
    axes.plot([x, x + side], [middle, middle], color="black", linewidth=0.5)


def _draw_scale(
    axes: Axes,
    label: str,
    x: float,
    y: float,
    *,
    cmap: str | Colormap,
    most: float,
    places: int = 2,
) -> None:
    """Draw the scale of a map's colours, as wide as some places."""
    scale = axes.inset_axes((x, y + 0.2, places - GAP, 0.1), transform=axes.transData)
    mappable = ScalarMappable(Normalize(-most, most), cmap)
    axes.figure.colorbar(mappable, scale, orientation="horizontal", extend="both", label=label)


@style.context(STYLE)
def draw_neighbours(
    path: str | Path,
    images: NDArray[np.uint8],
    mistakes: pd.DataFrame,
    neighbours: pd.DataFrame,
    title: str,
    *,
    pictures: NDArray[np.uint8],
    dataset: Dataset,
) -> None:
    """Draw mistakes, each with its nearest training samples in each space.

    Parameters
    ----------
    path : str or Path
    images : ndarray of uint8 of shape (N, height, width)
        The whole test set.
    mistakes : DataFrame, not empty
        Predictions, as `nnlib.analysis.predictions.tabulate` makes them.
    neighbours : DataFrame
        Of these mistakes and no others, as `nnlib.analysis.neighbours.neighbours_of` makes it.
    title : str
    pictures : ndarray of uint8 of shape (len(neighbours), height, width)
        The training images of the neighbours.
    dataset : Dataset
    """
    names, strip = dataset.class_names, 0.3 + NEIGHBOURS
    top, height = 2 * LINE, 1 + GAP + LINE
    starts = {space: HEADING + 1.3 + i * strip for i, space in enumerate(SPACES)}
    width = HEADING + 1 + len(SPACES) * strip
    figure, axes = _blank_page(width, top + len(mistakes) * height, title)
    for space, x in starts.items():
        axes.text(x, LINE, f"nearest by {space}", va="center")
    row_of = {index: row for row, index in enumerate(mistakes["index"])}
    for mistake in mistakes.to_dict("records"):
        y = top + row_of[mistake["index"]] * height
        actual, predicted = names[mistake["actual"]], names[mistake["predicted"]]
        text = f"index {mistake['index']}\nactual {actual}\nread as {predicted}"
        axes.text(0, y + 0.45, text, va="center")
        axes.imshow(
            images[mistake["index"]], extent=_extent(HEADING, y), cmap="gray_r", vmin=0, vmax=255
        )
    colours = {
        (index, label): colour
        for column, colour in (("predicted", ORANGE), ("actual", BLUE))
        for index, label in zip(mistakes["index"], mistakes[column], strict=True)
    }
    for neighbour, picture in zip(neighbours.to_dict("records"), pictures, strict=True):
        x = starts[neighbour["space"]] + neighbour["rank"] - 1
        y = top + row_of[neighbour["index"]] * height
        label = neighbour["label"]
        colour = colours.get((neighbour["index"], label), "0.5")
        axes.imshow(picture, extent=_extent(x, y), cmap="gray_r", vmin=0, vmax=255)
        _draw_caption(axes, names[label], x, y, colour=colour)
    save(figure, path)


@style.context(STYLE)
def draw_units(
    path: str | Path,
    units: Units,
    images: NDArray[np.uint8],
    params: Mapping[str, Floats],
    title: str,
    *,
    dataset: Dataset,
) -> None:
    """Draw hidden units: their weights, what they speak for, and what excites them most.

    Parameters
    ----------
    path : str or Path
    units : Units
    images : ndarray of uint8 of shape (N, height, width)
        The whole test set.
    params : mapping of ndarray
        The network's `W1` of shape (D, H) and `W2` of shape (H, C).
    title : str
    dataset : Dataset
    """
    W1, W2, names = params["W1"], params["W2"], dataset.class_names
    shown = units.shown
    if len(shown) < len(units.table):
        title += f", the {len(shown)} of {len(units.table)} that cost most"
    place, height = HEADING + 2 + EXAMPLES + 0.5, 1 + GAP + 2 * LINE
    per_column = math.ceil(len(shown) / UNIT_COLUMNS)
    end = per_column * height
    figure, axes = _blank_page(UNIT_COLUMNS * place, end + 2 * SCALE, title)
    most_weight, most = _full_colour(W1[:, shown["unit"]]), np.abs(W2).max()
    for i, row in enumerate(shown.to_dict("records")):
        unit = row["unit"]
        column, line = divmod(i, per_column)
        x, y = column * place, line * height
        text = f"unit {unit}\ncosts {100 * row['cost']:.2f}"
        axes.text(x, y + 0.45, text, va="center", fontsize=9)
        x += HEADING
        weights = W1[:, unit].reshape(dataset.image_shape)
        _draw_signed(axes, weights, x, y, cmap="PuOr", most=most_weight)
        colours = [ORANGE if weight > 0 else BLUE for weight in W2[unit]]
        _draw_output_weights(axes, W2[unit], colours, x + 1, y, most=most)
        caption = f"for {names[W2[unit].argmax()]}, against {names[W2[unit].argmin()]}"
        _draw_caption(axes, caption, x + 1, y)
        for number, index in enumerate(units.examples[unit], start=2):
            extent = _extent(x + number, y)
            axes.imshow(images[index], extent=extent, cmap="gray_r", vmin=0, vmax=255)
    label = "weight of the pixel"
    _draw_scale(axes, label, HEADING, end, cmap="PuOr", most=most_weight, places=4)
    save(figure, path)
