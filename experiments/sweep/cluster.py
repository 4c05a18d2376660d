"""Tasks on a cluster of Dask, of this machine's cores or wherever its scheduler is."""

import asyncio
import itertools
import logging
import signal
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

import dask
from distributed import Client, LocalCluster, Security, as_completed, rpc
from distributed.client import ClosedClientError
from distributed.comm import CommClosedError
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
        If there is no scheduler, or no worker, or one with other versions of what they share; also
        if it is lost later.
    """
    logging.disable()  # what Dask logs of workers and schedulers that die is told in one line
    if address is None:
        workers = min(cores(), most_workers)
        with _local_cluster(workers) as cluster, Client(cluster) as client:
            yield client
        return
    _check_scheduler(address)
    client = Client(address, timeout=SECONDS)
    try:
        _wait_for_a_worker(client)
        check_versions(client.get_versions())
        yield client
    except (CommClosedError, ClosedClientError, TimeoutError) as error:
        raise _lost(address) from error
    finally:
        with suppress(TimeoutError):  # the scheduler may be gone
            client.close()


def _check_scheduler(address: str) -> None:
    """Raise a UserError unless a scheduler answers: Dask's client would wait for ever."""
    security = Security()
    try:
        arguments = security.get_connection_args("client")
    except OSError as error:
        files = f"{security.tls_ca_file}, {security.tls_client_cert}"
        raise UserError(f"the credentials of Dask's configuration, {files}: {error}") from error
    if address.startswith("tls://") and not arguments["ssl_context"]:
        raise UserError(
            f"{address} takes the credentials of its cluster: set DASK_CONFIG as "
            "experiments/README.md says"
        )

    async def kind() -> str:
        async with rpc(address, timeout=SECONDS, connection_args=arguments) as server:
            return (await server.identity())["type"]

    try:
        # a second later than Dask's own error, which says more
        found = asyncio.run(asyncio.wait_for(kind(), SECONDS + 1))
    except TimeoutError:
        found = "it accepts the connection, and says nothing"
    except (OSError, RuntimeError, ValueError) as error:
        found = _reason(error)
    except Exception:  # noqa: BLE001 - whatever another protocol is taken for
        found = "it is another kind of server"
    if found != "Scheduler":
        raise UserError(f"no scheduler of Dask answers at {address}: {found}")


def _reason(error: BaseException) -> str:
    """What an error of Dask's says that began it, on one line."""
    while error.__cause__ and str(error.__cause__):
        error = error.__cause__
    return " ".join(str(error).split()) or repr(error)


def _lost(address: str) -> UserError:
    return UserError(
        f"the scheduler at {address} is gone; what is done is kept: start it and its workers "
        "again, and then the same sweep"
    )


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
    except Exception as error:
        raise UserError(f"Dask cannot start workers on this machine: {_reason(error)}") from error
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
            raise _lost(client.scheduler.address)
        yield future.key[1], (future.exception() if future.status == "error" else result)
        completed.update(submit(1))
