"""Trials: trainings that end with a test. Each is done once, and its result is kept."""

import hashlib
import json
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import as_completed
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

import numpy as np
import yaml
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from nnlib.base.errors import UserError
from nnlib.base.files import whole_file
from nnlib.base.progress import progress
from nnlib.base.validation import read_json, write_json
from nnlib.data.corrections import APPLIED
from nnlib.data.datasets import DESCRIPTION, FILES, Dataset, read_dataset
from nnlib.data.encoding import Encoding, Scaling
from nnlib.data.samples import Samples, load_samples, load_sets
from nnlib.network.evaluation import evaluate
from nnlib.network.two_layer_net import TwoLayerNet
from nnlib.training.fit import fit
from stages import PINNED
from stages.common import ENCODING
from stages.normalize import scale_sets
from stages.params import Train
from stages.train import augmentation_of, settings_of
from stages.workers import worker_processes

CACHE = Path("data/trials")  # ignored by Git, like all of data
OWN_CODE = (Path("experiments/trials.py"), Path("experiments/sweep/worker.py"))


class Fold(NamedTuple):
    """A part of the training set, one of several."""

    number: int  # from 0
    of: int  # how many there are


class Trial(NamedTuple):
    """A training run, which ends with a test."""

    scaling: Scaling
    params: Train
    # It is held out of the training, in place of `params.validation`: see `held_out`.
    fold: Fold | None = None
    left_out: int | None = None  # the training sample whose gradient is left out: see `fit`


Share = Annotated[float, Field(ge=0, le=1)]
Amount = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Success(BaseModel):
    """What a trial leaves."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    test_accuracy: Share
    validation_accuracy: Share | None  # on the samples held out; None without
    losses: Annotated[tuple[Amount, ...], Field(min_length=1)]  # mean of each epoch's batches, nats
    seconds: Amount  # of one core, for the training
    failure: Literal[""] = ""


class Failure(BaseModel):
    """What a trial leaves that cannot be done: no numbers."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    test_accuracy: None = None
    validation_accuracy: None = None
    losses: tuple[()] = ()
    seconds: None = None
    failure: Annotated[str, Field(min_length=1)]  # why, the same each time: it diverges, say


Result = Success | Failure


