"""The course of a training."""

from typing import NamedTuple


class Epoch(NamedTuple):
    """What the network can do after so many updates, over the full sets."""

    epoch: int
    iteration: int  # updates so far
    loss: float  # mean cross-entropy on the training set, in nats
    train_accuracy: float
    test_accuracy: float
