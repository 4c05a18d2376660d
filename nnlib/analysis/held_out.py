"""What is chosen on one half of the samples and measured on the other, and the other way round.

A threshold, a temperature or a quantile that is measured on the samples that it was chosen on looks
better than it is. So the samples are halved; what is chosen on each half is applied to the other;
and the two results are counted together.
"""

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nnlib.analysis.confidence import accuracy_by_coverage, coverage_at
from nnlib.analysis.predictions import Predictions
from nnlib.base.arrays import Floats
from nnlib.network.functions import softmax, softmax_with_losses

# Of 1 / T, the factor of the logits.
LEAST_SHARPNESS, MOST_SHARPNESS = 0.05, 20.0


def halves(n: int) -> Iterator[tuple[slice, slice]]:
    """Each half of n samples, and the other: every second sample.

    The first half of MNIST's test set is known to be easier than the second
    (http://yann.lecun.com/exdb/mnist), so they alternate.
    """
    even, odd = slice(0, n, 2), slice(1, n, 2)
    yield even, odd
    yield odd, even


class Decided(NamedTuple):
    """How much is decided automatically, and how much of it is right."""

    wanted: float  # accuracy that the thresholds were chosen for
    thresholds: tuple[float, float]  # of confidence, chosen on each half; NaN where none will do
    samples: int  # with at least the other half's threshold
    right: int  # of these
    coverage: float  # their share of all samples


def decide(predictions: Predictions, wanted: float) -> Decided:
    """Decide the samples whose confidence is high enough for an accuracy.

    Parameters
    ----------
    predictions : Predictions
    wanted : float in [0, 1]
        Accuracy that the decisions should have.
    """
    thresholds, of_decided = [], []
    for chosen, measured in halves(len(predictions)):
        curve = accuracy_by_coverage(predictions[chosen])
        thresholds.append(float(coverage_at(curve, wanted).threshold))
        others = predictions[measured]
        of_decided.append(others.right[others.confidence >= thresholds[-1]])
    decided = np.concatenate(of_decided)
    return Decided(
        wanted,
        (thresholds[0], thresholds[1]),
        samples=len(decided),
        right=int(decided.sum()),
        coverage=len(decided) / len(predictions),
    )


def fit_temperature(predictions: Predictions) -> float:
    """The temperature T > 0 that makes the targets likeliest when all logits are divided by it.

    Guo et al. (2017), "On calibration of modern neural networks", https://arxiv.org/abs/1706.04599.
    The mean cross-entropy is convex in 1 / T, so its derivative is bisected.

    Returns
    -------
    float from 1 / MOST_SHARPNESS to 1 / LEAST_SHARPNESS; 1 without samples
    """
    if len(predictions) == 0:
        return 1.0
    logits = _logits(predictions)
    low, high = LEAST_SHARPNESS, MOST_SHARPNESS
    for _ in range(40):
        sharpness = math.sqrt(low * high)
        expected = (softmax(sharpness * logits) * logits).sum(axis=1)
        if (expected + predictions.loss).mean() < 0:  # a larger one makes the targets likelier
            low = sharpness
        else:
            high = sharpness
    return 1 / sharpness


def _logits(predictions: Predictions) -> Floats:
    """Logits (N, C) of predictions, of whose probabilities some may be too small for their type."""
    logits: Floats = np.log(np.maximum(predictions.y, np.finfo(np.float32).tiny))
    logits[np.arange(len(logits)), predictions.t] = -predictions.loss
    return logits


class Calibrated(NamedTuple):
    """Probabilities after temperature scaling."""

    temperatures: tuple[float, float]  # fitted on each half
    predictions: Predictions  # each half with the other's temperature


def calibrate(predictions: Predictions) -> Calibrated:
    """Scale the probabilities of each half by the temperature that suits the other."""
    y, loss, temperatures = np.empty_like(predictions.y), np.empty(len(predictions)), []
    for chosen, measured in halves(len(predictions)):
        temperatures.append(fit_temperature(predictions[chosen]))
        others = predictions[measured]
        logits = _logits(others) / temperatures[-1]
        y[measured], loss[measured] = softmax_with_losses(logits, others.t)
    return Calibrated((temperatures[0], temperatures[1]), replace(predictions, y=y, loss=loss))


def prediction_sets(predictions: Predictions, coverage: float) -> NDArray[np.bool_]:
    """Sets of classes that hold the target with a given probability, by split conformal prediction.

    A set holds the classes whose probability is high enough for that share of the other half's
    targets to be in their sets. Vovk, Gammerman and Shafer (2005), "Algorithmic learning in a
    random world"; Angelopoulos and Bates (2021), "A gentle introduction to conformal prediction and
    distribution-free uncertainty quantification", https://arxiv.org/abs/2107.07511.

    Parameters
    ----------
    predictions : Predictions
    coverage : float in (0, 1)
        Share of the targets that should be in their sets.

    Returns
    -------
    ndarray of bool of shape (N, C): whether the set of a sample holds a class; it may hold none
    """
    y = predictions.y
    sets = np.empty(y.shape, np.bool_)
    for chosen, measured in halves(len(y)):
        of_targets = np.sort(predictions.of_actual[chosen])[::-1]
        rank = math.ceil((len(of_targets) + 1) * coverage)
        # with too few samples for such a coverage, only all classes are sure to hold the target
        sets[measured] = y[measured] >= of_targets[rank - 1] if rank <= len(of_targets) else True
    return sets
