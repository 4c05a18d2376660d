"""Training runs of several sets of parameters with several seeds, each done once."""

import hashlib
import json
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import as_completed
from itertools import chain
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
from nnlib.samples import load_sets
from stages import PINNED
from stages.common import ENCODING, RAW
from stages.compare.revisions import Revision
from stages.normalize import scale_sets
from stages.params.train import Train
from stages.training import augmentation_of, settings_of
from stages.workers import worker_processes

CACHE = Path("data/compare")  # ignored by Git, like all of data


class Job(NamedTuple):
    """A training run, which ends with a test."""

    scaling: Scaling
    params: Train


def seed_accuracies(revisions: Sequence[Revision], seeds: Sequence[int]) -> list[list[float]]:
    """Test accuracy of each revision's parameters with each seed, in parallel processes.

    What was trained before, with the same parameters, data, code and pinning, is not trained again.

    Parameters
    ----------
    revisions : sequence of Revision
    seeds : sequence of int

    Returns
    -------
    list of float by seed, for each revision

    Raises
    ------
    UserError
        If a training diverges, or if this code cannot train a revision's parameters, or not on the
        same data.
    """
    dataset = revisions[-1].dataset
    raw, *others = [
        {name: revision.read(RAW / name) for name in dataset.files} for revision in revisions
    ]
    if any(other != raw for other in others):
        raise UserError(
            "the training sets differ, so the seeds would not show what the other changes do; "
            "leave SEEDS out, or name revisions with the same data"
        )
    common = [*raw.values(), *(path.read_bytes() for path in _code())]
    jobs = [[_job(revision, seed) for seed in seeds] for revision in revisions]
    paths = {job: CACHE / f"{_digest(job, common)}.json" for job in chain(*jobs)}
    known = {
        job: accuracy
        for job, path in paths.items()
        if (accuracy := _read_accuracy(path)) is not None
    }
    missing = [job for job in paths if job not in known]
    if missing:
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as folder:
            for name, content in raw.items():
                (Path(folder) / name).write_bytes(content)
            for job, accuracy in _train_all(missing, dataset, Path(folder)):
                result = {"scaling": job.scaling, **job.params.model_dump(), "accuracy": accuracy}
                write_text(paths[job], json.dumps(result, indent=2) + "\n")
                known[job] = accuracy
    return [[known[job] for job in of_revision] for of_revision in jobs]


def _read_accuracy(path: Path) -> float | None:
    """The accuracy that a file holds; None where there is no such file, or it is broken."""
    try:
        return float(json.loads(path.read_text(encoding="utf-8"))["accuracy"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _job(revision: Revision, seed: int) -> Job:
    params = revision.trained.train.model_copy(update={"seed": seed})
    return Job(revision.trained.normalize.scaling, params)


def _code() -> list[Path]:
    """The code that scales and trains, and the versions of what it uses."""
    stages = yaml.safe_load(Path("dvc.yaml").read_text(encoding="utf-8"))["stages"]
    deps = {dep for name in ("normalize", "train") for dep in stages[name]["deps"]}
    code = sorted(dep for dep in deps if dep.endswith(".py"))
    return [Path(name) for name in (*code, "requirements.txt")]


def _digest(job: Job, common: Sequence[bytes]) -> str:
    """Checksum of all that the result of a training run depends on."""
    digest = hashlib.sha256(repr((job, PINNED)).encode())
    for content in common:
        digest.update(hashlib.sha256(content).digest())
    return digest.hexdigest()


def _train_all(jobs: Sequence[Job], dataset: Dataset, folder: Path) -> Iterator[tuple[Job, float]]:
    """Each job with its test accuracy, in the order in which they finish."""
    for scaling in {job.scaling for job in jobs}:
        scale_sets(folder, folder / scaling, dataset, scaling)
    # not forked: DVC, which has read the revisions, may have left threads
    with worker_processes(len(jobs), "spawn") as processes:
        futures = {processes.submit(_train_one, job, dataset, folder): job for job in jobs}
        done = as_completed(futures)
        for future in tqdm(done, total=len(jobs), desc="trainings", leave=False, disable=None):
            try:
                yield futures[future], future.result()
            except UserError as error:
                raise UserError(f"training with {futures[future].params}: {error}") from error


def _train_one(job: Job, dataset: Dataset, folder: Path) -> float:
    encoding = load_encoding(folder / job.scaling / ENCODING.name)
    train_set, test_set = load_sets(folder / job.scaling, encoding.classes)
    augment = augmentation_of(job.params, dataset)
    fitted = fit(settings_of(job.params), train_set, encoding, augment=augment)
    return evaluate(fitted.trained, test_set).accuracy
