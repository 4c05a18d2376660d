"""The figures of the report that show images. Each function draws one and writes it as PNG.

As in `nnlib.report.figures`, the figure's name and title are known here, and what is said of the
classes is in the words of the data set.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Colormap, LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.ticker import PercentFormatter
from numpy.typing import NDArray

from nnlib.analysis.evidence import STRONGEST, MeanEvidence, PairEvidence
from nnlib.analysis.neighbours import MISTAKES_SHOWN, NEIGHBOURS, SPACES
from nnlib.analysis.predictions import probabilities
from nnlib.analysis.units import EXAMPLES, Units
from nnlib.base.arrays import Floats
from nnlib.data.datasets import Dataset
from nnlib.report.names import Words, fits, fitted, words_of
from nnlib.report.neighbours import Neighbours
from nnlib.report.numerals import count, percent
from nnlib.report.style import (
    BLUE,
    GREEN,
    ORANGE,
    PURPLE,
    STYLE,
    WEIGHTS,
    legend_above,
    save,
    set_log_scale,
    shades,
)
from nnlib.training.history import Snapshot

COLUMNS = 8
STRIP = 10  # images of a pair
WEIGHT_COLUMNS = 10
UNIT_COLUMNS = 2
MOST_WEIGHTS = 100  # hidden units whose weights are drawn
MOST_BARS = 20  # classes whose probabilities a card shows; of more, it shows the most probable
BARS = 10
WIDTH = 9  # inches of a page
SMALLEST, SMALL, LARGE, TITLE = 7, 9, 10, 12  # points of captions, headings and titles of axes
# In units of an image's place, which is a square:
GAP = 0.1  # between images
LINE = 0.155  # height of a line of a caption
HEADING = 1.5  # width of a strip's heading
SCALE = 0.7  # height of a scale of colours with its label

# Blue is evidence against, orange for; nearer to 0, more is seen of the image below.
AGAINST_AND_FOR = LinearSegmentedColormap.from_list(
    "against and for",
    [(0, (BLUE, 1)), (0.5, (BLUE, 0)), (0.5, (ORANGE, 0)), (1, (ORANGE, 1))],  # with their opacity
)


def draw_mistakes(
    folder: Path, images: NDArray[np.uint8], mistakes: pd.DataFrame, dataset: Dataset
) -> None:
    """Draw mistakes with their actual and predicted classes and the probabilities of both.

    Parameters
    ----------
    images : ndarray of uint8 of shape (N, height, width)
        The whole test set.
    mistakes : DataFrame
        Rows of a table of predictions, `nnlib.analysis.predictions.Predictions.table`.
    """
    captions = mistake_captions(mistakes, dataset)
    title = f"Mistakes with the highest loss, {words_of(dataset).title}, test set"
    draw_gallery(folder / "mistakes.png", images[mistakes["index"]], captions, title, dataset)


def mistake_captions(mistakes: pd.DataFrame, dataset: Dataset) -> list[str]:
    """What a gallery says of each mistake; names that are long have lines of their own."""
    names, captions = words_of(dataset).names, []
    for row, y in zip(mistakes.to_dict("records"), probabilities(mistakes), strict=True):
        actual, predicted = names[row["actual"]], names[row["predicted"]]
        p_actual, p_predicted = percent(y[row["actual"]]), percent(row["confidence"])
        lines = _confusion(actual, predicted), f"p({predicted}) {p_predicted}"
        long_lines = _fitted(actual), f"p {p_actual}", "classified as", _fitted(predicted)
        captions.append(
            (
                "\n".join([*lines, f"p({actual}) {p_actual}"]),
                f"{actual}: {p_actual}\nclassified as\n{predicted}: {p_predicted}",
                "\n".join([*long_lines, f"p {p_predicted}"]),
            )
        )
    return _with_indices(mistakes, captions)


def _with_indices(samples: pd.DataFrame, captions: Sequence[tuple[str, ...]]) -> list[str]:
    """Captions in the first of several forms that fits for all samples, or else in the last."""
    forms = [*zip(*captions, strict=True)] or [()]
    form = next(filter(_all_fit, forms), forms[-1])
    return [f"index {index}\n{text}" for index, text in zip(samples["index"], form, strict=True)]


def _all_fit(captions: Iterable[str]) -> bool:
    """Whether each line fits into the width of an image's place in a gallery."""
    lines = {line for caption in captions for line in caption.split("\n")}
    return all(fits(line, _points(COLUMNS), SMALL) for line in lines)


