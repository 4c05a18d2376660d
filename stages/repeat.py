"""Stage 5: train with other seeds, to measure the variation between seeds."""

from concurrent.futures import as_completed

import numpy as np
from numpy.typing import NDArray

from nnlib.base.archives import write_array
from nnlib.base.errors import UserError
from nnlib.base.progress import progress
from nnlib.base.validation import read_json
from nnlib.data.datasets import Dataset, read_dataset
from nnlib.data.encoding import Encoding
from nnlib.data.samples import load_samples, load_sets
from nnlib.network.evaluation import predict
from nnlib.training.fit import fit
from stages.common import ENCODING, NORMALIZED, REPEATS, run, write_metrics
from stages.params import Params, Train
from stages.train import augmentation_of, settings_of
from stages.workers import worker_processes


def repeat(params: Params) -> None:
    """Write what each network predicts, and how accurate they are."""
    dataset = read_dataset(NORMALIZED)
    test_set = load_samples(NORMALIZED, "test", dataset.classes)
    seeds = params.repeat.seeds
    metrics: dict[str, float] = {"seeds": seeds}
    predicted = np.empty((seeds, len(test_set.t)), np.uint8)
    if seeds:
        # with "fork", as this is the only thread
        with worker_processes(seeds, "fork") as processes:
            rows = {}
            for row in range(seeds):
                train = params.train.model_copy(update={"seed": params.train.seed + 1 + row})
                rows[processes.submit(train_and_predict, train, dataset)] = row
            for each in progress(as_completed(rows), "seeds", len(rows)):
                predicted[rows[each]] = each.result()
        accuracy = (predicted == test_set.t).mean(axis=1)
        metrics |= {"mean": float(accuracy.mean()), "std": float(accuracy.std(ddof=1))}
    write_array(REPEATS / "predictions.npy", predicted)
    write_metrics("repeat", dataset, metrics)


def train_and_predict(train: Train, dataset: Dataset) -> NDArray[np.intp]:
    """The class that a network, trained for this, predicts for each test sample."""
    encoding = read_json(ENCODING, Encoding)
    train_set, test_set = load_sets(NORMALIZED, encoding.classes)
    augment = augmentation_of(train, dataset)
    try:
        # Not ahead: trainings run side by side, and leave no core to another thread.
        fitted = fit(settings_of(train), train_set, encoding, augment=augment, ahead=False)
    except UserError as error:
        raise UserError(f"with seed {train.seed} {error}") from error
    return predict(fitted.trained, test_set.x).argmax(axis=1)


if __name__ == "__main__":
    run(repeat)
