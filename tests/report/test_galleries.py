"""The figures that show images: which ones, and what is said of each."""

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.colors import to_hex

from nnlib.analysis.neighbours import MISTAKES_SHOWN, NEIGHBOURS
from nnlib.data.datasets import MNIST
from nnlib.report.galleries import (
    draw_cards,
    draw_evidence,
    draw_gallery,
    draw_label_issues,
    draw_learning,
    draw_mistakes,
    draw_neighbours,
    draw_pairs,
    draw_units,
    draw_weights,
)
from nnlib.report.neighbours import Neighbours
from nnlib.report.style import BLUE, GREEN, ORANGE, PURPLE
from nnlib.training.history import Snapshot
from tests.conftest import neighbours_at_random, units_at_random
from tests.report.test_figures import HISTORY

SAMPLES = [5, 2, 17]


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


def test_the_cards(tmp_path, drawn, analysis, images):
    trained, untrained = analysis.trained.table(), analysis.untrained.table()
    cards = trained.iloc[SAMPLES], untrained.iloc[SAMPLES]
    draw_cards(tmp_path, images[SAMPLES], *cards, MNIST)
    pictures, bars = drawn[0].axes[0::2], drawn[0].axes[1::2]
    for i, sample in enumerate(SAMPLES):
        (picture,) = pictures[i].images
        np.testing.assert_array_equal(picture.get_array(), images[sample])
        assert pictures[i].get_title().startswith(f"index {sample}: actual ")
        labels = [text.get_text() for text in bars[i].get_legend().get_texts()]
        for container, label, table in zip(
            bars[i].containers, labels, (untrained, trained), strict=True
        ):
            heights = [bar.get_height() for bar in container]
            np.testing.assert_allclose(heights, table.loc[sample, "p0":"p9"].to_numpy(float))
            assert f": {table['predicted'][sample]} (" in label
        assert labels[0].startswith("untrained")


def test_the_mistakes_are_those_of_their_index(tmp_path, drawn, analysis, images):
    mistakes = analysis.mistakes.head(20)
    draw_mistakes(tmp_path, images, mistakes, MNIST)
    shown = indices(drawn[0].axes[0])
    assert [index for index, _ in shown] == mistakes["index"].tolist()
    index, caption = shown[11]
    row = analysis.trained.table().loc[index]
    assert caption.splitlines()[:2] == [
        f"index {index}",
        f"{row['actual']:.0f} classified as {row['predicted']:.0f}",
    ]
    probabilities = [float(line.split()[1].rstrip("%")) / 100 for line in caption.splitlines()[2:]]
    expected = [row[f"p{row['predicted']:.0f}"], row[f"p{row['actual']:.0f}"]]
    assert probabilities == pytest.approx(expected, abs=5.1e-5)


def test_the_labels_to_check_are_those_of_their_index(tmp_path, drawn, analysis, images):
    issues = analysis.label_issues.head(20)
    draw_label_issues(tmp_path, images, issues, MNIST)
    expected = [
        (index, f"index {index}\nlabel {label}, like {looks_like}?\nmargin {margin:.3f}")
        for index, label, looks_like, margin in issues[
            ["index", "label", "looks_like", "margin"]
        ].itertuples(index=False)
    ]
    assert indices(drawn[0].axes[0]) == expected


@pytest.mark.parametrize(
    ("shape", "extent"),
    [
        ((28, 28), (0, 0.9, 0, 0.9)),
        ((40, 20), (0.225, 0.675, 0, 0.9)),
        ((20, 40), (0, 0.9, 0.225, 0.675)),
        ((1, 9), (0, 0.9, 0.4, 0.5)),
    ],
)
def test_an_image_keeps_its_shape_in_the_middle_of_its_place(tmp_path, drawn, shape, extent):
    left, right, top, bottom = extent
    draw_gallery(tmp_path / "a.png", np.zeros((9, *shape), np.uint8), ["a"] * 9, "title", MNIST)
    first, *_, last = drawn[0].axes[0].images
    assert first.get_extent() == pytest.approx((left, right, bottom, top))
    below = 1 + 0.1 + 0.155  # the gap, and the line of the caption
    assert last.get_extent() == pytest.approx((left, right, bottom + below, top + below))
    (axes,) = drawn[0].axes
    assert axes.get_aspect() == 1


