"""What a machine can do to a pipeline: kill it, stop it, run out of disk, refuse to write."""

import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest

from tests.conftest import read_until
from tools.checkouts import ROOT, STAGES

# Mounts in a namespace of its own, which ends with the command.
NAMESPACE = ("unshare", "--user", "--map-root-user", "--mount")
HAS_NAMESPACE = (
    shutil.which("unshare") is not None
    and subprocess.run([*NAMESPACE, "true"], check=False, capture_output=True).returncode == 0
)
needs_namespace = pytest.mark.skipif(not HAS_NAMESPACE, reason="unshare cannot make a namespace")


def outputs(checkout):
    """The files of data and reports, except those being written or that DVC tries links with."""
    return {
        path.relative_to(checkout.path).as_posix(): path.read_bytes()
        for folder in ("data", "reports")
        for path in (checkout.path / folder).rglob("*")
        if path.is_file() and ".part." not in path.name and path.suffix != ".tmp"
    }


def assert_rebuilt(checkout, expected):
    """The next `dvc repro` makes what it would have made anyway."""
    checkout.run("dvc", "repro")
    assert outputs(checkout) == expected
    assert checkout.run("git", "status", "--porcelain") == ""


def kill_at_random(checkout, seed):
    """Kill a stage that `dvc repro` runs at a random moment, and look at what is left.

    Returns DVC's exit code, which is 0 if the stage was quicker; then all is there.
    """
    expected = outputs(checkout)
    stage = STAGES[seed % len(STAGES)]
    repro = checkout.start("dvc", "repro", "--force", "--single-item", stage)
    read_until(repro, f"Running stage '{stage}'")
    time.sleep(random.Random(seed).uniform(0, 1.5 if stage == "analyse" else 0.4))  # noqa: S311
    processes = []
    while repro.poll() is None and not processes:
        time.sleep(0.001)  # DVC is about to begin, or between this stage and the next one
        processes = psutil.Process(repro.pid).children(recursive=True)
    for process in processes:
        process.kill()
    output, _ = repro.communicate()
    if repro.returncode == 0:
        assert outputs(checkout) == expected
    else:
        assert "failed to reproduce" in output
    assert "Traceback" not in output
    for name, content in outputs(checkout).items():
        assert content == expected[name], f"{name} is not whole"
    assert_rebuilt(checkout, expected)
    return repro.returncode


@pytest.mark.parametrize("seed", range(3, 5))
def test_killed(checkout, seed):
    assert kill_at_random(checkout, seed) != 0


@pytest.mark.long
@pytest.mark.parametrize("seed", range(100, 140))
def test_killed_forty_times(checkout, seed):
    kill_at_random(checkout, seed)


# A shell that starts its last command, too, as a process of its own.
SHELL = """#!/bin/sh
trap : USR1
shift
eval "$1"
"""


@pytest.mark.parametrize(
    ("stage", "sent"),
    [
        ("train", signal.SIGKILL),
        pytest.param("train", signal.SIGTERM, marks=pytest.mark.slow),
        pytest.param("repeat", signal.SIGKILL, marks=pytest.mark.slow),
    ],
)
def test_a_stage_and_its_processes_end_with_dvc(checkout, tmp_path, monkeypatch, stage, sent):
    expected, params = outputs(checkout), (checkout.path / "params.yaml").read_text()
    (tmp_path / "shell").write_text(SHELL)
    (tmp_path / "shell").chmod(0o755)
    monkeypatch.setenv("SHELL", str(tmp_path / "shell"))
    checkout.set_params({"train.iterations": 200_000, "repeat.seeds": 2})
    repro = checkout.start("dvc", "repro", "--single-item", stage)
    read_until(repro, f"Running stage '{stage}'")
    time.sleep(1)
    repro.send_signal(sent)
    repro.communicate(timeout=5)  # returns once all that share its output have ended
    (checkout.path / "params.yaml").write_text(params)
    assert_rebuilt(checkout, expected)


def test_a_stage_whose_dvc_has_ended_does_nothing(checkout):
    checkout.set_params({"train.iterations": 0})  # of which it would complain
    start = f"(sleep 0.3; DVC_STAGE=train exec {sys.executable} -m stages.train) &"
    output, _ = checkout.start("sh", "-c", start).communicate(timeout=60)
    assert output == ""


def assert_interrupted(process):
    """Interrupt a running stage, which must end by the signal and say nothing about it."""
    os.killpg(process.pid, signal.SIGINT)
    output, _ = process.communicate()
    assert "Traceback" not in output
    assert process.returncode == -signal.SIGINT


@pytest.mark.slow
@pytest.mark.parametrize("stage", STAGES)
def test_ctrl_c_among_the_imports_leaves_no_traceback(checkout, stage):
    process = checkout.start(sys.executable, "-m", f"stages.{stage}")
    maps = Path(f"/proc/{process.pid}/maps")
    while "numpy" not in maps.read_text():
        time.sleep(0.01)  # Python itself is still starting, or importing stages
    assert_interrupted(process)


@pytest.mark.slow
@pytest.mark.parametrize("stage", STAGES)
def test_ctrl_c_after_the_imports_leaves_no_traceback(checkout, stage):
    params = checkout.path / "params.yaml"
    params.unlink()
    os.mkfifo(params)
    process = checkout.start(sys.executable, "-m", f"stages.{stage}")
    with params.open("w"):  # opens once the stage opens it to read; the stage then waits for text
        assert_interrupted(process)


