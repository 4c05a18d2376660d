"""Another data set: other classes, other images, and nothing that takes them for ten digits."""

import json
import re

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text

from nnlib.analysis.analysis import analyse_predictions
from nnlib.analysis.confusion import confusion_matrix
from nnlib.analysis.evidence import explain_pairs
from nnlib.analysis.ink import ink_properties
from nnlib.analysis.neighbours import neighbours_of
from nnlib.analysis.predictions import Predictions, read_predictions, write_predictions
from nnlib.analysis.slices import compare_quintiles
from nnlib.analysis.units import leave_out_units
from nnlib.data.corrections import no_corrections
from nnlib.data.datasets import TEST, TRAIN, Dataset, open_set
from nnlib.data.encoding import fit_encoding, pixel_statistics
from nnlib.data.idx import write_idx
from nnlib.data.samples import load_samples, save_samples
from nnlib.network import TwoLayerNet
from nnlib.network.evaluation import predict
from nnlib.network.gradient_check import check_gradient
from nnlib.report.confusion_report import report_pages
from nnlib.report.explorer import explorer
from nnlib.report.figures import (
    draw_confusion,
    draw_mean_probabilities,
)
from nnlib.report.galleries import (
    draw_cards,
    draw_evidence,
    draw_label_issues,
    draw_mistakes,
    draw_neighbours,
    draw_pairs,
    draw_units,
    draw_weights,
)
from nnlib.report.neighbours import Neighbours
from nnlib.training.fit import Settings, fit
from tests.conftest import explorer_parts
from tests.markdown import table
from tests.report.test_report import whole

SHAPES = Dataset(
    name="shapes",
    class_names=("bar", "dot", "ring", "arc", "cross", "star", "wave", "fan", "key", "leaf", "eye"),
    class_noun="shape",
    image_shape=(6, 5),
    has_strokes=True,
    prepared_as_mnist=False,
)
N = 300


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """IDX files of images that a network can learn, though not without errors."""
    folder = tmp_path_factory.mktemp("shapes")
    rng = np.random.default_rng(0)
    prototypes = rng.integers(256, size=(11, 6, 5))
    for files in (TRAIN, TEST):
        labels = rng.integers(11, size=N, dtype=np.uint8)
        images = np.clip(prototypes[labels] + rng.normal(0, 90, (N, 6, 5)), 0, 255)
        write_idx(folder / files.images, images.astype(np.uint8))
        write_idx(folder / files.labels, labels)
    return folder


@pytest.fixture(scope="module")
def trained(folder):
    """Images and predictions of the test set, by the network that was saved and loaded."""
    images, labels = open_set(folder, SHAPES, "train")
    encoding = fit_encoding("standard", pixel_statistics(images), SHAPES.class_names)
    save_samples(folder, "train", map(encoding.inputs, images), labels)
    settings = Settings(
        hidden_size=8,
        weight_init=0.1,
        iterations=400,
        batch_size=30,
        learning_rate=0.5,
        seed=1,
    )
    fitted = fit(settings, load_samples(folder, "train", 11), encoding)
    fitted.trained.save(folder / "trained.npz")
    network = TwoLayerNet.load(folder / "trained.npz")
    assert network.encoding.class_names == SHAPES.class_names
    images, labels = open_set(folder, SHAPES, "test")
    x = network.encoding.inputs(images.read())
    tables = []
    for name, of in (("untrained", fitted.untrained), ("trained", network)):
        write_predictions(folder / f"{name}.csv", Predictions.of(predict(of, x), labels))
        tables.append(read_predictions(folder / f"{name}.csv", labels, 11))
    return images.read(), *tables


@pytest.fixture(scope="module")
def analysis(trained):
    _, before, after = trained
    counts = confusion_matrix(after.t, after.predicted, 11)
    analysis = analyse_predictions(after, before, counts, repeats=np.array([after.predicted] * 2))
    assert 0.5 < after.accuracy < 1
    return analysis


@pytest.fixture(scope="module")
def network(folder, trained):
    return TwoLayerNet.load(folder / "trained.npz")


