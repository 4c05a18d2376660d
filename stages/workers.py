"""Processes to share work with."""

import multiprocessing
import os
import sys
import threading
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from typing import Literal


def worker_processes(tasks: int, start_method: Literal["fork", "spawn"]) -> Executor:
    """One process per core, or per task if fewer; they end with this one, even if it is killed.

    Where the system has no shared memory, which processes need for their locks, such as in a
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
    processes = min(os.cpu_count() or 1, tasks)
    try:
        return ProcessPoolExecutor(processes, mp_context=context, initializer=_end_with_parent)
    except (OSError, ImportError, NotImplementedError):
        return ThreadPoolExecutor(1)


def _end_with_parent() -> None:
    """End this process with its parent, which it would otherwise wait for forever."""
    parent = multiprocessing.parent_process()

    def wait() -> None:
        if parent:
            parent.join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()