@pytest.mark.parametrize(("has_strokes", "white"), [(True, 0), (False, 255)])
def test_strokes_are_dark_on_white_and_other_images_as_they_are(
    tmp_path, drawn, has_strokes, white
):
    dataset = MNIST.model_copy(update={"has_strokes": has_strokes})
    draw_gallery(tmp_path / "a.png", np.zeros((1, 2, 2), np.uint8), ["a"], "title", dataset)
    (image,) = drawn[0].axes[0].images
    assert image.to_rgba(np.array([[white]])).tolist() == [[[1, 1, 1, 1]]]


def test_long_names_have_lines_of_their_own(tmp_path, drawn, analysis, images):
    names = [f"quite a long name, {number}" for number in "abcdefghij"]
    dataset = MNIST.model_copy(update={"class_names": tuple(names)})
    mistakes, issues = analysis.mistakes.head(9), analysis.label_issues.head(9)
    draw_mistakes(tmp_path, images, mistakes, dataset)
    draw_label_issues(tmp_path, images, issues, dataset)
    for figure, table, columns, lines in zip(
        drawn,
        (mistakes, issues),
        (["actual", "predicted"], ["label", "looks_like"]),
        ([1, 4], [2, 4]),
        strict=True,
    ):
        for (_, caption), row in zip(
            indices(figure.axes[0]), table.to_dict("records"), strict=True
        ):
            found = caption.splitlines()
            assert len(found) == 6
            assert found[0] == f"index {row['index']}"
            for column, line in zip(columns, lines, strict=True):
                assert found[line].startswith("quite a")
                assert "…" in found[line]
                assert found[line][-1] == names[row[column]][-1]


def test_a_strip_shows_the_most_confident_mistakes_of_its_pair(tmp_path, drawn, analysis, images):
    draw_pairs(tmp_path, images, analysis.mistakes, analysis.pairs.head(3), MNIST)
    (axes,) = drawn[0].axes
    trained, shown = analysis.trained.table(), indices(axes)
    headings = [text.get_text() for text in axes.texts if "classified as" in text.get_text()]
    for pair, heading in zip(analysis.pairs.head(3).itertuples(), headings, strict=True):
        assert heading == f"{pair.actual} classified as {pair.predicted}"
        same = trained.query(f"actual == {pair.actual} and predicted == {pair.predicted}")
        most = same.sort_values("confidence", ascending=False).head(10)
        strip, shown = shown[: len(most)], shown[len(most) :]
        assert strip == [
            (index, f"{index}\n{100 * confidence:.1f}%")
            for index, confidence in zip(most["index"], most["confidence"], strict=True)
        ]
    assert shown == []


@pytest.mark.parametrize(("hidden", "drawn_units"), [(3, 3), (50, 50), (130, 100)])
def test_the_weights_of_a_hidden_unit_are_an_image(tmp_path, drawn, hidden, drawn_units):
    W1 = np.random.default_rng(0).standard_normal((784, hidden))
    draw_weights(tmp_path, W1, MNIST)
    images = drawn[0].axes[0].images
    assert len(images) == drawn_units
    for unit in (0, drawn_units - 1):
        np.testing.assert_array_equal(images[unit].get_array(), W1[:, unit].reshape(28, 28))
    green, purple = images[0].to_rgba([100.0, -100.0])[:, :3]
    assert green[1] > max(green[0], green[2])
    assert purple[1] < min(purple[0], purple[2])
    cut = ", the first 100 of 130 hidden units" if hidden == 130 else ""
    assert drawn[0].get_suptitle() == f"First layer, trained on MNIST{cut}"


