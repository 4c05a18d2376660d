"""The figures: what is drawn, and that anything can be drawn."""

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
from nnlib.report.galleries import (
    draw_cards,
    draw_evidence,
    draw_label_issues,
    draw_learning,
    draw_mistakes,
    draw_pairs,
    draw_weights,
)
from nnlib.report.style import BLUE, ORANGE
from nnlib.training.history import Snapshot

SAMPLES = [5, 2, 17]
ABOUT = {"title": "title", "dataset": MNIST}
HISTORY = pd.DataFrame(
    {"epoch": [0, 1], "iteration": [0, 3], "loss": [2.35, 2.05]}
    | {"train_accuracy": [0.1, 0.2], "test_accuracy": [0.15, 0.25]}
    | {"saturated": [0.0, 0.3], "update_ratio_W1": [0.0, 0.002], "update_ratio_W2": [0.0, 0.001]}
)


@pytest.fixture
def images():
    """Images that can be told apart: each has its number in the pixels of its first row."""
    images = np.zeros((1500, 28, 28), np.uint8)
    images[:, 0, :2] = np.array(divmod(np.arange(1500), 256)).T
    return images


def indices(axes):
    """The numbers of the images that were drawn, in their order, each with the text below it."""
    found = []
    for image in axes.images:
        left, right, bottom, _ = image.get_extent()
        high, low = (int(value) for value in image.get_array()[0, :2])
        (below,) = (
            text.get_text()
            for text in axes.texts
            if left < text.get_position()[0] < right and 0 <= text.get_position()[1] - bottom < 0.1
        )
        found.append((256 * high + low, below))
    return found


def heat_map(figure):
    axes = figure.axes[0]
    texts = np.full((10, 10), None)
    for text in axes.texts:
        column, row = text.get_position()
        texts[row, column] = text.get_text()
    return texts, axes.images[0].get_array()


def test_the_confusion_matrix_has_the_counts_and_the_colours_the_shares(tmp_path, drawn, analysis):
    draw_confusion(tmp_path / "confusion.png", analysis.confusion, **ABOUT)
    texts, colours = heat_map(drawn[0])
    np.testing.assert_array_equal(texts.astype(int), analysis.confusion)
    percent = 100 * analysis.confusion / analysis.confusion.sum(axis=1, keepdims=True)
    off_diagonal = ~np.eye(10, dtype=bool)
    np.testing.assert_allclose(colours[off_diagonal], percent[off_diagonal])
    assert colours.mask[~off_diagonal].all()


def test_the_mean_probabilities(tmp_path, drawn, analysis):
    draw_mean_probabilities(tmp_path / "means.png", analysis.mean_probabilities, **ABOUT)
    texts, colours = heat_map(drawn[0])
    off_diagonal = ~np.eye(10, dtype=bool)
    expected = 100 * analysis.mean_probabilities[off_diagonal]
    np.testing.assert_allclose(colours[off_diagonal], expected)
    np.testing.assert_allclose(texts.astype(float), 100 * analysis.mean_probabilities, atol=0.0051)


def test_the_reliability_diagram(tmp_path, drawn, analysis):
    draw_reliability(tmp_path / "reliability.png", analysis.reliability, **ABOUT)
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


def test_the_confidence(tmp_path, drawn, analysis):
    curve = analysis.accuracy_by_coverage
    decided = [
        Decided(0.9, (0.6, 0.7), samples=1000, right=890, coverage=1000 / 1500),
        Decided(0.99, (math.nan, math.nan), samples=0, right=0, coverage=0),
    ]
    draw_confidence(tmp_path / "confidence.png", analysis.trained, curve, decided, **ABOUT)
    histogram, coverage = drawn[0].axes
    labels = [text.get_text() for text in histogram.get_legend().get_texts()]
    errors = len(analysis.mistakes)
    assert labels == [f"right: {1500 - errors:,} predictions", f"wrong: {errors} predictions"]
    is_right = analysis.trained["actual"] == analysis.trained["predicted"]
    for patch, chosen in zip(histogram.patches, (is_right, ~is_right), strict=True):
        counts = np.histogram(analysis.trained["confidence"][chosen], np.linspace(0, 1, 26))[0]
        np.testing.assert_array_equal(patch.get_data().values, counts)
    np.testing.assert_allclose(coverage.lines[0].get_xydata(), curve[["coverage", "accuracy"]])
    reached, none = coverage.lines[1:]
    assert reached.get_xydata().tolist() == [[0, 0.9], [1000 / 1500, 0.89]]
    assert reached.get_label() == "chosen for 90.0 % right: 66.7 % of the samples"
    assert none.get_markevery() == []
    assert none.get_label() == "chosen for 99.0 % right: none"


