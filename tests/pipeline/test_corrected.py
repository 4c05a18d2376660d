"""The pipeline on corrected labels, against what NumPy makes of the published files."""

import base64
import json
import re
import sys

import numpy as np
import pytest

from nnlib.data import load_mnist
from nnlib.network import TwoLayerNet
from stages.common import CORRECTED
from tests.corrected import DROP, RELABEL
from tests.markdown import table


@pytest.fixture(scope="session")
def published(rebuilt):
    (x_train, t_train), (x_test, t_test) = load_mnist(folder=rebuilt.path / "data/raw")
    return {"train": (x_train, t_train), "test": (x_test, t_test)}


def correct(part, x, t):
    t = t.copy()
    for index in RELABEL[part]:
        t[index] = (t[index] + 1) % 10
    return np.delete(x, DROP[part], axis=0), np.delete(t, DROP[part])


def metrics(checkout, name):
    return json.loads((checkout.path / f"reports/{name}.json").read_text())


@pytest.mark.slow
def test_the_arrays_are_corrected_and_the_files_are_as_they_were(corrected, rebuilt, published):
    folder = corrected.path / "data/normalized"
    for part, (x, t) in published.items():
        expected = correct(part, x, t)
        np.testing.assert_array_equal(np.load(folder / f"x_{part}.npy"), expected[0])
        np.testing.assert_array_equal(np.load(folder / f"t_{part}.npy"), expected[1])
        assert metrics(corrected, "normalize")[part] == {
            "samples": len(t) - 3,
            "relabelled": len(RELABEL[part]),
            "dropped": 3,
        }
    x_train, _ = correct("train", *published["train"])
    mean = metrics(corrected, "normalize")["pixel_mean"]
    assert mean == pytest.approx(x_train.mean(dtype=float), rel=1e-6)
    rows = {part: sorted(DROP[part] + RELABEL[part]) for part in published}
    for axis, name in ((0, f"x_{CORRECTED}.npy"), (1, f"t_{CORRECTED}.npy")):
        expected = [published[part][axis][rows[part]] for part in ("train", "test")]
        np.testing.assert_array_equal(np.load(folder / name), np.concatenate(expected))
    for path in (rebuilt.path / "data/raw").iterdir():
        assert (corrected.path / "data/raw" / path.name).read_bytes() == path.read_bytes()


@pytest.mark.slow
def test_the_accuracies_are_side_by_side(corrected, published):
    network = TwoLayerNet.load(corrected.path / "data/models/trained.npz")
    found = metrics(corrected, "evaluate")
    shown = {}
    for part, (x, t) in published.items():
        predicted = network.predict(x).argmax(axis=1)
        left = np.setdiff1d(np.arange(len(t)), DROP[part] + RELABEL[part])
        x_corrected, t_corrected = correct(part, x, t)
        right = [
            predicted == t,
            network.predict(x_corrected).argmax(axis=1) == t_corrected,
            (predicted == t)[left],
        ]
        assert found["as_given"][f"{part}_accuracy"] == right[0].mean()
        assert found[part]["accuracy"] == right[1].mean()
        assert found["without_corrected"][f"{part}_accuracy"] == right[2].mean()
        shown[part] = [
            f"{each.sum():,} of {len(each):,}: {100 * each.mean():.2f}%" for each in right
        ]
    report = (corrected.path / "reports/confusion.md").read_text()
    rows = table("| accuracy of this network (95% interval) |", report)
    for (_, *cells), *expected in zip(rows, shown["test"], shown["train"], strict=True):
        assert [cell.partition(" (")[0] for cell in cells] == expected
    as_given = shown["test"][0].split(": ")[1]
    assert f"by the labels as given, its test accuracy is {as_given}." in report
    card = (corrected.path / "reports/model_card.md").read_text()
    assert f"before [some were corrected](confusion.md#corrected-labels) | {as_given} |" in card
    listed = table("| set | index in the published set |", report)
    t = published["test"][1]
    assert ["test", "300", str(t[300]), str((t[300] + 1) % 10)] in [row[:4] for row in listed]
    assert ["test", "7", str(t[7]), "dropped"] in [row[:4] for row in listed]
    assert len(listed) == 15


@pytest.mark.slow
def test_the_explorer_has_what_was_published(corrected, rebuilt, published):
    def payload(checkout):
        html = (checkout.path / "reports/explorer.html").read_text()
        (found,) = re.findall(r'type="application/json" id="payload">(.*?)</script>', html)
        return json.loads(found)

    _, t = published["test"]
    kept = np.delete(np.arange(500), DROP["test"])
    found = payload(corrected)
    assert found["given"] == _packed(t[kept].astype(np.uint8))
    assert found["publishedIndex"] == _packed(kept.astype("<u4"))
    assert not {"given", "publishedIndex"} & set(payload(rebuilt))


def _packed(array):
    return base64.b64encode(array.tobytes()).decode()


@pytest.mark.slow
def test_a_wrong_file_is_refused_before_any_output_is_removed(checkout):
    path = checkout.path / "data/corrections.csv"
    path.write_text("set,index,label\ntest,1,ten\nexam,2,1\n")
    said = checkout.run("dvc", "repro", ok=False)
    assert "error: data/corrections.csv:\n  line 2, label: ten is no class; there is " in said
    assert "\n  line 3, set: expected train or test, found exam\n" in said
    checkout.run("git", "checkout", "data/corrections.csv")
    assert "up to date" in checkout.run("dvc", "status")


def test_what_only_the_data_tell_is_refused_by_the_stage_that_reads_them(checkout):
    (checkout.path / "data/corrections.csv").write_text("set,index,label\ntrain,2000,drop\n")
    said = checkout.run(sys.executable, "-m", "stages.normalize", ok=False)
    assert "line 2, index: 2000 lies outside the training set, whose last is 1999" in said
    # of the test set, the parameters that name its samples are checked before
    lines = [f"test,{index},drop" for index in range(460)]
    (checkout.path / "data/corrections.csv").write_text("\n".join(["set,index,label", *lines]))
    said = checkout.run(sys.executable, "-m", "stages.check", ok=False)
    assert "analyse: samples: 45 lies outside the test set, whose last index is 39" in said


@pytest.mark.slow
def test_an_experiment_with_another_file(checkout):
    (checkout.path / "data/corrections-2.csv").write_text("set,index,label\ntest,0,drop\n")
    other = "data.corrections=data/corrections-2.csv"
    said = checkout.run("dvc", "exp", "run", "-S", other, "normalize")
    assert re.findall(r"Running stage '(\w+)'", said) == ["check", "normalize"]
    assert metrics(checkout, "normalize")["test"]["dropped"] == 1
    assert "data/corrections-2.csv" in checkout.run("git", "status", "--porcelain")
