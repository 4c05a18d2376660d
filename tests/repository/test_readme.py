"""README against what it describes: the code, the parameters and the committed results."""

import json
import os
import re
import subprocess
import sys

import numpy as np
import pytest
import yaml
from scipy.stats import binomtest

from nnlib.analysis.evidence import pixel_evidence
from nnlib.data.datasets import FILES
from nnlib.data.encoding import PixelStatistics, fit_encoding
from nnlib.data.idx import write_idx
from nnlib.data.sources import PUBLISHED
from nnlib.network import TwoLayerNet
from nnlib.report.style import WEIGHTS
from stages.common import MODELS, NORMALIZED
from stages.params import leaves
from tests.markdown import table
from tools.checkouts import ROOT
from tools.picture import CHOICE

README = (ROOT / "README.md").read_text(encoding="utf-8")
CONTRIBUTING, _, _ = (
    (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").partition("## A project of your own")
)
TEXT = " ".join(README.split())


@pytest.fixture
def results(committed_params):
    """The metrics of the committed run."""
    evaluated = json.loads((ROOT / "reports/evaluate.json").read_text())
    assert evaluated["data"] == "MNIST"
    return evaluated


def test_the_accuracy_is_that_of_the_committed_run_with_its_interval(results):
    right = round(10_000 * results["test"]["accuracy"])
    interval = binomtest(right, 10_000).proportion_ci(method="wilson")
    assert (
        f"classifies {right / 100:.2f}% of the test digits correctly (95% interval: "
        f"{100 * interval.low:.2f} to {100 * interval.high:.2f}%); the notebook reports 94.47%."
    ) in TEXT


def test_the_error_of_the_default_network_is_that_of_the_committed_run(results):
    repeated = json.loads((ROOT / "reports/repeat.json").read_text())
    others, own = repeated["seeds"], results["test"]["accuracy"]
    mean = (own + others * repeated["mean"]) / (others + 1)
    squares = (own - mean) ** 2 + others * (repeated["mean"] - mean) ** 2
    squares += (others - 1) * repeated["std"] ** 2
    (row,) = [row for row in table("| |", README) if row[0].startswith("**test error**")]
    assert others + 1 == 5
    assert row[0] == "**test error**: mean of five seeds (standard deviation)"
    assert row[1] == f"{100 - 100 * mean:.2f}% ({100 * (squares / others) ** 0.5:.2f})"


@pytest.mark.skipif(
    not all((ROOT / path).exists() for path in (MODELS / "trained.npz", NORMALIZED)),
    reason="needs the outputs of `make repro`",
)
def test_the_digit_in_the_picture_is_explained_as_the_network_does(results):
    network = TwoLayerNet.load(ROOT / MODELS / "trained.npz")
    index = int(re.search(r"index=(\d+)", CHOICE)[1])
    x = np.load(ROOT / NORMALIZED / "x_test.npy")[index : index + 1]
    probabilities = network.predict(x)[0]
    of_digit, of_blank = (
        np.log(network.predict(image)[0].astype(float)) for image in (x, np.zeros_like(x))
    )
    evidence = pixel_evidence(network, x, np.array([9]), np.array([4])).reshape(28, 28)
    top, others = evidence[:9].sum(), evidence[9:].sum()
    blank, whole = (each[9] - each[4] for each in (of_blank, of_digit))
    assert top + others + blank == pytest.approx(whole, abs=1e-3)
    sentence = (
        f"The ink there multiplies the odds of 9 against 4 by {two_digits(np.exp(top))}; all other "
        f"ink divides them by {two_digits(np.exp(-others))}, and a blank image begins at 1 to "
        f"{np.exp(-blank):.1f}. That leaves {two_digits(np.exp(whole))} to 1, and so "
        f"the network says 9, with {100 * probabilities[9]:.2f}%."
    )
    assert sentence in TEXT


def two_digits(number):
    """A number to two significant digits: 6,100."""
    return f"{float(f'{number:.2g}'):,.0f}"


def test_the_committed_run_learns_as_the_notebooks_does(results):
    page = (ROOT / "reports/training.md").read_text(encoding="utf-8")
    history = {row[0]: float(row[4].removesuffix("%")) / 100 for row in table("| epoch |", page)}
    for epoch, notebook in {"1": 0.786, "5": 0.915, "10": 0.932}.items():
        assert history[epoch] == pytest.approx(notebook, abs=0.03)
    assert results["test"]["accuracy"] == pytest.approx(0.9447, abs=0.01)
    assert results["train"]["accuracy"] == pytest.approx(0.9468, abs=0.01)


def test_who_the_user_is_is_asked_before_the_first_experiment():
    assert 0 < README.index("git config user.email") < README.index("dvc exp run")


def test_it_is_short():
    assert len(README.split()) <= 1400


def test_the_notebooks_cells_run(tmp_path):
    rng = np.random.default_rng(0)
    (tmp_path / "data/raw").mkdir(parents=True)
    for name, n in zip(FILES[::2], (60_000, 10_000), strict=True):  # as many as MNIST has
        write_idx(tmp_path / "data/raw" / name, np.zeros((n, 28, 28), np.uint8))
    for name, n in zip(FILES[1::2], (60_000, 10_000), strict=True):
        write_idx(tmp_path / "data/raw" / name, rng.integers(10, size=n, dtype=np.uint8))
    encoding = fit_encoding("unit", PixelStatistics(0.1, 0.3), "0123456789")
    networks = {
        name: TwoLayerNet(784, 50, 10, std, encoding=encoding)
        for name, std in (("untrained", 0.01), ("trained", 1))
    }
    for name, network in networks.items():
        network.save(tmp_path / f"data/models/{name}.npz")
    cells = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    code = "\n".join([f"import sys; sys.path.insert(0, {str(ROOT)!r})", *cells])
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=os.environ | {"MPLBACKEND": "agg"},
        check=True,
        capture_output=True,
        text=True,
    )
    shapes, accuracy, *samples = done.stdout.splitlines()
    assert shapes == "(60000, 784) (60000, 10) (10000, 784) (10000, 10)"
    assert float(accuracy) == pytest.approx(0.1, abs=0.02)  # the images are blank
    heads = [line.split() for line in samples if line[0].isdigit()]
    assert [int(index) for index, _ in heads] == [545, 115, 247]
    text = " ".join(samples)
    for network in networks.values():
        assert np.array2string(network.predict(np.zeros(784)).round(3)).split()[1] in text
    assert (tmp_path / "unit_0.png").read_bytes()[1:4] == b"PNG"


