"""Trials: trainings, each done once and then kept, in parallel processes."""

import hashlib
import json
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import as_completed
from functools import partial
from pathlib import Path
from typing import NamedTuple

import yaml
from tqdm import tqdm

from nnlib.data.datasets import Dataset
from nnlib.encoding import Scaling, load_encoding
from nnlib.errors import UserError
from nnlib.files import write_text
from nnlib.network.evaluation import evaluate
from nnlib.network.training import fit
from nnlib.network.two_layer_net import TwoLayerNet
from nnlib.samples import load_sets
from stages import PINNED
from stages.common import ENCODING
from stages.normalize import scale_sets
from stages.params.train import Train
from stages.training import augmentation_of, settings_of
from stages.workers import worker_processes

CACHE = Path("data/trials")  # ignored by Git, like all of data


class Trial(NamedTuple):
    """A training run, which ends with a test."""

    scaling: Scaling
    params: Train


class Outcome(NamedTuple):
    """What a trial leaves."""

    test_accuracy: float
    validation_accuracy: float | None  # without samples held out, None
    network: Path  # the file that holds the network, if it is kept


def run_trials(
    trials: Sequence[Trial],
    raw: Mapping[str, bytes],
    dataset: Dataset,
    *,
    keep_networks: bool = False,
) -> list[Outcome]:
    """Train and test, in as many processes as there are cores.

    What was trained before, with the same parameters, data, code and pinning, is not trained again.

    Parameters
    ----------
    trials : sequence of Trial
    raw : mapping of str to bytes
        The files of the data set, by name.
    dataset : Dataset
    keep_networks : bool
        Whether the trained networks are to be kept too.

    Returns
    -------
    list of Outcome, in the order of the trials

    Raises
    ------
    UserError
        If a training diverges.
    """
    common = [*raw.values(), *(path.read_bytes() for path in _code())]
    paths = {trial: CACHE / f"{_digest(trial, common)}.json" for trial in trials}
    known = {
        trial: outcome
        for trial, path in paths.items()
        if (outcome := _read_outcome(path)) is not None
        and not (keep_networks and _is_broken(outcome.network))
    }
    missing = [trial for trial in paths if trial not in known]
    if missing:
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as folder:
            _write_sets(Path(folder), raw, dataset, {trial.scaling for trial in missing})
            train = partial(_train_one, dataset, Path(folder), keep_network=keep_networks)
            for trial, outcome in _train_all(train, {trial: paths[trial] for trial in missing}):
                known[trial] = outcome
                _write_outcome(paths[trial], trial, outcome)
    return [known[trial] for trial in trials]


def _read_outcome(path: Path) -> Outcome | None:
    """What a file holds; None where there is no such file, or it is broken."""
    try:
        result = json.loads(path.read_text(encoding="utf-8"))
        validation = result["validation_accuracy"]
        return Outcome(
            float(result["accuracy"]),
            None if validation is None else float(validation),
            path.with_suffix(".npz"),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _is_broken(network: Path) -> bool:
    try:
        TwoLayerNet.load(network)
    except (OSError, UserError):
        return True
    return False


def _write_outcome(path: Path, trial: Trial, outcome: Outcome) -> None:
    result = {
        "scaling": trial.scaling,
        **trial.params.model_dump(),
        "accuracy": outcome.test_accuracy,
        "validation_accuracy": outcome.validation_accuracy,
    }
    write_text(path, json.dumps(result, indent=2) + "\n")


def _code() -> list[Path]:
    """The code that scales and trains, and the versions of what it uses."""
    stages = yaml.safe_load(Path("dvc.yaml").read_text(encoding="utf-8"))["stages"]
    deps = {dep for name in ("normalize", "train") for dep in stages[name]["deps"]}
    code = sorted(dep for dep in deps if dep.endswith(".py"))
    return [Path(name) for name in (*code, "requirements.txt")]


def _digest(trial: Trial, common: Sequence[bytes]) -> str:
    """Checksum of all that the result of a training run depends on."""
    digest = hashlib.sha256(repr((trial, PINNED)).encode())
    for content in common:
        digest.update(hashlib.sha256(content).digest())
    return digest.hexdigest()


def _write_sets(
    folder: Path, raw: Mapping[str, bytes], dataset: Dataset, scalings: Iterable[Scaling]
) -> None:
    """Write what the processes read: the arrays in each scaling, in a folder of its name."""
    for name, content in raw.items():
        (folder / name).write_bytes(content)
    for scaling in scalings:
        scale_sets(folder, folder / scaling, dataset, scaling)


def _train_all(
    train: Callable[[Trial, Path], Outcome], paths: Mapping[Trial, Path]
) -> Iterator[tuple[Trial, Outcome]]:
    """Each trial with its outcome, in the order in which they finish."""
    # not forked: DVC, which has read the revisions, may have left threads
    with worker_processes(len(paths), "spawn") as processes:
        futures = {processes.submit(train, trial, path): trial for trial, path in paths.items()}
        done = as_completed(futures)
        for future in tqdm(done, total=len(paths), desc="trainings", leave=False, disable=None):
            try:
                yield futures[future], future.result()
            except UserError as error:
                raise UserError(f"training with {futures[future].params}: {error}") from error


def _train_one(
    dataset: Dataset, folder: Path, trial: Trial, path: Path, *, keep_network: bool
) -> Outcome:
    encoding = load_encoding(folder / trial.scaling / ENCODING.name)
    train_set, test_set = load_sets(folder / trial.scaling, encoding.classes)
    augment = augmentation_of(trial.params, dataset)
    fitted = fit(settings_of(trial.params), train_set, encoding, augment=augment)
    validation = None if fitted.validation is None else fitted.validation.accuracy
    accuracy = evaluate(fitted.trained, test_set).accuracy
    outcome = Outcome(accuracy, validation, path.with_suffix(".npz"))
    if keep_network:
        fitted.trained.save(outcome.network)
    return outcome
