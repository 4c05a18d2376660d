"""A trial, what it depends on, and what it leaves, which is kept by a digest of the former."""

import hashlib
import json
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import yaml

from nnlib.base.errors import UserError
from nnlib.base.files import write_text
from nnlib.data.datasets import Dataset
from nnlib.data.encoding import Encoding, Scaling, load_encoding
from nnlib.data.samples import Samples, load_sets
from nnlib.network.evaluation import evaluate
from nnlib.network.two_layer_net import TwoLayerNet
from nnlib.training.fit import fit
from stages import PINNED
from stages.common import ENCODING
from stages.normalize import scale_sets
from stages.params import Train
from stages.train import augmentation_of, settings_of

CACHE = Path("data/trials")  # ignored by Git, like all of data


class Trial(NamedTuple):
    """A training run, which ends with a test."""

    scaling: Scaling
    params: Train


class Outcome(NamedTuple):
    """What a trial leaves."""

    test_accuracy: float
    validation_accuracy: float | None  # without samples held out, None
    losses: tuple[float, ...]  # of each epoch, the mean of its batches before their updates, nats
    seconds: float  # of one core, for the training


class Failure(NamedTuple):
    """What a trial leaves that cannot be done, the same each time: it diverges, say."""

    reason: str


Result = Outcome | Failure


@dataclass(frozen=True)
class TrialData:
    """The data of a trial."""

    dataset: Dataset
    digest: str  # of its files
    raw: Path  # the folder of the files
    normalized: Mapping[Scaling, Path]  # the folders of the arrays that are there already

    def sets(self, scaling: Scaling) -> Path:
        """The folder of the arrays in a scaling, which are made beside the files if need be."""
        if scaling in self.normalized:
            return self.normalized[scaling]
        path = self.raw.with_name(scaling)
        if not path.exists():
            with tempfile.TemporaryDirectory(dir=path.parent, prefix=".part.") as name:
                folder = Path(name) / scaling
                scale_sets(self.raw, folder, self.dataset, scaling)
                _move(folder, path)
        return path


def _move(folder: Path, path: Path) -> None:
    """Move a folder to where no other process has yet moved one like it."""
    try:
        folder.rename(path)
    except OSError:
        if not path.exists():
            raise


def data_in(
    raw: Path, dataset: Dataset, normalized: Mapping[Scaling, Path] | None = None
) -> TrialData:
    """The data set whose files a folder holds.

    Parameters
    ----------
    raw : Path
    dataset : Dataset
    normalized : mapping of str to Path, optional
        The folders that hold its arrays, by their scaling, if there are any.
    """
    checksums = []
    for name in dataset.files:
        with (raw / name).open("rb") as file:
            checksums.append(hashlib.file_digest(file, "sha256").hexdigest())
    digest = hashlib.sha256("".join(checksums).encode()).hexdigest()
    return TrialData(dataset, digest, raw, normalized or {})


@contextmanager
def data_of(dataset: Dataset, raw: Mapping[str, bytes]) -> Iterator[TrialData]:
    """A data set in a temporary folder, from the contents of its files by their names."""
    with temporary_raw() as folder:
        for name in dataset.files:
            (folder / name).write_bytes(raw[name])
        yield data_in(folder, dataset)


@contextmanager
def temporary_raw() -> Iterator[Path]:
    """A folder for the files of a data set, which goes with all that trials make beside it."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as name:
        raw = Path(name) / "raw"
        raw.mkdir()
        yield raw


@cache
def code_digest() -> str:
    """Digest of the code that scales and trains, and of the versions of what it uses."""
    stages = yaml.safe_load(Path("dvc.yaml").read_text(encoding="utf-8"))["stages"]
    deps = {Path(dep) for name in ("normalize", "train") for dep in stages[name]["deps"]}
    code = {file for dep in deps for file in (dep, *dep.rglob("*.py")) if file.suffix == ".py"}
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
    known = [trial.scaling, trial.params.model_dump(), data.digest, code_digest(), pinned]
    return hashlib.sha256(json.dumps(known).encode()).hexdigest()


def result_path(digest: str) -> Path:
    """The file that holds what a trial has left."""
    return CACHE / f"{digest}.json"


def network_path(digest: str) -> Path:
    """The file that holds the network of a trial, if it is kept."""
    return CACHE / f"{digest}.npz"


def kept_network(trial: Trial, data: TrialData) -> TwoLayerNet:
    """The network of a trial, which was to be kept."""
    return TwoLayerNet.load(network_path(trial_digest(trial, data)))


def read_result(digest: str) -> Result | None:
    """What a trial has left; None where there is no such file, or it is broken."""
    try:
        return parse_result(result_path(digest).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def write_result(digest: str, trial: Trial, result: Result) -> None:
    """Keep what a trial has left, beside its parameters."""
    whole = {"scaling": trial.scaling, **trial.params.model_dump(), **result._asdict()}
    write_text(result_path(digest), json.dumps(whole, indent=2) + "\n")


def parse_result(text: str) -> Result:
    """Read what a trial has left.

    Raises
    ------
    ValueError
        If it is no such text.
    """
    try:
        values = json.loads(text)
        if "reason" in values:
            return Failure(str(values["reason"]))
        validation = values["validation_accuracy"]
        return Outcome(
            float(values["test_accuracy"]),
            None if validation is None else float(validation),
            tuple(map(float, values["losses"])),
            float(values["seconds"]),
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"not the result of a trial: {text}") from error


def train_trial(trial: Trial, data: TrialData, *, network: Path | None = None) -> Result:
    """Train and test a network.

    Parameters
    ----------
    trial : Trial
    data : TrialData
    network : Path, optional
        Where to keep the network.
    """
    encoding, train_set, test_set = _load(data.sets(trial.scaling))
    settings, augment = settings_of(trial.params), augmentation_of(trial.params, data.dataset)
    start = time.process_time()
    try:
        # Not ahead: trials run side by side, and leave no core to another thread.
        fitted = fit(settings, train_set, encoding, augment=augment, ahead=False)
    except UserError as error:
        return Failure(str(error))
    seconds = time.process_time() - start
    if network is not None:
        fitted.trained.save(network)
    return Outcome(
        test_accuracy=evaluate(fitted.trained, test_set).accuracy,
        validation_accuracy=None if fitted.validation is None else fitted.validation.accuracy,
        losses=_means(
            fitted.losses, settings.iterations_per_epoch(len(train_set.t) - settings.validation)
        ),
        seconds=round(seconds, 3),
    )


@cache  # a process trains on the same sets again and again
def _load(folder: Path) -> tuple[Encoding, Samples, Samples]:
    encoding = load_encoding(folder / ENCODING.name)
    return encoding, *load_sets(folder, encoding.classes)


def _means(losses: Sequence[float], iterations_per_epoch: int) -> tuple[float, ...]:
    """Mean of each epoch, of which the last may not be a whole one, to six digits."""
    starts = range(0, len(losses), iterations_per_epoch)
    return tuple(
        round(float(np.mean(losses[start : start + iterations_per_epoch])), 6) for start in starts
    )