def test_the_evidence_shows_the_means_and_the_strongest_units(tmp_path, drawn, analysis, explain):
    network, evidence = explain(analysis, pairs=2)
    draw_evidence(tmp_path, evidence, network.params, MNIST)
    W1, W2 = network.params["W1"], network.params["W2"]
    (axes,) = drawn[0].axes
    expected, captions, heights, colours = [], [], [], []
    for pair in evidence:
        for means, kind in ((pair.confused, "confused"), (pair.right, "right")):
            expected += [means.image, means.pixels]
            pixels = means.pixels.sum()
            sums = f"pixels {pixels:+.2f}\nwhole {pair.blank + pixels:+.2f}"
            captions.append(f"{means.samples} {kind}\n{sums}")
        for unit in pair.strongest:
            expected.append(W1[:, unit].reshape(28, 28))
            captions.append(f"unit {unit}\n{100 * pair.shares[unit]:.1f}%")
            labels = (pair.predicted, pair.actual)
            captions.append("\n".join(f"{label}: {W2[unit, label]:+.2f}" for label in labels))
            heights.append(W2[unit])
            kinds = ["other"] * 10
            for label in labels:
                kinds[label] = GREEN if W2[unit, label] > 0 else PURPLE
            colours.append(kinds)
    assert len(axes.images) == len(expected)
    for image, array in zip(axes.images, expected, strict=True):
        np.testing.assert_array_equal(image.get_array(), array)
    texts = [text.get_text() for text in axes.texts]
    assert [text for text in texts if "classified as" in text] == [
        f"{pair.actual} classified as {pair.predicted}\nblank image: {pair.blank:+.2f}"
        for pair in evidence
    ]
    assert [text for text in texts if "classified as" not in text] == captions
    assert len(axes.containers) == len(heights) > 2
    highest = 0.45 / np.abs(W2).max()  # half an image, upwards where the page's y is smaller
    for bars, weights, kinds in zip(axes.containers, heights, colours, strict=True):
        np.testing.assert_allclose([bar.get_height() for bar in bars], -highest * weights)
        found = [to_hex(bar.get_facecolor()).upper() for bar in bars]
        assert [colour if colour in {GREEN, PURPLE} else "other" for colour in found] == kinds
    labels = [scale.get_xlabel() for scale in axes.child_axes]
    assert labels == ["evidence (nats)", "weight of the pixel"]


def test_the_colours_of_the_evidence(tmp_path, drawn, analysis, explain):
    network, evidence = explain(analysis, pairs=1)
    draw_evidence(tmp_path, evidence, network.params, MNIST)
    mean, pixels = drawn[0].axes[0].images[:2]
    speaks_for, nothing, against = pixels.to_rgba([100.0, 0, -100])
    assert to_hex(speaks_for).upper() == ORANGE
    assert to_hex(against).upper() == BLUE
    assert nothing[3] < 0.01  # transparent: the image below shows
    np.testing.assert_array_equal(mean.to_rgba([0.0])[0], [1, 1, 1, 1])
    low, high = pixels.get_clim()
    assert -low == high > 0


def test_how_it_learned(tmp_path, drawn):
    W1 = np.random.default_rng(0).standard_normal((3, 784, 2))
    snapshots = [Snapshot(*each) for each in zip([0, 3, 4], W1, strict=True)]
    draw_learning(tmp_path, snapshots, HISTORY, MNIST)
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


def neighbours_of_mistakes(folder, mistakes):
    """Draw these; return the test set, and the neighbours of the mistakes with their images."""
    images = np.random.default_rng(7).integers(256, size=(1500, 28, 28), dtype=np.uint8)
    table = neighbours_at_random(mistakes)
    neighbours = Neighbours(table, images[: table["train_index"].nunique()])
    draw_neighbours(folder, images, mistakes, neighbours, MNIST)
    return images, neighbours


