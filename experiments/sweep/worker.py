"""A worker of a sweep's cluster: `python -m experiments.sweep.worker tls://HOST:8786 [options]`.

It is Dask's own worker, and takes its options. Dask imports NumPy before any task, too late to pin
it; so it is started from here, where `experiments` has pinned NumPy for it and its processes.
"""

import multiprocessing
import shutil
import sys
import uuid
from collections.abc import Iterable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import dask
from distributed import Worker, WorkerPlugin
from distributed.cli import dask_worker
from distributed.versions import get_versions

from experiments.trials import (
    CACHE,
    Result,
    Trial,
    TrialData,
    code_digest,
    files_in,
    known_result,
    load_once,
    network_path,
    train_and_keep,
)
from nnlib.base.errors import UserError
from stages import PINNED
from stages.lock import only_one
from stages.workers import cores

CODE = code_digest()  # of what is imported now: a worker may run for days, and its files change
PACKAGES = get_versions()["packages"]
PINNED_HERE = "two-layer-net.pinned"
CONFIG = {
    PINNED_HERE: PINNED,  # the processes that a worker starts get this from it, as they are pinned
    # Dask would have memory given back at once, which takes a training 1.5 times as long.
    "distributed.nanny.pre-spawn-environ.MALLOC_TRIM_THRESHOLD_": None,
    # What workers do beside their tasks would take a twentieth of a core otherwise.
    "distributed.worker.profile.enabled": False,
    "distributed.admin.tick.interval": "1s",
    "distributed.admin.system-monitor.interval": "5s",
}
STARTS = 4  # of the workers, as often as Dask gives a task to workers that die
SETS = "sets-"  # what the names of the folders of data begin with
# One process trains one network at a time, and is not ended for the memory that this takes.
OPTIONS = (f"--nworkers={cores()}", "--nthreads=1", "--memory-limit=0")


def main() -> None:
    """Start a worker for each core, unless the options say otherwise."""
    dask.config.set(CONFIG)
    with ExitStack() as stack:
        with suppress(UserError):  # others work here already
            stack.enter_context(only_one("workers"))
            for folder in CACHE.glob(f"{SETS}*"):  # of workers that were killed
                shutil.rmtree(folder, ignore_errors=True)
        for start in range(1, STARTS + 1):
            try:
                dask_worker.main([*OPTIONS, *sys.argv[1:]])
            except RuntimeError:  # one worker was killed as it started, which ends Dask's command
                if start == STARTS:
                    raise
            for child in multiprocessing.active_children():  # the others
                child.kill()


class Environment(NamedTuple):
    """What a result depends on where it is trained, which is to be the same everywhere."""

    code: str  # the digest
    packages: Mapping[str, str | None]  # the versions of what Dask shares, and of Python
    pinned: bool  # whether NumPy was pinned before Dask imported it

    def lacks(self, wanted: "Environment") -> str | None:
        """What makes a worker with this environment unfit where another one is wanted."""
        if other := other_version(self.packages, wanted.packages):
            return f"it {other}"
        if self.code != wanted.code:
            return (
                "it has other code than this folder; bring both to the same commit, and start it "
                "again"
            )
        if self.pinned != wanted.pinned:
            return (
                "it computes in another way, so its results would not be the same (UNPINNED=1, "
                "another kind of CPU, or not started as `python -m experiments.sweep.worker`)"
            )
        return None


def other_version(found: Mapping[str, str | None], wanted: Mapping[str, str | None]) -> str | None:
    """What has another version of a package than this machine, and what to do; None if nothing."""
    for package, version in wanted.items():
        if found.get(package) != version:
            return (
                f"has {package} {found.get(package)}, and this machine {version}; set it up with "
                "the requirements-sweep.txt of this commit"
            )
    return None


class Outcome(NamedTuple):
    """What a trial leaves."""

    result: Result
    network: bytes | None  # the content of its file; None if it is not to be kept, or there is none


class Refusal(NamedTuple):
    """What a worker answers that must not train."""

    reason: str


def environment() -> Environment:
    """The environment of this worker; one that was started in another way is not pinned."""
    return Environment(CODE, PACKAGES, bool(dask.config.get(PINNED_HERE, default=False)))


class DataSets(WorkerPlugin):
    """The files of data sets, which each worker gets once, and removes in the end.

    Parameters
    ----------
    data : iterable of TrialData
    """

    def __init__(self, data: Iterable[TrialData]) -> None:
        self.name = f"data-{uuid.uuid4()}"
        self.files = {
            self.on_worker(each).raw / path.name: path.read_bytes()
            for each in data
            for path in files_in(each.raw)
        }

    @staticmethod
    def on_worker(data: TrialData) -> TrialData:
        """A data set where workers have it, relative to the project's folder."""
        # Beside the files are arrays, which depend on the code too; a killed worker leaves them.
        name = f"{SETS}{data.digest[:16]}-{code_digest()[:16]}"
        return replace(data, raw=CACHE / name / "raw")

    def setup(self, worker: Worker) -> None:  # noqa: ARG002
        """Write the files, now and before each training."""
        KEPT[self.name] = self
        self.write()

    def write(self) -> None:
        """Write what is missing or broken, whole, whatever other workers of this machine do."""
        for path, content in self.files.items():
            if not _has_content(path, content):
                path.parent.mkdir(parents=True, exist_ok=True)
                part = path.with_name(f".part.{uuid.uuid4()}")
                part.write_bytes(content)
                part.replace(path)

    def teardown(self, worker: Worker) -> None:  # noqa: ARG002
        """Remove the files, and what was made of them beside their folders."""
        KEPT.pop(self.name, None)
        load_once.cache_clear()
        for path in self.files:
            shutil.rmtree(path.parents[1], ignore_errors=True)


KEPT: dict[str, DataSets] = {}  # by this process


def _has_content(path: Path, content: bytes) -> bool:
    try:
        return path.read_bytes() == content
    except FileNotFoundError:
        return False


def train(
    trial: Trial, data: TrialData, digest: str, wanted: Environment, keep_network: bool
) -> Outcome | Refusal:
    """What a trial leaves, which is trained unless it is known here already.

    Parameters
    ----------
    trial : Trial
    data : TrialData
    digest : str
        Of the trial.
    wanted : Environment
        A worker that has another one refuses.
    keep_network : bool
        Whether the network is to be kept too.
    """
    if reason := environment().lacks(wanted):
        return Refusal(reason)
    for sets in list(KEPT.values()):  # Dask's own thread adds and removes some
        sets.write()  # another worker of this machine may have ended, and removed the files
    result = known_result(digest, trial, data, keep_network=keep_network)
    if result is None:
        result = train_and_keep(trial, data, digest, keep_network=keep_network)
    if result.failure or not keep_network:
        return Outcome(result, None)
    return Outcome(result, network_path(digest).read_bytes())


if __name__ == "__main__":
    main()
