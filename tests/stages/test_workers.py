"""The processes that share work, started from a script: pytest's own process may have threads."""

import os
import signal
import subprocess
import sys

import pytest

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


@pytest.mark.parametrize("start_method", ["fork", "spawn"])
def test_others_do_the_work_and_their_errors_come_back(run, start_method):
    done = run(WORK, start_method)
    assert done.stderr == ""
    error, who = done.stdout.splitlines()
    assert error == "UserError what the user can fix"
    assert who in {f"False {n}" for n in range(1, min(3, os.cpu_count()) + 1)}


@pytest.mark.parametrize("start_method", ["fork", "spawn"])
def test_they_end_with_a_process_that_is_killed(run, start_method):
    assert run(KILLED, start_method).returncode == -signal.SIGKILL


@pytest.mark.parametrize("start_method", ["fork", "spawn"])
def test_after_an_error_what_has_not_begun_is_not_done(run, start_method, tmp_path):
    assert run(FAILED, start_method).returncode == 3
    assert len([*tmp_path.glob("script.py.*")]) <= 2 * os.cpu_count() + 1


@pytest.mark.parametrize("start_method", ["fork", "spawn"])
def test_without_shared_memory_this_process_does_the_work(run, start_method):
    done = run(NO_LOCKS + WORK, start_method)
    assert done.stderr == ""
    assert done.stdout.splitlines() == ["UserError what the user can fix", "True 1"]
