"""The whole pipeline by DVC, in a checkout of its own, on a small set of drawn digits."""

import json
import re
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import yaml

from nnlib.evaluation import predict, score
from nnlib.mnist import load_mnist
from nnlib.network import TwoLayerNet

STAGES = ("download", "normalize", "train", "evaluate", "analyse")


def metrics(checkout, stage):
    return json.loads((checkout.path / "reports" / f"{stage}.json").read_text())


def stages_run(output):
    return re.findall(r"Running stage '(\w+)'", output)


def test_every_stage_leaves_its_metrics_named_after_the_data_set(checkout):
    for stage in STAGES:
        assert metrics(checkout, stage)["data"] == "synthetic"
    assert metrics(checkout, "download")["samples"] == {"train": 2000, "test": 500}
    assert metrics(checkout, "train")["iterations"] == 200
    assert metrics(checkout, "train")["epochs"] == 10
    assert "synthetic digits" in (checkout.path / "reports" / "confusion.md").read_text()


def test_the_metrics_agree_with_the_files_they_are_about(checkout):
    (x_train, t_train), (x_test, t_test) = load_mnist(folder=checkout.path / "data/raw")
    network = TwoLayerNet.load(checkout.path / "data/models/trained.npz")
    untrained = TwoLayerNet.load(checkout.path / "data/models/untrained.npz")
    evaluated = metrics(checkout, "evaluate")
    for name, (loss, accuracy) in {
        "train": score(predict(network, x_train), t_train),
        "test": score(predict(network, x_test), t_test),
        "untrained": score(predict(untrained, x_test), t_test),
    }.items():
        assert evaluated[name]["loss"] == pytest.approx(loss, rel=1e-5)
        assert evaluated[name]["accuracy"] == pytest.approx(accuracy, abs=0.003)

    table = pd.read_csv(checkout.path / "data/predictions/test.csv")
    assert table["index"].tolist() == list(range(500))
    assert table["actual"].tolist() == t_test.tolist()
    assert (table["actual"] == table["predicted"]).mean() == evaluated["test"]["accuracy"]
    assert table["loss"].mean() == pytest.approx(evaluated["test"]["loss"], rel=1e-5)
    assert metrics(checkout, "analyse")["accuracy"] == evaluated["test"]["accuracy"]
    assert metrics(checkout, "train")["test_accuracy"] == evaluated["test"]["accuracy"]
    assert len(pd.read_csv(checkout.path / "data/training/loss.csv")) == 200

    counts = pd.read_csv(checkout.path / "reports/confusion_matrix.csv", index_col="actual")
    assert counts.to_numpy().sum() == 500
    assert 500 - np.trace(counts.to_numpy()) == metrics(checkout, "analyse")["errors"]


def test_the_links_of_the_report_resolve(checkout):
    reports = checkout.path / "reports"
    links = re.findall(r"\]\(([^)]+)\)", (reports / "confusion.md").read_text())
    assert links
    for link in links:
        assert (reports / link).is_file(), link


def test_a_second_repro_runs_nothing(checkout):
    output = checkout.run("dvc", "repro")
    assert stages_run(output) == []
    assert "up to date" in output
    assert "up to date" in checkout.run("dvc", "status")
    assert checkout.run("git", "status", "--porcelain") == ""