class Kept(BaseModel):
    """The file of a trial."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    scaling: Scaling
    params: Train
    fold: Fold | None
    left_out: int | None
    result: Result

    def is_of(self, trial: Trial) -> bool:
        """Whether it can be what this trial has left."""
        holds_out = self.params.validation > 0 or self.fold is not None
        validates = holds_out and not self.result.failure
        return (
            trial == (self.scaling, self.params, self.fold, self.left_out)
            and (self.result.validation_accuracy is not None) == validates
        )


@dataclass(frozen=True)
class TrialData:
    """The data of a trial."""

    dataset: Dataset
    raw: Path  # the folder of its files
    digest: str  # of these

    def sets(self, scaling: Scaling) -> Path:
        """The folder of the arrays in a scaling, which are made beside the files if need be."""
        path = self.raw.with_name(scaling)
        if not path.exists():
            with tempfile.TemporaryDirectory(dir=path.parent, prefix=".part.") as name:
                folder = Path(name) / scaling
                corrections = self.raw / APPLIED
                is_corrected = corrections.exists()
                scale_sets(
                    self.raw, folder, self.dataset, scaling, corrections if is_corrected else None
                )
                _move(folder, path)
        return path


def files_in(raw: Path) -> list[Path]:
    """The files of a data set, and the corrections of its labels if there are any."""
    paths = [raw / name for name in (*FILES, DESCRIPTION, APPLIED)]
    return paths if paths[-1].exists() else paths[:-1]


def _move(folder: Path, path: Path) -> None:
    """Move a folder to where no other process has yet moved one like it."""
    try:
        folder.rename(path)
    except OSError:
        if not path.exists():
            raise


def data_in(raw: Path) -> TrialData:
    """The data set whose files a folder holds, with a file of corrections if labels have some."""
    checksums = []
    for path in files_in(raw):
        with path.open("rb") as file:
            checksums.append(hashlib.file_digest(file, "sha256").hexdigest())
    digest = hashlib.sha256("".join(checksums).encode()).hexdigest()
    return TrialData(read_dataset(raw), raw, digest)


@cache
def code_digest() -> str:
    """Digest of the code that scales and trains, and of the versions of what it uses."""
    stages = yaml.safe_load(Path("dvc.yaml").read_text(encoding="utf-8"))["stages"]
    deps = {Path(dep) for name in ("normalize", "train") for dep in stages[name]["deps"]}
    code = {file for dep in deps for file in (dep, *dep.rglob("*.py")) if file.suffix == ".py"}
    code |= {file for file in OWN_CODE if file.exists()}
    digest = hashlib.sha256()
    for path in (*sorted(code), Path("requirements.txt")):
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def trial_digest(trial: Trial, data: TrialData, *, pinned: bool = PINNED) -> str:
    """Digest of all that the result of a trial depends on.

    Parameters
    ----------
    trial : Trial
    data : TrialData
    pinned : bool
        Whether the process that trains computes as `stages` says; this one if left out.
    """
    scaling, params, *rest = trial
    known = [scaling, params.model_dump(), *rest, data.digest, code_digest(), pinned]
    return hashlib.sha256(json.dumps(known).encode()).hexdigest()


def result_path(digest: str) -> Path:
    """The file that holds what a trial has left."""
    return CACHE / f"{digest}.json"


def network_path(digest: str) -> Path:
    """The file that holds the network of a trial, if it is kept."""
    return CACHE / f"{digest}.npz"


def write_network(digest: str, content: bytes) -> None:
    """Keep the network of a trial, from the content of its file."""
    with whole_file(network_path(digest)) as part:
        part.write_bytes(content)


def kept_network(trial: Trial, data: TrialData) -> TwoLayerNet:
    """The network of a trial, which was to be kept."""
    return TwoLayerNet.load(network_path(trial_digest(trial, data)))


def read_result(digest: str, trial: Trial) -> Result | None:
    """What a trial has left; None where there is no such file, or it is broken."""
    try:
        kept = read_json(result_path(digest), Kept)
    except UserError:
        return None
    return kept.result if kept.is_of(trial) else None


def write_result(digest: str, trial: Trial, result: Result) -> None:
    """Keep what a trial has left, beside its parameters."""
    write_json(result_path(digest), Kept(**trial._asdict(), result=result))


def known_result(
    digest: str, trial: Trial, data: TrialData, *, keep_network: bool
) -> Result | None:
    """What a trial has left; None too if its network is to be kept, and is not there."""
    result = read_result(digest, trial)
    if isinstance(result, Success) and keep_network and _lacks_network(trial, data, digest, result):
        return None
    return result


def held_out(t: NDArray[np.integer], fold: Fold, seed: int) -> NDArray[np.intp]:
    """The samples of a fold.

    Each class is shuffled, and its samples are dealt to the folds in turn, from class to class: so
    neither the folds nor a class's parts in them differ by more than one sample.

    Parameters
    ----------
    t : ndarray of int of shape (N,)
        The labels of the training set.
    fold : Fold
    seed : int

    Returns
    -------
    ndarray of int of shape (n,), in ascending order

    Raises
    ------
    ValueError
        If there is no such fold, or only one.
    UserError
        If there are fewer samples than folds.
    """
    if not (0 <= fold.number < fold.of and fold.of > 1):
        raise ValueError(f"fold: there is no {fold}")
    if len(t) < fold.of:
        raise UserError(
            f"the training set has {len(t)} samples, too few for {fold.of} folds; take fewer folds"
        )
    rng = np.random.default_rng([seed, fold.of])
    by_class = [rng.permutation(np.flatnonzero(t == label)) for label in np.unique(t)]
    return np.sort(np.concatenate(by_class)[fold.number :: fold.of])


def run_trials(
    trials: Sequence[Trial],
    data: TrialData,
    *,
    keep_networks: bool = False,
    cluster: str | None = None,
) -> list[Success]:
    """Train and test, in as many processes as there are cores, or on a cluster.

    What was trained before, with the same parameters, data, code and pinning, is not trained again.

    Parameters
    ----------
    trials : sequence of Trial
    data : TrialData
    keep_networks : bool
        Whether the trained networks are to be kept too, for `kept_network`.
    cluster : str, optional
        The address of a scheduler of Dask, whose workers train.

    Returns
    -------
    list of Success, in the order of the trials

    Raises
    ------
    UserError
        If a training diverges, or the cluster cannot be used.
    """
    if cluster is not None:
        from experiments.sweep.runs import run_on_cluster  # noqa: PLC0415 - needs Dask

        pairs = [(trial, data) for trial in trials]
        found = run_on_cluster(pairs, cluster, keep_networks=keep_networks)
        return [_checked(trial, result) for trial, result in zip(trials, found, strict=True)]
    digests = {trial: trial_digest(trial, data) for trial in trials}
    results = {
        trial: result
        for trial, digest in digests.items()
        if (result := known_result(digest, trial, data, keep_network=keep_networks)) is not None
    }
    missing = [trial for trial in digests if trial not in results]
    if missing:
        for scaling in {trial.scaling for trial in missing}:
            data.sets(scaling)  # made once, before the processes look for them
        # with "spawn", as DVC, once it has read a revision, may have left threads
        with worker_processes(len(missing), "spawn") as processes:
            futures = {
                processes.submit(
                    train_and_keep, trial, data, digests[trial], keep_network=keep_networks
                ): trial
                for trial in missing
            }
            for future in progress(as_completed(futures), "trainings", len(futures)):
                results[futures[future]] = _checked(futures[future], future.result())
    return [_checked(trial, results[trial]) for trial in trials]


def _lacks_network(trial: Trial, data: TrialData, digest: str, result: Success) -> bool:
    """Whether the network of a result is missing, broken or another one."""
    test_set = load_samples(data.sets(trial.scaling), "test", data.dataset.classes)
    try:
        network = TwoLayerNet.load(
            network_path(digest),
            input_size=test_set.x.shape[1],
            class_names=data.dataset.class_names,
        )
    except UserError:
        return True
    return evaluate(network, test_set).accuracy != result.test_accuracy


def _checked(trial: Trial, result: Result) -> Success:
    if isinstance(result, Failure):
        raise UserError(f"with seed {trial.params.seed} {result.failure}")
    return result


def train_and_keep(
    trial: Trial, data: TrialData, digest: str, *, keep_network: bool = False
) -> Result:
    """Train and test a network, and keep the result, and the network too if that is asked for."""
    encoding, train_set, test_set = load_once(data.sets(trial.scaling))
    settings, augment = settings_of(trial.params), augmentation_of(trial.params, data.dataset)
    rows = None
    result: Result
    start = time.thread_time()
    try:
        if trial.fold is not None:
            rows = held_out(train_set.t, trial.fold, trial.params.seed)
        # Not ahead: trials run side by side, and leave no core to another thread.
        fitted = fit(
            settings,
            train_set,
            encoding,
            held_out=rows,
            left_out=trial.left_out,
            augment=augment,
            ahead=False,
        )
    except UserError as error:
        result = Failure(failure=str(error))
    else:
        seconds = time.thread_time() - start
        samples = len(train_set.t) - (settings.validation if rows is None else len(rows))
        result = Success(
            test_accuracy=evaluate(fitted.trained, test_set).accuracy,
            validation_accuracy=fitted.validation and fitted.validation.accuracy,
            losses=_means(fitted.losses, settings.iterations_per_epoch(samples)),
            seconds=round(seconds, 3),
        )
        if keep_network:
            fitted.trained.save(network_path(digest))
    write_result(digest, trial, result)
    return result


@cache  # a process trains on the same sets again and again
def load_once(folder: Path) -> tuple[Encoding, Samples, Samples]:
    """The encoding, the training set and the test set in a folder."""
    encoding = read_json(folder / ENCODING.name, Encoding)
    return encoding, *load_sets(folder, encoding.classes)


def _means(losses: Sequence[float], iterations_per_epoch: int) -> tuple[float, ...]:
    """Mean of each epoch, of which the last may not be a whole one, to six digits."""
    starts = range(0, len(losses), iterations_per_epoch)
    return tuple(
        round(float(np.mean(losses[start : start + iterations_per_epoch])), 6) for start in starts
    )
