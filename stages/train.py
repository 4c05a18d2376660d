"""Stage 3: train; keep the untrained and the trained network, and the course of the training."""

from functools import partial
from typing import Any

import pandas as pd
from tqdm import tqdm

from nnlib.base.tables import write_csv
from nnlib.base.validation import read_json, write_json
from nnlib.data.datasets import Dataset, read_dataset
from nnlib.data.distortion import Amounts, Distortion
from nnlib.data.encoding import Encoding
from nnlib.data.samples import load_sets
from nnlib.network.gradient_check import check_gradient
from nnlib.training.fit import Settings, fit, initialise
from nnlib.training.history import Epoch, write_history, write_snapshots
from stages.common import ENCODING, MODELS, NORMALIZED, TRAINING, run, write_metrics
from stages.params import Params, Train
from stages.workers import cores


def train(params: Params) -> None:
    """Train by SGD, with a table of the epochs and a progress bar on the terminal."""
    settings = settings_of(params.train)
    dataset, encoding = read_dataset(NORMALIZED), read_json(ENCODING, Encoding)
    train_set, test_set = load_sets(NORMALIZED, encoding.classes)
    # before the training, so that a full disk does not waste it
    untrained = initialise(settings, train_set.x.shape[1], encoding)
    untrained.save(MODELS / "untrained.npz")
    write_json(TRAINING / "gradient_check.json", check_gradient(untrained, train_set))
    validation = "  validation accuracy" if settings.validation else ""
    print(f"epoch  iteration    loss  train accuracy  test accuracy{validation}")
    fitted = fit(
        settings,
        train_set,
        encoding,
        test_set=test_set,
        augment=augmentation_of(params.train, dataset),
        threads=cores(),
        on_epoch=show,
        progress=partial(tqdm, desc="training", leave=False, disable=None),
    )
    fitted.trained.save(MODELS / "trained.npz")
    iterations = range(1, len(fitted.losses) + 1)
    loss = pd.DataFrame({"iteration": iterations, "loss": fitted.losses})
    write_csv(TRAINING / "loss.csv", loss)
    write_history(TRAINING / "history.csv", fitted.history)
    write_snapshots(TRAINING / "weights.npz", fitted.snapshots)

    metrics: dict[str, Any] = {
        "iterations": len(fitted.losses),
        "epochs": fitted.history[-1].epoch,
    }
    if fitted.validation is not None:
        metrics["validation"] = {
            "loss": fitted.validation.loss,
            "accuracy": fitted.validation.accuracy,
        }
    write_metrics("train", dataset, metrics)


def settings_of(train: Train) -> Settings:
    """The hyperparameters, but for the augmentation."""
    return Settings(**train.model_dump(exclude={"augmentation"}))


def augmentation_of(train: Train, dataset: Dataset) -> Distortion | None:
    """What distorts the images of each batch; None if the amounts are all 0."""
    amounts = Amounts(**train.augmentation.model_dump())
    return Distortion(amounts, dataset.image_shape) if any(amounts) else None


def show(epoch: Epoch) -> None:
    """Print a row of the table, above the progress bar."""
    row = "{:5d}  {:9d}  {:6.4f}  {:14.4f}  {:13.4f}".format(*epoch)
    if epoch.validation_accuracy is not None:
        row += f"  {epoch.validation_accuracy:19.4f}"
    tqdm.write(row)


if __name__ == "__main__":
    run(train)
