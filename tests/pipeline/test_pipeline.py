"""The whole pipeline by DVC, in a checkout of its own, on a small set of drawn digits."""

import json
import re
import sys

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as sklearn_metrics
from sklearn.calibration import calibration_curve as sklearn_calibration_curve

from nnlib.data.datasets import SYNTHETIC, load_mnist, open_images
from nnlib.data.idx import write_idx
from nnlib.network.two_layer_net import TwoLayerNet
from nnlib.report.confusion_report import PAGES
from nnlib.report.galleries import draw_cards
from nnlib.report.pages import anchor, page
from tests.conftest import RUN
from tools.checkouts import STAGES


def metrics(checkout, stage):
    return json.loads((checkout.path / "reports" / f"{stage}.json").read_text())


def read_csv(checkout, name):
    return pd.read_csv(checkout.path / "data" / name)


def test_every_stage_leaves_its_metrics_named_after_the_data_set(checkout):
    for stage in STAGES:
        assert metrics(checkout, stage)["data"] == "synthetic digits"
    assert "synthetic digits" in (checkout.path / "reports" / "confusion.md").read_text()


def test_the_metrics_of_the_data_are_those_of_the_files(checkout):
    raw = checkout.path / "data/raw"
    (x_train, t_train), (x_test, t_test) = load_mnist(folder=raw)
    downloaded = metrics(checkout, "download")
    assert downloaded["files"] == 4
    assert downloaded["bytes"] == sum(path.stat().st_size for path in raw.glob("*.gz"))
    assert downloaded["samples"] == {"train": 2000, "test": 500}
    normalized = metrics(checkout, "normalize")
    assert normalized["pixels"] == 784
    assert normalized["pixel_mean"] == pytest.approx(x_train.mean(dtype=float))
    assert normalized["pixel_std"] == pytest.approx(x_train.std(dtype=float))
    for name, t in (("train", t_train), ("test", t_test)):
        assert normalized[name] == {"samples": len(t)}
    assert np.any(x_train[:500] != x_test)


def test_the_metrics_of_the_networks_are_those_of_the_files(checkout):
    (x_train, t_train), (x_test, t_test) = load_mnist(folder=checkout.path / "data/raw")
    networks = {
        name: TwoLayerNet.load(checkout.path / f"data/models/{name}.npz")
        for name in ("trained", "untrained")
    }
    evaluated = metrics(checkout, "evaluate")
    for part, network, x, t in (
        ("train", "trained", x_train, t_train),
        ("test", "trained", x_test, t_test),
        ("untrained", "untrained", x_test, t_test),
        ("untrained_train", "untrained", x_train, t_train),
    ):
        assert evaluated[part]["loss"] == pytest.approx(networks[network].loss(x, t), rel=1e-5)
        accuracy = networks[network].accuracy(x, t)
        assert evaluated[part]["accuracy"] == pytest.approx(accuracy, abs=0.003)

    trained = metrics(checkout, "train")
    assert trained["iterations"] == 600
    assert trained["epochs"] == 30
    assert networks["untrained"].params["W1"].std() == pytest.approx(0.01, rel=0.02)


def test_the_course_of_the_training_is_that_of_the_networks(checkout):
    loss = read_csv(checkout, "training/loss.csv")
    history = read_csv(checkout, "training/history.csv")
    assert loss["iteration"].tolist() == list(range(1, 601))
    assert history["epoch"].tolist() == list(range(31))
    assert history["iteration"].tolist() == list(range(0, 601, 20))
    first, last = history.iloc[0], history.iloc[-1]
    evaluated = metrics(checkout, "evaluate")
    for row, train, test in ((first, "untrained_train", "untrained"), (last, "train", "test")):
        assert row["loss"] == pytest.approx(evaluated[train]["loss"], rel=1e-5)
        assert row["train_accuracy"] == pytest.approx(evaluated[train]["accuracy"], rel=1e-5)
        assert row["test_accuracy"] == pytest.approx(evaluated[test]["accuracy"], rel=1e-5)


def test_the_predictions_are_those_of_the_networks(checkout):
    (x_train, t_train), (x_test, t_test) = load_mnist(folder=checkout.path / "data/raw")
    for name, network, x, t in (
        ("test", "trained", x_test, t_test),
        ("train", "trained", x_train, t_train),
        ("untrained", "untrained", x_test, t_test),
    ):
        y = TwoLayerNet.load(checkout.path / f"data/models/{network}.npz").predict(x)
        table = read_csv(checkout, f"predictions/{name}.csv")
        assert table["index"].tolist() == list(range(len(t)))
        assert table["actual"].tolist() == t.tolist()
        np.testing.assert_allclose(table.loc[:, "p0":"p9"], y, rtol=1e-4, atol=1e-7)