def test_a_parameter_changed_and_changed_back(checkout):
    before = metrics(checkout, "evaluate")
    files = {path: path.read_bytes() for path in (checkout.path / "reports").rglob("*.*")}

    checkout.set_params({"learning_rate: 0.1": "learning_rate: 2e-1"})
    output = checkout.run("dvc", "repro")
    assert stages_run(output) == ["train", "evaluate", "analyse"]
    diff = json.loads(checkout.run("dvc", "params", "diff", "--json"))
    assert diff["params.yaml"]["train.learning_rate"] == {"old": 0.1, "new": 0.2, "diff": 0.1}
    diff = json.loads(checkout.run("dvc", "metrics", "diff", "--json"))
    after = metrics(checkout, "evaluate")
    assert diff["reports/evaluate.json"]["test.accuracy"] == {
        "old": before["test"]["accuracy"],
        "new": after["test"]["accuracy"],
        "diff": after["test"]["accuracy"] - before["test"]["accuracy"],
    }

    checkout.set_params({"learning_rate: 2e-1": "learning_rate: 0.1"})
    output = checkout.run("dvc", "repro")
    assert stages_run(output) == ["analyse"]
    assert "Stage 'train' is cached - skipping run" in output
    assert {path: path.read_bytes() for path in files} == files
    assert checkout.run("git", "status", "--porcelain") == ""


def test_an_experiment(checkout):
    checkout.run("dvc", "exp", "run", "--name", "fast", "-S", "train.learning_rate=0.3")
    changed = checkout.run("git", "diff", "--unified=0", "params.yaml").splitlines()
    assert changed[-2:] == ["-  learning_rate: 0.1", "+  learning_rate: 0.3"]
    assert sum(line.startswith("@@") for line in changed) == 1
    shown = checkout.run("dvc", "exp", "show", "--csv", "--no-pager")
    (row,) = (line for line in shown.splitlines() if line.startswith("fast,"))
    assert ",0.3," in row


def test_the_plots(checkout):
    shown = checkout.run("dvc", "plots", "show", "--json")
    plots = json.loads(shown)["data"]
    assert set(plots) == {"loss", "accuracy", "confusion"}
    confusion = plots["confusion"][0]["content"]
    assert {"joinaggregate": [{"op": "sum", "field": "xy_count", "as": "sum_y"}],
            "groupby": ["actual"]} in confusion["spec"]["transform"]  # fmt: skip
    values = confusion["data"]["values"]
    assert len(values) == 500
    assert values[0].keys() == {"actual", "predicted", "rev"}


# Runs a stage as `python -m` does, and says on its last line which files it opened.
AUDIT = """
import json, os, runpy, sys
files = {"read": set(), "written": set()}
def note(event, args):
    if event == "open" and not isinstance(args[0], int):
        mode = "written" if args[2] & (os.O_WRONLY | os.O_RDWR) else "read"
        files[mode].add(os.path.relpath(args[0]))
sys.addaudithook(note)
runpy.run_module(sys.argv[1], run_name="__main__")
print(json.dumps({mode: sorted(paths) for mode, paths in files.items()}))
"""


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_opens_the_files_that_dvc_yaml_declares_and_no_others(checkout, stage):
    declared = yaml.safe_load((checkout.path / "dvc.yaml").read_text())["stages"][stage]
    outs = {
        out if isinstance(out, str) else next(iter(out))
        for out in declared["outs"] + declared["metrics"]
    }
    deps = {dep for dep in declared["deps"] if not dep.endswith(".py")}

    printed = checkout.run(sys.executable, "-c", AUDIT, f"stages.{stage}")
    files = json.loads(printed.splitlines()[-1])
    read = {path for path in files["read"] if path.startswith(("data/", "nnlib/templates/"))}
    written = {path for path in files["written"] if path.startswith(("data/", "reports/"))}
    assert read - outs == deps
    assert {"reports/figures" if "/figures/" in path else path for path in written} == outs
    assert checkout.run("git", "status", "--porcelain") == ""  # and writes the same bytes again


def test_a_mistake_in_the_parameters_stops_any_stage_in_a_few_lines(checkout):
    checkout.set_params({"pairs: 10": "pairs: 0"})
    for stage in STAGES:
        output = checkout.run(sys.executable, "-m", f"stages.{stage}", ok=False)
        assert "analyse.pairs" in output
        assert "Traceback" not in output
        assert len(output.splitlines()) == 2


def test_the_pinning_is_done_before_numpy_is_imported():
    code = "import sys, stages; assert 'numpy' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
