"""`make verify`, on a checkout whose results are right, or not quite."""

import shutil
import sys

import pytest
import yaml

from tests.conftest import QEMU, needs_promise, needs_qemu
from tools.verify import first_difference, is_close

VERIFY = (sys.executable, "-m", "tools.verify")


def commit(checkout):
    checkout.run("git", "commit", "--quiet", "--all", "--message", "changed")


def shorten(checkout, stages, python="python"):
    """Leave only the first stages of the pipeline, run by another Python."""
    path = checkout.path / "dvc.yaml"
    pipeline = dict([*yaml.safe_load(path.read_text())["stages"].items()][:stages])
    for stage in pipeline.values():
        stage["cmd"] = stage["cmd"].replace("python", python)
    path.write_text(yaml.safe_dump({"stages": pipeline}))


@needs_promise
def test_what_is_committed_is_rebuilt_byte_by_byte(checkout):
    shorten(checkout, stages=3)
    commit(checkout)
    (checkout.path / "reports/confusion.md").write_text("not committed, so not looked at")
    output = checkout.run(*VERIFY)
    assert output.splitlines()[-1] == "Compared byte by byte: the same."


@pytest.mark.slow
@needs_promise
def test_what_differs_is_listed_with_its_first_difference(checkout):
    shorten(checkout, stages=3)
    path = checkout.path / "reports/normalize.json"
    path.write_text(path.read_text().replace('"pixels": 784', '"pixels": 783'))
    (checkout.path / "reports/download.json").unlink()
    commit(checkout)
    lines = checkout.run(*VERIFY, ok=False).splitlines()
    assert lines[-1] == "Compared byte by byte: different."
    assert (
        "reports/normalize.json: line 3 was '  \"pixels\": 783,', is '  \"pixels\": 784,'" in lines
    )
    assert "reports/download.json: not committed" in lines


@pytest.mark.slow
@needs_promise
def test_what_was_imported_comes_from_the_cache(checkout):
    imported = checkout.path / "data/imported/files"
    shutil.copytree(checkout.path / "data/raw", imported)
    checkout.run("dvc", "add", "data/imported/files")
    checkout.set_params({"data.source": "imported"})
    shorten(checkout, stages=3)
    checkout.run("dvc", "repro")
    checkout.run("git", "add", "--all")
    commit(checkout)
    shutil.rmtree(imported)  # of the workspace, which is not what is verified
    assert checkout.run(*VERIFY).splitlines()[-1] == "Compared byte by byte: the same."
    shutil.rmtree(checkout.path / ".dvc/cache")
    said = checkout.run(*VERIFY, ok=False)
    assert "data/imported/files" in said
    assert "Compared" not in said


@pytest.mark.slow
def test_unpinned_the_metrics_alone_are_compared(checkout, monkeypatch):
    monkeypatch.setenv("UNPINNED", "1")
    shorten(checkout, stages=2)
    path = checkout.path / "reports/download.json"
    path.write_text(path.read_text().replace('"train": 2000', '"train": 3000'))
    commit(checkout)
    *lines, problem, last = checkout.run(*VERIFY, ok=False).splitlines()
    assert "The same bytes cannot be promised here: UNPINNED is set." in lines
    assert problem.startswith("reports/download.json: samples.train was 3000")
    assert last == "Compared the metrics alone, to within 10% or 0.01: different."


@needs_qemu
@pytest.mark.parametrize(
    "stages",
    [pytest.param(2, marks=pytest.mark.slow), pytest.param(7, marks=pytest.mark.long)],
)
def test_without_avx2_the_metrics_alone_are_compared(checkout, monkeypatch, stages):
    for name in ("OPENBLAS_CORETYPE", "NPY_DISABLE_CPU_FEATURES"):
        monkeypatch.delenv(name, raising=False)  # set where this process is pinned
    python = f"{QEMU} -cpu SandyBridge {sys.executable}"
    shorten(checkout, stages, python)
    commit(checkout)
    lines = checkout.run(*python.split(), "-m", "tools.verify").splitlines()
    reason = "he same bytes cannot be promised here: the CPU is not x86-64-v3, as it lacks avx2"
    said = [line.split(reason)[0] for line in lines if reason in line]
    assert sorted(said) == ["T", *["note: t"] * stages]  # by verify, and by each stage
    assert "Compared the metrics alone, to within 10% or 0.01: the same." in lines


@pytest.mark.parametrize(
    ("old", "new", "close"),
    [
        (0.94, 0.945, True),
        (0.94, 0.8, False),
        (0.001, 0.009, True),
        (500, 540, True),
        (500, 600, False),
        ("mnist", "mnist", True),
        ("mnist", "synthetic", False),
        (None, None, True),
        (None, 0.5, False),
    ],
)
def test_the_tolerance(old, new, close):
    assert is_close(old, new) == close


@pytest.mark.parametrize(
    ("committed", "rebuilt", "difference"),
    [
        (b"", b"a", "not committed"),
        (b"a", b"", "not rebuilt"),
        (b"a\nb\n", b"a\nc\n", "line 2 was 'b', is 'c'"),
        (b"a\n", b"a\nb\n", "line 2 was '', is 'b'"),
        (b"\0ab", b"\0ac", "differs from byte 2 on"),
        (b"\0a", b"\0ab", "differs from byte 2 on"),
    ],
)
def test_the_first_difference(committed, rebuilt, difference):
    assert first_difference(committed, rebuilt) == difference
