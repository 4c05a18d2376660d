"""`pip install .`: nnlib in an empty environment, used where nothing else of the project is."""

import re
import subprocess
import sys
import venv
from zipfile import ZipFile

import numpy as np
import pandas as pd
import pytest

from nnlib.analysis.predictions import probabilities
from tools.checkouts import ROOT

PIP = (sys.executable, "-m", "pip")

USE = """
import importlib, pkgutil

import nnlib

for module in pkgutil.walk_packages(nnlib.__path__, "nnlib."):
    importlib.import_module(module.name)

from pathlib import Path

import numpy as np
from nnlib.network import TwoLayerNet
from nnlib.report.pages import page

np.save("y.npy", TwoLayerNet.load("trained.npz").predict(np.load("x_test.npy")))
Path("page.html").write_text(page("# A heading", Path()))
for name in ("stages", "experiments", "tools", "tests"):
    assert importlib.util.find_spec(name) is None, name
"""


def run(*command, cwd=ROOT):
    done = subprocess.run(command, cwd=cwd, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    asked = [*PIP, "download", "--retries=0", "--no-deps", f"--dest={folder}/asked", "hatchling"]
    if subprocess.run(asked, check=False, capture_output=True).returncode:
        pytest.skip("no package index can be reached")
    run(*PIP, "wheel", "--no-deps", f"--wheel-dir={folder}", ".")
    (wheel,) = folder.glob("*.whl")
    return wheel


@pytest.mark.slow
def test_it_holds_nnlib_with_its_templates_and_nothing_else(wheel):
    packed = {name for name in ZipFile(wheel).namelist() if ".dist-info/" not in name}
    files = {path.relative_to(ROOT) for path in (ROOT / "nnlib").rglob("*.*") if path.is_file()}
    assert packed == {path.as_posix() for path in files if path.suffix != ".pyc"}
    assert "nnlib/report/templates/sections/matrix.md" in packed


@pytest.mark.slow
def test_a_trained_network_predicts_where_only_the_wheel_is_installed(wheel, rebuilt, tmp_path):
    pinned = re.findall(r"^\S+==\S+", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    (tmp_path / "pinned.txt").write_text("\n".join(pinned))
    venv.create(tmp_path / "empty")
    python = tmp_path / "empty/bin/python"
    install = (f"--python={python}", "install", "--no-compile")
    run(*PIP, *install, f"--constraint={tmp_path}/pinned.txt", wheel)
    for name in ("models/trained.npz", "normalized/x_test.npy"):
        path = rebuilt.path / "data" / name
        (tmp_path / path.name).write_bytes(path.read_bytes())
    run(python, "-I", "-c", USE, cwd=tmp_path)
    expected = pd.read_csv(rebuilt.path / "data/predictions/test.csv")
    y = np.load(tmp_path / "y.npy")
    np.testing.assert_allclose(y, probabilities(expected), atol=1e-5)
    assert "<h1" in (tmp_path / "page.html").read_text()
