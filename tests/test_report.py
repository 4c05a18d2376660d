"""The report's tables, read back and compared with scikit-learn and with the predictions."""

import matplotlib
import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as sklearn_metrics

from nnlib.figures import draw_cards, draw_confusion, draw_training
from nnlib.functions import softmax
from nnlib.metrics import confusion_matrix
from nnlib.predictions import tabulate
from nnlib.report import confusion_report
from tests.markdown import table

SAMPLES = [30, 2, 117]


def predictions(seed, t):
    rng = np.random.default_rng(seed)
    return tabulate(softmax(2 * rng.standard_normal((len(t), 10)) + 2 * np.eye(10)[t]), t)


def history():
    return pd.DataFrame(
        {
            "epoch": [0, 1],
            "iteration": [0, 600],
            "loss": [2.3, 0.8634],
            "train_accuracy": [0.1, 0.7855],
            "test_accuracy": [0.09, 0.7875],
        }
    )


def make_report(trained, untrained, pairs=5):
    return confusion_report(
        data="MNIST",
        confusion=confusion_matrix(trained["actual"], trained["predicted"], 10),
        trained=trained,
        untrained=untrained,
        history=history(),
        iterations=1000,
        samples=SAMPLES,
        pairs=pairs,
    )


@pytest.fixture(scope="module")
def targets():
    return np.random.default_rng(0).integers(10, size=1500)


@pytest.fixture(scope="module")
def trained(targets):
    return predictions(1, targets)


@pytest.fixture(scope="module")
def untrained(targets):
    return predictions(2, targets)


@pytest.fixture(scope="module")
def report(trained, untrained):
    return make_report(trained, untrained)


def percent(cell):
    return float(cell.removesuffix(" %")) / 100


def test_the_head(report, trained):
    errors = int((trained["actual"] != trained["predicted"]).sum())
    assert report.startswith("# Confusion report: MNIST, test set\n")
    assert f"reads {1500 - errors:,} of 1,500 digits right" in report
    assert f"accuracy of **{100 * (1500 - errors) / 1500:.2f} %**, with {errors} errors" in report


def test_the_matrix(report, trained):
    expected = sklearn_metrics.confusion_matrix(trained["actual"], trained["predicted"])
    rows = table("| |", report[report.index("## Confusion matrix") :])
    assert [row[0] for row in rows] == [f"**{digit}**" for digit in range(10)]
    assert [[int(cell) for cell in row[1:]] for row in rows] == expected.tolist()


def test_the_digits(report, trained):
    precision, recall, f1, support = sklearn_metrics.precision_recall_fscore_support(
        trained["actual"], trained["predicted"]
    )
    rows = table("| digit |", report)
    assert [int(row[0]) for row in rows] == list(range(10))
    assert [int(row[1]) for row in rows] == support.tolist()
    for column, expected in ((2, recall), (3, precision), (4, f1)):
        assert [percent(row[column]) for row in rows] == pytest.approx(expected, abs=5.1e-5)


def test_the_pairs(report, trained):
    wrong = trained[trained["actual"] != trained["predicted"]]
    counts = wrong.groupby(["actual", "predicted"]).size().sort_values(ascending=False)
    rows = table("| actual |", report)
    assert len(rows) == 5
    for row, count in zip(rows, counts, strict=False):
        actual, predicted = int(row[0]), int(row[1])
        support = (trained["actual"] == actual).sum()
        assert row[2] == f"{count} of {support}"
        assert counts[actual, predicted] == count
        assert percent(row[3]) == pytest.approx(count / support, abs=5.1e-5)
        assert percent(row[4]) == pytest.approx(count / len(wrong), abs=5.1e-5)


def test_the_cards(report, trained, untrained):
    rows = table("| index, actual digit |", report)
    assert len(rows) == 2 * len(SAMPLES)
    for i, sample in enumerate(SAMPLES):
        before, after = rows[2 * i : 2 * i + 2]
        assert before[0] == f"{sample}, {trained['actual'][sample]}"
        for cells, network, predicted in (
            (before, "untrained", untrained),
            (after, "trained", trained),
        ):
            assert cells[1] == network
            assert int(cells[2]) == predicted["predicted"][sample]
            expected = predicted.loc[sample, "p0":"p9"].tolist()
            assert [float(cell) for cell in cells[3:]] == pytest.approx(expected, abs=5.1e-5)


def test_the_training(report, trained):
    assert table("| epoch |", report) == [
        ["0", "0", "2.3000", "10.00 %", "9.00 %"],
        ["1", "600", "0.8634", "78.55 %", "78.75 %"],
    ]
    accuracy = 100 * (trained["actual"] == trained["predicted"]).mean()
    assert f"the 1,000 iterations the test accuracy is {accuracy:.2f} %." in report


def test_a_network_without_errors_has_no_pairs(targets):
    perfect = tabulate(np.eye(10)[targets], targets)
    report = make_report(perfect, perfect)
    assert "None: no digit was read as another." in report
    assert "**100.00 %**, with 0 errors" in report


def test_a_network_that_says_one_digit_for_everything(targets):
    y = np.full((len(targets), 10), 0.05)
    y[:, 3] = 0.55
    report = make_report(tabulate(y, targets), tabulate(y, targets))
    assert "nan" not in report
    assert table("| digit |", report)[0][3] == "0.00 %"


@pytest.mark.parametrize("case", ["errors", "no errors", "classes missing"])
def test_the_figures_of_any_confusion_are_drawn(tmp_path, case):
    confusion = {
        "errors": np.arange(100).reshape(10, 10),
        "no errors": np.diag(np.full(10, 7)),
        "classes missing": np.diag([3] + 9 * [0]),
    }[case]
    draw_confusion(tmp_path / "confusion.png", confusion, case)
    assert (tmp_path / "confusion.png").read_bytes()[1:4] == b"PNG"


def test_figures_are_the_same_bytes_whatever_the_users_settings(
    tmp_path, monkeypatch, trained, untrained
):
    loss = pd.DataFrame({"iteration": [1, 2, 3], "loss": [2.3, 2.2, 2.1]})
    images = np.random.default_rng(0).integers(256, size=(3, 28, 28), dtype=np.uint8)

    def draw(name):
        folder = tmp_path / name
        folder.mkdir()
        draw_training(folder / "training.png", loss, history(), "title")
        cards = trained.iloc[SAMPLES], untrained.iloc[SAMPLES]
        draw_cards(folder / "cards.png", images, *cards, "title")
        return [path.read_bytes() for path in sorted(folder.iterdir())]

    before = draw("before")
    monkeypatch.setitem(matplotlib.rcParams, "font.size", 30)
    monkeypatch.setitem(matplotlib.rcParams, "savefig.dpi", 30)
    assert draw("after") == before
