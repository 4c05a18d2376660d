"""The trainings of a sweep, each setting with each seed: those that are known, and the others."""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from distributed import Client
from tqdm import tqdm

from experiments.sweep import on_worker
from experiments.sweep.cluster import open_cluster, run_tasks
from experiments.sweep.overrides import Setting
from experiments.trials.trial import (
    CACHE,
    Failure,
    Result,
    Trial,
    TrialData,
    code_digest,
    data_in,
    parse_result,
    read_result,
    result_path,
    temporary_raw,
    trial_digest,
)
from nnlib.base.errors import UserError, shown
from nnlib.base.files import write_text
from nnlib.data.datasets import DATASETS
from stages import PINNED
from stages.common import RAW
from stages.download import draw, fetch
from stages.params import Data, Params


def run_settings(
    settings: Sequence[Setting], defaults: Params, seeds: Sequence[int], address: str | None
) -> list[list[Result]]:
    """Train with each setting and each seed, unless that has been done.

    Parameters
    ----------
    settings : sequence of Setting
    defaults : Params
        What they change.
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
        data: dict[str, TrialData] = {}  # by the section that describes it

        def trials() -> Iterator[tuple[Trial, TrialData]]:
            for setting in settings:
                params = setting.params(defaults)
                section = params.data.model_dump_json()
                if section not in data:
                    data[section] = stack.enter_context(_open_data(params.data))
                for seed in seeds:
                    train = params.train.model_copy(update={"seed": seed})
                    yield Trial(params.normalize.scaling, train), data[section]

        digests, results = _look_up(trials(), pinned=PINNED)
        left = sum(result is None for result in results.values())
        if left:
            client = stack.enter_context(open_cluster(address, left))
            trainers = stack.enter_context(_trainers(client, data.values()))
            pinned = pinning_of(client, trainers)
            if pinned != PINNED:
                digests, results = _look_up(trials(), pinned=pinned)
            missing = {digest for digest, result in results.items() if result is None}
            requests = (
                (digest, _request(digest, *trial))
                for digest, trial in zip(digests, trials(), strict=True)
                if digest in missing
            )
            _train(client, trainers, requests, results)
    known = [result for digest in digests if (result := results[digest]) is not None]
    return [known[first : first + len(seeds)] for first in range(0, len(known), len(seeds))]


@contextmanager
def _open_data(section: Data) -> Iterator[TrialData]:
    """The data set that a section of the parameters describes, in a temporary folder."""
    dataset = DATASETS[section.source]
    with temporary_raw() as raw:
        if dataset.mirrors:
            fetch(raw, dataset, *([RAW] if RAW.exists() else []))
        else:
            draw(raw, dataset, section.synthetic)
        yield data_in(raw, dataset)


def _look_up(
    trials: Iterable[tuple[Trial, TrialData]], *, pinned: bool
) -> tuple[list[str], dict[str, Result | None]]:
    """The digest of each trial, and what each of them has left."""
    digests = [trial_digest(*trial, pinned=pinned) for trial in trials]
    return digests, {digest: read_result(digest) for digest in digests}


def _raw_on_workers(data: TrialData) -> Path:
    """Where the files of a data set lie on the workers, relative to the project's folder."""
    return CACHE / f"sets-{data.digest[:16]}" / "raw"


@contextmanager
def _trainers(client: Client, data: Iterable[TrialData]) -> Iterator[on_worker.Trainers]:
    """Processes on the workers, with the data that they need."""
    trainers = on_worker.Trainers(
        {
            str(_raw_on_workers(each) / name): (each.raw / name).read_bytes()
            for each in data
            for name in each.dataset.files
        }
    )
    try:
        client.register_plugin(trainers)
    except RuntimeError as error:
        raise UserError(f"a worker cannot train: {error}") from error
    try:
        yield trainers
    finally:
        with suppress(Exception):  # the scheduler may be gone
            client.unregister_worker_plugin(trainers.name)


def pinning_of(client: Client, trainers: on_worker.Trainers) -> bool:
    """Whether the workers compute as `stages` says.

    Raises
    ------
    UserError
        If they have other code than this process, or if some do and others do not.
    """
    found = client.run(on_worker.hello, trainers.name)
    for address, hello in found.items():
        if hello["code"] != code_digest():
            raise UserError(
                f"the worker {address} has other code than this folder: bring both to the same "
                "commit, and start the worker again"
            )
    pinned, *others = {hello["pinned"] for hello in found.values()}
    if others:
        names = ", ".join(address for address, hello in found.items() if not hello["pinned"])
        raise UserError(
            f"some workers compute in another way than the rest, so their results would not be the "
            f"same: {names} (UNPINNED=1, or another kind of CPU)"
        )
    return bool(pinned)


def _request(digest: str, trial: Trial, data: TrialData) -> str:
    """What a process on a worker is asked for: see `experiments.trials.trainer`."""
    source = next(name for name, dataset in DATASETS.items() if dataset == data.dataset)
    return json.dumps(
        {
            "source": source,
            "raw": str(_raw_on_workers(data)),
            "scaling": trial.scaling,
            "train": trial.params.model_dump(),
            "digest": digest,
        }
    )


def _train(
    client: Client,
    trainers: on_worker.Trainers,
    requests: Iterable[tuple[str, str]],
    results: dict[str, Result | None],
) -> None:
    """Have the trials done whose results are missing, and keep what each leaves."""
    failed, total, errors = 0, len(results), []
    known = sum(result is not None for result in results.values())
    with tqdm(total=total, initial=known, desc="trainings", leave=False, disable=None) as bar:
        for digest, answer in run_tasks(client, on_worker.asker(trainers.name), requests):
            said = {"error": str(answer)} if isinstance(answer, Exception) else json.loads(answer)
            if "error" in said:
                errors.append(" ".join(said["error"].split()))
            else:
                results[digest] = parse_result(said["result"])
                if read_result(digest) is None:  # otherwise a worker of this machine has written it
                    write_text(result_path(digest), said["result"])
            failed += "error" in said or isinstance(results[digest], Failure)
            bar.set_postfix(failed=failed, left=total - bar.n - 1, refresh=False)
            bar.update()
    if errors:
        raise UserError(
            f"{len(errors)} of {total} trainings could not be done, the first because "
            f"{shown(errors[0])}; the others are kept, so run this again to do what is left"
        )
