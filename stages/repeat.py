"""Stage 5: train with other seeds, to tell what is the luck of one."""

from functools import partial

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from nnlib.analysis.metrics import confusion_matrix
from nnlib.analysis.repeats import accuracies, write_confusions
from nnlib.data.datasets import DATASETS
from nnlib.encoding import load_encoding
from nnlib.errors import UserError
from nnlib.network.evaluation import predict
from nnlib.network.training import Settings, fit
from nnlib.samples import load_sets
from stages.common import ENCODING, NORMALIZED, REPEATS, run, write_metrics
from stages.params.data import Data
from stages.params.repeat import Repeat
from stages.params.sections import Sections
from stages.params.train import Train
from stages.workers import worker_processes


class Params(Sections):
    """What this stage reads."""

    data: Data
    train: Train
    repeat: Repeat


def repeat(params: Params) -> None:
    """Write how often each network takes each class for each, and how accurate they are."""
    settings = Settings(**params.train.model_dump())
    seeds = range(settings.seed + 1, settings.seed + 1 + params.repeat.seeds)
    metrics: dict[str, float] = {"seeds": len(seeds)}
    classes = DATASETS[params.data.source].classes
    confusions = np.empty((0, classes, classes), np.int64)
    if seeds:
        with worker_processes(len(seeds), "fork") as workers:
            trainings = workers.map(partial(train_and_test, settings), seeds)
            progress = tqdm(trainings, total=len(seeds), desc="seeds", leave=False, disable=None)
            confusions = np.array(list(progress))
        accuracy = accuracies(confusions)
        metrics |= {"mean": float(accuracy.mean()), "std": float(accuracy.std(ddof=1))}
    write_confusions(REPEATS / "confusion.csv", seeds, confusions)
    write_metrics("repeat", params.data.source, metrics)


def train_and_test(settings: Settings, seed: int) -> NDArray[np.int64]:
    """Confusion matrix, on the test set, of a network trained with another seed."""
    encoding = load_encoding(ENCODING)
    train_set, test_set = load_sets(NORMALIZED, encoding.classes)
    try:
        network = fit(settings._replace(seed=seed), train_set, encoding).trained
    except UserError as error:
        raise UserError(f"with seed {seed} {error}") from error
    predicted = predict(network, test_set.x).argmax(axis=1)
    return confusion_matrix(test_set.t, predicted, encoding.classes)


if __name__ == "__main__":
    run(repeat, Params)