def _fitted(name: str) -> str:
    """A name, cut to the width of an image's place in a gallery."""
    return fitted(name, _points(COLUMNS), SMALL)


def _points(places: float, of: float = 1 - GAP / 2) -> float:
    """The width of some of the places that a page is wide, in points."""
    return 72 * WIDTH * of / places


def _confusion(actual: str, predicted: str) -> str:
    """What is said of samples of one class that are classified as another."""
    return f"{actual} classified as {predicted}"


def draw_label_issues(
    folder: Path, images: NDArray[np.uint8], issues: pd.DataFrame, dataset: Dataset
) -> None:
    """Draw samples whose label is worth a second look, with the reason.

    Parameters
    ----------
    images : ndarray of uint8 of shape (N, height, width)
        The whole test set.
    issues : DataFrame
        As `nnlib.analysis.labels.label_issues` makes it.
    """
    title = f"Most doubtful labels, {words_of(dataset).title}, test set"
    margins = [f"margin {margin:.3f}" for margin in issues["margin"]]
    captions = label_captions(issues, dataset, margins)
    draw_gallery(folder / "labels.png", images[issues["index"]], captions, title, dataset)


def label_captions(
    issues: pd.DataFrame, dataset: Dataset, notes: Sequence[str] | None = None
) -> list[str]:
    """What a gallery says of each doubtful label; names that are long have lines of their own.

    Parameters
    ----------
    issues : DataFrame
        With the columns `index`, `label` and `looks_like`, of int.
    dataset : Dataset
    notes : sequence of str, optional
        A last line for each.
    """
    names, captions = words_of(dataset).names, []
    for label, looks_like in zip(issues["label"], issues["looks_like"], strict=True):
        given, other = names[label], names[looks_like]
        captions.append(
            (
                f"label {given}, like {other}?",
                f"label {given},\nlike {other}?",
                f"label\n{_fitted(given)}\nlike\n{_fitted(other)}",
            )
        )
    found = _with_indices(issues, captions)
    return found if notes is None else [*map("\n".join, zip(found, notes, strict=True))]


@style.context(STYLE)
def draw_gallery(
    path: Path, images: NDArray[np.uint8], captions: Sequence[str], title: str, dataset: Dataset
) -> None:
    """Draw images in rows, each with a caption; nothing, and no file, if there are none.

    Parameters
    ----------
    path : Path
    images : ndarray of uint8 of shape (n, height, width)
    captions : sequence of n str, of as many lines each
    title : str
    dataset : Dataset
    """
    if not captions:
        return
    height = 1 + GAP + LINE * (captions[0].count("\n") + 1)
    rows = math.ceil(len(images) / COLUMNS)
    figure, axes = _blank_page(COLUMNS, rows * height, title)
    for i, (image, caption) in enumerate(zip(images, captions, strict=True)):
        row, column = divmod(i, COLUMNS)
        _draw_image(axes, image, column, row * height, dataset)
        _draw_caption(axes, caption, column, row * height)
    save(figure, path)


