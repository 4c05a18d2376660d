"""The figures of the report. Each function draws one and writes it as a PNG file."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import style
from matplotlib.figure import Figure
from numpy.typing import NDArray

from nnlib.mnist import CLASSES
from nnlib.predictions import PROBABILITIES

# From "default", so that a user's matplotlibrc changes nothing, and two colours of Okabe and Ito's
# palette, which colour-blind readers tell apart: https://jfly.uni-koeln.de/color
STYLE: list[str | dict[str, Any]] = [
    "default",
    {"figure.dpi": 150, "font.size": 10, "axes.spines.top": False, "axes.spines.right": False},
]
BLUE, ORANGE = "#0072B2", "#E69F00"


@style.context(STYLE)
def draw_confusion(path: str | Path, confusion: NDArray[np.int64], title: str) -> None:
    """Draw the confusion matrix: counts in the cells, errors coloured by share of the actual digit.

    The diagonal stays grey, so that it does not drown the errors.

    Parameters
    ----------
    path : path
    confusion : ndarray of int of shape (C, C)
    title : str
    """
    classes = len(confusion)
    diagonal = np.eye(classes, dtype=bool)
    percent = 100 * confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1)
    errors = np.ma.masked_array(percent, diagonal)

    figure = Figure(figsize=(8, 7), layout="constrained")
    axes = figure.subplots()
    axes.set_facecolor("0.85")  # the diagonal, where `errors` is masked
    most = max(errors.max(), 1)
    image = axes.imshow(errors, cmap="OrRd", vmin=0, vmax=most)
    figure.colorbar(image, label="errors: share of the actual digit (%)", shrink=0.8)
    for actual, predicted in np.ndindex(confusion.shape):
        dark = not diagonal[actual, predicted] and errors[actual, predicted] > 0.6 * most
        count = int(confusion[actual, predicted])
        colour = "white" if dark else "black" if count else "0.7"
        axes.text(predicted, actual, str(count), ha="center", va="center", color=colour)
    axes.set(
        title=title,
        xlabel="predicted digit",
        ylabel="actual digit",
        xticks=range(classes),
        yticks=range(classes),
    )
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    figure.savefig(path)


@style.context(STYLE)
def draw_training(path: str | Path, loss: pd.DataFrame, history: pd.DataFrame, title: str) -> None:
    """Draw the loss of every iteration, and the accuracy by epoch as in the notebook.

    Parameters
    ----------
    path : path
    loss : DataFrame with the columns `iteration`, `loss`
    history : DataFrame with the columns of `nnlib.training.Epoch`
    title : str
    """
    figure = Figure(figsize=(10, 4), layout="constrained")
    figure.suptitle(title)
    left, right = figure.subplots(1, 2)

    left.plot(loss["iteration"], loss["loss"], color="0.75", linewidth=0.5, label="of each batch")
    left.plot(history["iteration"], history["loss"], color="black", label="of the training set")
    left.set(xlabel="iteration", ylabel="loss (cross-entropy, nats)", ylim=(0, None))
    left.legend()

    right.plot("epoch", "train_accuracy", data=history, color=BLUE, marker="o", label="train")
    right.plot(
        "epoch",
        "test_accuracy",
        data=history,
        color=ORANGE,
        marker="s",
        linestyle="--",
        label="test",
    )
    right.set(xlabel="epoch", ylabel="accuracy", ylim=(0, 1))
    right.legend(loc="lower right")
    figure.savefig(path)


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
        Predictions of these n samples, as `nnlib.predictions.tabulate` makes them.
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
            says = f"{label}: {prediction['predicted']} ({prediction['confidence']:.1%})"
            bars.bar(digits + offset, heights, width=0.4, color=colour, label=says)
        bars.set(xlabel="digit", ylabel="probability", xticks=digits, ylim=(0, 1))
        bars.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, frameon=False)
    figure.savefig(path)
