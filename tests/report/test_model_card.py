"""The model card: its metadata, what it says of the network, and that its code runs."""

import re

import numpy as np
import pytest
import yaml
from scipy.stats import binomtest
from sklearn.metrics import f1_score, log_loss

from nnlib.analysis.analysis import analyse_predictions
from nnlib.analysis.confusion import confusion_matrix
from nnlib.analysis.predictions import Predictions
from nnlib.data.corrections import no_corrections
from nnlib.data.datasets import MNIST
from nnlib.data.encoding import Encoding
from nnlib.network import TwoLayerNet
from nnlib.report.model_card import model_card
from nnlib.report.pages import page
from tests.markdown import EVIL, table

SETTINGS = {"hidden_size": 5, "optimizer.name": "sgd", "validation": 0}


def network_of(dataset):
    encoding = Encoding(
        scaling="standard", pixel_mean=0.25, pixel_std=0.5, class_names=dataset.class_names
    )
    inputs = dataset.image_shape[0] * dataset.image_shape[1]
    return TwoLayerNet(inputs, 5, dataset.classes, activation="relu", encoding=encoding)


def card_of(analysis, dataset, settings=SETTINGS):
    return model_card(
        analysis,
        dataset=dataset,
        network=network_of(dataset),
        train_samples=60_000,
        iterations=10_000,
        settings=settings,
        corrections=no_corrections(),
    )


def metadata_of(card):
    """What YAML finds between the lines of three hyphens, the first of which begins the card."""
    before, metadata, _ = card.split("---\n", 2)
    assert before == ""
    return yaml.safe_load(metadata)


@pytest.fixture(scope="module")
def card(analysis):
    return card_of(analysis, MNIST)


def interval(successes, trials):
    found = binomtest(successes, trials).proportion_ci(method="wilson")
    return f"{100 * successes / trials:.2f}% ({100 * found.low:.2f} to {100 * found.high:.2f}%)"


def test_the_metadata_are_those_of_a_result_on_hugging_face(analysis, card):
    metadata = metadata_of(card)
    assert metadata["license"] == "mit"
    assert metadata["pipeline_tag"] in metadata["tags"]
    assert metadata["datasets"] == ["mnist"]
    ((name, result),) = [(each["name"], *each["results"]) for each in metadata["model-index"]]
    assert name == "two-layer-net"
    assert result["task"] == {"type": "image-classification", "name": "Image classification"}
    assert result["dataset"] == {"type": "mnist", "name": "MNIST", "split": "test"}
    trained = analysis.trained
    expected = {
        "accuracy": (trained.predicted == trained.t).mean(),
        "f1": f1_score(trained.t, trained.predicted, average="macro"),
        "loss": log_loss(trained.t, trained.y),
    }
    found = {each["type"]: each["value"] for each in result["metrics"]}
    assert found == pytest.approx(expected, abs=6e-5)
    assert set(metadata["metrics"]) < set(found)


def test_the_evaluation_has_intervals_and_the_extremes(analysis, card):
    card = card.replace("\N{NO-BREAK SPACE}", " ")
    trained = analysis.trained
    right = trained.predicted == trained.t
    of_all = interval(int(right.sum()), 1500)
    rows = dict(table("| metric |", card))
    assert rows["accuracy (95% Wilson interval)"] == of_all
    assert f"classifies {right.sum():,} of the 1,500 test samples of MNIST correctly" in card
    assert of_all.replace("(", "(95% interval: ") in " ".join(card.split())
    repeats = rows["accuracy with 3 other seeds: mean (standard deviation in points)"]
    accuracies = analysis.accuracies_of_repeats
    assert repeats == f"{100 * np.mean(accuracies):.2f}% ({100 * np.std(accuracies, ddof=1):.2f})"

    recalls = sorted(range(10), key=lambda label: right[trained.t == label].mean())
    listed = table("| digit |", card)
    assert [int(row[0]) for row in listed] == recalls[:3] + recalls[-3:]
    for name, samples, recall, precision in listed:
        is_actual, is_predicted = trained.t == int(name), trained.predicted == int(name)
        assert int(samples) == is_actual.sum()
        assert recall == interval(int(right[is_actual].sum()), int(samples))
        assert precision == f"{100 * right[is_predicted].mean():.2f}%"
    limits = card[card.index("## Bias") :]
    assert f"lowest for {recalls[0]}, {listed[0][2]}, and highest for\n  {recalls[-1]}" in limits
    counts = confusion_matrix(trained.t, trained.predicted, 10)
    np.fill_diagonal(counts, 0)
    actual, predicted, count = re.search(
        r"confusion is (\d) classified as (\d): (\d+) times", limits
    ).groups()
    assert counts[int(actual), int(predicted)] == int(count) == counts.max()


