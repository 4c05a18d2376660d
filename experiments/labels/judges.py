"""Two judges of the labels, neither of which has seen the label that it judges.

Networks: each sample is judged by those that were trained without its fold. Neighbours: the nearest
training samples, by the directions of the outlines, vote with their labels.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from experiments.labels.directions import direction_features
from experiments.record.recipe import RECIPE, recipe_for
from experiments.sweep.overrides import merge_values
from experiments.trials import (
    Fold,
    Trial,
    TrialData,
    held_out,
    kept_network,
    run_trials,
)
from nnlib.analysis.neighbours import nearest
from nnlib.base.arrays import Floats
from nnlib.base.blocks import blocks
from nnlib.base.progress import progress
from nnlib.data.samples import load_sets
from nnlib.network.evaluation import logits
from nnlib.network.functions import softmax
from stages.params import Params, Train, check_params

FOLDS = 5
# The record's network takes minutes a fold. Smoothed targets keep networks from learning wrong
# labels by heart: Lukasik, Bhojanapalli, Menon and Kumar (2020), "Does label smoothing mitigate
# label noise?", https://proceedings.mlr.press/v119/lukasik20a.html.
SHORTER = {"train.hidden_size": 512, "train.label_smoothing": 0.1}
# What the recipe leaves to the defaults: the judges do not depend on what params.yaml trains with.
# With epochs, iterations have no effect; but trials are known by them too.
PLAIN = {
    "optimizer": {},
    "schedule": {"warmup": 0},
    "iterations": 10000,
    "dropout": 0,
    "members": 1,
    "validation": 0,
}
EPOCHS = 30
LEAST_UPDATES = 1000  # on a small data set, whose epochs are short
NEIGHBOURS = 10
TRAINING_BLOCK = 5000  # training samples that others are compared with at once


class Opinions(NamedTuple):
    """The probabilities of the classes of N training and M test samples."""

    train: Floats  # (N, C)
    test: Floats  # (M, C)


def settings_of_judges(
    defaults: Params, image_shape: tuple[int, int], samples: int, epochs: int = EPOCHS
) -> Train:
    """The settings of the networks: the record's recipe, shortened.

    Parameters
    ----------
    defaults : Params
        Of these, only the seed of the training is kept.
    image_shape : (int, int)
    samples : int
        Of the training set.
    epochs : int
        More, if they would not make `LEAST_UPDATES`.
    """
    content = defaults.model_dump()
    content["train"] |= PLAIN
    recipe = {name.removeprefix("+"): value for name, value in recipe_for(image_shape).items()}
    recipe |= SHORTER
    per_epoch = max(samples * (FOLDS - 1) // FOLDS // recipe["train.batch_size"], 1)
    recipe["train.epochs"] = max(epochs, math.ceil(LEAST_UPDATES / per_epoch))
    merge_values(content, recipe)
    return check_params(Params, content, RECIPE).train


def opinions_of_networks(
    data: TrialData, params: Params, settings: Train, seeds: Sequence[int], cluster: str | None
) -> Opinions:
    """The mean of the probabilities that networks give.

    A training sample is judged by one network of each seed, and a test sample by all of them.

    Parameters
    ----------
    data : TrialData
    params : Params
        Whose scaling is taken.
    settings : Train
    seeds : sequence of int
    cluster : str or None
        The address of a Dask scheduler; None for this machine's cores.

    Raises
    ------
    UserError
        If a training diverges, or the cluster cannot do it.
    """
    trials = {
        (seed, k): Trial(
            params.normalize.scaling,
            settings.model_copy(update={"seed": seed}),
            Fold(k, FOLDS),
        )
        for seed in seeds
        for k in range(FOLDS)
    }
    run_trials([*trials.values()], data, keep_networks=True, cluster=cluster)
    classes = data.dataset.classes
    train_set, test_set = load_sets(data.sets(params.normalize.scaling), classes)
    train, test = np.zeros((len(train_set.t), classes)), np.zeros((len(test_set.t), classes))
    for (seed, k), trial in trials.items():
        network = kept_network(trial, data)
        rows = held_out(train_set.t, Fold(k, FOLDS), seed)
        train[rows] += softmax(logits(network, train_set.x[rows]))
        test += softmax(logits(network, test_set.x))
    return Opinions(train / len(seeds), test / len(trials))


class Neighbours(NamedTuple):
    """The rows of the nearest training samples, the nearest first."""

    train: NDArray[np.intp]  # (N, k), of each training sample, without itself
    test: NDArray[np.intp]  # (M, k)

    def opinions(self, labels: NDArray[np.integer], classes: int) -> Opinions:
        """The share of each class in the votes of the neighbours, and one vote for all classes.

        Parameters
        ----------
        labels : ndarray of int of shape (N,)
            Of the training samples.
        classes : int
            C.
        """
        return Opinions(*(_shares(labels[rows], classes) for rows in self))


def _shares(votes: NDArray[np.integer], classes: int) -> Floats:
    """The shares of the classes, (n, C), in votes of shape (n, k)."""
    counts = (votes[:, :, np.newaxis] == np.arange(classes)).sum(axis=1)
    return (counts + 1 / classes) / (votes.shape[1] + 1)


def find_neighbours(
    train_images: NDArray[np.uint8], test_images: NDArray[np.uint8], *, has_strokes: bool
) -> Neighbours:
    """Find the nearest training samples of each sample.

    Parameters
    ----------
    train_images, test_images : ndarray of uint8 of shape (N, height, width), (M, height, width)
    has_strokes : bool
        As for `direction_features`.
    """
    train, test = (
        direction_features(each, has_strokes=has_strokes) for each in (train_images, test_images)
    )
    training = [train[block] for block in blocks(len(train), TRAINING_BLOCK)]
    compared = progress(training, "nearest images, blocks", len(training))
    of_train = nearest(train, compared, NEIGHBOURS + 1).indices
    # All but the sample itself; where so many are the same that it is not among them, the last.
    is_other = of_train != np.arange(len(train))[:, np.newaxis]
    is_other[is_other.all(axis=1), -1] = False
    others = of_train[is_other].reshape(len(train), -1)
    return Neighbours(others, nearest(test, training, NEIGHBOURS).indices)