def halve(path):
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[: len(lines) // 2]))


def one_more_row(path):
    np.save(path, np.zeros((1, 500), np.uint8))


def copy_of(name):
    return lambda path: shutil.copyfile(path.with_name(name), path)


def of_standard(path):
    path.write_text(path.read_text().replace("unit", "standard").replace(": 1.0", ": 0.3"))


# What each stage reads, cut or swapped so that it is still a file of its kind.
SPOILT = [
    ("analyse", "training/loss.csv", halve),
    ("analyse", "training/history.csv", halve),
    ("analyse", "repeats/predictions.npy", one_more_row),
    ("analyse", "predictions/test.csv", halve),
    ("analyse", "predictions/test.csv", copy_of("untrained.csv")),
    ("analyse", "predictions/untrained.csv", copy_of("test.csv")),
    ("analyse", "models/trained.npz", copy_of("untrained.npz")),
    ("analyse", "normalized/encoding.json", of_standard),
    ("evaluate", "normalized/encoding.json", of_standard),
    ("evaluate", "normalized/x_test.npy", copy_of("x_train.npy")),
]


@pytest.mark.slow
@pytest.mark.parametrize(("stage", "name", "spoil"), SPOILT)
def test_a_file_that_is_not_what_the_others_say_is_refused(checkout, stage, name, spoil):
    path = checkout.path / "data" / name
    path.chmod(0o600)
    spoil(path)
    expected = outputs(checkout)
    output = checkout.run(sys.executable, "-m", f"stages.{stage}", ok=False)
    assert re.fullmatch(r"error: data/.*; `dvc repro` rebuilds it\n", output)
    assert outputs(checkout) == expected


@pytest.mark.slow
def test_ctrl_c_in_dvc_leaves_no_traceback(checkout):
    expected = outputs(checkout)
    repro = checkout.start("dvc", "repro", "--force")
    for line in repro.stdout:
        if line.startswith("> exec python -m stages.train"):
            break
    time.sleep(0.2)
    os.killpg(repro.pid, signal.SIGINT)
    output, _ = repro.communicate()
    assert "Traceback" not in output
    assert repro.returncode != 0
    assert_rebuilt(checkout, expected)


@pytest.mark.slow
@needs_namespace
@pytest.mark.parametrize("stage", STAGES)
def test_a_full_disk(checkout, stage):
    full = (
        "mount -t tmpfs -o size=64M tmpfs /mnt && cp -r data reports /mnt && "
        "mount --bind /mnt/data data && mount --bind /mnt/reports reports && "
        "(head -c 100M /dev/zero >/mnt/filler || true) 2>/dev/null; "
        f"{sys.executable} -m stages.{stage}; code=$?; "
        "umount data reports && diff -r data /mnt/data && diff -r reports /mnt/reports; exit $code"
    )
    output = checkout.run(*NAMESPACE, "sh", "-c", full, ok=False)
    (line,) = output.splitlines()  # no traceback, and no difference
    assert re.search(r"^error: (data|reports)/\S+ cannot be written: No space left", line)


@pytest.mark.slow
@needs_namespace
@pytest.mark.parametrize("folder", ["data", "reports"])
@pytest.mark.parametrize("stage", STAGES)
def test_a_folder_that_is_read_only(checkout, stage, folder):
    expected = outputs(checkout)
    read_only = (
        f"mount --bind {folder} {folder} && mount -o remount,ro,bind {folder} && "
        f"{sys.executable} -m stages.{stage}"
    )
    output = checkout.run(*NAMESPACE, "sh", "-c", read_only, ok=False)
    assert re.search(rf"error: {folder}/\S+ cannot be written: Read-only file system", output)
    assert "Traceback" not in output
    assert outputs(checkout) == expected


@needs_namespace
@pytest.mark.parametrize(
    ("options", "reason"), [("ro", "Read-only file system"), ("nr_inodes=1", "No space left")]
)
def test_a_cache_of_downloads_that_cannot_be_written(tmp_path, committed_params, options, reason):
    params = re.sub(r"\bsource: \w+", "source: mnist", committed_params.read_text())
    (tmp_path / "params.yaml").write_text(params)
    (tmp_path / "two-layer-net").mkdir()
    spoilt = (
        f"mount -t tmpfs -o {options} tmpfs two-layer-net && {sys.executable} -m stages.download"
    )
    env = {"PYTHONPATH": ROOT, "XDG_CACHE_HOME": tmp_path, "MNIST_MIRROR": "http://127.0.0.1:1"}
    done = subprocess.run(
        [*NAMESPACE, "sh", "-c", spoilt],
        cwd=tmp_path,
        env=os.environ | env,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()  # no mirror was asked
    assert f"{tmp_path}/two-layer-net/mnist: {reason}" in line
    assert "XDG_CACHE_HOME" in line


@pytest.mark.slow
def test_of_two_at_once_one_says_why_not_or_waits(checkout):
    expected = outputs(checkout)
    both = [checkout.start("dvc", "repro", "--force", "normalize") for _ in range(2)]
    ended = [(process.communicate()[0], process.returncode) for process in both]
    assert any(code == 0 for _, code in ended)
    for output, code in ended:
        assert "Traceback" not in output
        if code:
            assert "lock" in output.lower()
    assert_rebuilt(checkout, expected)