@pytest.fixture(scope="module")
def evidence(network, analysis, trained):
    return explain_pairs(network, trained[0], analysis.trained, analysis.pairs.head(5))


@pytest.fixture(scope="module")
def neighbours(folder, network, analysis):
    """The nearest training samples of each mistake."""
    train, test = load_samples(folder, "train", 11), open_set(folder, SHAPES, "test")[0].read()
    indices = np.sort(analysis.mistakes["index"])
    return neighbours_of(network, network.encoding.inputs(test[indices]), indices, train)


@pytest.fixture(scope="module")
def units(network, trained):
    images, _, after = trained
    return leave_out_units(network, network.encoding.inputs(images), after.t)


@pytest.fixture(scope="module")
def slices(trained):
    images, _, after = trained
    return compare_quintiles(ink_properties(images), after, np.array([after.predicted] * 2))


@pytest.fixture(scope="module")
def gradient_check(folder, network):
    return check_gradient(network, load_samples(folder, "train", 11))


@pytest.fixture(scope="module")
def report(analysis, *, evidence, slices, neighbours, units, gradient_check):
    history = pd.DataFrame(
        {"epoch": [0], "iteration": [0], "loss": [2.0]}
        | {"train_accuracy": [0.1], "test_accuracy": [0.1]}
        | {"saturated": [0.0], "update_ratio_W1": [0.0], "update_ratio_W2": [0.0]}
    )
    return whole(
        report_pages(
            analysis,
            dataset=SHAPES,
            activation="sigmoid",
            members=1,
            evidence=evidence,
            slices=slices,
            neighbours=neighbours,
            units=units,
            history=history,
            gradient_check=gradient_check,
            iterations=400,
            cards=[3],
            pairs=5,
            trials=None,
            corrections=no_corrections(),
        )
    )


def test_the_report_speaks_of_its_classes(analysis, report):
    assert report.startswith("# Confusion report: shapes, test set\n")
    assert "digit" not in report
    assert "MNIST, test" not in report
    assert [row[0] for row in table("| shape | support |", report)] == list(SHAPES.class_names)
    matrix = table("| | bar | dot |", report)
    assert [row[0] for row in matrix] == [f"**{name}**" for name in SHAPES.class_names]
    assert all(len(row) == 12 for row in matrix)
    assert "Of the 110 possible confusions" in report
    first = next(analysis.pairs.itertuples(name=None, index=False))
    actual, predicted = (SHAPES.class_names[label] for label in first[:2])
    (row, *_) = table("| actual | predicted | count |", report)
    assert row[:2] == [actual, predicted]
    assert row[2].startswith(f"{first[2]} of ")


@pytest.mark.parametrize(
    ("head", "name", "columns"),
    [
        ("| actual | predicted |", "pairs", ["actual", "predicted"]),
        ("| index | actual | predicted |", "listed_mistakes", ["actual", "predicted"]),
        ("| rank | index | label |", "listed_issues", ["label", "looks_like"]),
    ],
)
def test_the_rows_of_the_report_name_their_classes(analysis, report, head, name, columns):
    names = [[cell for cell in row if cell in SHAPES.class_names] for row in table(head, report)]
    expected = getattr(analysis, name)[columns].map(SHAPES.class_names.__getitem__)
    assert len(names) > 2
    assert names == expected.head(len(names)).to_numpy().tolist()


def test_the_sentences_of_the_report_name_its_classes(analysis, report):
    names, before = SHAPES.class_names, analysis.untrained.predicted
    most = names[np.bincount(before).argmax()]
    assert f"The untrained network predicts {most} for " in report
    means = analysis.mean_probabilities - np.diag(np.diag(analysis.mean_probabilities))
    actual, given_to = np.unravel_index(means.argmax(), means.shape)
    largest = f"{100 * means.max():.2f}% from {names[actual]} to {names[given_to]}"
    assert f"the largest mean probabilities of another shape are {largest}, " in report
    assert "people confirmed" not in report  # which is said of MNIST
    assert "ln 11 = 2.3979 if all 11 are equal" in " ".join(report.split())
    assert "0.9091 means equal probabilities for all" in report


