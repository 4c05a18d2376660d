"""Tasks on a cluster of Dask, of this machine's cores or wherever its scheduler is."""

import asyncio
import itertools
import logging
import signal
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

import dask
from distributed import Client, LocalCluster, as_completed
from distributed.protocol.pickle import dumps, loads

from experiments.sweep.worker import CONFIG
from nnlib.base.errors import UserError
from stages.workers import cores

SECONDS = 10  # to find a scheduler, and for a worker to join it
RETRIES = 2  # of a task that raises an error; one whose worker dies is tried four times
AT_ONCE = 1000  # tasks that are submitted, more than the workers have threads
START = "start it in the project's folder: .venv/bin/python -m experiments.sweep.worker"

T = TypeVar("T")


@contextmanager
def open_cluster(address: str | None, most_workers: int) -> Iterator[Client]:
    """Connect to a scheduler.

    Parameters
    ----------
    address : str or None
        Of the scheduler, such as tcp://10.0.0.1:8786; None for one of this process's own, with a
        worker for each core, which listens on the loopback interface alone, and to this process
        and its workers alone.
    most_workers : int
        How many workers are of use, if they are our own.

    Raises
    ------
    UserError
        If there is no scheduler, or no worker, or one with other versions of what they share.
    """
    logging.disable()  # what Dask logs of workers and schedulers that die is told in one line
    if address is None:
        workers = min(cores(), most_workers)
        with _local_cluster(workers) as cluster, Client(cluster) as client:
            yield client
        return
    try:
        client = Client(address, timeout=SECONDS)
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise UserError(f"no scheduler answers at {address}: {reason}") from error
    try:
        _wait_for_a_worker(client)
        check_versions(client.get_versions())
        yield client
    finally:
        with suppress(TimeoutError):  # the scheduler may be gone
            client.close()


def _wait_for_a_worker(client: Client) -> None:
    try:
        client.wait_for_workers(1, timeout=SECONDS)
    except TimeoutError as error:
        address = client.scheduler.address
        raise UserError(
            f"no worker has joined the scheduler at {address}; on each machine, {START} {address}"
        ) from error


def ask_workers(client: Client, function: Callable[[], T]) -> dict[str, T | Exception]:
    """What a function returns or raises on each worker, by its address; there is one or more."""
    said: dict[str, T | Exception] = {}
    while not said:
        _wait_for_a_worker(client)
        said = {
            address: each
            for address, each in client.run(function, on_error="return").items()
            if not isinstance(each, OSError)  # whose worker has just died
        }
    return said


@contextmanager
def _local_cluster(workers: int) -> Iterator[LocalCluster]:
    # Ctrl-C is for this process, which then ends the workers: they keep it blocked.
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        dask.config.set(CONFIG)
        cluster = LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            memory_limit=0,
            host="127.0.0.1",
            # Whoever can connect can run code: that takes a key, which is made now.
            security=True,
            dashboard_address="127.0.0.1:0",
            worker_dashboard_address="127.0.0.1:0",
            silence_logs=logging.CRITICAL,
        )
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
    with cluster:
        try:
            yield cluster
        except BaseException:
            # Dask would wait for what they train
            cluster.sync(_end, cluster.workers.values())
            raise


async def _end(nannies: Iterable[Any]) -> None:
    await asyncio.gather(*(nanny.close(timeout=0.5) for nanny in nannies), return_exceptions=True)


def check_versions(versions: Mapping[str, Any]) -> None:
    """Raise a UserError unless scheduler and workers have our versions of what they share."""
    ours = versions["client"]["packages"]
    theirs = {"the scheduler": versions["scheduler"]} | {
        f"the worker {address}": found for address, found in versions["workers"].items()
    }
    for name, found in theirs.items():
        for package, version in ours.items():
            other = found["packages"][package]
            if other != version:
                raise UserError(
                    f"{name} has {package} {other}, and this machine {version}; set it up with the "
                    "requirements-sweep.txt of this commit"
                )


def run_tasks(
    client: Client, function: Callable[..., T], tasks: Iterable[tuple[str, tuple[Any, ...]]]
) -> Iterator[tuple[str, T | Exception]]:
    """Call a function with the arguments of each task on the workers.

    Few tasks at a time are submitted, so that neither this process nor the scheduler holds more.

    Parameters
    ----------
    client : Client
    function : callable
        What it returns must depend on its arguments alone, as it may be called more than once.
    tasks : iterable of (str, tuple)
        A name for each, which is unlike that of any other, and its arguments.

    Yields
    ------
    name, and what the function returned or raised in the end, in the order in which they are done

    Raises
    ------
    UserError
        If the scheduler is lost.
    """
    left = iter(tasks)

    # The scheduler reads what is submitted. It may lack the project, so it gets bytes, and a
    # function which, as it has no name outside of this one, is sent by value.
    def call(task: bytes) -> object:
        called, arguments = loads(task)
        return called(*arguments)

    def submit(number: int) -> list[Any]:
        return [
            # Dask groups tasks by what their keys begin with, and never forgets a group.
            client.submit(
                call, dumps((function, arguments)), key=("task", name), retries=RETRIES, pure=False
            )
            for name, arguments in itertools.islice(left, number)
        ]

    completed = as_completed(submit(AT_ONCE), with_results=True, raise_errors=False)
    for future, result in completed:
        if future.cancelled():
            raise UserError(
                f"the scheduler at {client.scheduler.address} is gone; what is done is kept: start "
                "it and its workers again, and then the same sweep"
            )
        yield future.key[1], (future.exception() if future.status == "error" else result)
        completed.update(submit(1))