@style.context(STYLE)
def draw_pairs(
    folder: Path,
    images: NDArray[np.uint8],
    mistakes: pd.DataFrame,
    pairs: pd.DataFrame,
    dataset: Dataset,
    *,
    prefix: str = "",
) -> None:
    """Draw a strip of images for each confused pair, the most confident mistakes first.

    Parameters
    ----------
    images : ndarray of uint8 of shape (N, height, width)
        The whole test set.
    mistakes : DataFrame
        Rows of a table of predictions, `nnlib.analysis.predictions.Predictions.table`.
    pairs : DataFrame
        As `nnlib.analysis.pairs.confused_pairs` makes it; without any, nothing is drawn.
    prefix : str
        Of the file's name.
    """
    if pairs.empty:
        return
    by_pair = mistakes.sort_values("confidence", ascending=False, kind="stable").groupby(
        ["actual", "predicted"]
    )
    height = 1 + GAP + 2 * LINE
    words = words_of(dataset)
    title = f"Most-confused pairs, {words.title}, test set"
    figure, axes = _blank_page(HEADING + STRIP, len(pairs) * height, title)
    for row, pair in enumerate(zip(pairs["actual"], pairs["predicted"], strict=True)):
        y = row * height
        _draw_heading(axes, _heading(*pair, words, HEADING + STRIP), 0, y)
        shown = by_pair.get_group(pair).head(STRIP)
        for place, (index, confidence) in enumerate(
            zip(shown["index"], shown["confidence"], strict=True)
        ):
            _draw_image(axes, images[index], HEADING + place, y, dataset)
            _draw_caption(axes, f"{index}\n{percent(confidence, 1)}", HEADING + place, y)
    save(figure, folder / f"{prefix}pairs.png")


def _blank_page(width: float, height: float, title: str) -> tuple[Figure, Axes]:
    """A page without axes, in units of an image's place, from the top left."""
    inches = WIDTH / width
    figure = Figure(figsize=(WIDTH, 0.4 + height * inches), layout="constrained")
    figure.suptitle(title)
    axes = figure.subplots()
    axes.axis("off")
    axes.set(xlim=(0, width), ylim=(height, 0), aspect="equal", autoscale_on=False)
    return figure, axes


def _extent(shape: tuple[int, ...], x: float, y: float) -> tuple[float, float, float, float]:
    """Left, right, bottom and top of an image in the place whose top left corner is (x, y).

    The larger of its height and width fills the place, and the other one is in its middle.
    """
    side = 1 - GAP
    height, width = (side * length / max(shape) for length in shape)
    left, top = x + (side - width) / 2, y + (side - height) / 2
    return left, left + width, top + height, top


def _draw_image(axes: Axes, image: NDArray[np.uint8], x: float, y: float, dataset: Dataset) -> None:
    axes.imshow(image, extent=_extent(image.shape, x, y), cmap=shades(dataset), vmin=0, vmax=255)


def _draw_caption(
    axes: Axes, caption: str, x: float, y: float, *, colour: str = "black", size: float = SMALL
) -> None:
    middle, below = x + (1 - GAP) / 2, y + 1 - GAP / 2
    axes.text(middle, below, caption, ha="center", va="top", fontsize=size, color=colour)


def _heading(actual: int, predicted: int, words: Words, places: float) -> str:
    """What a strip of a pair's images is about, in one line or in three."""
    room = _points(places, HEADING)
    names = words.names[actual], words.names[predicted]
    heading = _confusion(*names)
    if fits(heading, room, LARGE):
        return heading
    actual_name, predicted_name = (fitted(name, room, LARGE) for name in names)
    return f"{actual_name}\nclassified as\n{predicted_name}"


def _draw_heading(axes: Axes, text: str, x: float, y: float, *, size: float = LARGE) -> None:
    """Write what a strip of images is about, to the left of it."""
    axes.text(x, y + (1 - GAP) / 2, text, va="center", fontsize=size)