def test_the_tables_by_class_name_each_class(analysis, report):
    names = SHAPES.class_names
    assert [row[0] for row in table("| shape | samples |", report)] == list(names)
    means = table("| | bar | dot |", report[report.index("## Second choices") :])
    assert [row[0] for row in means] == [f"**{name}**" for name in names]
    taken_for = [row[7].split(" (")[0] for row in table("| shape | support |", report)]
    assert taken_for == [
        ", ".join(names[label] for label in labels) or "no errors"
        for labels in analysis.by_class["taken_for"]
    ]
    untrained, trained = table("| index, actual shape |", report)
    before, after = analysis.untrained.table().loc[3], analysis.trained.table().loc[3]
    assert untrained[0] == f"3, {names[int(after['actual'])]}"
    assert untrained[2] == names[int(before["predicted"])]
    assert trained[2] == names[int(after["predicted"])]


def test_the_explorer_has_its_classes(analysis, trained, network):
    page = explorer(
        analysis, trained[0], SHAPES, network, **explorer_parts(analysis, network, shape=(6, 5))
    )
    assert "digit" not in page
    assert len(re.findall(r"<td[^>]* style=[^>]*><a>\d+</a></td>", page)) == 121
    assert '<th colspan="11"' in page
    assert '<option value="eye" dir="auto">eye</option>' in page
    (found,) = re.findall(r'<script type="application/json" id="payload">(.*?)</script>', page)
    payload = json.loads(found)
    assert payload["names"] == list(SHAPES.class_names)
    assert payload["noun"] == "shape"
    assert (payload["height"], payload["width"]) == (6, 5)


def texts(figure):
    return [text.get_text() for text in figure.findobj(Text) if text.get_text()]


def test_the_heat_maps_name_their_classes(tmp_path, drawn, analysis):
    draw_confusion(tmp_path, analysis, SHAPES)
    draw_mean_probabilities(tmp_path, analysis.mean_probabilities, SHAPES)
    for figure, by_column in zip(drawn, ("predicted shape", "shape that"), strict=True):
        axes = figure.axes[0]
        for labels in (axes.get_xticklabels(), axes.get_yticklabels()):
            assert [label.get_text() for label in labels] == list(SHAPES.class_names)
        assert axes.get_ylabel() == "actual shape"
        assert axes.get_xlabel().startswith(by_column)
        assert not any("digit" in text for text in texts(figure))


def test_the_galleries_name_their_classes(tmp_path, drawn, analysis, trained):
    (images, *_), names = trained, SHAPES.class_names
    draw_mistakes(tmp_path, images, analysis.mistakes.head(1), SHAPES)
    draw_label_issues(tmp_path, images, analysis.label_issues.head(1), SHAPES)
    draw_pairs(tmp_path, images, analysis.mistakes, analysis.pairs.head(1), SHAPES)
    # long names have lines of their own
    mistakes, issues, pairs = (" ".join("\n".join(texts(figure)).split()) for figure in drawn)

    def of(table, *columns):
        return [names[label] for label in table[list(columns)].iloc[0]]

    actual, predicted = of(analysis.mistakes, "actual", "predicted")
    assert re.search(rf" {actual}: [\d.]+% classified as {predicted}: [\d.]+% ", mistakes)
    label, looks_like = of(analysis.label_issues, "label", "looks_like")
    assert f" label {label}, like {looks_like}? margin " in issues
    assert "{} classified as {}".format(*of(analysis.pairs, "actual", "predicted")) in pairs


def test_the_cards_name_their_classes(tmp_path, drawn, trained):
    (images, before, after), names = trained, SHAPES.class_names
    after, before = after.table([0]), before.table([0])
    draw_cards(tmp_path, images[:1], after, before, SHAPES)
    picture, bars = drawn[0].axes
    assert picture.get_title() == f"index 0:\nactual {names[after['actual'][0]]}"
    assert [label.get_text() for label in bars.get_xticklabels()] == list(names)
    assert bars.get_xlabel() == "shape"
    says = [text.get_text().split(" (")[0] for text in bars.get_legend().get_texts()]
    assert says == [
        f"untrained: {names[before['predicted'][0]]}",
        f"trained: {names[after['predicted'][0]]}",
    ]


