"""The download stage: which mirrors it asks, in which order, and what it says when none answers."""

import dataclasses
import hashlib
import json

import numpy as np
import pytest

from nnlib.data.datasets import FILES, MNIST, read_dataset
from nnlib.data.idx import write_idx
from nnlib.data.sources import PUBLISHED
from stages import download
from stages.common import run


def change_mnist(monkeypatch, **changes):
    """Change what the stage knows about MNIST."""
    monkeypatch.setitem(PUBLISHED, "mnist", dataclasses.replace(PUBLISHED["mnist"], **changes))


@pytest.fixture
def workspace(tmp_path, monkeypatch, committed_params):
    """A folder to run the stage in, with two public mirrors that do not exist."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("MNIST_MIRROR", raising=False)
    change_mnist(monkeypatch, mirrors=("no/first/", "no/second/"))
    (tmp_path / "params.yaml").write_text(committed_params.read_text())
    return tmp_path


@pytest.fixture
def mirror(tmp_path, monkeypatch):
    """A folder with four small files, whose checksums are the ones expected."""
    folder = tmp_path / "mirror"
    folder.mkdir()
    for name, shape in zip(FILES, [(3, 28, 28), (3,), (2, 28, 28), (2,)], strict=True):
        write_idx(folder / name, np.zeros(shape, np.uint8))
    digests = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()
    }
    change_mnist(monkeypatch, sha256=digests)
    return folder


def complaint():
    with pytest.raises(SystemExit) as caught:
        run(download.download)
    return caught.value.code  # a text, which Python prints, and exits with 1


def test_the_files_of_the_users_mirror_are_put_in_place(workspace, mirror, monkeypatch):
    monkeypatch.setenv("MNIST_MIRROR", str(mirror))
    run(download.download)
    for name in FILES:
        assert (workspace / "data/raw" / name).read_bytes() == (mirror / name).read_bytes()
    assert read_dataset("data/raw") == MNIST
    metrics = json.loads((workspace / "reports/download.json").read_text())
    assert metrics == {
        "data": "MNIST",
        "files": 4,
        "bytes": sum((mirror / name).stat().st_size for name in FILES),
        "samples": {"train": 3, "test": 2},
    }


def test_without_a_mirror_of_the_users_the_public_ones_are_asked(workspace, mirror, monkeypatch):
    change_mnist(monkeypatch, mirrors=("no/first/", str(mirror)))
    run(download.download)
    assert len(list((workspace / "data/raw").iterdir())) == 5


def test_when_none_answers_each_is_named_in_order_and_two_ways_on(workspace, monkeypatch):
    monkeypatch.setenv("MNIST_MIRROR", "no/own")
    lines = complaint().splitlines()
    named = [line.split(":")[0].strip() for line in lines if line.startswith("  ")]
    assert named == ["no/own", "no/first/", "no/second/"]
    assert "MNIST_MIRROR" in lines[-1]
    assert "make demo" in lines[-1]
    assert not (workspace / "data").exists()  # and no other data in their place
    assert not (workspace / "reports").exists()


def test_only_the_public_ones_are_named_where_there_is_no_other(workspace):
    named = [line.split(":")[0].strip() for line in complaint().splitlines() if line[0] == " "]
    assert named == ["no/first/", "no/second/"]


def test_a_cache_that_cannot_be_made_is_named(workspace, mirror, monkeypatch):
    (workspace / "cache").write_text("a file where a folder is to be")
    monkeypatch.setenv("MNIST_MIRROR", "http://127.0.0.1:1")
    (line,) = complaint().splitlines()
    assert str(workspace / "cache") in line
    assert "XDG_CACHE_HOME" in line
    assert "MNIST_MIRROR" not in line
    monkeypatch.setenv("MNIST_MIRROR", str(mirror))  # which needs no cache
    run(download.download)


def test_where_there_is_no_home_a_cache_can_be_named(workspace, mirror, monkeypatch):
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.delenv("HOME")
    monkeypatch.setattr("pwd.getpwuid", {}.__getitem__)  # no users, as in some containers
    monkeypatch.setenv("MNIST_MIRROR", "http://127.0.0.1:1")
    (line,) = complaint().splitlines()
    assert "XDG_CACHE_HOME" in line
    assert "MNIST_MIRROR" not in line
    monkeypatch.setenv("MNIST_MIRROR", str(mirror))
    run(download.download)
