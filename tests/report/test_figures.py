"""The figures that show numbers: what is drawn."""

import dataclasses
import itertools
import math

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from nnlib.analysis.held_out import Decided
from nnlib.data.datasets import MNIST
from nnlib.report.figures import (
    draw_confidence,
    draw_confusion,
    draw_mean_probabilities,
    draw_reliability,
    draw_training,
)
from nnlib.stats.significance import Differences

HISTORY = pd.DataFrame(
    {"epoch": [0, 1], "iteration": [0, 3], "loss": [2.35, 2.05]}
    | {"train_accuracy": [0.1, 0.2], "test_accuracy": [0.15, 0.25]}
    | {"saturated": [0.0, 0.3], "update_ratio_W1": [0.0, 0.002], "update_ratio_W2": [0.0, 0.001]}
)


def heat_map(figure):
    axes = figure.axes[0]
    texts = np.full((10, 10), None)
    for text in axes.texts:
        column, row = text.get_position()
        texts[row, column] = text.get_text()
    return texts, axes.images[0].get_array()


def test_the_confusion_matrix_has_the_counts_and_the_colours_the_shares(tmp_path, drawn, analysis):
    sign = np.zeros((10, 10), int)
    sign[5, 3] = 1
    differs = analysis.against_train._replace(sign=sign)
    draw_confusion(tmp_path, dataclasses.replace(analysis, against_train=differs), MNIST)
    texts, colours = heat_map(drawn[0])
    percent = 100 * analysis.confusion / analysis.confusion.sum(axis=1, keepdims=True)
    on_train = 100 * analysis.train_confusion[5, 3] / analysis.train_confusion[5].sum()
    for (row, column), text in np.ndenumerate(texts):
        count = analysis.confusion[row, column]
        expected = [f"{count}", f"{percent[row, column]:.1f}%"] if count else ["0"]
        expected += [f"train {on_train:.1f}%"] if (row, column) == (5, 3) else []
        assert text.split("\n") == expected
    off_diagonal = ~np.eye(10, dtype=bool)
    np.testing.assert_allclose(colours[off_diagonal], percent[off_diagonal])
    assert colours.mask[~off_diagonal].all()


def test_the_mean_probabilities(tmp_path, drawn, analysis):
    draw_mean_probabilities(tmp_path, analysis.mean_probabilities, MNIST)
    texts, colours = heat_map(drawn[0])
    off_diagonal = ~np.eye(10, dtype=bool)
    expected = 100 * analysis.mean_probabilities[off_diagonal]
    np.testing.assert_allclose(colours[off_diagonal], expected)
    np.testing.assert_allclose(texts.astype(float), 100 * analysis.mean_probabilities, atol=0.0051)


def test_the_reliability_diagram(tmp_path, drawn, analysis):
    draw_reliability(tmp_path, analysis.reliability, MNIST)
    full = analysis.reliability[analysis.reliability["count"] > 0]
    (axes,) = drawn[0].axes
    few = full["count"] < 30
    assert 0 < few.sum() < len(few)
    colours = {to_hex(bar.get_facecolor()[:3]).upper() for bar in axes.patches[(~few).sum() :]}
    assert colours == {"#808080"}
    full = pd.concat([full[~few], full[few]])  # in the order of drawing
    np.testing.assert_allclose([bar.get_height() for bar in axes.patches], full["accuracy"])
    np.testing.assert_allclose([bar.get_x() for bar in axes.patches], full["low"])
    segments = [axes.containers[i][2][0].get_segments() for i in (1, 3)]  # of the error bars
    expected = full[["confidence", "accuracy_low", "confidence", "accuracy_high"]]
    np.testing.assert_allclose(np.reshape(np.concatenate(segments), (-1, 4)), expected)
    (diagonal,) = (line for line in axes.lines if line.get_label() == "perfectly calibrated")
    assert diagonal.get_xydata().tolist() == [[0, 0], [1, 1]]
    assert axes.get_xlabel().startswith("confidence")
    assert axes.get_ylabel() == "accuracy"
    counts = [text.get_text() for text in axes.texts if text.get_text() != "predictions"]
    assert counts == [f"{count:,}" for count in full["count"].sort_index()]


@pytest.mark.parametrize(("few", "begins"), [(1, "the same, "), (3, "accuracy at ")])
def test_the_legend_of_the_reliability_says_what_is_drawn(tmp_path, drawn, few, begins):
    counts = [10] * few + [100] * (3 - few)
    bins = pd.DataFrame(
        {"low": [0, 0.4, 0.7], "high": [0.4, 0.7, 1], "count": counts}
        | {"confidence": [0.3, 0.5, 0.9], "accuracy": [0.2, 0.5, 0.8]}
        | {"accuracy_low": [0.1, 0.4, 0.7], "accuracy_high": [0.3, 0.6, 0.9]}
    )
    draw_reliability(tmp_path, bins, MNIST)
    labels = [text.get_text() for text in drawn[0].axes[0].get_legend().get_texts()]
    (of_few,) = (label for label in labels if label.endswith("of fewer than 30 predictions"))
    assert of_few.startswith(begins)
    assert len(labels) == (2 if few == 3 else 3)


