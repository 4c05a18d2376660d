"""The training of a network from its settings: what is drawn, trained and kept."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from functools import partial
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from nnlib.base.arrays import Floats
from nnlib.base.checks import as_array, as_indices, check_lengths, check_not_empty
from nnlib.base.errors import UserError
from nnlib.data.encoding import Encoding
from nnlib.data.samples import Samples
from nnlib.network.evaluation import Evaluation, evaluate
from nnlib.network.initialization import WeightInit
from nnlib.network.optimizers import make_optimizer
from nnlib.network.schedules import learning_rates
from nnlib.network.two_layer_net import TwoLayerNet
from nnlib.training.averaging import WeightAverage
from nnlib.training.batches import draw_batches
from nnlib.training.dropout import Dropout
from nnlib.training.history import Epoch, Snapshot
from nnlib.training.loop import train
from nnlib.training.parts import average
from nnlib.training.recording import Recorder
from nnlib.training.wide import in_parts


class Augment(Protocol):
    """Changes inputs at random."""

    def __call__(self, x: Floats, rng: np.random.Generator) -> Floats:
        """The inputs to train with, in the shape of `x`, (n, D), and of its dtype."""
        ...


class Settings(NamedTuple):
    """The hyperparameters of a training run."""

    hidden_size: int  # H
    weight_init: WeightInit  # as for TwoLayerNet
    iterations: int  # updates
    batch_size: int  # samples per batch
    learning_rate: float
    seed: int  # of the initial weights and of the batches
    activation: str = "sigmoid"  # of the hidden units
    # a key of OPTIMIZERS, as `name`, and what this optimizer takes besides the learning rate
    optimizer: Mapping[str, Any] = {"name": "sgd"}
    schedule: Mapping[str, Any] = {"name": "constant"}  # as for learning_rates
    weight_decay: float = 0.0  # of each weight, times the learning rate, at each update
    label_smoothing: float = 0.0  # as for TwoLayerNet.loss_and_gradient
    dropout: float = 0.0  # as for Dropout
    sampling: str = "replacement"  # as for draw_batches
    epochs: int = 0  # above 0, the length of the training in place of `iterations`
    averaging: float = 0.0  # as for WeightAverage
    members: int = 1  # networks whose logits are averaged
    validation: int = 0  # the last samples, which are held out of the training
    evaluate_every: int = 1  # epochs

    def iterations_per_epoch(self, n: int) -> int:
        """How many whole batches n samples make."""
        return max(n // self.batch_size, 1)

    def iterations_on(self, n: int) -> int:
        """How many updates n samples are trained with."""
        return self.epochs * self.iterations_per_epoch(n) or self.iterations

    def measured_epochs(self, n: int) -> list[int]:
        """After which epochs a training on n samples is measured: before it, every few, at last."""
        last = self.iterations_on(n) // self.iterations_per_epoch(n)
        return [*range(0, last, self.evaluate_every), last]


class Fitted(NamedTuple):
    """What a training run makes."""

    untrained: TwoLayerNet
    trained: TwoLayerNet
    losses: list[float]  # of each batch, before its update: the mean cross-entropy in nats
    history: list[Epoch]
    snapshots: list[Snapshot]  # after SHOWN_EPOCHS and at the end, of the first SHOWN_UNITS
    validation: Evaluation | None  # on the samples held out, if there are any


def _generators(seed: int, member: int) -> list[np.random.Generator]:
    """One each for what is random, so that the network's size does not change its batches.

    They are for weights, batches, dropout and augmentation. Those of member 0 are the seed's own.
    """
    return np.random.default_rng([seed, member]).spawn(4)


def initialise(settings: Settings, input_size: int, encoding: Encoding) -> TwoLayerNet:
    """The untrained network, of float32.

    Parameters
    ----------
    settings : Settings
    input_size : int
        D.
    encoding : Encoding
        What inputs and outputs stand for.
    """
    return average(
        [
            _initialise_member(member, settings, input_size, encoding)
            for member in range(settings.members)
        ]
    )


def _initialise_member(
    member: int, settings: Settings, input_size: int, encoding: Encoding
) -> TwoLayerNet:
    rng_weights, *_ = _generators(settings.seed, member)
    return TwoLayerNet(
        input_size,
        settings.hidden_size,
        encoding.classes,
        settings.weight_init,
        activation=settings.activation,
        encoding=encoding,
        rng=rng_weights,
        dtype=np.float32,
    )


def fit(
    settings: Settings,
    train_set: Samples,
    encoding: Encoding,
    *,
    test_set: Samples | None = None,
    held_out: NDArray[np.integer] | None = None,
    left_out: int | None = None,
    augment: Augment | None = None,
    threads: int = 1,
    ahead: bool = True,
    on_epoch: Callable[[Epoch], None] = lambda _: None,
    progress: Callable[[Iterable[int]], Iterable[int]] = iter,
) -> Fitted:
    """Make a network and train it.

    Several members are trained one after the other, each with a seed of its own, and become one
    network, with the hidden units of all, whose logits are the mean of theirs: Hansen and Salamon,
    "Neural network ensembles" (1990), https://doi.org/10.1109/34.58871.

    Parameters
    ----------
    settings : Settings
    train_set : Samples
    encoding : Encoding
        What inputs and outputs stand for.
    test_set : Samples, optional
        With it, the network is measured before the training, after each epoch or every so many, and
        after the last, in a separate thread.
    held_out : ndarray of int of shape (n,), optional
        Samples that are held out of the training, in place of the last `settings.validation`.
    left_out : int, optional
        A sample that is drawn as ever, but has no part in the gradient of any batch. Until it is
        drawn first, the training is the same to the last bit; with a shorter training set, all
        batches would be others.
    augment : callable, optional
        Changes the inputs of each batch at random: of float32 of shape (N, D), and a generator.
    threads : int
        How many train parts of the network, of 256 hidden units each, at the same time. The
        result is the same with any number.
    ahead : bool
        Whether one more thread reads and augments the batches: see `draw_batches`.
    on_epoch : callable
        Called with each measurement.
    progress : callable
        Wraps the iterations, as tqdm does.

    Returns
    -------
    Fitted
        With networks of float32. The course of the training is that of the first member; without a
        test set there is neither history nor snapshots.

    Raises
    ------
    TypeError, ValueError
        If a set is empty or not of float32, its numbers of inputs and targets differ, a target is
        no class, or what is held out or left out is no sample of the training set.
    UserError
        If the training diverges, or if no samples are left to train on.
    """
    _check_set(train_set, encoding.classes, "train_set")
    if test_set is not None:
        _check_set(test_set, encoding.classes, "test_set")
    rows, held_out = _split(len(train_set.t), settings.validation, held_out)
    n = len(train_set.t) if rows is None else len(rows)
    recorder = None
    if test_set is not None:
        recorder = Recorder(
            train_set,
            test_set,
            rows=rows,
            held_out=held_out,
            epochs=settings.measured_epochs(n),
            iterations_per_epoch=settings.iterations_per_epoch(n),
            on_epoch=on_epoch,
        )
    weights = None if left_out is None else _weights(len(train_set.t), left_out)
    members, losses = [], []
    for member in range(settings.members):
        trained, losses_of_member = _train_member(
            member,
            settings,
            train_set,
            encoding,
            rows=rows,
            weights=weights,
            augment=augment,
            threads=threads,
            ahead=ahead,
            recorder=recorder if member == 0 else None,
            progress=progress,
        )
        members.append(trained)
        losses.append(losses_of_member)
    trained = average(members)
    return Fitted(
        untrained=initialise(settings, train_set.x.shape[1], encoding),
        trained=trained,
        losses=losses[0],
        history=recorder.history if recorder else [],
        snapshots=recorder.snapshots if recorder else [],
        validation=None if held_out is None else evaluate(trained, train_set, held_out),
    )


def _train_member(
    member: int,
    settings: Settings,
    train_set: Samples,
    encoding: Encoding,
    *,
    rows: NDArray[np.integer] | None,
    weights: Floats | None,
    augment: Augment | None,
    threads: int,
    ahead: bool,
    recorder: Recorder | None,
    progress: Callable[[Iterable[int]], Iterable[int]],
) -> tuple[TwoLayerNet, list[float]]:
    """One of the networks, trained, and the losses of its batches."""
    network = _initialise_member(member, settings, train_set.x.shape[1], encoding)
    _, rng_batches, rng_dropout, rng_augmentation = _generators(settings.seed, member)
    plain = make_optimizer(weight_decay=settings.weight_decay, **settings.optimizer)
    optimizer = WeightAverage(plain, settings.averaging) if settings.averaging else plain
    dropout = None
    if settings.dropout:
        dropout = Dropout(settings.hidden_size, settings.dropout, rng_dropout)
    batches = draw_batches(
        train_set,
        settings.batch_size,
        rng_batches,
        rows,
        settings.sampling,
        weights=weights,
        augment=None if augment is None else partial(augment, rng=rng_augmentation),
        ahead=ahead,
    )
    iterations = settings.iterations_on(len(train_set.t) if rows is None else len(rows))
    rates = learning_rates(settings.learning_rate, iterations, **settings.schedule)
    with recorder or nullcontext(), in_parts(network, optimizer, threads) as trainee:
        trained, losses = train(
            *trainee,
            batches,
            (rate for rate, _ in zip(rates, progress(range(1, iterations + 1)), strict=True)),
            label_smoothing=settings.label_smoothing,
            dropout=dropout,
            recorder=recorder,
        )
    if recorder:
        recorder.keep_weights(iterations, trained)
    return trained, losses


def _split(
    n: int, validation: int, held_out: NDArray[np.integer] | None
) -> tuple[NDArray[np.integer] | None, NDArray[np.integer] | None]:
    """The samples to train on, all of n if None, and those held out, if there are any."""
    if held_out is not None:
        held_out = as_indices(held_out, n, "held_out")
        return np.delete(np.arange(n), held_out), held_out
    if validation == 0:
        return None, None
    if validation >= n:
        raise UserError(
            f"the validation holds {validation} samples out, of {n}; some must be left to train on"
        )
    return np.arange(n - validation), np.arange(n - validation, n)


def _weights(n: int, left_out: int) -> Floats:
    """A weight of 1 for each of n samples but one."""
    weights = np.ones(n, np.float32)
    weights[as_indices([left_out], n, "left_out")] = 0
    return weights


def _check_set(samples: Samples, classes: int, name: str) -> None:
    x, t = as_array(samples.x, f"{name}.x"), as_array(samples.t, f"{name}.t")
    if x.ndim != 2 or x.dtype != np.float32:  # that of the networks
        raise TypeError(
            f"{name}.x must be float32 of shape (N, D), not {x.dtype} of shape {x.shape}"
        )
    as_indices(t, classes, f"{name}.t")
    check_lengths({f"{name}.x": x, f"{name}.t": t})
    check_not_empty(t, f"{name}.t")
