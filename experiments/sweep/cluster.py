"""Tasks on a cluster of Dask, of this machine's cores or wherever its scheduler is."""

import asyncio
import itertools
import logging
import signal
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from multiprocessing import resource_tracker
from typing import Any, TypeVar

import dask
from distributed import (
    Client,
    Future,
    LocalCluster,
    Scheduler,
    SchedulerPlugin,
    Security,
    Worker,
    WorkerPlugin,
    as_completed,
    get_worker,
    rpc,
)
from distributed.client import ClosedClientError
from distributed.comm import CommClosedError
from distributed.protocol.pickle import dumps, loads
from tqdm import tqdm

from experiments.sweep.worker import CONFIG, Refusal, other_version
from nnlib.base.errors import UserError
from stages.workers import cores

SECONDS = 10  # to find a scheduler, and for a worker to join it
RETRIES = 2  # of a task that raises an error; one whose worker dies is tried four times
STRIKES = 3  # tasks in a row that a worker could not do, and others could: it is refused
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
        If there is no scheduler, or no worker, or it has other versions of what they share; also if
        it is lost later.
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
        "again, and then the same command"
    )


def _wait_for_a_worker(client: Client) -> None:
    try:
        client.wait_for_workers(1, timeout=SECONDS)
    except TimeoutError as error:
        address = client.scheduler.address
        raise UserError(
            f"the scheduler at {address} has no worker; what is done is kept: on each machine, "
            f"{START} {address}"
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


def refuse_worker(client: Client, worker: str, reason: str) -> None:
    """Say why a worker is of no use, and have it end."""
    tqdm.write(f"warning: the worker {worker} is refused: {reason}", file=sys.stderr)

    async def remove(dask_scheduler: Scheduler) -> None:  # sent by value, as in `_Tasks`
        await dask_scheduler.remove_worker(worker, stimulus_id="refused", expected=True)

    client.run_on_scheduler(remove)


def add_to_workers(client: Client, plugin: WorkerPlugin) -> None:
    """Set a plugin up on all workers, also later ones, until this process ends in whatever way."""

    # Both are sent by value, as in `_Tasks`. A worker without the project would otherwise fail as
    # it joins, with the tasks that it has been given.
    class Sent(WorkerPlugin):
        def __init__(self, name: str, pickled: bytes) -> None:
            self.name = name
            self.pickled = pickled
            self.plugin: WorkerPlugin | None = None

        def setup(self, worker: Worker) -> None:
            self.plugin = loads(self.pickled)
            self.plugin.setup(worker)

        def teardown(self, worker: Worker) -> None:
            if self.plugin:
                self.plugin.teardown(worker)

    class RemoveWithClient(SchedulerPlugin):
        def __init__(self, name: str, client: str) -> None:
            self.name = name
            self.client = client

        def remove_client(self, scheduler: Scheduler, client: str) -> None:
            if client == self.client:
                scheduler.remove_plugin(self.name)
                self.task = asyncio.create_task(scheduler.unregister_worker_plugin(None, self.name))

    client.register_plugin(RemoveWithClient(plugin.name, client.id))
    with suppress(Exception):  # a worker that lacks something says so when it is given a task
        client.register_plugin(Sent(plugin.name, dumps(plugin)))


@contextmanager
def _local_cluster(workers: int) -> Iterator[LocalCluster]:
    # Ctrl-C is for this process, which then ends the workers: they keep it blocked. The tracker of
    # multiprocessing would be started with the first of them, and unblock it.
    resource_tracker.ensure_running()
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
    """Raise a UserError unless the scheduler has our versions of what they share."""
    found, ours = (versions[name]["packages"] for name in ("scheduler", "client"))
    if other := other_version(found, ours):
        raise UserError(f"the scheduler {other}")


def run_tasks(
    client: Client,
    function: Callable[..., T | Refusal],
    tasks: Iterable[tuple[str, tuple[Any, ...]]],
) -> Iterator[tuple[str, T | Exception]]:
    """Call a function with the arguments of each task on the workers.

    Few tasks at a time are submitted, so that neither this process nor the scheduler holds more.

    Where a task raises an error, it is tried on other workers, so that none which fails faster than
    the others train can win. A worker is refused if the function returns a Refusal there, or if
    others can do what it could not.

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
        If the scheduler is lost, or no worker is left.
    """
    waiting = _Tasks(client, function, tasks)
    completed = as_completed(waiting.submit_next(AT_ONCE), with_results=True, raise_errors=False)
    for future, result in _in_order(completed, client):
        _, name, _ = future.key
        if future.cancelled():
            raise _lost(client.scheduler.address)
        if future.status == "error":  # the workers that it was given to have died
            yield name, future.exception()
        else:
            worker, value, error = result
            if again := waiting.submit_again(name, worker, value, error):
                completed.add(again)
                continue
            yield name, UserError(error) if error else value
        completed.update(waiting.submit_next(1))


class _Tasks:
    """Tasks that are submitted, and where they have failed."""

    def __init__(
        self,
        client: Client,
        function: Callable[..., object],
        tasks: Iterable[tuple[str, tuple[Any, ...]]],
    ) -> None:
        self.client = client
        self.function = function
        self.left = iter(tasks)
        self.sent: dict[str, bytes] = {}
        self.tries: Counter[str] = Counter()
        self.failed: defaultdict[str, dict[str, str]] = defaultdict(dict)  # why, by task and worker
        self.strikes: Counter[str] = Counter()  # against each worker
        self.refused: set[str] = set()

    def submit_next(self, number: int) -> list[Future]:
        """Submit as many of those that are left."""
        futures = []
        for name, arguments in itertools.islice(self.left, number):
            self.sent[name] = dumps((self.function, arguments))
            futures.append(self._submit(name))
        return futures

    def _submit(self, name: str, workers: Collection[str] = ()) -> Future:
        """Submit a task, to some workers rather than others if any are named."""

        # The scheduler reads what is submitted. It may lack the project, so it gets bytes, and a
        # function which, as it has no name outside of this one, is sent by value.
        def call(task: bytes) -> tuple[str, object, str]:
            try:
                function, arguments = loads(task)
                return get_worker().address, function(*arguments), ""
            except Exception as error:  # noqa: BLE001 - it is raised there
                return get_worker().address, None, str(error) or repr(error)

        self.tries[name] += 1
        # Dask groups tasks by what their keys begin with, and never forgets a group.
        key = ("task", name, self.tries[name])
        where = {"workers": [*workers], "allow_other_workers": True} if workers else {}
        return self.client.submit(call, self.sent[name], key=key, pure=False, **where)

    def submit_again(self, name: str, worker: str, value: object, error: str) -> Future | None:
        """Submit a task again if what a worker has made of it is not its outcome."""
        if isinstance(value, Refusal):
            self._refuse(worker, value.reason)
            return self._submit(name)
        if error:
            self.failed[name][worker] = error
            others = self.client.scheduler_info()["workers"].keys() - self.failed[name].keys()
            if others or self.tries[name] <= RETRIES:
                return self._submit(name, others)
        else:
            self.strikes[worker] = 0
            for other, why in self.failed[name].items():
                self.strikes[other] += other != worker
                if self.strikes[other] == STRIKES:
                    self._refuse(other, why)
        for known in (self.sent, self.tries, self.failed):
            known.pop(name)
        return None

    def _refuse(self, worker: str, reason: str) -> None:
        if worker not in self.refused:
            self.refused.add(worker)
            refuse_worker(self.client, worker, reason)


def _in_order(completed: as_completed, client: Client) -> Iterator[tuple[Future, Any]]:
    """What is completed, as soon as it is, with its result, as long as there are workers."""
    since = time.monotonic()
    while not completed.is_empty():
        if completed.has_ready():
            yield from completed.next_batch(block=False)
            since = time.monotonic()
        elif time.monotonic() - since < SECONDS:
            time.sleep(0.02)
        else:
            _wait_for_a_worker(client)
            since = time.monotonic()
