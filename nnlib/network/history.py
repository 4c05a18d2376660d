"""The course of a training run."""

from typing import NamedTuple


class Epoch(NamedTuple):
    """How the network does on the full sets after some number of updates."""

    epoch: int
    iteration: int  # updates so far
    loss: float  # mean cross-entropy on the training set, in nats
    train_accuracy: float
    test_accuracy: float
