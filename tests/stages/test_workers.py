"""The processes that share work, started from a script: pytest's own process may have threads."""

import os
import signal
import subprocess
import sys

import pytest

from stages import workers
from stages.workers import cores
from tests.conftest import NO_LOCKS
from tools.checkouts import ROOT

WORK = """
import os, sys
from nnlib.base.errors import UserError
from stages.workers import worker_processes

def refuse():
    raise UserError("what the user can fix")

if __name__ == "__main__":
    with worker_processes(3, sys.argv[1]) as workers:
        refused = workers.submit(refuse)
        pids = {workers.submit(os.getpid).result() for _ in range(10)}
        print(type(refused.exception()).__name__, refused.exception())
        print(os.getpid() in pids, len(pids))
"""
KILLED = """
import os, signal, sys
from stages.workers import worker_processes

if __name__ == "__main__":
    with worker_processes(2, sys.argv[1]) as workers:
        workers.submit(os.getpid).result()
        os.kill(os.getpid(), signal.SIGKILL)
"""
FAILED = """
import sys, time
from pathlib import Path
from stages.workers import worker_processes

def work(path):
    time.sleep(0.05)
    path.touch()

if __name__ == "__main__":
    with worker_processes(100, sys.argv[1]) as workers:
        for task in range(100):
            workers.submit(work, Path(sys.argv[0] + f".{task}"))
        raise SystemExit(3)
"""


@pytest.fixture
def run(tmp_path):
    """Runs a script with a start method, until all processes that share its output have ended."""

    def run(script, start_method):
        path = tmp_path / "script.py"
        path.write_text(script)
        return subprocess.run(
            [sys.executable, "-W", "error", path, start_method],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            check=False,
            capture_output=True,
            text=True,
            timeout=60,
        )

    return run


V1, V2 = "4:memory:/job\n3:cpu,cpuacct:/job/step\n0::/", "0::/user.slice/job"


@pytest.fixture
def groups(tmp_path, monkeypatch):
    """Puts this process into control groups, with the files that their folders hold."""

    def groups(own, files):
        (tmp_path / "own").write_text(f"{own}\n")
        monkeypatch.setattr(workers, "OWN_CGROUPS", tmp_path / "own")
        monkeypatch.setattr(workers, "CGROUPS", tmp_path / "groups")
        monkeypatch.setattr(os, "sched_getaffinity", lambda _: range(64))
        for name, text in files.items():
            path = tmp_path / "groups" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{text}\n")

    return groups


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has control groups")
@pytest.mark.parametrize(
    ("own", "files", "expected"),
    [
        (V2, {}, 64),
        (V2, {"user.slice/job/cpu.max": "max 100000"}, 64),
        (V2, {"user.slice/job/cpu.max": "300000 100000"}, 3),
        (V2, {"user.slice/job/cpu.max": "250000 100000"}, 3),
        (V2, {"user.slice/job/cpu.max": "5000 100000"}, 1),
        (V2, {"user.slice/cpu.max": "200000 100000", "user.slice/job/cpu.max": "max 100000"}, 2),
        (V2, {"cpu.max": "200000 50000"}, 4),  # a container's own, where its name is another
        (V1, {"cpu/job/step/cpu.cfs_quota_us": -1, "cpu/job/step/cpu.cfs_period_us": 100000}, 64),
        (V1, {"cpu/job/cpu.cfs_quota_us": 150000, "cpu/job/cpu.cfs_period_us": 50000}, 3),
        (V1, {"cpu/cpu.cfs_quota_us": 200000, "cpu/cpu.cfs_period_us": 100000}, 2),
        (V1, {"memory/job/cpu.max": "100000 100000"}, 64),
    ],
)
def test_the_quota_of_a_control_group_is_kept(groups, own, files, expected):
    groups(own, files)
    assert cores() == expected


def test_a_kernel_without_control_groups_keeps_no_core_back(tmp_path, monkeypatch):
    monkeypatch.setattr(workers, "OWN_CGROUPS", tmp_path / "missing")
    assert cores() >= 1


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux binds a process to cores")
def test_the_cores_that_a_process_is_bound_to_are_counted():
    code = "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))}); "
    code += "from stages.workers import cores; print(cores())"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True
    )
    assert done.stdout == "1\n"


@pytest.mark.parametrize("start_method", ["fork", "spawn"])
def test_others_do_the_work_and_their_errors_come_back(run, start_method):
    done = run(WORK, start_method)
    assert done.stderr == ""
    error, who = done.stdout.splitlines()
    assert error == "UserError what the user can fix"
    assert who in {f"False {n}" for n in range(1, min(3, cores()) + 1)}


@pytest.mark.parametrize("start_method", ["fork", "spawn"])
def test_they_end_with_a_process_that_is_killed(run, start_method):
    assert run(KILLED, start_method).returncode == -signal.SIGKILL


@pytest.mark.parametrize("start_method", ["fork", "spawn"])
def test_after_an_error_what_has_not_begun_is_not_done(run, start_method, tmp_path):
    assert run(FAILED, start_method).returncode == 3
    assert len([*tmp_path.glob("script.py.*")]) <= 2 * cores() + 1


@pytest.mark.parametrize("start_method", ["fork", "spawn"])
def test_without_shared_memory_this_process_does_the_work(run, start_method):
    done = run(NO_LOCKS + WORK, start_method)
    assert done.stderr == ""
    assert done.stdout.splitlines() == ["UserError what the user can fix", "True 1"]
