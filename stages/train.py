"""Stage 3: train the network; keep it untrained and trained, and the course of its training."""

from functools import partial

import pandas as pd
from tqdm import tqdm

from nnlib import training
from nnlib.network import TwoLayerNet
from nnlib.params import Params
from nnlib.samples import load_samples
from nnlib.tables import write_csv
from stages.common import MODELS, NORMALIZED, TRAINING, run, write_metrics


def train(params: Params) -> None:
    """Train by SGD, with a table of the epochs and a progress bar on the terminal."""
    train_set = load_samples(NORMALIZED, "train")
    test_set = load_samples(NORMALIZED, "test")
    network, rng_batches = training.initialise(
        params.train.seed,
        input_size=train_set.x.shape[1],
        hidden_size=params.train.hidden_size,
        weight_init_std=params.train.weight_init_std,
    )
    network.save(MODELS / "untrained.npz")

    history: list[training.Epoch] = []

    def measure(epoch: int, iteration: int, snapshot: TwoLayerNet) -> None:
        measured = training.measure(snapshot, train_set, test_set)
        history.append(training.Epoch(epoch, iteration, *measured))
        tqdm.write("{:5d}  {:9d}  {:6.4f}  {:14.4f}  {:13.4f}".format(*history[-1]))

    print("epoch  iteration    loss  train accuracy  test accuracy")
    losses = training.train(
        network,
        train_set,
        iterations=params.train.iterations,
        batch_size=params.train.batch_size,
        learning_rate=params.train.learning_rate,
        rng=rng_batches,
        on_epoch=measure,
        progress=partial(tqdm, desc="training", leave=False, disable=None),
    )
    network.save(MODELS / "trained.npz")

    loss = pd.DataFrame({"iteration": range(1, len(losses) + 1), "loss": losses})
    write_csv(TRAINING / "loss.csv", loss)
    write_csv(TRAINING / "history.csv", pd.DataFrame(history))

    loss_at_end, train_accuracy, test_accuracy = training.measure(network, train_set, test_set)
    write_metrics(
        "train",
        params,
        {
            "iterations": params.train.iterations,
            "epochs": history[-1].epoch,
            "loss": loss_at_end,
            "train_accuracy": train_accuracy,
            "test_accuracy": test_accuracy,
        },
    )


if __name__ == "__main__":
    run(train)