@pytest.mark.parametrize(
    ("names", "rotation", "has_numbers"),
    [
        ("ABCDEFGHIJ", 0, True),
        (("T-shirt/top", "Trouser", "Pullover"), 0, True),
        (tuple(f"quite a long name {i}" for i in range(10)), 90, True),
        (tuple(map(str, range(20))), 0, True),
        (tuple(map(str, range(21))), 0, False),
    ],
)
def test_a_matrix_has_room_for_its_names(
    tmp_path, drawn, analysis, *, names, rotation, has_numbers
):
    classes = len(names)
    dataset = MNIST.model_copy(update={"class_names": tuple(names)})
    confusion = 2000 * np.eye(classes, dtype=int)
    nothing = Differences(np.ones(confusion.shape), np.zeros(confusion.shape, int))
    counts = {"confusion": confusion, "train_confusion": confusion, "against_train": nothing}
    draw_confusion(tmp_path, dataclasses.replace(analysis, **counts), dataset)
    axes = drawn[0].axes[0]
    assert {label.get_rotation() for label in axes.get_xticklabels()} == {rotation}
    boxes = [label.get_window_extent() for label in axes.get_xticklabels()]
    assert not any(left.overlaps(right) for left, right in itertools.pairwise(boxes))
    assert len(axes.texts) == (classes**2 if has_numbers else 0)
    numbers = [text.get_window_extent() for text in axes.texts[: 2 * classes]]
    assert not any(left.overlaps(right) for left, right in itertools.pairwise(numbers))


def test_the_confidence(tmp_path, drawn, analysis):
    decided = [
        Decided(0.9, (0.6, 0.7), samples=1000, right=890, coverage=1000 / 1500),
        Decided(0.99, (math.nan, math.nan), samples=0, right=0, coverage=0),
    ]
    draw_confidence(tmp_path, dataclasses.replace(analysis, decided=decided), MNIST)
    histogram, coverage = drawn[0].axes
    labels = [text.get_text() for text in histogram.get_legend().get_texts()]
    errors = len(analysis.mistakes)
    assert labels == [f"right: {1500 - errors:,} predictions", f"wrong: {errors} predictions"]
    is_right = analysis.trained.t == analysis.trained.predicted
    for patch, chosen in zip(histogram.patches, (is_right, ~is_right), strict=True):
        counts = np.histogram(analysis.trained.y.max(axis=1)[chosen], np.linspace(0, 1, 26))[0]
        np.testing.assert_array_equal(patch.get_data().values, counts)
    curve = analysis.accuracy_by_coverage[["coverage", "accuracy"]]
    np.testing.assert_allclose(coverage.lines[0].get_xydata(), curve)
    reached, none = coverage.lines[1:]
    assert reached.get_xydata().tolist() == [[0, 0.9], [1000 / 1500, 0.89]]
    assert reached.get_label() == "target accuracy 90.0%: 66.7% of the samples"
    assert none.get_markevery() == []
    assert none.get_label() == "target accuracy 99.0%: none"


def test_the_training(tmp_path, drawn):
    loss = pd.DataFrame({"iteration": [1, 2, 3], "loss": [2.3, 2.2, 2.1]})
    draw_training(tmp_path, loss, HISTORY, MNIST)
    curves = {
        line.get_label(): line.get_xydata().tolist()
        for axes in drawn[0].axes
        for line in axes.lines
    }
    assert curves == {
        "of each batch": [[1, 2.3], [2, 2.2], [3, 2.1]],
        "mean of 51 batches": [[each, pytest.approx(2.2)] for each in (1, 2, 3)],
        "of the training set": [[0, 2.35], [3, 2.05]],
        "train": [[0, 90], [1, 80]],
        "test": [[0, 85], [1, 75]],
    }
    assert [axes.get_yscale() for axes in drawn[0].axes] == ["log", "log"]
    left, right = (axes.get_position() for axes in drawn[0].axes)
    assert right.x0 - left.x1 < 0.1  # no hole between them


def test_the_smoothed_loss_is_the_mean_around_each_batch(tmp_path, drawn):
    loss = pd.DataFrame({"iteration": np.arange(1, 201), "loss": np.linspace(2, 1, 200) ** 3})
    draw_training(tmp_path, loss, HISTORY, MNIST)
    smoothed = drawn[0].axes[0].lines[1].get_ydata()
    for i in (0, 25, 100, 199):
        around = loss["loss"].to_numpy()[max(i - 25, 0) : i + 26]
        assert smoothed[i] == pytest.approx(around.mean())