def test_the_training(tmp_path, drawn):
    loss = pd.DataFrame({"iteration": [1, 2, 3], "loss": [2.3, 2.2, 2.1]})
    draw_training(tmp_path / "training.png", loss, HISTORY, "title")
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


def test_the_smoothed_loss_is_the_mean_around_each_batch(tmp_path, drawn):
    loss = pd.DataFrame({"iteration": np.arange(1, 201), "loss": np.linspace(2, 1, 200) ** 3})
    draw_training(tmp_path / "training.png", loss, HISTORY, "title")
    smoothed = drawn[0].axes[0].lines[1].get_ydata()
    for i in (0, 25, 100, 199):
        around = loss["loss"].to_numpy()[max(i - 25, 0) : i + 26]
        assert smoothed[i] == pytest.approx(around.mean())


def test_how_it_learned(tmp_path, drawn):
    W1 = np.random.default_rng(0).standard_normal((3, 784, 2))
    snapshots = [Snapshot(*each) for each in zip([0, 3, 4], W1, strict=True)]
    draw_learning(tmp_path / "learning.png", snapshots, HISTORY, **ABOUT)
    page, saturation, updates = drawn[0].axes[:3]
    texts = [text.get_text() for text in page.texts]
    assert texts == ["unit 0", "unit 1", "epoch 0", "epoch 1", "at the end"]
    expected = [W1[moment, :, unit].reshape(28, 28) for moment in range(3) for unit in range(2)]
    for image, array in zip(page.images, expected, strict=True):
        np.testing.assert_array_equal(image.get_array(), array)
    assert len({image.get_clim() for image in page.images}) == 1
    assert saturation.lines[0].get_xydata().tolist() == [[0, 0], [1, 0.3]]
    found = {line.get_label(): line.get_xydata().tolist() for line in updates.lines}
    assert found == {"W1": [[1, 0.002]], "W2": [[1, 0.001]]}
    assert updates.get_yscale() == "log"


DEGENERATE_HISTORIES = {
    "no epoch ended": HISTORY.head(1),
    "no errors, and no updates": HISTORY.assign(
        loss=0.0, train_accuracy=1.0, test_accuracy=1.0, update_ratio_W1=0.0, update_ratio_W2=0.0
    ),
}


@pytest.mark.parametrize("history", DEGENERATE_HISTORIES.values(), ids=DEGENERATE_HISTORIES)
def test_the_figures_of_any_training_are_drawn(tmp_path, history):
    loss = pd.DataFrame({"iteration": [1], "loss": [0.0]})
    draw_training(tmp_path / "training.png", loss, history, "title")
    snapshots = [Snapshot(iteration, np.zeros((784, 1))) for iteration in (0, 1)]
    draw_learning(tmp_path / "learning.png", snapshots, history, **ABOUT)


def test_the_cards(tmp_path, drawn, analysis, images):
    cards = analysis.trained.iloc[SAMPLES], analysis.untrained.iloc[SAMPLES]
    draw_cards(tmp_path / "cards.png", images[SAMPLES], *cards, **ABOUT)
    pictures, bars = drawn[0].axes[0::2], drawn[0].axes[1::2]
    for i, sample in enumerate(SAMPLES):
        (picture,) = pictures[i].images
        np.testing.assert_array_equal(picture.get_array(), images[sample])
        assert pictures[i].get_title().startswith(f"index {sample}: actual ")
        labels = [text.get_text() for text in bars[i].get_legend().get_texts()]
        for container, label, table in zip(
            bars[i].containers, labels, (analysis.untrained, analysis.trained), strict=True
        ):
            heights = [bar.get_height() for bar in container]
            np.testing.assert_allclose(heights, table.loc[sample, "p0":"p9"].to_numpy(float))
            assert f": {table['predicted'][sample]} (" in label
        assert labels[0].startswith("untrained")


