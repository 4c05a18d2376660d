"""The trainings of a sweep, each setting with each seed: those that are known, and the others."""

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
from experiments.sweep.worker import DataSets, Environment, environment, train
from experiments.trials import (
    Result,
    Trial,
    TrialData,
    read_result,
    trial_digest,
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
        Of a scheduler; None for a cluster of this machine's cores.

    Returns
    -------
    list of Result by seed, for each setting

    Raises
    ------
    UserError
        If some trainings could not be done; all others are kept.
    """
    with ExitStack() as stack:
        data: dict[Data, TrialData] = {}

        def trials() -> Iterator[tuple[Trial, TrialData]]:
            for setting in settings:
                section, train = setting.params.data, setting.params.train
                if section not in data:
                    data[section] = stack.enter_context(data_of_params(section))
                for seed in seeds:
                    params = train.model_copy(update={"seed": seed})
                    yield Trial(setting.params.normalize.scaling, params), data[section]

        digests, results = _look_up(trials(), pinned=PINNED)
        left = sum(result is None for result in results.values())
        if left:
            client = stack.enter_context(open_cluster(address, left))
            wanted, refused = choose_workers(ask_workers(client, environment))
            for worker, reason in refused.items():
                refuse_worker(client, worker, reason)
            if wanted.pinned != PINNED:
                digests, results = _look_up(trials(), pinned=wanted.pinned)
            if address:  # the workers may be elsewhere
                plugin = DataSets(data.values())
                add_to_workers(client, plugin)
                data.update({section: plugin.on_worker(each) for section, each in data.items()})
            _train(client, zip(digests, trials(), strict=True), results, wanted)
    known = [result for digest in digests if (result := results[digest]) is not None]
    return [known[first : first + len(seeds)] for first in range(0, len(known), len(seeds))]


def _look_up(
    trials: Iterable[tuple[Trial, TrialData]], *, pinned: bool
) -> tuple[list[str], dict[str, Result | None]]:
    """The digest of each trial, and what each of them has left."""
    digests, results = [], {}
    for trial, data in trials:
        digest = trial_digest(trial, data, pinned=pinned)
        digests.append(digest)
        results[digest] = read_result(digest, trial)
    return digests, results


def choose_workers(
    workers: Mapping[str, Environment | Exception],
) -> tuple[Environment, dict[str, str]]:
    """The environment that a sweep wants, and why each worker that lacks it is refused.

    Workers are to have this process's environment. If none is pinned as this process is, but some
    are alike otherwise, these will do: their results are known as such.

    Raises
    ------
    UserError
        If all are refused.
    """
    ours = environment()._replace(pinned=PINNED)
    refused: dict[str, str] = {}
    for wanted in (ours, ours._replace(pinned=not PINNED)):
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
    raise UserError(f"no worker is fit for this sweep: of the worker {worker}, {reason}")


def _train(
    client: Client,
    trials: Iterable[tuple[str, tuple[Trial, TrialData]]],
    results: dict[str, Result | None],
    wanted: Environment,
) -> None:
    """Run the trials whose results are missing, and keep the result of each."""
    total = len(results)
    failed: list[str] = []  # their digests
    errors: list[str] = []
    known = sum(result is not None for result in results.values())
    asked: dict[str, Trial] = {}

    def tasks() -> Iterator[tuple[str, tuple[Trial, TrialData, str, Environment]]]:
        for digest, (trial, data) in trials:
            if results[digest] is None and digest not in asked:
                asked[digest] = trial
                yield digest, (trial, data, digest, wanted)

    outcomes: Iterator[tuple[str, Result | Exception]] = run_tasks(client, train, tasks())
    for digest, result in progress(
        outcomes, "trainings", total, done=known, note=lambda: f"{len(failed)} failed"
    ):
        trial = asked.pop(digest)
        if isinstance(result, Exception):
            errors.append(" ".join(str(result).split()))
        else:
            results[digest] = result
            if read_result(digest, trial) is None:  # no worker of this machine has written it
                write_result(digest, trial, result)
        if isinstance(result, Exception) or result.failure:
            failed.append(digest)
    if errors:
        raise UserError(
            f"{len(errors)} of {total} trainings could not be done, the first because "
            f"{shown(errors[0])}; the others are kept, so run this again to do what is left"
        )