def test_it_describes_the_network_and_its_training(card, analysis):
    # 784 * 5 + 5 + 5 * 10 + 10
    assert "784 inputs, 5 hidden units (relu), 10 outputs (softmax); 3,985 weights" in card
    assert "(pixel / 255 - 0.25) / 0.5" in card
    assert table("| setting |", card) == [
        [f"`{name}`", str(value)] for name, value in SETTINGS.items()
    ]
    assert "the 60,000 training samples of MNIST, in 10,000 updates" in card
    held_out = card_of(analysis, MNIST, SETTINGS | {"validation": 5000})
    assert "samples of MNIST, but for the 5,000 held out for validation, in 10,000" in held_out


def test_the_code_to_get_started_runs(card, tmp_path, monkeypatch, capsys):
    (tmp_path / "data/models").mkdir(parents=True)
    network_of(MNIST).save(tmp_path / "data/models/trained.npz")
    monkeypatch.chdir(tmp_path)
    (code,) = re.findall(r"```python\n(.*?)```", card, re.DOTALL)
    exec(code, {})  # noqa: S102
    assert capsys.readouterr().out.strip() in MNIST.class_names


def test_of_an_imported_data_set_it_says_so_and_names_do_no_harm(tmp_path):
    dataset = MNIST.model_copy(
        update={
            "name": 'my "<b>set</b>": | \U0001f431 # x',
            "class_names": EVIL[:12],
            "class_noun": "thing",
            "image_shape": (6, 4),
        }
    )
    t = np.arange(240) % 12
    predicted = np.where(np.arange(240) < 30, (t + 1) % 12, t)
    of_all = Predictions.of(0.01 + 0.88 * np.eye(12)[predicted], t)
    counts = confusion_matrix(t, predicted, 12)
    analysis = analyse_predictions(of_all, of_all, counts, repeats=np.zeros((0, 240), np.uint8))
    card = card_of(analysis, dataset)
    (result,) = metadata_of(card)["model-index"][0]["results"]
    assert result["dataset"]["name"] == dataset.name
    assert "digit" not in card
    assert "MNIST" not in card
    assert "other seed" not in card
    assert "(1, 6, 4)" in card
    assert len(table("| thing |", card)) == 6
    html = page(card.split("---\n", 2)[2], tmp_path)
    assert not re.search(r"<b\W|<script>", html)


def test_of_few_classes_each_is_listed_once_and_none_is_worst_without_errors():
    dataset = MNIST.model_copy(update={"class_names": tuple("abcd"), "class_noun": "letter"})
    t = np.arange(40) % 4
    for predicted, is_even in ((t, True), (np.where(np.arange(40) < 4, 0, t), False)):
        of_all = Predictions.of(0.1 + 0.6 * np.eye(4)[predicted], t)
        counts = confusion_matrix(t, predicted, 4)
        analysis = analyse_predictions(of_all, of_all, counts, np.array([t] * 2))
        card = card_of(analysis, dataset)
        assert sorted(row[0] for row in table("| letter |", card)) == list("abcd")
        assert ("Errors are not spread evenly" not in card) == is_even
        assert ("confusion is b classified as a: once." in card) != is_even


def test_where_something_is_missing_or_all_alike(degenerate_analysis):
    card = card_of(degenerate_analysis, MNIST)
    assert "nan" not in card
    assert metadata_of(card)["model-index"]
