"""The same bytes with another C library: those of another release of Debian, in a folder."""

import os
import re
import shutil
import subprocess
import sys
import tomllib

import pytest

from tests.conftest import RUN, needs_promise
from tests.pipeline.test_bytes import REST, SHORT, TRAINING, checksums
from tools.checkouts import ROOT, Checkout, copy_project

# Debian 12 has glibc 2.36 and Python 3.11, Debian 13 has glibc 2.41 and Python 3.13.
RELEASES = {"bookworm": "2.36", "trixie": "2.41"}

pytestmark = [
    needs_promise,
    pytest.mark.long,
    pytest.mark.skipif(not shutil.which("debootstrap"), reason="debootstrap is not installed"),
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can change into a folder with chroot"),
]

EVERYTHING = SHORT | {
    "normalize.scaling": "standard",
    "train.hidden_size": 300,
    "train.activation": "tanh",
    "train.weight_init": "xavier",
    "train.iterations": 300,
    "train.sampling": "shuffled",
    "train.learning_rate": 0.01,
    "train.optimizer": {"name": "adam"},
    "train.schedule": {"name": "cosine", "warmup": 5},
    "train.weight_decay": 0.1,
    "train.dropout": 0.1,
    "train.label_smoothing": 0.1,
    "train.augmentation": {"rotation": 9, "shear": 9, "scale": 0.1, "shift": 1, "elastic": 0.8},
    "train.averaging": 0.9,
    "train.members": 2,
    "train.validation": 60,
}


@pytest.fixture(scope="module")
def debian(tmp_path_factory):
    """A folder with a release of Debian whose C library is not this one's, and the packages."""
    ours = os.confstr("CS_GNU_LIBC_VERSION").split()[-1]
    release = next(name for name, version in RELEASES.items() if version != ours)
    folder = tmp_path_factory.mktemp("debian")
    subprocess.run(
        ["debootstrap", "--variant=minbase", "--include=python3", release, folder],
        check=True,
        capture_output=True,
    )
    said = subprocess.check_output(["chroot", folder, "python3", "--version"], text=True)
    python = re.search(r"\d+\.\d+", said)[0]
    pinned = re.findall(r"^\S+==\S+", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    (folder / "constraints.txt").write_text("\n".join(pinned))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--target", folder / "packages"]
    command += ["--python-version", python, "--only-binary", ":all:"]
    command += ["--constraint", folder / "constraints.txt", *project["dependencies"], "pyyaml"]
    subprocess.run(command, check=True)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.parametrize("params", [SHORT, EVERYTHING], ids=["default", "everything"])
def test_another_c_library_makes_the_same_files(tmp_path, debian, params):
    here = Checkout(tmp_path / "project", tmp_path)
    here.path.mkdir()
    copy_project(here.path)
    shutil.rmtree(here.path / "reports")
    here.set_params(params)
    there = Checkout(debian / "project", debian)
    shutil.copytree(here.path, there.path)
    stages = (*TRAINING, *REST)
    here.run(sys.executable, "-c", RUN, *stages)
    enter = ("chroot", debian, "env", "--chdir=/project", "PYTHONPATH=/packages")
    there.run(*enter, "python3", "-c", RUN, *stages)
    found = checksums(there)
    shutil.rmtree(there.path)
    assert len(found) > 30
    assert found == checksums(here)
