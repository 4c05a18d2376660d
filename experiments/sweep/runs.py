"""The trainings of a sweep, each setting with each seed: those that are known, and the others."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress

from distributed import Client
from tqdm import tqdm

from experiments.data import data_of_params
from experiments.sweep.cluster import START, ask_workers, open_cluster, run_tasks
from experiments.sweep.overrides import Setting
from experiments.sweep.worker import DataSets, hello, train
from experiments.trials import (
    Result,
    Trial,
    TrialData,
    code_digest,
    read_result,
    trial_digest,
    write_result,
)
from nnlib.base.errors import UserError, shown
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
            pinned = pinning_of(ask_workers(client, hello))
            if pinned != PINNED:
                digests, results = _look_up(trials(), pinned=pinned)
            if address:  # the workers may be elsewhere
                data.update(stack.enter_context(_sent(client, data)))
            _train(client, zip(digests, trials(), strict=True), results)
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


def pinning_of(workers: Mapping[str, tuple[str, bool] | Exception]) -> bool:
    """Whether the workers, of which each has said `hello`, compute as `stages` says.

    Raises
    ------
    UserError
        If they cannot train, or have other code than this process, or if some compute so and others
        do not.
    """
    found = {}
    for address, said in workers.items():
        if isinstance(said, Exception):
            raise UserError(f"the worker {address} cannot train: {said}; {START}")
        code, found[address] = said
        if code != code_digest():
            raise UserError(
                f"the worker {address} has other code than this folder: bring both to the same "
                "commit, and start the worker again"
            )
    pinned, *others = set(found.values())
    if others:
        names = ", ".join(address for address, is_pinned in found.items() if not is_pinned)
        raise UserError(
            f"some workers compute in another way than the rest, so their results would not be the "
            f"same: {names} (UNPINNED=1, another kind of CPU, or not started as `python -m "
            "experiments.sweep.worker`)"
        )
    return pinned


@contextmanager
def _sent(client: Client, data: Mapping[Data, TrialData]) -> Iterator[dict[Data, TrialData]]:
    """Send data sets to the workers; they are given as they are there."""
    plugin = DataSets(data.values())
    try:
        try:
            client.register_plugin(plugin)
        except OSError as error:
            raise UserError(f"a worker cannot keep the data: {error}") from error
        yield {section: plugin.on_worker(each) for section, each in data.items()}
    finally:
        with suppress(Exception):  # the scheduler may be gone
            client.unregister_worker_plugin(plugin.name)


def _train(
    client: Client,
    trials: Iterable[tuple[str, tuple[Trial, TrialData]]],
    results: dict[str, Result | None],
) -> None:
    """Run the trials whose results are missing, and keep the result of each."""
    failed, total, errors = 0, len(results), []
    known = sum(result is not None for result in results.values())
    asked: dict[str, Trial] = {}

    def tasks() -> Iterator[tuple[str, tuple[Trial, TrialData, str]]]:
        for digest, (trial, data) in trials:
            if results[digest] is None and digest not in asked:
                asked[digest] = trial
                yield digest, (trial, data, digest)

    with tqdm(total=total, initial=known, desc="trainings", leave=False, disable=None) as bar:
        for digest, result in run_tasks(client, train, tasks()):
            trial = asked.pop(digest)
            if isinstance(result, Exception):
                errors.append(" ".join(str(result).split()))
            else:
                results[digest] = result
                if read_result(digest, trial) is None:  # no worker of this machine has written it
                    write_result(digest, trial, result)
            failed += isinstance(result, Exception) or bool(result.failure)
            bar.set_postfix(failed=failed, left=total - bar.n - 1, refresh=False)
            bar.update()
    if errors:
        raise UserError(
            f"{len(errors)} of {total} trainings could not be done, the first because "
            f"{shown(errors[0])}; the others are kept, so run this again to do what is left"
        )