def test_the_gallery_of_the_neighbours_colours_the_labels(tmp_path, drawn, analysis):
    images, neighbours = neighbours_of_mistakes(tmp_path, analysis.mistakes.head(20))
    mistakes = analysis.mistakes.head(MISTAKES_SHOWN)
    table = neighbours.table[neighbours.table["index"].isin(mistakes["index"])]
    assert len(table) < len(neighbours.table)
    (axes,) = drawn[0].axes
    shown = [image.get_array() for image in axes.images]
    np.testing.assert_array_equal(shown[: len(mistakes)], images[mistakes["index"]])
    image_of = dict(
        zip(sorted(set(neighbours.table["train_index"])), neighbours.images, strict=True)
    )
    expected = [image_of[index] for index in table["train_index"]]
    np.testing.assert_array_equal(shown[len(mistakes) :], expected)
    texts = axes.texts
    assert [text.get_text() for text in texts[:2]] == [
        "nearest by activations",
        "nearest by pixels",
    ]
    rows = {}
    for text, mistake in zip(texts[2:], mistakes.to_dict("records"), strict=False):
        assert text.get_text() == (
            f"index {mistake['index']}\nactual {mistake['actual']}\n"
            f"predicted {mistake['predicted']}"
        )
        rows[mistake["index"]] = text.get_position()[1], mistake
    labels = texts[2 + len(mistakes) :]
    for label, image, neighbour in zip(
        labels, axes.images[len(mistakes) :], table.to_dict("records"), strict=True
    ):
        y, mistake = rows[neighbour["index"]]
        left, right, bottom, top = image.get_extent()
        assert top < y < bottom < label.get_position()[1]
        assert left < label.get_position()[0] < right
        assert label.get_text() == str(neighbour["label"])
        colours = {mistake["actual"]: BLUE, mistake["predicted"]: ORANGE}
        expected = colours.get(neighbour["label"], "#808080")
        assert to_hex(label.get_color()).upper() == expected
    lefts = [image.get_extent()[0] for image in axes.images[len(mistakes) :][: 2 * NEIGHBOURS]]
    assert lefts == sorted(lefts)  # the nearest first, activations before pixels


def some_units(folder, hidden):
    rng = np.random.default_rng(4)
    params = {"W1": rng.standard_normal((784, hidden)), "W2": rng.standard_normal((hidden, 10))}
    images = rng.integers(256, size=(1500, 28, 28), dtype=np.uint8)
    units = units_at_random(hidden)
    draw_units(folder, units, images, params, MNIST)
    return units, images, params


@pytest.mark.parametrize("hidden", [1, 4, 30])
def test_the_figure_of_the_units_shows_each(tmp_path, drawn, hidden):
    units, images, params = some_units(tmp_path, hidden)
    (axes,) = drawn[0].axes
    W1, W2 = params["W1"], params["W2"]
    expected, texts = [], []
    for row in units.shown.to_dict("records"):
        unit = row["unit"]
        expected += [W1[:, unit].reshape(28, 28), *images[units.examples[unit]]]
        texts.append(f"unit {unit}\ncosts {100 * row['cost']:.2f}")
        texts.append(f"for {W2[unit].argmax()}, against {W2[unit].argmin()}")
    assert len(axes.images) == len(expected)
    for image, array in zip(axes.images, expected, strict=True):
        np.testing.assert_array_equal(image.get_array(), array)
    assert [text.get_text() for text in axes.texts] == texts
    for bars, unit in zip(axes.containers, units.shown["unit"], strict=True):
        heights = np.array([bar.get_height() for bar in bars])
        np.testing.assert_allclose(heights, -0.45 / np.abs(W2).max() * W2[unit])
        colours = [to_hex(bar.get_facecolor()).upper() for bar in bars]
        assert colours == [GREEN if weight > 0 else PURPLE for weight in W2[unit]]
    cut = ", the 12 of 30 that cost most" if hidden == 30 else ""
    assert drawn[0].get_suptitle() == f"Hidden units, MNIST, test set{cut}"


@pytest.mark.parametrize("draw", ["neighbours", "units"])
def test_a_users_settings_change_no_byte(tmp_path, monkeypatch, analysis, draw):
    contents = []
    for name in ("before", "after"):
        folder = tmp_path / name
        folder.mkdir()
        if draw == "units":
            some_units(folder, 3)
        else:
            neighbours_of_mistakes(folder, analysis.mistakes.head(2))
        contents.append((folder / f"{draw}.png").read_bytes())
        monkeypatch.setitem(mpl.rcParams, "font.size", 30)
        monkeypatch.setitem(mpl.rcParams, "image.cmap", "jet")
    assert contents[0] == contents[1]
