"""Worker processes, and the number of cores to use."""

import math
import multiprocessing
import os
import sys
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal

from stages import end_with_parent

CGROUPS = Path("/sys/fs/cgroup")
OWN_CGROUPS = Path("/proc/self/cgroup")


def cores() -> int:
    """How many this process may use: not those that taskset, SLURM or a container keep from it."""
    if sys.platform != "linux":
        return os.cpu_count() or 1
    return min([len(os.sched_getaffinity(0)), *map(math.ceil, _quotas())])


def _quotas() -> Iterator[float]:
    """The cores' worth of time that each of this process's control groups may take."""
    own = OWN_CGROUPS.read_text(encoding="utf-8") if OWN_CGROUPS.exists() else ""
    for line in own.splitlines():
        _, controllers, name = line.split(":", 2)
        if not controllers:  # version 2
            folder, files = CGROUPS, ["cpu.max"]
        elif "cpu" in controllers.split(","):  # version 1
            folder, files = CGROUPS / "cpu", ["cpu.cfs_quota_us", "cpu.cfs_period_us"]
        else:
            continue
        group = folder / name.strip("/")
        for each in (group, *group.parents):  # which limit it too
            with suppress(OSError):
                quota, period = " ".join((each / file).read_text() for file in files).split()
                if quota not in ("max", "-1"):
                    yield int(quota) / int(period)


@contextmanager
def worker_processes(tasks: int, start_method: Literal["fork", "spawn"]) -> Iterator[Executor]:
    """One process per core, or per task if fewer; they end with this one, even if it is killed.

    After an error, tasks that have not started are cancelled.

    If the system has no shared memory, which processes need for their locks, such as in a
    container without `/dev/shm`, a thread of this process does all the work.

    Parameters
    ----------
    tasks : int
        How many there are to do.
    start_method : str
        "spawn" starts Python again. "fork" copies this process with all that it has imported, which
        is faster, and safe where this is its only thread; outside Linux it is not, and "spawn"
        takes its place.
    """
    context = multiprocessing.get_context(start_method if sys.platform == "linux" else "spawn")
    processes = min(cores(), tasks)
    workers: Executor
    try:
        workers = ProcessPoolExecutor(processes, mp_context=context, initializer=end_with_parent)
    except (OSError, ImportError, NotImplementedError):
        workers = ThreadPoolExecutor(1)
    try:
        yield workers
    except BaseException:
        workers.shutdown(cancel_futures=True)
        raise
    workers.shutdown()
