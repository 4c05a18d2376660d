"""Worker processes."""

import multiprocessing
import os
import sys
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Literal

from stages import end_with_parent


def cores() -> int:
    """How many there are to use."""
    return os.cpu_count() or 1


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