def test_weights_have_the_colours_of_the_report():
    assert f'.reshape(28, 28), cmap="{WEIGHTS}")' in README


def test_the_parameters_are_those_of_params_yaml(committed_params):
    page = (ROOT / "stages/params.md").read_text(encoding="utf-8")
    rows = [(name, default) for name, default, _ in table("| parameter |", page)]
    assert rows == [
        (f"`{key}`", yaml.safe_dump(value, default_flow_style=True).split("\n")[0].strip("[]"))
        for key, value in leaves(yaml.safe_load(committed_params.read_text()))
    ]


def test_the_data_tables_are_those_of_the_code():
    page = (ROOT / "nnlib/data.md").read_text(encoding="utf-8")
    sets = {row[0]: row[2:5] for row in table("| `data.source` |", page)}
    assert list(sets) == list(PUBLISHED)
    for name, (classes, _, test_samples) in sets.items():
        source = PUBLISHED[name]
        assert [classes, test_samples] == [str(source.dataset.classes), f"{source.test_samples:,}"]
    stated = [tuple(row) for row in table("| set |", page)]
    files = {  # the three sets of EMNIST share one
        (f"{name.partition('-')[0]}-*" if "-" in name else name, file, f"{size:,}", sha256)
        for name, source in PUBLISHED.items()
        for file, (size, sha256) in source.files.items()
    }
    assert len(stated) == len(files)
    assert set(stated) == files


def test_the_variables_of_the_users_mirrors_are_all_named():
    page = (ROOT / "nnlib/data.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(\w+)_MIRROR`", page))
    assert named == {name.partition("-")[0].upper() for name in PUBLISHED}


def test_the_picture_of_the_pipeline_is_that_of_dvc_yaml():
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
    makers = {
        out if isinstance(out, str) else next(iter(out)): name
        for name, stage in stages.items()
        for out in stage["outs"]
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


PAGES = [
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "stages/README.md",
    "stages/params.md",
    "nnlib/data.md",
    "nnlib/importing.md",
]


@pytest.mark.parametrize("page", PAGES)
def test_the_links_resolve(page):
    path = ROOT / page
    # those into experiments/ are tested with it, as it can be taken away
    links = re.findall(r"\]\((?!http|experiments/)([^)]+)\)", path.read_text(encoding="utf-8"))
    assert links
    for link in links:
        assert (path.parent / link.partition("#")[0]).exists(), link


def test_the_targets_are_those_of_the_makefile():
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z-]+):", makefile, flags=re.MULTILINE))
    named = set(re.findall(r"`(?:\S+ )?make ([a-z-]+)", README + CONTRIBUTING))
    assert {"test", "test-slow", "repro", "lint", "lock", "bench", "verify"} <= named <= targets


def test_the_map_has_every_package_of_nnlib():
    (code_map,) = re.findall(r"```\n(.*?)```", CONTRIBUTING, flags=re.DOTALL)
    named = {line.split()[0] for line in code_map.splitlines()}
    assert {f"{path.parent.name}/" for path in ROOT.glob("nnlib/*/__init__.py")} < named


def test_where_to_add_something_exists():
    paths = re.findall(r"`([\w.-]+/[\w./-]*)`", CONTRIBUTING)
    assert "nnlib/network/optimizers.py" in paths
    for path in paths:
        assert (ROOT / path).exists(), path