@style.context(STYLE)
def draw_cards(
    folder: Path,
    images: NDArray[np.uint8],
    trained: pd.DataFrame,
    untrained: pd.DataFrame,
    dataset: Dataset,
) -> None:
    """Draw a card for each sample: its picture, and its probabilities before and after training.

    Parameters
    ----------
    images : ndarray of uint8 of shape (n, height, width)
    trained, untrained : DataFrame
        Predictions of these n samples: `nnlib.analysis.predictions.Predictions.table`.
    """
    words, C = words_of(dataset), dataset.classes
    room = 72 * WIDTH / 4  # of a picture, in points; its bars have three times as much
    is_long = not all(
        fits(name, 2.5 * room / min(C, MOST_BARS), LARGE)
        and fits(f"index 000000: actual {name}", room, TITLE)
        for name in words.names
    )
    height = 3.2 if is_long else 2.6
    figure = Figure(figsize=(WIDTH, 0.3 + height * len(images)), layout="constrained")
    figure.suptitle(f"Samples of {words.title}, test set")
    rows = figure.subplots(len(images), 2, squeeze=False, gridspec_kw={"width_ratios": [1, 3]})
    for i, ((picture, bars), image) in enumerate(zip(rows, images, strict=True)):
        index, actual = trained.iloc[i][["index", "actual"]].astype(int)
        picture.imshow(image, cmap=shades(dataset), vmin=0, vmax=255)
        title = [f"index {index}:", f"actual {fitted(words.names[actual], 0.7 * room, TITLE)}"]
        picture.set(title=("\n" if is_long else " ").join(title), xticks=[], yticks=[])
        picture.spines[:].set_visible(True)

        shown, label = list(range(C)), words.noun
        if C > MOST_BARS:
            first = np.argsort(-probabilities(trained)[i], kind="stable")[:BARS].tolist()
            shown = first if actual in first else [*first, actual]
            label = f"the {BARS} most probable after training, and the actual {words.noun}"
        places = np.arange(len(shown))
        for offset, table, colour, name in (
            (-0.2, untrained, ORANGE, "untrained"),
            (+0.2, trained, BLUE, "trained"),
        ):
            predicted, confidence = table["predicted"].iloc[i], table["confidence"].iloc[i]
            says = f"{name}: {words.names[predicted]} ({percent(confidence, 1)})"
            heights = probabilities(table)[i][shown]
            bars.bar(places + offset, heights, width=0.4, color=colour, label=says)
        bars.set(xlabel=label, ylabel="probability", ylim=(0, 1))
        ticks = {"rotation": 30, "ha": "right", "rotation_mode": "anchor"} if is_long else {}
        bars.set_xticks(places, [words.names[each] for each in shown], **ticks)
        legend_above(bars, columns=1 if is_long else 2)
    save(figure, folder / "cards.png")


@style.context(STYLE)
def draw_weights(folder: Path, W1: Floats, dataset: Dataset) -> None:
    """Draw the weights between the pixels and each hidden unit as an image.

    Parameters
    ----------
    W1 : ndarray of shape (D, H)
        Weights of the first layer, of which the first `MOST_WEIGHTS` hidden units are drawn.
    """
    weights = _by_unit(W1, dataset)[:MOST_WEIGHTS]
    title = f"First layer, trained on {words_of(dataset).title}"
    if len(weights) < W1.shape[1]:
        title += f", the first {len(weights)} of {W1.shape[1]} hidden units"
    figure, axes = _blank_page(WEIGHT_COLUMNS, math.ceil(len(weights) / WEIGHT_COLUMNS), title)
    most = _full_colour(weights)
    for i, image in enumerate(weights):
        row, column = divmod(i, WEIGHT_COLUMNS)
        drawn = _draw_signed(axes, image, column, row, most=most)
    figure.set_figheight(figure.get_figheight() + 0.8)
    figure.colorbar(
        drawn, location="bottom", shrink=0.5, aspect=40, extend="both", label="weight of the pixel"
    )
    save(figure, folder / "weights.png")


def _by_unit(W1: Floats, dataset: Dataset) -> Floats:
    """The weights of each hidden unit as an image, of shape (H, height, width)."""
    return W1.T.reshape(-1, *dataset.image_shape)


def _full_colour(values: Floats) -> float:
    """The size that gets the full colour: the few larger ones would leave the others pale."""
    return float(np.percentile(np.abs(values), 99.5))