def test_the_mistakes_are_those_of_their_index(tmp_path, drawn, analysis, images):
    mistakes = analysis.mistakes.head(20)
    draw_mistakes(tmp_path / "mistakes.png", images, mistakes, **ABOUT)
    shown = indices(drawn[0].axes[0])
    assert [index for index, _ in shown] == mistakes["index"].tolist()
    index, caption = shown[11]
    row = analysis.trained.loc[index]
    assert caption.splitlines()[:2] == [
        f"index {index}",
        f"{row['actual']:.0f} read as {row['predicted']:.0f}",
    ]
    probabilities = [float(line.split()[1]) / 100 for line in caption.splitlines()[2:]]
    expected = [row[f"p{row['predicted']:.0f}"], row[f"p{row['actual']:.0f}"]]
    assert probabilities == pytest.approx(expected, abs=5.1e-5)


def test_the_labels_to_check_are_those_of_their_index(tmp_path, drawn, analysis, images):
    issues = analysis.label_issues.head(20)
    draw_label_issues(tmp_path / "labels.png", images, issues, **ABOUT)
    expected = [
        (index, f"index {index}\nlabel {label}, like {looks_like}?\nmargin {margin:.3f}")
        for index, label, looks_like, margin in issues[
            ["index", "label", "looks_like", "margin"]
        ].itertuples(index=False)
    ]
    assert indices(drawn[0].axes[0]) == expected


def test_a_strip_shows_the_most_confident_mistakes_of_its_pair(tmp_path, drawn, analysis, images):
    draw_pairs(
        tmp_path / "pairs.png",
        images,
        analysis.mistakes,
        analysis.pairs.head(3),
        "title",
        dataset=MNIST,
    )
    (axes,) = drawn[0].axes
    trained, shown = analysis.trained, indices(axes)
    headings = [text.get_text() for text in axes.texts if "read as" in text.get_text()]
    for pair, heading in zip(analysis.pairs.head(3).itertuples(), headings, strict=True):
        assert heading == f"{pair.actual} read as {pair.predicted}"
        same = trained.query(f"actual == {pair.actual} and predicted == {pair.predicted}")
        most = same.sort_values("confidence", ascending=False).head(10)
        strip, shown = shown[: len(most)], shown[len(most) :]
        assert strip == [
            (index, f"{index}\n{100 * confidence:.1f} %")
            for index, confidence in zip(most["index"], most["confidence"], strict=True)
        ]
    assert shown == []


@pytest.mark.parametrize(("hidden", "drawn_units"), [(3, 3), (50, 50), (130, 100)])
def test_the_weights_of_a_hidden_unit_are_an_image(tmp_path, drawn, hidden, drawn_units):
    W1 = np.random.default_rng(0).standard_normal((784, hidden))
    draw_weights(tmp_path / "weights.png", W1, **ABOUT)
    images = drawn[0].axes[0].images
    assert len(images) == drawn_units
    for unit in (0, drawn_units - 1):
        np.testing.assert_array_equal(images[unit].get_array(), W1[:, unit].reshape(28, 28))
    purple, orange = images[0].to_rgba([100.0, -100.0])[:, :3]
    assert purple[2] > purple[0]  # blue above red
    assert orange[0] > orange[2]
    cut = ", the first 100 of 130 hidden units" if hidden == 130 else ""
    assert drawn[0].get_suptitle() == f"title{cut}"


