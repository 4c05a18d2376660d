"""How likely each label is to be wrong, from what two judges say of the image.

The judges' probabilities become one by a logarithmic opinion pool, a weighted product: Genest and
Zidek (1986), "Combining probability distributions: a critique and an annotated bibliography",
Statistical Science 1, 114-135, https://doi.org/10.1214/ss/1177013825. A label is taken for the
class of the image after an error that depends on this class alone, as in Natarajan, Dhillon,
Ravikumar and Tewari (2013), "Learning with noisy labels", Advances in Neural Information Processing
Systems 26. The rates of these errors and the weights of the judges, none of which is below 0, are
those with the highest likelihood of the given labels; the rates are found by expectation and
maximisation, as by Dawid and Skene (1979), "Maximum likelihood estimation of observer error-rates
using the EM algorithm", Applied Statistics 28, 20-28, https://doi.org/10.2307/2346806.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from nnlib.base.arrays import Floats

PSEUDO_COUNT = 0.1  # labels of each class for each other one, before any is seen
FIRST_RATE = 0.05  # of errors, where the search begins
ROUNDS = 3  # of weights, then rates; a fourth changes the fourth digit
STEPS = 50  # of expectation and maximisation in each round
FLOOR = 1e-7  # of a probability, so that its logarithm is finite
DIGITS = 3  # of a weight
# Where no label contradicts the judges, the likelihood has no maximum: they would be ever surer.
MOST_WEIGHT = 10.0


class Judgement(NamedTuple):
    """What is thought of N labels."""

    pooled: Floats  # (N, C), probabilities of the class of the image
    weights: Floats  # of each judge in the pool
    rates: Floats  # (C, C), of the labels by column, given the class by row
    posterior: Floats  # (N, C), probabilities of the class, given the label too
    score: Floats  # (N,), logarithm of the odds that the label is wrong

    @property
    def wrong(self) -> Floats:
        """The probability of each label to be wrong, (N,)."""
        return 1 / (1 + np.exp(-self.score))


def judge(opinions: Sequence[Floats], labels: NDArray[np.integer]) -> Judgement:
    """Judge labels.

    Parameters
    ----------
    opinions : sequence of ndarray of shape (N, C)
        Of each judge, the probabilities of the classes, from training samples without the one that
        is judged.
    labels : ndarray of int of shape (N,)
        As given, in 0 ... C - 1.
    """
    logs = np.stack([np.log(np.maximum(each, FLOOR)) for each in opinions])  # (judges, N, C)
    classes = logs.shape[2]
    rates = np.full((classes, classes), FIRST_RATE / (classes - 1))
    np.fill_diagonal(rates, 1 - FIRST_RATE)
    weights: Floats = np.ones(len(logs))
    for _ in range(ROUNDS):
        weights = _fit_weights(logs, labels, rates, weights)
        pooled = _pool(logs, weights)
        rates = _fit_rates(pooled, labels, rates)
    posterior = _posterior(pooled, labels, rates)
    others = posterior.copy()
    others[np.arange(len(labels)), labels] = 0
    own = posterior[np.arange(len(labels)), labels]
    score = np.log(others.sum(axis=1)) - np.log(own)
    return Judgement(pooled, weights, rates, posterior, score)


def _pool(logs: Floats, weights: Floats) -> Floats:
    """The weighted product of probabilities, (N, C), from their logarithms, (judges, N, C)."""
    logits = np.tensordot(weights, logs, axes=1)
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def _fit_weights(logs: Floats, labels: NDArray[np.integer], rates: Floats, start: Floats) -> Floats:
    """The weights of the judges with the highest likelihood of the labels."""

    def loss(weights: Floats) -> float:
        likelihood = (_pool(logs, weights) * rates[:, labels].T).sum(axis=1)
        return float(-np.log(likelihood).mean())

    found = minimize(
        loss,
        start,
        method="Nelder-Mead",
        bounds=[(0, MOST_WEIGHT)] * len(start),
        options={"xatol": 1e-3, "fatol": 1e-7},
    )
    return np.round(found.x, DIGITS)


def _fit_rates(pooled: Floats, labels: NDArray[np.integer], start: Floats) -> Floats:
    """The rates of the errors with the highest likelihood of the labels.

    Parameters
    ----------
    pooled : ndarray of shape (N, C)
    labels : ndarray of int of shape (N,)
    start : ndarray of shape (C, C)
        Where the search begins.

    Returns
    -------
    ndarray of shape (C, C), whose rows sum to 1
    """
    classes = pooled.shape[1]
    rates = start
    for _ in range(STEPS):
        posterior = _posterior(pooled, labels, rates)
        # samples by their class and their label
        expected = np.stack([np.bincount(labels, each, classes) for each in posterior.T])
        seen = expected + PSEUDO_COUNT
        rates = seen / seen.sum(axis=1, keepdims=True)
    return rates


def _posterior(pooled: Floats, labels: NDArray[np.integer], rates: Floats) -> Floats:
    """The probabilities of the class, given the image and the label, (N, C)."""
    joint = pooled * rates[:, labels].T
    return joint / joint.sum(axis=1, keepdims=True)