@pytest.mark.slow
def test_the_repeats_are_trainings_with_the_next_seeds(checkout):
    checkout.set_params({"repeat.seeds": 2, "train.augmentation.rotation": 10})
    checkout.run("dvc", "repro", "repeat")
    predicted = np.load(checkout.path / "data/repeats/predictions.npy")
    labels = np.load(checkout.path / "data/normalized/t_test.npy")
    assert predicted.shape == (2, len(labels))
    accuracies = (predicted == labels).mean(axis=1)
    repeated = metrics(checkout, "repeat")
    assert repeated["seeds"] == 2
    assert repeated["mean"] == pytest.approx(np.mean(accuracies))
    assert repeated["std"] == pytest.approx(np.std(accuracies, ddof=1))

    checkout.set_params({"train.seed": 3})
    for stage in ("train", "evaluate"):
        checkout.run(sys.executable, "-m", f"stages.{stage}")
    table = read_csv(checkout, "predictions/test.csv")
    assert predicted[1].tolist() == table["predicted"].tolist()


def test_a_repeat_that_diverges_is_named(checkout):
    diverging = {"train.learning_rate": 1e6, "train.weight_decay": 1e6}
    checkout.set_params(diverging | {"repeat.seeds": 2})
    output = checkout.run(sys.executable, "-m", "stages.repeat", ok=False)
    assert re.match(r"error: with seed [23] the training diverges: ", output)
    assert "Traceback" not in output


def test_without_repeats_luck_is_not_measured(checkout):
    assert metrics(checkout, "repeat") == {"data": "synthetic digits", "seeds": 0}
    assert (
        "variation between seeds was not measured"
        in (checkout.path / "reports/confusion.md").read_text()
    )


def test_the_analysis_is_that_of_the_predictions(checkout):
    table = read_csv(checkout, "predictions/test.csv")
    actual, predicted = table["actual"], table["predicted"]
    y = table.loc[:, "p0":"p9"].to_numpy()
    precision, recall, f1, _ = sklearn_metrics.precision_recall_fscore_support(
        actual, predicted, labels=range(10), zero_division=0
    )
    counts = sklearn_metrics.confusion_matrix(actual, predicted, labels=range(10))
    analysed = metrics(checkout, "analyse")
    assert analysed["errors"] == (actual != predicted).sum()
    assert analysed["macro_f1"] == pytest.approx(f1.mean())
    brier = sklearn_metrics.brier_score_loss(
        actual, y / y.sum(axis=1, keepdims=True), scale_by_half=False
    )
    assert analysed["brier_score"] == pytest.approx(brier, rel=1e-4)
    assert analysed["worst_pair"] == (counts - np.diag(np.diag(counts))).max()
    decided = 0
    for chosen, measured in ((table[::2], table[1::2]), (table[1::2], table[::2])):
        by_confidence = chosen.sort_values("confidence", ascending=False)
        accuracy = by_confidence.eval("actual == predicted").expanding().mean().to_numpy()
        last = np.flatnonzero(accuracy >= 0.99)[-1]
        decided += (measured["confidence"] >= by_confidence["confidence"].iloc[last]).sum()
    assert analysed["coverage_at_99"] == decided / 500

    by_class = pd.read_csv(checkout.path / "reports/classes.csv")
    assert by_class["class"].tolist() == list(range(10))
    assert by_class["support"].tolist() == np.bincount(actual, minlength=10).tolist()
    of_train = read_csv(checkout, "predictions/train.csv")["actual"]
    assert by_class["train_support"].tolist() == np.bincount(of_train, minlength=10).tolist()
    for name, expected in (("recall", recall), ("precision", precision), ("f1", f1)):
        np.testing.assert_allclose(by_class[name], expected, rtol=1e-5)

    written = pd.read_csv(checkout.path / "reports/confusion_matrix.csv", index_col="actual")
    np.testing.assert_array_equal(written, counts)
    assert written.columns.tolist() == [str(digit) for digit in range(10)]
    plotted = read_csv(checkout, "plots/confusion.csv")
    pd.testing.assert_frame_equal(plotted, table[["actual", "predicted"]])
    bins = sklearn_calibration_curve(actual == predicted, table["confidence"], n_bins=15)
    plotted = read_csv(checkout, "plots/reliability.csv")
    np.testing.assert_allclose(plotted[["accuracy", "perfectly_calibrated"]].T, bins, rtol=1e-5)
    gaps = np.abs(bins[0] - bins[1])
    weights = np.histogram(table["confidence"], np.linspace(0, 1, 16))[0]
    error = np.average(gaps, weights=weights[weights > 0])
    assert analysed["ece"] == pytest.approx(error)