def test_the_evidence_shows_the_means_and_the_strongest_units(tmp_path, drawn, analysis, explain):
    network, evidence = explain(analysis, pairs=2)
    draw_evidence(tmp_path / "evidence.png", evidence, network.params, **ABOUT)
    W1, W2 = network.params["W1"], network.params["W2"]
    (axes,) = drawn[0].axes
    expected, captions, heights, colours = [], [], [], []
    for pair in evidence:
        for means, kind in ((pair.confused, "confused"), (pair.right, "right")):
            expected += [means.image, means.pixels]
            captions.append(f"{means.samples} {kind}\n{means.pixels.sum():+.2f}")
        for unit in pair.strongest:
            expected.append(W1[:, unit].reshape(28, 28))
            captions.append(f"unit {unit}\n{100 * pair.shares[unit]:.1f} %")
            labels = (pair.predicted, pair.actual)
            captions.append("\n".join(f"{label}: {W2[unit, label]:+.2f}" for label in labels))
            heights.append(W2[unit])
            kinds = ["other"] * 10
            kinds[pair.predicted], kinds[pair.actual] = ORANGE, BLUE
            colours.append(kinds)
    assert len(axes.images) == len(expected)
    for image, array in zip(axes.images, expected, strict=True):
        np.testing.assert_array_equal(image.get_array(), array)
    texts = [text.get_text() for text in axes.texts]
    assert [text for text in texts if "read as" in text] == [
        f"{pair.actual} read as {pair.predicted}" for pair in evidence
    ]
    assert [text for text in texts if "read as" not in text] == captions
    assert len(axes.containers) == len(heights) > 2
    highest = 0.45 / np.abs(W2).max()  # half an image, upwards where the page's y is smaller
    for bars, weights, kinds in zip(axes.containers, heights, colours, strict=True):
        np.testing.assert_allclose([bar.get_height() for bar in bars], -highest * weights)
        found = [to_hex(bar.get_facecolor()).upper() for bar in bars]
        assert [colour if colour in {ORANGE, BLUE} else "other" for colour in found] == kinds
    labels = [scale.get_xlabel() for scale in axes.child_axes]
    assert labels == ["evidence (nats)", "weight of the pixel"]


def test_the_colours_of_the_evidence(tmp_path, drawn, analysis, explain):
    network, evidence = explain(analysis, pairs=1)
    draw_evidence(tmp_path / "evidence.png", evidence, network.params, **ABOUT)
    mean, pixels = drawn[0].axes[0].images[:2]
    speaks_for, nothing, against = pixels.to_rgba([100.0, 0, -100])
    assert to_hex(speaks_for).upper() == ORANGE
    assert to_hex(against).upper() == BLUE
    assert nothing[3] < 0.01  # transparent: the image below shows
    np.testing.assert_array_equal(mean.to_rgba([0.0])[0], [1, 1, 1, 1])
    low, high = pixels.get_clim()
    assert -low == high > 0


def test_the_figures_of_any_analysis_are_drawn(tmp_path, degenerate_analysis, explain):
    analysis = degenerate_analysis
    images = np.zeros((len(analysis.trained), 28, 28), np.uint8)
    first = analysis.trained.head(1)
    draw_confusion(tmp_path / "0.png", analysis.confusion, **ABOUT)
    draw_mean_probabilities(tmp_path / "1.png", analysis.mean_probabilities, **ABOUT)
    draw_reliability(tmp_path / "2.png", analysis.reliability, **ABOUT)
    curve = analysis.accuracy_by_coverage
    draw_confidence(tmp_path / "3.png", analysis.trained, curve, analysis.decided, **ABOUT)
    draw_cards(tmp_path / "4.png", images[:1], first, first, **ABOUT)
    if len(analysis.mistakes):
        draw_mistakes(tmp_path / "5.png", images, analysis.mistakes, **ABOUT)
        draw_pairs(tmp_path / "6.png", images, analysis.mistakes, analysis.pairs, **ABOUT)
        network, evidence = explain(analysis, pairs=2)
        draw_evidence(tmp_path / "8.png", evidence, network.params, **ABOUT)
    if len(analysis.label_issues):
        draw_label_issues(tmp_path / "7.png", images, analysis.label_issues, **ABOUT)
    for path in tmp_path.iterdir():
        assert path.read_bytes()[1:4] == b"PNG"
