"""Stage 3: train the network; keep it untrained and trained, and the course of its training."""

from collections.abc import Callable
from functools import partial

import pandas as pd
from tqdm import tqdm

from nnlib.network import training
from nnlib.network.two_layer_net import TwoLayerNet
from nnlib.samples import Samples, load_samples
from nnlib.tables import write_csv
from stages.common import MODELS, NORMALIZED, TRAINING, run, write_metrics
from stages.params import Params, Train


def train(params: Params) -> None:
    """Train by SGD, with a table of the epochs and a progress bar on the terminal."""
    train_set = load_samples(NORMALIZED, "train")
    test_set = load_samples(NORMALIZED, "test")
    network, fit = prepare_training(params.train, train_set)
    network.save(MODELS / "untrained.npz")

    history: list[training.Epoch] = []

    def measure(epoch: int, iteration: int, snapshot: TwoLayerNet) -> None:
        measured = training.measure(snapshot, train_set, test_set)
        history.append(training.Epoch(epoch, iteration, *measured))
        tqdm.write("{:5d}  {:9d}  {:6.4f}  {:14.4f}  {:13.4f}".format(*history[-1]))

    print("epoch  iteration    loss  train accuracy  test accuracy")
    progress = partial(tqdm, desc="training", leave=False, disable=None)
    losses = fit(on_epoch=measure, progress=progress)
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


def prepare_training(
    settings: Train, train_set: Samples
) -> tuple[TwoLayerNet, Callable[..., list[float]]]:
    """The untrained network of the parameters, and what trains it."""
    network, rng_batches = training.initialise(
        settings.seed,
        input_size=train_set.x.shape[1],
        hidden_size=settings.hidden_size,
        weight_init_std=settings.weight_init_std,
    )
    return network, partial(
        training.train,
        network,
        train_set,
        iterations=settings.iterations,
        batch_size=settings.batch_size,
        learning_rate=settings.learning_rate,
        rng=rng_batches,
    )


if __name__ == "__main__":
    run(train)
