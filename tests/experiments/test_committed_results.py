"""What README says of the record and of the sweep is what their committed results say."""

import json
import re

import pandas as pd

from experiments.sweep.overrides import make_settings, parse_overrides
from stages.params import Params, read_params
from tests.markdown import table
from tools.checkouts import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
TEXT = " ".join(README.split())


def test_the_links_to_and_from_the_page_on_experiments_resolve():
    links = re.findall(r"\]\((experiments/[^)]+)\)", README)
    page = (ROOT / "experiments/README.md").read_text(encoding="utf-8")
    links += [f"experiments/{link}" for link in re.findall(r"\]\((?!http)([^)]+)\)", page)]
    assert len(links) > 3
    for link in links:
        assert (ROOT / link.partition("#")[0]).exists(), link


def test_what_the_page_on_projects_of_ones_own_removes_is_there():
    _, page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").split("\n## A project of")
    commands = re.findall(r"git rm -r (.+)", page)
    patterns = [pattern for command in commands for pattern in command.split()]
    assert {"experiments", "tests/experiments", "reports/record.*"} < set(patterns)
    for path in [*patterns, *re.findall(r"`([\w.-]+/[\w./-]*)`", page)]:
        assert path == "data/imported/files.dvc" or list(ROOT.glob(path)), path


def test_the_record_is_that_of_the_committed_run():
    record = json.loads((ROOT / "reports/record.json").read_text())
    assert len(record["seeds"]) == 5
    (row,) = [row for row in table("| |", README) if row[0].startswith("**test error**")]
    assert row[2] == f"{record['mean']:.2f}% ({record['std']:.2f})"
    assert (
        f"`make record` trains the record in {record['seconds'] / 60:.0f} minutes on two cores; "
        f"the mean of the logits of its five networks misclassifies {record['members_error']:.2f}%."
    ) in TEXT
    assert (
        f"misclassify {record['mean']:.2f}% of 10,000" in (ROOT / "reports/record.md").read_text()
    )


def test_the_sweep_is_that_of_the_committed_report():
    swept = pd.read_csv(ROOT / "reports/sweeps/size-and-rate/sweep.csv")
    over = re.search(r'make sweep OVER="(.*)" SEEDS=5', README)[1].split()
    defaults = read_params(Params, ROOT / "params.yaml")
    settings = make_settings(parse_overrides(over, defaults), defaults)
    assert "trained 16 settings with five seeds each" in TEXT
    assert len(settings) == 16
    assert list(settings[0].swept) == ["train.hidden_size", "train.learning_rate"]
    tried = swept[[*settings[0].swept]].drop_duplicates().to_numpy().tolist()
    assert tried == [list(setting.swept.values()) for setting in settings]
    assert sorted(swept["seed"].unique()) == [1, 2, 3, 4, 5]
    report = (ROOT / "reports/sweeps/size-and-rate/sweep.md").read_text()
    error = 100 * (1 - swept.groupby("setting")["validation_accuracy"].mean().max())
    assert f"smallest validation error: {error:.2f}" in report


def test_the_sweep_of_intervals_draws_integers_and_floats():
    over, samples = re.search(r'make sweep OVER="(.*)" SAMPLES=(\d+)', README).groups()
    defaults = read_params(Params, ROOT / "params.yaml")
    overrides = parse_overrides(over.split(), defaults)
    settings = make_settings(overrides, defaults, samples=int(samples))
    assert len(settings) == 40
    for setting in settings:
        size = setting.swept["train.hidden_size"]
        assert isinstance(size, int)
        assert 20 <= size <= 200
        assert 0.05 <= setting.swept["train.learning_rate"] < 1