def _draw_signed(
    axes: Axes, image: Floats, x: float, y: float, *, most: float, cmap: str | Colormap = WEIGHTS
) -> AxesImage:
    extent = _extent(image.shape, x, y)
    return axes.imshow(image, extent=extent, cmap=cmap, vmin=-most, vmax=most)


@style.context(STYLE)
def draw_learning(
    folder: Path, snapshots: Sequence[Snapshot], history: pd.DataFrame, dataset: Dataset
) -> None:
    """Draw the weights of a few hidden units as they change, their saturation and their updates.

    Parameters
    ----------
    snapshots : sequence of Snapshot, not empty
    history : DataFrame with the columns of `nnlib.training.history.Epoch`
    """
    figure = Figure(figsize=(10, 5.2), layout="constrained")
    figure.suptitle(f"Hidden units during the training on {words_of(dataset).title}")
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
        for unit, image in enumerate(_by_unit(W1, dataset)):
            _draw_signed(page, image, column, unit, most=most)
    _draw_scale(page, (len(snapshots) - 2) / 2, units, most=most)

    saturation.plot(history["epoch"], history["saturated"], color=BLUE, marker="o")
    saturation.set(ylabel="saturated activations", ylim=(0, None))
    saturation.yaxis.set_major_formatter(PercentFormatter(1))
    updated = history[history["iteration"] > 0]
    for key, line, colour, face in (("W1", "o-", BLUE, BLUE), ("W2", "s--", ORANGE, "none")):
        ratio = updated[f"update_ratio_{key}"]
        updates.plot(updated["epoch"], ratio, line, color=colour, markerfacecolor=face, label=key)
    updates.set(xlabel="epoch", ylabel="update / weights (norms)", xlim=saturation.get_xlim())
    set_log_scale(updates)
    legend_above(updates, columns=2)
    save(figure, folder / "learning.png")


@style.context(STYLE)
def draw_evidence(
    folder: Path,
    evidence: Sequence[PairEvidence],
    params: Mapping[str, Floats],
    dataset: Dataset,
    *,
    prefix: str = "",
) -> None:
    """Draw the evidence for the wrong class in each confused pair: of pixels, and of hidden units.

    Parameters
    ----------
    evidence : sequence of PairEvidence
        Without any, nothing is drawn.
    params : mapping of ndarray
        The network's `W1` of shape (D, H) and `W2` of shape (H, C).
    prefix : str
        Of the file's name.
    """
    if not evidence:
        return
    weights, W2, words = _by_unit(params["W1"], dataset), params["W2"], words_of(dataset)
    pixels = [means.pixels for pair in evidence for means in (pair.confused, pair.right) if means]
    most_evidence, most_weight = _full_colour(np.array(pixels)), _full_colour(weights)
    units = HEADING + 2  # where the hidden units begin
    height = 1 + GAP + 3 * LINE
    end = len(evidence) * height
    places = units + 2 * STRONGEST
    title = f"Evidence in the most-confused pairs, {words.title}, test set"
    figure, axes = _blank_page(places, end + SCALE, title)
    for row, pair in enumerate(evidence):
        y, actual, predicted = row * height, pair.actual, pair.predicted
        heading = f"{_heading(actual, predicted, words, places)}\nblank image: {pair.blank:+z.2f}"
        _draw_heading(axes, heading, 0, y)
        for place, (are, means) in enumerate((("confused", pair.confused), ("right", pair.right))):
            if means:
                x, caption = HEADING + place, _sums(means, are, pair.blank)
                _draw_means(axes, means, caption, x, y, dataset=dataset, most=most_evidence)
        for place, unit in enumerate(pair.strongest):
            colours = ["0.8"] * W2.shape[1]
            for label in (predicted, actual):
                colours[label] = GREEN if W2[unit, label] > 0 else PURPLE
            x = units + 2 * place
            _draw_signed(axes, weights[unit], x, y, most=most_weight)
            _draw_caption(axes, f"unit {unit}\n{percent(pair.shares[unit], 1)}", x, y)
            _draw_output_weights(axes, W2[unit], colours, x + 1, y, most=np.abs(W2).max())
            # wider than its place, as what is beside it is narrower
            to_both = [
                f"{fitted(words.names[label], _points(places), SMALL)}: {W2[unit, label]:+.2f}"
                for label in (predicted, actual)
            ]
            _draw_caption(axes, "\n".join(to_both), x + 1, y)
    _draw_scale(
        axes, HEADING, end, most=most_evidence, cmap=AGAINST_AND_FOR, label="evidence (nats)"
    )
    _draw_scale(axes, units, end, most=most_weight)
    save(figure, folder / f"{prefix}evidence.png")


