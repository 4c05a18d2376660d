"""README against what it speaks of: the code, the parameters and the committed results."""

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from nnlib.data.datasets import MNIST
from nnlib.data.idx import write_idx
from tests.markdown import table
from tools.parameters import leaves

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.fixture
def results(committed_params):
    """The metrics of the committed run."""
    evaluated = json.loads((ROOT / "reports/evaluate.json").read_text())
    assert evaluated["data"] == "mnist"
    return evaluated


def test_the_results_are_those_of_the_committed_run(results):
    parts = ("train", "test", "untrained_train", "untrained")
    for name, *values in table("| metric |", README):
        key = name.split()[0]
        measured = [results[part][key] for part in parts]
        assert values == [f"{value:.4f}" for value in measured]


def test_the_curve_is_that_of_the_committed_run_and_close_to_the_notebooks(results):
    report = (ROOT / "reports/confusion.md").read_text(encoding="utf-8")
    history = {row[0]: float(row[4].removesuffix(" %")) / 100 for row in table("| epoch |", report)}
    *epochs, (end, notebook_end, here_end) = table("| epoch |", README)
    for epoch, notebook, here in epochs:
        assert float(here) == pytest.approx(history[epoch], abs=0.0005001)
        assert float(notebook) == {"1": 0.786, "5": 0.915, "10": 0.932}[epoch]
        assert history[epoch] == pytest.approx(float(notebook), abs=0.03)
    assert (end, notebook_end) == ("end", "0.9447")
    assert here_end == f"{results['test']['accuracy']:.4f}"
    assert results["test"]["accuracy"] == pytest.approx(0.9447, abs=0.01)
    assert results["train"]["accuracy"] == pytest.approx(0.9468, abs=0.01)
    assert f"here it is {results['train']['accuracy']:.4f}" in README


def test_the_findings_are_those_of_the_committed_run(committed_params):
    counts = pd.read_csv(ROOT / "reports/confusion_matrix.csv", index_col="actual").to_numpy()
    analysed = json.loads((ROOT / "reports/analyse.json").read_text())
    share = 100 * (counts[4, 9] + counts[9, 4]) / analysed["errors"]
    text = " ".join(README.split())
    assert (
        "4 and 9 are mistaken for each other as often one way as the other, "
        f"{counts[4, 9]} and {counts[9, 4]} times, together {share:.1f} % of the "
        f"{analysed['errors']} errors; but 5 is read as 3 more often, {counts[5, 3]} times, "
        f"than 3 as 5, {counts[3, 5]} times"
    ) in text
    assert counts[4, 9] == pytest.approx(counts[9, 4], rel=0.1)
    assert counts[5, 3] > 1.5 * counts[3, 5]
    assert (
        f"({100 * analysed['coverage_at_99']:.2f} % of the test set can be decided at an accuracy"
        in text
    )


def test_the_speed_is_that_of_the_benchmark():
    benchmark = (ROOT / "reports/benchmark.md").read_text()
    quoted, measured = table("| work |", README), table("| work |", benchmark)
    assert quoted == [row[:5] for row in measured]  # without what they are to reach
    assert table("| samples |", README) == table("| samples |", benchmark)


def test_the_notebooks_cells_run(tmp_path):
    rng = np.random.default_rng(0)
    (tmp_path / "data/raw").mkdir(parents=True)
    for name, n in zip(MNIST.files[::2], (60_000, 10_000), strict=True):  # as many as MNIST has
        write_idx(tmp_path / "data/raw" / name, np.zeros((n, 28, 28), np.uint8))
    for name, n in zip(MNIST.files[1::2], (60_000, 10_000), strict=True):
        write_idx(tmp_path / "data/raw" / name, rng.integers(10, size=n, dtype=np.uint8))
    (cells,) = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r})\n{cells}"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, check=True, capture_output=True, text=True
    )
    shapes, accuracy = done.stdout.splitlines()
    assert shapes == "(60000, 784) (60000, 10) (10000, 784) (10000, 10)"
    assert float(accuracy) == pytest.approx(0.1, abs=0.02)  # there is nothing to see in these


def test_the_parameters_are_those_of_params_yaml(committed_params):
    rows = [(name, default) for name, default, _ in table("| parameter |", README)]
    assert rows == [
        (f"`{key}`", ", ".join(map(str, value)) if isinstance(value, list) else str(value))
        for key, value in leaves(yaml.safe_load(committed_params.read_text()))
    ]


def test_the_data_table_is_that_of_the_code():
    assert {row[0]: row[3] for row in table("| file |", README)} == MNIST.sha256


def test_the_picture_of_the_pipeline_is_that_of_dvc_yaml():
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
    makers = {
        out: name for name, stage in stages.items() for out in stage["outs"] if isinstance(out, str)
    }
    edges = {
        (makers[dep], name)
        for name, stage in stages.items()
        for dep in stage["deps"]
        if dep in makers
    }
    (picture,) = re.findall(r"```mermaid\n(.*?)```", README, flags=re.DOTALL)
    picture = re.sub(r"\[.*?\]", "", picture)
    assert set(re.findall(r"(\w+) --> (\w+)", picture)) == edges


def test_the_links_resolve():
    links = re.findall(r"\]\((?!http)([^)]+)\)", README)
    assert links
    for link in links:
        assert (ROOT / link).exists(), link


def test_the_targets_are_those_of_the_makefile():
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    named = set(re.findall(r"`(?:\S+ )?make (\w+)`", README))
    assert {"demo", "test", "repro", "lint", "lock"} <= named <= targets
