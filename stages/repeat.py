"""Stage 5: train with other seeds, to tell what is the luck of one."""

from functools import partial

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from nnlib.analysis.repeats import accuracies, confusions, write_repeats
from nnlib.data.datasets import DATASETS
from nnlib.encoding import load_encoding
from nnlib.errors import UserError
from nnlib.network.evaluation import predict
from nnlib.network.training import Augment, Settings, fit
from nnlib.samples import load_samples, load_sets
from stages.common import ENCODING, NORMALIZED, REPEATS, run, write_metrics
from stages.params.data import Data
from stages.params.repeat import Repeat
from stages.params.sections import Sections
from stages.params.train import Train
from stages.training import augmentation_of, settings_of
from stages.workers import worker_processes


class Params(Sections):
    """What this stage reads."""

    data: Data
    train: Train
    repeat: Repeat


def repeat(params: Params) -> None:
    """Write what each network predicts, and how accurate they are."""
    settings = settings_of(params.train)
    seeds = range(settings.seed + 1, settings.seed + 1 + params.repeat.seeds)
    metrics: dict[str, float] = {"seeds": len(seeds)}
    dataset = DATASETS[params.data.source]
    labels = load_samples(NORMALIZED, "test", dataset.classes).t
    predicted = np.empty((len(seeds), len(labels)), np.uint8)
    if seeds:
        with worker_processes(len(seeds), "fork") as workers:
            work = partial(train_and_test, settings, augmentation_of(params.train, dataset))
            trainings = workers.map(work, seeds)
            progress = tqdm(trainings, total=len(seeds), desc="seeds", leave=False, disable=None)
            predicted[:] = list(progress)
        accuracy = accuracies(confusions(predicted, labels, dataset.classes))
        metrics |= {"mean": float(accuracy.mean()), "std": float(accuracy.std(ddof=1))}
    write_repeats(REPEATS / "predictions.npy", predicted)
    write_metrics("repeat", params.data.source, metrics)


def train_and_test(settings: Settings, augment: Augment | None, seed: int) -> NDArray[np.uint8]:
    """What a network trained with another seed predicts of the test set, of shape (N,)."""
    encoding = load_encoding(ENCODING)
    train_set, test_set = load_sets(NORMALIZED, encoding.classes)
    try:
        fitted = fit(settings._replace(seed=seed), train_set, encoding, augment=augment)
    except UserError as error:
        raise UserError(f"with seed {seed} {error}") from error
    return predict(fitted.trained, test_set.x).argmax(axis=1).astype(np.uint8)


if __name__ == "__main__":
    run(repeat, Params)
