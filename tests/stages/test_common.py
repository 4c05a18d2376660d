"""How a stage ends, and what its metrics may hold."""

import re

import numpy as np
import pytest
import yaml

from nnlib.base.errors import UserError
from nnlib.data.datasets import MNIST
from stages import common
from stages.common import exit_on_user_error, run, write_metrics
from stages.params import leaves
from tools.checkouts import ROOT

DVC_YAML = yaml.safe_load((ROOT / "dvc.yaml").read_text())


def test_what_takes_more_memory_than_there_is_ends_without_a_traceback():
    with pytest.raises(SystemExit) as caught, exit_on_user_error():
        np.empty((10**14, 784), np.float32)  # more than any address space
    assert "error: not enough memory: Unable to allocate" in caught.value.code
    assert "params.yaml" in caught.value.code


@pytest.mark.parametrize(
    ("reason", "unpinned", "said"),
    [
        (None, False, ""),
        ("it is slow", False, "note: the same bytes cannot be promised here: it is slow\n"),
        ("it is slow", True, ""),
    ],
)
def test_a_stage_says_what_it_cannot_promise(monkeypatch, capsys, reason, unpinned, said):
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(common, "NOT_PROMISED", reason)
    monkeypatch.setattr(common, "UNPINNED", unpinned)
    run(lambda params: print("done"))
    assert capsys.readouterr() == ("done\n", said)


def message_of_a_stage(file):
    with pytest.raises(SystemExit) as caught, exit_on_user_error():
        raise UserError("what is wrong", file=file)
    return caught.value.code


def test_what_a_stage_has_made_is_rebuilt():
    outs = [out for stage in DVC_YAML["stages"].values() for out in stage["outs"]]
    paths = [out for out in outs if isinstance(out, str) and out.startswith("data/")]
    assert len(paths) == 8
    for path in paths:
        assert message_of_a_stage(f"{path}/file") == "error: what is wrong; `dvc repro` rebuilds it"


@pytest.mark.parametrize("file", [None, "network.npz", "data/trials/x/x_test.npy", "/data/raw/a"])
def test_what_no_stage_has_made_is_not_rebuilt(file):
    assert message_of_a_stage(file) == "error: what is wrong"


def test_the_library_knows_no_command_no_variable_and_no_parameter_of_the_stages():
    texts = {path: path.read_text() for path in (ROOT / "nnlib").rglob("*.py")}
    assert len(texts) > 40
    parameters = [key for key, _ in leaves(yaml.safe_load((ROOT / "params.yaml").read_text()))]
    for word in ("dvc repro", "`make", "MNIST_MIRROR", "XDG_CACHE_HOME", *parameters):
        # nnlib.data.sources and nnlib.data.corrections are no parameters
        whole = re.compile(rf"(?<!nnlib\.){re.escape(word)}\b")
        assert [path for path, text in texts.items() if whole.search(text)] == []


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_metrics_that_json_cannot_hold_are_refused(tmp_path, monkeypatch, value):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=r"reports/evaluate\.json cannot hold"):
        write_metrics("evaluate", MNIST, {"test": {"loss": value}})
    assert list(tmp_path.iterdir()) == []
