"""What DVC's experiments say of a changed parameter, and that changing it back costs nothing."""

import json
import re
import shlex
import time

import pandas as pd
import pytest

from tools.checkouts import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")


def accuracy(checkout):
    metrics = json.loads((checkout.path / "reports/evaluate.json").read_text())
    return metrics["test"]["accuracy"]


def test_only_the_parameter_is_changed(experiment):
    changed = experiment.run("git", "diff", "--unified=0", "params.yaml").splitlines()
    assert changed[-2:] == ["-  learning_rate: 0.1", "+  learning_rate: 0.3"]
    assert sum(line.startswith("@@") for line in changed) == 1


def test_the_differences(experiment, rebuilt):
    diff = json.loads(experiment.run("dvc", "params", "diff", "--json"))
    assert diff["params.yaml"]["train.learning_rate"] == {
        "old": 0.1,
        "new": 0.3,
        "diff": pytest.approx(0.2),
    }
    diff = json.loads(experiment.run("dvc", "metrics", "diff", "--json"))
    assert diff["reports/evaluate.json"]["test.accuracy"] == {
        "old": accuracy(rebuilt),
        "new": accuracy(experiment),
        "diff": accuracy(experiment) - accuracy(rebuilt),
    }
    assert 4 < len(experiment.run("dvc", "metrics", "diff").splitlines()) <= 1 + 15


def test_the_table_of_experiments(experiment):
    shown = experiment.run("dvc", "exp", "show", "--csv", "--no-pager")
    (row,) = (line for line in shown.splitlines() if line.startswith("fast,"))
    assert ",0.3," in row
    (command,) = re.findall(r"^dvc exp show .*?'.*?'", README, flags=re.MULTILINE)
    shown = experiment.run(*shlex.split(command))
    assert "fast" in shown
    assert "train.learning_rate" in shown
    assert max(len(line) for line in shown.splitlines()) <= 200


def test_the_plots_of_both_sides(experiment):
    plots = json.loads(experiment.run("dvc", "plots", "diff", "--json"))["data"]
    (plot,) = plots["loss"]
    points = pd.DataFrame(plot["content"]["data"]["values"])
    loss = points[points["rev"] == "workspace"]["loss"].astype(float)
    assert loss.tolist() == pd.read_csv(experiment.path / "data/training/loss.csv")["loss"].tolist()
    assert loss.iloc[-1] < points[points["rev"] == "HEAD"]["loss"].astype(float).iloc[-1]


@pytest.mark.slow
def test_changed_back_only_the_report_is_written_again(experiment, rebuilt, tmp_path):
    checkout = experiment.copy_to(tmp_path / "checkout")
    checkout.set_params({"train.learning_rate": 0.1})
    output = checkout.run("dvc", "repro")
    assert re.findall(r"Running stage '(\w+)'", output) == ["check", "analyse"]
    assert "Stage 'train' is cached - skipping run" in output
    for path in (rebuilt.path / "reports").rglob("*.*"):
        there = checkout.path / path.relative_to(rebuilt.path)
        assert there.read_bytes() == path.read_bytes(), path
    assert checkout.run("git", "status", "--porcelain") == ""


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ("train.learning_rate=fast", "train.learning_rate"),
        pytest.param("+trains.learning_rate=1", "trains", marks=pytest.mark.slow),
    ],
)
def test_a_wrong_parameter_is_refused_before_any_output_is_removed(checkout, change, name):
    said = checkout.run("dvc", "exp", "run", "-S", change, ok=False)
    assert re.findall(r"Running stage '(\w+)'", said) == ["check"]
    assert f"error: params.yaml:\n  {name}: " in said
    assert "failed to reproduce 'check'" in said
    assert (checkout.path / "data/models/trained.npz").exists()
    assert "\n  git checkout params.yaml\n  dvc repro\n" in said
    checkout.run("git", "checkout", "params.yaml")
    assert "up to date" in checkout.run("dvc", "status")


@pytest.mark.slow
def test_a_queued_experiment(checkout):
    options = ("--queue", "--name", "fast", "-S", "train.learning_rate=0.3")
    checkout.run("dvc", "exp", "run", *options, "evaluate")
    checkout.run("dvc", "queue", "start")
    deadline = time.monotonic() + 60
    while "Success" not in (status := checkout.run("dvc", "queue", "status")):
        assert time.monotonic() < deadline, status
    assert checkout.run("git", "status", "--porcelain") == ""
    diff = json.loads(checkout.run("dvc", "metrics", "diff", "--json", "HEAD", "fast"))
    assert diff["reports/evaluate.json"]["test.accuracy"]["diff"] > 0
