"""The stages of the pipeline, one module each, which DVC runs as `python -m stages.NAME`.

This is the one place that pins how floating-point numbers are computed. NumPy's OpenBLAS picks its
kernels by the CPU and splits a product by the number of threads; NumPy picks its loops by the CPU.
Each choice rounds differently, and 10,000 updates amplify the difference. So every CPU that can run
the kernels for AVX2 and FMA gets these, and one thread. Python imports this file
before any stage, and so before NumPy, which reads these variables when it is first imported.

For speed on one machine instead, set UNPINNED=1, and do not commit that dvc.lock. Then, and on
other machines, where these kernels could not run or would round differently, NumPy chooses. But
OpenBLAS has one thread unless OPENBLAS_NUM_THREADS says otherwise: the training runs threads of its
own, which OpenBLAS's would slow down at the default sizes.

Under `python -m stages.NAME` this is also the first of the project's code to run. So it makes
Ctrl-C end a stage at once, even during the imports, without a traceback, ends a stage with the DVC
that runs it, and explains what to do about a Python without the project's packages.
"""

import ctypes
import os
import platform
import signal
import sys
import threading
import time
from types import TracebackType

from stages.cpu import lacking_features

OURS = ("nnlib", "stages", "experiments")
PR_SET_PDEATHSIG = 1  # of Linux's prctl


def end_with_parent() -> None:
    """End this process with the one that has started it, even if that one is killed.

    The two must be in one process group, as a process and those that it starts are by default.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, ctypes.c_ulong(signal.SIGKILL))
    else:
        threading.Thread(target=_wait_for_the_end_of, args=[os.getppid()], daemon=True).start()
    if os.getpgid(os.getppid()) != os.getpgrp():  # it has ended before this, and init is the parent
        os.kill(os.getpid(), signal.SIGKILL)


def _wait_for_the_end_of(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.1)
    os.kill(os.getpid(), signal.SIGKILL)


def say_what_is_missing(
    kind: type[BaseException], error: BaseException, traceback: TracebackType | None
) -> None:
    """Print what ends the program: for a missing package, what to do instead of a traceback."""
    if isinstance(error, ModuleNotFoundError) and str(error.name).split(".")[0] not in OURS:
        print(
            f"error: {error}: this is {sys.executable}, without the project's packages; activate "
            "the environment that has them, which `make` sets up: . .venv/bin/activate",
            file=sys.stderr,
        )
    else:
        sys.__excepthook__(kind, error, traceback)


if sys.argv[:1] == ["-m"]:  # its value while Python looks for the module that -m names
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if "DVC_STAGE" in os.environ:  # DVC sets it for a stage, which would overwrite the next run's
        end_with_parent()
    sys.excepthook = say_what_is_missing


def why_not_promised() -> str | None:
    """Why the same bytes cannot be promised on this machine, or None if they can."""
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        return f"this is {platform.system()} on {platform.machine()}, not Linux on x86_64"
    lacking = lacking_features()
    return f"the CPU is not x86-64-v3, as it lacks {', '.join(lacking)}" if lacking else None


UNPINNED = os.environ.get("UNPINNED") == "1"  # the user's choice
NOT_PROMISED = why_not_promised()
PINNED = NOT_PROMISED is None and not UNPINNED

if PINNED:
    os.environ["OPENBLAS_CORETYPE"] = "Haswell"
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    os.environ["NPY_DISABLE_CPU_FEATURES"] = "X86_V4 AVX512_ICL AVX512_SPR"
    os.environ.pop("NPY_ENABLE_CPU_FEATURES", None)  # NumPy refuses to start with both
else:
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