@pytest.mark.slow
def test_a_test_set_without_some_digits_is_analysed(checkout):
    checkout.set_params(
        {
            "data.synthetic.test": 6,
            "train.iterations": 1,
            "repeat.seeds": 2,
            "analyse.samples": [5],
        }
    )
    output = checkout.run(sys.executable, "-c", RUN, *STAGES)
    assert "Warning" not in output
    report = (checkout.path / "reports/confusion.md").read_text()
    assert "no samples" in report
    assert "Networks trained with 2 other seeds have a test accuracy of" in report
    assert "nan" not in report
    recall = pd.read_csv(checkout.path / "reports/classes.csv")["recall"]
    labels = read_csv(checkout, "predictions/test.csv")["actual"]
    for digit in range(10):
        assert np.isnan(recall[digit]) == (digit not in set(labels))


@pytest.mark.slow
def test_predictions_that_do_not_fit_are_refused_by_file_and_line(checkout):
    path = checkout.path / "data/predictions/untrained.csv"
    lines = path.read_text().splitlines(keepends=True)
    path.unlink()  # it is a link into DVC's cache
    path.write_text("".join(lines[:-1]))
    output = checkout.run(sys.executable, "-m", "stages.analyse", ok=False)
    assert output == (
        "error: data/predictions/untrained.csv: 499 predictions of 500 samples; "
        "`dvc repro` rebuilds it\n"
    )
    lines[17] = lines[17].replace("16,", "10000,", 1)
    path.write_text("".join(lines))
    output = checkout.run(sys.executable, "-m", "stages.analyse", ok=False)
    assert "data/predictions/untrained.csv, line 18: " in output
    assert "Traceback" not in output
    checkout.run("dvc", "repro")
    assert checkout.run("git", "status", "--porcelain") == ""


def test_the_cards_are_those_of_the_samples_asked_for(checkout, tmp_path):
    trained = read_csv(checkout, "predictions/test.csv").iloc[[45, 11]]
    untrained = read_csv(checkout, "predictions/untrained.csv").iloc[[45, 11]]
    path = checkout.path / "data/raw/t10k-images-idx3-ubyte.gz"
    images = open_images(path, (28, 28)).read()[[45, 11]]
    draw_cards(tmp_path, images, trained, untrained, SYNTHETIC)
    drawn = (checkout.path / "reports/figures/cards.png").read_bytes()
    assert drawn == (tmp_path / "cards.png").read_bytes()


def test_a_table_that_does_not_fit_is_refused_by_file_and_line(checkout):
    path = checkout.path / "data/training/history.csv"
    text = path.read_text()
    path.unlink()  # it is a link into DVC's cache
    path.write_text(text.replace("\n1,", "\none,"))
    output = checkout.run(sys.executable, "-m", "stages.analyse", ok=False)
    assert output == (
        "error: data/training/history.csv, line 3: epoch must be a finite number; found epoch one; "
        "`dvc repro` rebuilds it\n"
    )


@pytest.mark.slow
@pytest.mark.parametrize("stage", ["train", "evaluate", "repeat"])
def test_samples_of_another_width_are_refused(checkout, stage):
    path = checkout.path / "data/normalized/x_test.npy"
    x = np.load(path)
    path.unlink()
    np.save(path, x[:, :100].copy())
    checkout.set_params({"repeat.seeds": 2})
    output = checkout.run(sys.executable, "-m", f"stages.{stage}", ok=False)
    assert output.count("\n") == 1
    assert "x_train.npy has 784 inputs per sample, x_test.npy 100; `dvc repro`" in output