def _sums(means: MeanEvidence, are: str, blank: float) -> str:
    """How many samples there are, the evidence of their pixels, and with the blank image's."""
    pixels = means.pixels.sum()
    return f"{count(means.samples)} {are}\npixels {pixels:+z.2f}\nwhole {blank + pixels:+z.2f}"


def _draw_means(
    axes: Axes,
    means: MeanEvidence,
    caption: str,
    x: float,
    y: float,
    *,
    dataset: Dataset,
    most: float,
) -> None:
    # the mean image in greys that are light enough for the colours on it
    extent = _extent(means.image.shape, x, y)
    least = 0 if dataset.has_strokes else -255
    axes.imshow(means.image, extent=extent, cmap=shades(dataset), vmin=least, vmax=least + 2 * 255)
    _draw_signed(axes, means.pixels, x, y, most=most, cmap=AGAINST_AND_FOR)
    _draw_caption(axes, caption, x, y)


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
    x: float,
    y: float,
    *,
    most: float,
    cmap: str | Colormap = WEIGHTS,
    label: str = "weight of the pixel",
    places: int = 2,
) -> None:
    """Draw the scale of a map's colours, as wide as some places."""
    scale = axes.inset_axes((x, y + 0.2, places - GAP, 0.1), transform=axes.transData)
    mappable = ScalarMappable(Normalize(-most, most), cmap)
    axes.figure.colorbar(mappable, scale, orientation="horizontal", extend="both", label=label)


@style.context(STYLE)
def draw_neighbours(
    folder: Path,
    images: NDArray[np.uint8],
    mistakes: pd.DataFrame,
    neighbours: Neighbours,
    dataset: Dataset,
) -> None:
    """Draw the first mistakes, each with its nearest training samples in each space.

    Parameters
    ----------
    images : ndarray of uint8 of shape (N, height, width)
        The whole test set.
    mistakes : DataFrame
        Rows of a table of predictions, `nnlib.analysis.predictions.Predictions.table`, of which at
        most `MISTAKES_SHOWN` are drawn; without any, nothing is.
    neighbours : Neighbours
        Of these mistakes, and perhaps of others.
    """
    if mistakes.empty:
        return
    mistakes = mistakes.head(MISTAKES_SHOWN)
    neighbours = neighbours.of(mistakes["index"])
    words, strip = words_of(dataset), 0.3 + NEIGHBOURS
    top, height = 2 * LINE, 1 + GAP + LINE
    starts = {space: HEADING + 1.3 + i * strip for i, space in enumerate(SPACES)}
    width = HEADING + 1 + len(SPACES) * strip
    title = f"Nearest training images, {words.title}"
    figure, axes = _blank_page(width, top + len(mistakes) * height, title)
    for space, x in starts.items():
        axes.text(x, LINE, f"nearest by {space}", va="center")
    row_of = {index: row for row, index in enumerate(mistakes["index"])}
    for index, heading, size in _headings(mistakes, words, _points(width, HEADING - GAP / 2)):
        y = top + row_of[index] * height
        _draw_heading(axes, heading, 0, y, size=size)
        _draw_image(axes, images[index], HEADING, y, dataset)
    colours = {
        (index, label): colour
        for column, colour in (("predicted", ORANGE), ("actual", BLUE))
        for index, label in zip(mistakes["index"], mistakes[column], strict=True)
    }
    records = neighbours.table.to_dict("records")
    room = _points(width)
    all_fit = all(fits(name, room, SMALL) for name in words.names)
    size_of_captions = SMALL if all_fit else SMALLEST
    captions = [fitted(name, room, size_of_captions) for name in words.names]
    for neighbour, place in zip(records, neighbours.places, strict=True):
        index, label = neighbour["index"], neighbour["label"]
        x = starts[neighbour["space"]] + neighbour["rank"] - 1
        y = top + row_of[index] * height
        _draw_image(axes, neighbours.images[place], x, y, dataset)
        colour = colours.get((index, label), "0.5")
        _draw_caption(axes, captions[label], x, y, colour=colour, size=size_of_captions)
    save(figure, folder / "neighbours.png")


