"""The command that puts the network of one revision into the explorer of another one."""

import base64
import json
import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from experiments.explorer import __main__ as command
from experiments.explorer.__main__ import main, page_of
from nnlib.base.errors import UserError
from nnlib.data.datasets import MNIST
from nnlib.report.explorer import SECOND, packed_probabilities


@pytest.fixture
def explore(monkeypatch, capsys):
    """Runs the command; returns what it prints."""

    def explore(revisions, ok=True):
        monkeypatch.setattr("sys.argv", ["explorer", revisions])
        if ok:
            main()
            return capsys.readouterr().out
        with pytest.raises(SystemExit) as caught:
            main()
        return capsys.readouterr().err + str(caught.value.code)

    return explore


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:_NoneStep:DeprecationWarning")  # of a library that DVC uses
def test_two_revisions_in_one_page(experiment, tmp_path, explore, monkeypatch):
    checkout = experiment.copy_to(tmp_path / "checkout")
    monkeypatch.chdir(checkout.path)
    monkeypatch.setenv("HOME", str(checkout.home))
    before = checkout.run("git", "status", "--porcelain")
    said = explore("HEAD fast")
    assert "Page: reports/explorer-two.html, of HEAD (" in said
    assert checkout.run("git", "status", "--porcelain") == before
    page = Path("reports/explorer-two.html").read_text(encoding="utf-8")
    (second,) = re.findall(r'<script type="application/json" id="second">(.*?)</script>', page)
    held = json.loads(second)
    assert held["name"] == "fast"
    table = pd.read_csv("data/predictions/test.csv")  # of the experiment, which is in the workspace
    predicted = np.frombuffer(base64.b64decode(held["predicted"]), np.uint8)
    np.testing.assert_array_equal(predicted, table["predicted"])
    (first,) = re.findall(r'<script type="application/json" id="payload">(.*?)</script>', page)
    own = np.frombuffer(base64.b64decode(json.loads(first)["predicted"]), np.uint8)
    assert (own != predicted).any()
    assert "error: none is neither a commit, a tag nor a branch" in explore("HEAD none", ok=False)
    for names in ("HEAD", "HEAD fast HEAD"):
        assert 'name two revisions, for example: "HEAD record"' in explore(names, ok=False)


@pytest.fixture
def revisions(analysis, network_of_mnist, tmp_path):
    """Two revisions that can be explored, as far as the page needs them."""
    trained = analysis.trained
    network_of_mnist.save(tmp_path / "trained.npz")
    (tmp_path / "explorer.html").write_text(f"{packed_probabilities(trained.y)}{SECOND}")

    def revision(name):
        return SimpleNamespace(
            name=name,
            dataset=MNIST,
            test_images=np.zeros((len(trained.t), 28, 28), np.uint8),
            predictions=trained,
            load=lambda path, reader: reader(tmp_path / path.name),
        )

    return revision("first"), revision("second")


@pytest.fixture(scope="module")
def network_of_mnist(analysis, explain):
    return explain(analysis)[0]


def test_what_cannot_be_put_together(revisions, tmp_path, monkeypatch, analysis):
    first, second = revisions
    page = (tmp_path / "explorer.html").read_text()
    assert 'id="second"' in page_of(first, second)

    def check(message):
        with pytest.raises(UserError, match=message):
            page_of(first, second)

    monkeypatch.setattr(command, "MOST", len(page_of(first, second)) - 1)
    check(r"the page would have 0\.\d MB, and may have 0: name a revision whose network is smaller")
    (tmp_path / "explorer.html").write_text(page.replace(SECOND, ""))
    check("explorer.html of first has no place for a second network: it is older")
    (tmp_path / "explorer.html").write_text("<p>another</p>")
    check("explorer.html of first is not of its predictions: run `dvc repro` there and commit")
    for change in (
        {"test_images": second.test_images + 1},
        {"dataset": MNIST.model_copy(update={"class_names": tuple("abcdefghij")})},
        {"predictions": SimpleNamespace(t=(analysis.trained.t + 1) % 10)},
    ):
        second = SimpleNamespace(**vars(revisions[1]) | change)
        check("the test sets of first and second differ: name revisions with the same data")


def test_the_network_is_checked(revisions, tmp_path):
    (tmp_path / "trained.npz").write_bytes(b"broken")
    with pytest.raises(UserError, match=r"trained\.npz"):
        page_of(*revisions)