def test_blank_images_cannot_be_standardised(checkout):
    path = checkout.path / "data/raw/train-images-idx3-ubyte.gz"
    path.unlink()
    write_idx(path, np.zeros((2000, 28, 28), np.uint8))
    checkout.set_params({"normalize.scaling": "standard"})
    before = checkout.run("git", "status", "--porcelain")
    output = checkout.run(sys.executable, "-m", "stages.normalize", ok=False)
    assert output.startswith("error: the scaling cannot be standard")
    assert output.count("\n") == 1
    assert checkout.run("git", "status", "--porcelain") == before


def test_standard_scaling_uses_the_training_images_numbers_for_both_sets(checkout):
    def load(name):
        return np.load(checkout.path / "data/normalized" / name).astype(float)

    unit_train, unit_test = load("x_train.npy"), load("x_test.npy")
    checkout.set_params({"normalize.scaling": "standard"})
    checkout.run(sys.executable, "-m", "stages.normalize")
    mean, std = unit_train.mean(), unit_train.std()
    np.testing.assert_allclose(load("x_train.npy"), (unit_train - mean) / std, atol=1e-5)
    np.testing.assert_allclose(load("x_test.npy"), (unit_test - mean) / std, atol=1e-5)


@pytest.mark.parametrize("seed", [1, 2])
def test_the_seed_decides_the_weights_and_the_batches(checkout, seed):
    checkout.set_params({"train.seed": seed, "train.iterations": 1})
    checkout.run(sys.executable, "-m", "stages.train")
    network = TwoLayerNet.load(checkout.path / "data/models/untrained.npz")
    rng_weights, rng_batches = np.random.default_rng(seed).spawn(2)
    weights = 0.01 * rng_weights.standard_normal((784, 50))
    np.testing.assert_allclose(network.params["W1"], weights, rtol=1e-6)

    (x_train, t_train), _ = load_mnist(folder=checkout.path / "data/raw")
    batch = rng_batches.integers(2000, size=100)
    expected = network.loss(x_train[batch], t_train[batch])
    assert read_csv(checkout, "training/loss.csv")["loss"].tolist() == [
        pytest.approx(expected, rel=1e-5)
    ]


def test_the_links_of_the_report_resolve(checkout):
    reports = checkout.path / "reports"
    texts = {f"{name}.md": (reports / f"{name}.md").read_text() for name in PAGES}
    linked = set()
    for name, text in texts.items():
        html = page(text, reports)
        assert html.count("<details>") == text.count("<details>")
        for link in re.findall(r"\]\((?!https:)([^)]+)\)", text):
            path, _, fragment = link.partition("#")
            linked.add(path)
            assert not path or (reports / path).is_file(), link
            if fragment:
                headings = re.findall(r"^#+ (.*)$", texts[path or name], re.MULTILINE)
                assert fragment in map(anchor, headings), link
    assert linked > set(texts)
    figures = {path.relative_to(reports).as_posix() for path in reports.glob("figures/*")}
    assert figures == {path for path in linked if path.startswith("figures/")}
    report = texts["confusion.md"]
    _, contents, sections = re.split(r"\n## What is where\n|(?=\n## Confusion matrix\n)", report)
    targets = [anchor(heading) for heading in re.findall(r"^## (.*)$", sections, re.MULTILINE)]
    assert re.findall(r"\(#([^)]+)\)", contents) == targets


def test_a_second_repro_runs_nothing(checkout):
    output = checkout.run("dvc", "repro")
    assert "Running stage" not in output
    assert "up to date" in output
    assert "up to date" in checkout.run("dvc", "status")
    assert checkout.run("git", "status", "--porcelain") == ""


def test_the_plots(checkout):
    shown = checkout.run("dvc", "plots", "show", "--json")
    plots = json.loads(shown)["data"]
    assert set(plots) == {"loss", "accuracy", "confusion", "reliability", "recall"}
    confusion = plots["confusion"][0]["content"]
    assert {"joinaggregate": [{"op": "sum", "field": "samples", "as": "of_actual"}],
            "groupby": ["actual"]} in confusion["spec"]["transform"]  # fmt: skip
    values = confusion["data"]["values"]
    assert len(values) == 500
    assert values[0].keys() == {"actual", "predicted", "rev"}


@pytest.mark.slow
def test_a_mistake_in_the_parameters_stops_any_stage_in_a_few_lines(checkout):
    checkout.set_params({"analyse.pairs": 0})
    for stage in STAGES:
        output = checkout.run(sys.executable, "-m", f"stages.{stage}", ok=False)
        assert "analyse.pairs" in output
        assert "Traceback" not in output
        assert len(output.splitlines()) == 5
