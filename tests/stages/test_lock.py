"""The lock that one process at a time holds."""

import subprocess
import sys

import pytest

from nnlib.base.errors import UserError
from stages.lock import only_one
from tools.checkouts import ROOT

HOLD = """
import time
from stages.lock import only_one

with only_one("report"):
    print(flush=True)
    time.sleep(600)
"""


@pytest.fixture
def holder(tmp_path, monkeypatch):
    """A process that holds the lock on the report in this folder."""
    monkeypatch.chdir(tmp_path)
    command = [sys.executable, "-c", HOLD]
    with subprocess.Popen(
        command, env={"PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE
    ) as process:
        process.stdout.readline()
        yield process
        process.kill()


def test_the_second_is_told_of_the_first(holder):
    for _ in range(2):
        with (
            pytest.raises(
                UserError, match=rf"process \({holder.pid}\) is working on the report in "
            ),
            only_one("report"),
        ):
            pytest.fail("both hold it")
    with only_one("notebook"):  # is something else
        pass


def test_a_lock_ends_with_its_process(holder):
    holder.kill()
    holder.wait()
    for _ in range(2):
        with only_one("report"):
            pass


def test_a_lock_ends_with_an_error(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        with pytest.raises(KeyError), only_one("report"):
            raise KeyError
