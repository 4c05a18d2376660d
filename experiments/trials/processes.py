"""Trials in parallel processes of this machine."""

from collections.abc import Sequence
from concurrent.futures import as_completed
from typing import Literal

from tqdm import tqdm

from experiments.trials.trial import (
    Failure,
    Outcome,
    Result,
    Trial,
    TrialData,
    network_path,
    read_result,
    train_trial,
    trial_digest,
    write_result,
)
from nnlib.base.errors import UserError
from nnlib.network.two_layer_net import TwoLayerNet
from stages.workers import worker_processes


def run_trials(
    trials: Sequence[Trial],
    data: TrialData,
    *,
    keep_networks: bool = False,
    start_method: Literal["fork", "spawn"] = "spawn",
    desc: str = "trainings",
) -> list[Outcome]:
    """Train and test, in as many processes as there are cores.

    What was trained before, with the same parameters, data, code and pinning, is not trained again.

    Parameters
    ----------
    trials : sequence of Trial
    data : TrialData
    keep_networks : bool
        Whether the trained networks are to be kept too, for `kept_network`.
    start_method : str
        As for `worker_processes`. DVC, once it has read a revision, may have left threads: then
        "fork" is not safe.
    desc : str
        What the progress bar calls the trials.

    Returns
    -------
    list of Outcome, in the order of the trials

    Raises
    ------
    UserError
        If a training diverges.
    """
    digests = {trial: trial_digest(trial, data) for trial in trials}
    results = {
        trial: result
        for trial, digest in digests.items()
        if (result := read_result(digest)) is not None
        and not (keep_networks and _lacks_network(digest, result))
    }
    missing = [trial for trial in digests if trial not in results]
    if missing:
        for scaling in {trial.scaling for trial in missing}:
            data.sets(scaling)  # made once, before the processes look for them
        with worker_processes(len(missing), start_method) as processes:
            futures = {
                processes.submit(train_and_keep, trial, data, keep_network=keep_networks): trial
                for trial in missing
            }
            done = as_completed(futures)
            for future in tqdm(done, total=len(futures), desc=desc, leave=False, disable=None):
                results[futures[future]] = _outcome(futures[future], future.result())
    return [_outcome(trial, results[trial]) for trial in trials]


def train_and_keep(trial: Trial, data: TrialData, *, keep_network: bool = False) -> Result:
    """Train and test a network, and keep what that leaves."""
    digest = trial_digest(trial, data)
    result = train_trial(trial, data, network=network_path(digest) if keep_network else None)
    write_result(digest, trial, result)
    return result


def _lacks_network(digest: str, result: Result) -> bool:
    """Whether the network of an outcome is missing or broken."""
    if isinstance(result, Failure):
        return False
    try:
        TwoLayerNet.load(network_path(digest))
    except (OSError, UserError):
        return True
    return False


def _outcome(trial: Trial, result: Result) -> Outcome:
    if isinstance(result, Failure):
        raise UserError(f"with seed {trial.params.seed} {result.reason}")
    return result
