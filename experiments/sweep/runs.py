"""The trainings of a sweep, or other trials, on a cluster, but for those that are known."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack

from distributed import Client

from experiments.data import data_of_params
from experiments.sweep.cluster import (
    START,
    add_to_workers,
    ask_workers,
    open_cluster,
    refuse_worker,
    run_tasks,
)
from experiments.sweep.overrides import Setting
from experiments.sweep.worker import DataSets, Environment, Outcome, environment, train
from experiments.trials import (
    Result,
    Trial,
    TrialData,
    known_result,
    read_result,
    trial_digest,
    write_network,
    write_result,
)
from nnlib.base.errors import UserError, shown
from nnlib.base.progress import progress
from stages import PINNED
from stages.params import Data


def run_settings(
    settings: Sequence[Setting], seeds: Sequence[int], address: str | None
) -> list[list[Result]]:
    """Train with each setting and each seed, unless that has been done.

    Parameters
    ----------
    settings : sequence of Setting
    seeds : sequence of int
    address : str or None
        As for `run_on_cluster`.

    Returns
    -------
    list of Result by seed, for each setting

    Raises
    ------
    UserError
        As `run_on_cluster` does.
    """
    with ExitStack() as stack:
        results = run_on_cluster(_Trials(settings, seeds, stack), address)
    return [results[first : first + len(seeds)] for first in range(0, len(results), len(seeds))]


class _Trials:
    """Each setting with each seed; they are made anew each time, as they may be 100,000."""

    def __init__(self, settings: Sequence[Setting], seeds: Sequence[int], stack: ExitStack) -> None:
        self.settings = settings
        self.seeds = seeds
        self.stack = stack  # which keeps their data
        self.data: dict[Data, TrialData] = {}

    def __iter__(self) -> Iterator[tuple[Trial, TrialData]]:
        for setting in self.settings:
            section, train = setting.params.data, setting.params.train
            if section not in self.data:
                self.data[section] = self.stack.enter_context(data_of_params(section))
            for seed in self.seeds:
                params = train.model_copy(update={"seed": seed})
                yield Trial(setting.params.normalize.scaling, params), self.data[section]


def run_on_cluster(
    trials: Iterable[tuple[Trial, TrialData]], address: str | None, *, keep_networks: bool = False
) -> list[Result]:
    """What each trial leaves, which is trained unless that has been done.

    Parameters
    ----------
    trials : iterable of (Trial, TrialData)
        Which can be gone through again.
    address : str or None
        Of a scheduler; None for a cluster of this machine's cores.
    keep_networks : bool
        Whether the trained networks are to be kept here too, for `kept_network`.

    Returns
    -------
    list of Result, in the order of the trials

    Raises
    ------
    UserError
        If some trainings could not be done; all others are kept.
    """
    digests, results = _look_up(trials, pinned=PINNED, keep_networks=keep_networks)
    left = sum(result is None for result in results.values())
    if left:
        with open_cluster(address, left) as client:
            # a network is looked for as one that this process's way to compute has made
            ways = (PINNED,) if keep_networks else (PINNED, not PINNED)
            wanted, refused = choose_workers(ask_workers(client, environment), ways)
            for worker, reason in refused.items():
                refuse_worker(client, worker, reason)
            if wanted.pinned != PINNED:
                digests, results = _look_up(
                    trials, pinned=wanted.pinned, keep_networks=keep_networks
                )
            there = trials
            if address:  # the workers may be elsewhere
                add_to_workers(client, DataSets({data for _, data in trials}))
                there = ((trial, DataSets.on_worker(data)) for trial, data in trials)
            named = zip(digests, there, strict=True)
            _train(client, named, results, wanted, keep_networks=keep_networks)
    return [result for digest in digests if (result := results[digest]) is not None]


def _look_up(
    trials: Iterable[tuple[Trial, TrialData]], *, pinned: bool, keep_networks: bool
) -> tuple[list[str], dict[str, Result | None]]:
    """The digest of each trial, and what each of them has left."""
    digests, results = [], {}
    for trial, data in trials:
        digest = trial_digest(trial, data, pinned=pinned)
        digests.append(digest)
        results[digest] = known_result(digest, trial, data, keep_network=keep_networks)
    return digests, results


def choose_workers(
    workers: Mapping[str, Environment | Exception], ways: Sequence[bool] = (PINNED, not PINNED)
) -> tuple[Environment, dict[str, str]]:
    """The environment that is wanted, and why each worker that lacks it is refused.

    Workers are to have this process's environment. If none is pinned as this process is, but some
    are alike otherwise, these will do: their results are known as such.

    Parameters
    ----------
    workers : mapping
        What each worker said of its environment, by its address.
    ways : sequence of bool
        Whether they may be pinned, the better first.

    Raises
    ------
    UserError
        If all are refused.
    """
    refused: dict[str, str] = {}
    for pinned in ways:
        wanted = environment()._replace(pinned=pinned)
        refused = {
            worker: reason
            for worker, said in workers.items()
            if (
                reason := f"it cannot train: {said}; {START}"
                if isinstance(said, Exception)
                else said.lacks(wanted)
            )
        }
        if len(refused) < len(workers):
            return wanted, refused
    worker, reason = next(iter(refused.items()))
    raise UserError(f"no worker is fit to train: of the worker {worker}, {reason}")


def _train(
    client: Client,
    trials: Iterable[tuple[str, tuple[Trial, TrialData]]],
    results: dict[str, Result | None],
    wanted: Environment,
    *,
    keep_networks: bool,
) -> None:
    """Run the trials whose results are missing, and keep what each leaves."""
    total = len(results)
    failed: list[str] = []  # their digests
    errors: list[str] = []
    known = sum(result is not None for result in results.values())
    asked: dict[str, Trial] = {}

    def tasks() -> Iterator[tuple[str, tuple[Trial, TrialData, str, Environment, bool]]]:
        for digest, (trial, data) in trials:
            if results[digest] is None and digest not in asked:
                asked[digest] = trial
                yield digest, (trial, data, digest, wanted, keep_networks)

    outcomes: Iterator[tuple[str, Outcome | Exception]] = run_tasks(client, train, tasks())
    for digest, outcome in progress(
        outcomes, "trainings", total, done=known, note=lambda: f"{len(failed)} failed"
    ):
        trial = asked.pop(digest)
        if isinstance(outcome, Exception):
            errors.append(" ".join(str(outcome).split()))
        else:
            results[digest] = outcome.result
            if outcome.network is not None:
                write_network(digest, outcome.network)
            if read_result(digest, trial) is None:  # no worker of this machine has written it
                write_result(digest, trial, outcome.result)
        if isinstance(outcome, Exception) or outcome.result.failure:
            failed.append(digest)
    if errors:
        raise UserError(
            f"{len(errors)} of {total} trainings could not be done, the first because "
            f"{shown(errors[0])}; the others are kept, so run this again to do what is left"
        )
