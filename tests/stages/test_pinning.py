"""The choice of the floating-point kernels, which must come before NumPy is imported."""

import json
import platform
import re
import subprocess
import sys

import pytest

from stages import cpu, why_not_promised
from tests.conftest import QEMU, needs_promise, needs_qemu
from tools.checkouts import ROOT, STAGES

CODE = """
import json, os, sys
import stages
early = "numpy" not in sys.modules
import numpy
from threadpoolctl import threadpool_info
print(json.dumps([early, [(i["architecture"], i["num_threads"]) for i in threadpool_info()]]))
"""


def test_importing_stages_leaves_ctrl_c_alone():
    # set first, as a shell lets what it starts in the background ignore Ctrl-C
    code = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); import stages; "
        "print(signal.getsignal(signal.SIGINT).__name__)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True
    )
    assert done.stdout == "default_int_handler\n"


@pytest.mark.parametrize("stage", STAGES)
def test_a_python_without_the_packages_is_told_how_to_get_them(stage):
    done = subprocess.run(
        [sys.executable, "-S", "-m", f"stages.{stage}"],  # without site-packages
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert re.fullmatch(
        rf"error: No module named '\w+': this is {re.escape(sys.executable)}, .*activate\n",
        done.stderr,
    )


def test_a_module_of_ours_that_is_missing_is_a_bug(checkout):
    (checkout.path / "nnlib/data/samples.py").unlink()
    output = checkout.run(sys.executable, "-m", "stages.train", ok=False)
    assert "Traceback" in output
    assert output.endswith("No module named 'nnlib.data.samples'\n")


@needs_promise
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


@needs_qemu
@pytest.mark.parametrize(
    ("model", "lacking"),
    [
        ("Haswell", ""),
        ("Haswell,-movbe", "movbe"),
        ("Haswell,-xsave", "avx2, fma, f16c"),  # the system does not save their registers
        ("Opteron_G5", "avx2, bmi1, bmi2, movbe"),
        ("SandyBridge", "avx2, fma, bmi1, bmi2, f16c, abm, movbe"),
    ],
)
def test_a_cpu_that_lacks_what_the_kernels_need_is_left_alone(monkeypatch, model, lacking):
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Nehalem")
    code = (
        "import os, stages; print(stages.NOT_PROMISED, os.environ['OPENBLAS_CORETYPE'], sep='\\n')"
    )
    done = subprocess.run(
        [QEMU, "-cpu", model, sys.executable, "-c", code],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout.splitlines() == (
        [f"the CPU is not x86-64-v3, as it lacks {lacking}", "Nehalem"]
        if lacking
        else ["None", "Haswell"]
    )


# What Linux says of an Intel Sandy Bridge and of an AMD Zen, shortened.
SANDY_BRIDGE = "fpu sse4_2 x2apic popcnt aes xsave avx lahf_lm pti"
ZEN = "fpu sse4_2 movbe popcnt aes xsave avx f16c rdrand lahf_lm abm sse4a bmi1 avx2 smep bmi2 fma"


@pytest.mark.parametrize(
    ("flags", "lacking"),
    [(ZEN, []), (SANDY_BRIDGE, ["avx2", "fma", "bmi1", "bmi2", "f16c", "abm", "movbe"])],
)
def test_another_c_library_leaves_it_to_linux(monkeypatch, tmp_path, flags, lacking):
    path = tmp_path / "cpuinfo"
    path.write_text(f"processor\t: 0\nflags\t\t: {flags}\nbugs\t\t: spectre_v2\n")
    monkeypatch.setattr(cpu, "CPUINFO", path)
    monkeypatch.setattr(cpu.ctypes, "CDLL", lambda name: object())
    assert cpu.lacking_features() == lacking


def test_another_architecture_is_left_alone(monkeypatch):
    monkeypatch.setattr(platform, "system", lambda: "Linux")
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    assert why_not_promised() == "this is Linux on aarch64, not Linux on x86_64"