def test_the_weights_have_the_shape_of_its_images(tmp_path, drawn, folder):
    W1 = TwoLayerNet.load(folder / "trained.npz").params["W1"]
    draw_weights(tmp_path, W1, SHAPES)
    images = drawn[0].axes[0].images
    assert len(images) == 8
    np.testing.assert_array_equal(images[7].get_array(), W1[:, 7].reshape(6, 5))


def test_the_evidence_is_that_of_its_network(network, evidence, trained, report):
    (images, _, after), names = trained, SHAPES.class_names
    log_y = np.log(network.predict(network.encoding.inputs(images)).astype(float))
    assert len(evidence) == 5
    for pair in evidence:
        k, c = pair.actual, pair.predicted
        confused = (after.t == k) & (after.predicted == c)
        expected = (log_y[confused, c] - log_y[confused, k]).mean()
        assert pair.blank + pair.confused.pixels.sum() == pytest.approx(expected, abs=1e-4)
        sentence = re.escape(f"\n- **{names[k]} classified as {names[c]}**: ")
        (odds,) = re.findall(sentence + r".* of the whole shape are ([\d.,]+) to 1\.\n", report)
        assert float(odds.replace(",", "")) == pytest.approx(np.exp(expected), rel=0.06)
        assert pair.confused.image.shape == (6, 5)


def test_the_figure_of_the_evidence_names_its_classes(tmp_path, drawn, network, evidence):
    draw_evidence(tmp_path, evidence, network.params, SHAPES)
    says = texts(drawn[0])
    for pair in evidence:
        actual, predicted = SHAPES.class_names[pair.actual], SHAPES.class_names[pair.predicted]
        names = f"{actual} classified as {predicted}", f"{actual}\nclassified as\n{predicted}"
        headings = {f"{name}\nblank image: {pair.blank:+.2f}" for name in names}
        assert headings & set(says)
        weights = network.params["W2"][pair.strongest[0]]
        to_both = (
            f"{predicted}: {weights[pair.predicted]:+.2f}\n{actual}: {weights[pair.actual]:+.2f}"
        )
        assert to_both in says
    assert drawn[0].axes[0].images[0].get_array().shape == (6, 5)


def test_the_gallery_of_the_neighbours_names_its_classes(
    tmp_path, drawn, trained, analysis, neighbours
):
    names, shown = SHAPES.class_names, analysis.mistakes.head(2)
    of_shown = neighbours[neighbours["index"].isin(shown["index"])]
    held = Neighbours(of_shown, trained[0][np.unique(of_shown["train_index"])])
    draw_neighbours(tmp_path, trained[0], shown, held, SHAPES)
    labels = [text.get_text() for text in drawn[0].axes[0].texts[-len(of_shown) :]]
    assert labels == [names[label] for label in of_shown["label"]]
    actual, predicted = (names[shown[column].iloc[0]] for column in ("actual", "predicted"))
    assert f"index {shown['index'].iloc[0]}\nactual {actual}\npredicted {predicted}" in texts(
        drawn[0]
    )


def test_the_figure_of_the_units_names_its_classes(tmp_path, drawn, trained, network, units):
    names, W2 = SHAPES.class_names, network.params["W2"]
    draw_units(tmp_path, units, trained[0], network.params, SHAPES)
    assert drawn[0].get_suptitle() == "Hidden units, shapes, test set"  # all 8 are shown
    for unit in range(8):
        for_class, against = names[W2[unit].argmax()], names[W2[unit].argmin()]
        assert f"for {for_class}, against {against}" in texts(drawn[0])
    assert drawn[0].axes[0].images[1].get_array().shape == (6, 5)


def test_the_neighbours_and_the_units_of_the_report_name_its_classes(report):
    names = set(SHAPES.class_names)
    assert "### Nearest training shapes" in report
    rows = table("| index | actual | predicted | nearest", report)
    assert {cell for row in rows for cell in ", ".join(row[1:]).split(", ")} <= names
    assert "All units are shown" in report
    suffers = [row[6] for row in table("| unit | cost", report)]
    assert set(suffers) <= names | {"none"}
