"""The processes that share work."""

import os
import signal
import subprocess
import sys

import pytest

from nnlib.errors import UserError
from nnlib.workers import worker_processes
from tests.checkouts import ROOT

METHODS = ("fork", "spawn")
KILLED = """
import os, signal, sys
from nnlib.workers import worker_processes

workers = worker_processes(2, sys.argv[1])
workers.submit(os.getpid).result()
os.kill(os.getpid(), signal.SIGKILL)
"""


def refuse():
    raise UserError("what the user can mend")


@pytest.mark.parametrize("start_method", METHODS)
def test_tasks_are_done_by_others_and_their_errors_come_back(start_method):
    with worker_processes(3, start_method) as workers:
        refused = workers.submit(refuse)
        pids = {workers.submit(os.getpid).result() for _ in range(10)}
        with pytest.raises(UserError, match="what the user can mend"):
            refused.result()
    assert os.getpid() not in pids
    assert len(pids) <= min(3, os.cpu_count())


@pytest.mark.parametrize("start_method", METHODS)
def test_they_end_with_a_process_that_is_killed(start_method):
    command = [sys.executable, "-c", KILLED, start_method]
    # a killed process's output ends when all who share it have ended
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, timeout=60)
    assert done.returncode == -signal.SIGKILL
