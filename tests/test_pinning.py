"""The choice of the floating-point kernels, which must come before NumPy is imported."""

import json
import platform
import subprocess
import sys

import pytest

from tools.checkouts import ROOT

CODE = """
import json, os, sys
import stages
early = "numpy" not in sys.modules
import numpy
from threadpoolctl import threadpool_info
print(json.dumps([early, [(i["architecture"], i["num_threads"]) for i in threadpool_info()]]))
"""


def test_importing_stages_leaves_ctrl_c_alone():
    code = "import signal, stages; print(signal.getsignal(signal.SIGINT).__name__)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True
    )
    assert done.stdout == "default_int_handler\n"


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="only x86-64 is pinned")
def test_importing_stages_gives_numpy_one_thread_and_one_kernel(monkeypatch):
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "2")
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Sandybridge")
    done = subprocess.run(
        [sys.executable, "-c", CODE],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    assert json.loads(done.stdout) == [True, [["Haswell", 1]]]
