"""What runs on Dask's workers: it is sent there whole, as they know none of our modules.

A worker has imported NumPy before its first task, too late to pin it. So it trains in processes of
the project's, whose folder it has been started in; `experiments.trials.trainer` says how they are
asked.
"""

import json
import os
import queue
import shutil
import subprocess
import sys
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from distributed import Worker, WorkerPlugin, get_worker

TRIM = "MALLOC_TRIM_THRESHOLD_"


class Trainers(WorkerPlugin):
    """The processes that train on a worker, one for each of its threads that does.

    Parameters
    ----------
    files : mapping of str to bytes
        What they need, by the path relative to the project's folder. It is sent to each worker once
        and removed there in the end.
    """

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self.name = f"trainers-{uuid.uuid4()}"
        self.files = files
        self.hello: dict[str, Any] = {}  # what a process of this worker would train with

    def setup(self, worker: Worker) -> None:  # noqa: ARG002 - Dask names it
        """Start the first process; it fails where there is no project."""
        self.processes: list[subprocess.Popen[str]] = []
        self.idle: queue.LifoQueue[subprocess.Popen[str]] = queue.LifoQueue()
        self.idle.put(self._start())

    def teardown(self, worker: Worker) -> None:  # noqa: ARG002
        """End the processes, and remove what they needed."""
        for process in self.processes:
            process.kill()
            _end(process)
        for path in self.files:
            # all that was made of it too, which lies beside its folder
            shutil.rmtree(Path(path).parents[1], ignore_errors=True)

    def ask(self, request: str) -> str:
        """What a process answers."""
        process = self._idle_process()
        with suppress(BrokenPipeError):
            print(request, file=process.stdin, flush=True)
        answer = _read(process)
        if not answer:
            raise RuntimeError(f"the process that trained has ended, with {_end(process)}")
        self.idle.put(process)
        return answer

    def _idle_process(self) -> subprocess.Popen[str]:
        while not self.idle.empty():
            with suppress(queue.Empty):  # another thread was faster
                process = self.idle.get_nowait()
                if process.poll() is None:
                    return process
                _end(process)  # as nobody has asked for long
        return self._start()

    def _start(self) -> subprocess.Popen[str]:
        for path, content in self.files.items():
            if not Path(path).exists():
                _write(Path(path), content)
        # Dask has memory given back at once, which takes a training 1.5 times as long.
        env = {name: value for name, value in os.environ.items() if name != TRIM}
        process = subprocess.Popen(
            [sys.executable, "-m", "experiments.trials.trainer"],
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        hello = _read(process)
        if not hello:
            raise RuntimeError(
                f"{sys.executable} -m experiments.trials.trainer has ended, with {_end(process)}, "
                f"in {Path.cwd()}, as the log of the worker says; start it in the project, with "
                "the Python that `make .venv/sweep` sets up there"
            )
        self.hello = json.loads(hello)
        self.processes.append(process)
        return process


def _read(process: subprocess.Popen[str]) -> str:
    """The next line of what a process says; empty if it has ended."""
    return next(iter(process.stdout or ()), "")


def _write(path: Path, content: bytes) -> None:
    """Write a file whole, whatever other workers of this machine do."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".part.{uuid.uuid4()}")
    part.write_bytes(content)
    part.replace(path)


def _end(process: subprocess.Popen[str]) -> int:
    """Close what leads to a process, which ends it, and give its exit status."""
    with suppress(BrokenPipeError), process:
        pass
    return process.returncode


def asker(name: str) -> Callable[[str], str]:
    """A function for workers: what a process of the plugin of this name answers."""

    def ask(request: str) -> str:
        return get_worker().plugins[name].ask(request)

    return ask  # a function in a function is sent whole, even as a part of a task


def hello(name: str, dask_worker: Worker) -> dict[str, Any]:
    """What the processes of a worker would train with."""
    return dask_worker.plugins[name].hello