def _headings(mistakes: pd.DataFrame, words: Words, room: float) -> list[tuple[int, str, float]]:
    """The index of each mistake, what stands beside its images, and the size of that."""
    rows = [
        (index, words.names[actual], words.names[predicted])
        for index, actual, predicted in mistakes[["index", "actual", "predicted"]].to_numpy()
    ]
    short = [f"index {i}\nactual {actual}\npredicted {predicted}" for i, actual, predicted in rows]
    if all(fits(line, room, LARGE) for text in short for line in text.split("\n")):
        return [(index, text, LARGE) for (index, *_), text in zip(rows, short, strict=True)]
    cut = [(i, *(fitted(name, room, SMALL) for name in of_mistake)) for i, *of_mistake in rows]
    return [
        (index, f"index {index}\nactual\n{actual}\npredicted\n{predicted}", SMALL)
        for index, actual, predicted in cut
    ]


@style.context(STYLE)
def draw_units(
    folder: Path,
    units: Units,
    images: NDArray[np.uint8],
    params: Mapping[str, Floats],
    dataset: Dataset,
) -> None:
    """Draw hidden units: their weights, and the images that activate them most.

    Parameters
    ----------
    units : Units
    images : ndarray of uint8 of shape (N, height, width)
        The whole test set.
    params : mapping of ndarray
        The network's `W1` of shape (D, H) and `W2` of shape (H, C).
    """
    weights, W2, words = _by_unit(params["W1"], dataset), params["W2"], words_of(dataset)
    shown = units.shown
    title = f"Hidden units, {words.title}, test set"
    if len(shown) < len(units.table):
        title += f", the {len(shown)} of {len(units.table)} that cost most"
    place, height = HEADING + 2 + EXAMPLES + 0.5, 1 + GAP + 2 * LINE
    per_column = math.ceil(len(shown) / UNIT_COLUMNS)
    end = per_column * height
    figure, axes = _blank_page(UNIT_COLUMNS * place, end + 2 * SCALE, title)
    most_weight, most = _full_colour(weights[shown["unit"]]), np.abs(W2).max()
    for i, row in enumerate(shown.to_dict("records")):
        unit = row["unit"]
        column, line = divmod(i, per_column)
        x, y = column * place, line * height
        _draw_heading(axes, f"unit {unit}\ncosts {100 * row['cost']:.2f}", x, y, size=9)
        x += HEADING
        _draw_signed(axes, weights[unit], x, y, most=most_weight)
        colours = [GREEN if weight > 0 else PURPLE for weight in W2[unit]]
        _draw_output_weights(axes, W2[unit], colours, x + 1, y, most=most)
        # as wide as the places beside it, whose images have no captions
        room = _points(UNIT_COLUMNS * place, 2)
        for_class, against = (
            fitted(words.names[label], room, SMALL)
            for label in (W2[unit].argmax(), W2[unit].argmin())
        )
        _draw_caption(axes, f"for {for_class}, against {against}", x + 1, y)
        for number, index in enumerate(units.examples[unit], start=2):
            _draw_image(axes, images[index], x + number, y, dataset)
    _draw_scale(axes, HEADING, end, most=most_weight, places=4)
    save(figure, folder / "units.png")
