"""The training of a network, as in the notebook."""

import itertools
import math
from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
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
from nnlib.network.functions import softmax_with_loss
from nnlib.network.initialization import WeightInit
from nnlib.network.optimizers import Optimizer, make_optimizer
from nnlib.network.schedules import learning_rates
from nnlib.network.two_layer_net import TwoLayerNet
from nnlib.training.batches import draw_batches
from nnlib.training.dropout import dropout_mask
from nnlib.training.history import Epoch, Snapshot
from nnlib.training.observer import OnEpoch, observer
from nnlib.training.part_training import PartTraining, side_by_side, split_training
from nnlib.training.parts import average, join

SHOWN_EPOCHS = (0, 1, 4, 16)  # of which weights are kept: they change most early on
SHOWN_UNITS = 5  # hidden units whose weights are kept


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
    dropout: float = 0.0  # as for dropout_mask
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
    rows: NDArray[np.integer] | None = None,
    test_set: Samples | None = None,
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
    rows : ndarray of int of shape (n,), optional
        The samples of the training set to train and validate on; all if left out. They are not
        copied.
    test_set : Samples, optional
        With it, the network is measured before the training, after each epoch or every so many, and
        after the last, in a separate thread.
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
        no class, or a row is not one of the training set.
    UserError
        If the training diverges, or if no samples are left to train on.
    """
    _check_set(train_set, encoding.classes, "train_set")
    if test_set is not None:
        _check_set(test_set, encoding.classes, "test_set")
    rows, held_out = _split(len(train_set.t), rows, settings.validation)
    first, *others = (
        _fit_member(
            member,
            settings,
            train_set,
            encoding,
            rows=rows,
            held_out=held_out,
            test_set=test_set if member == 0 else None,
            augment=augment,
            threads=threads,
            ahead=ahead,
            on_epoch=on_epoch,
            progress=progress,
        )
        for member in range(settings.members)
    )
    trained = average([first.trained, *(member.trained for member in others)])
    return first._replace(
        untrained=average([first.untrained, *(member.untrained for member in others)]),
        trained=trained,
        validation=None if held_out is None else evaluate(trained, train_set, held_out),
    )


def _fit_member(
    member: int,
    settings: Settings,
    train_set: Samples,
    encoding: Encoding,
    *,
    rows: NDArray[np.integer] | None,
    held_out: NDArray[np.integer] | None,
    test_set: Samples | None,
    augment: Augment | None,
    threads: int,
    ahead: bool,
    on_epoch: Callable[[Epoch], None],
    progress: Callable[[Iterable[int]], Iterable[int]],
) -> Fitted:
    """One of the networks, without its validation: see `fit`."""
    network = _initialise_member(member, settings, train_set.x.shape[1], encoding)
    untrained = deepcopy(network)
    _, rng_batches, rng_dropout, rng_augmentation = _generators(settings.seed, member)
    n = len(train_set.t) if rows is None else len(rows)
    iterations = settings.iterations_on(n)
    last_epoch = iterations // settings.iterations_per_epoch(n)
    history: list[Epoch] = []
    snapshots: list[Snapshot] = []

    def draw_mask(N: int) -> Floats | None:
        shape = N, settings.hidden_size
        return dropout_mask(shape, settings.dropout, rng_dropout) if settings.dropout else None

    def keep(iteration: int, network: TwoLayerNet) -> None:
        snapshots.append(Snapshot(iteration, network.params["W1"][:, :SHOWN_UNITS].copy()))

    def measure(epoch: int, iteration: int, network: TwoLayerNet, steps: dict[str, Floats]) -> None:
        if test_set is not None:
            loss, train_accuracy, saturated = evaluate(network, train_set, rows)
            test_accuracy = evaluate(network, test_set).accuracy
            ratios = _update_ratio(network, steps, "W1"), _update_ratio(network, steps, "W2")
            validation = () if held_out is None else evaluate(network, train_set, held_out)[:2]
            history.append(
                Epoch(
                    epoch,
                    iteration,
                    loss,
                    train_accuracy,
                    test_accuracy,
                    saturated,
                    *ratios,
                    *validation,
                )
            )
            on_epoch(history[-1])
            if epoch in SHOWN_EPOCHS:
                keep(iteration, network)

    def is_measured(epoch: int) -> bool:
        return epoch % settings.evaluate_every == 0 or epoch == last_epoch

    augment_batch = None if augment is None else partial(augment, rng=rng_augmentation)
    with observer(measure) as show:
        losses = train(
            network,
            make_optimizer(
                settings.learning_rate, weight_decay=settings.weight_decay, **settings.optimizer
            ),
            draw_batches(
                train_set,
                settings.batch_size,
                rng_batches,
                rows,
                settings.sampling,
                augment=augment_batch,
                ahead=ahead,
            ),
            iterations=iterations,
            rates=learning_rates(settings.learning_rate, iterations, **settings.schedule),
            label_smoothing=settings.label_smoothing,
            draw_mask=draw_mask,
            iterations_per_epoch=settings.iterations_per_epoch(n),
            on_epoch=lambda epoch, *told: show(epoch, *told) if is_measured(epoch) else None,
            averaging=settings.averaging,
            threads=threads,
            progress=progress,
        )
    if snapshots and snapshots[-1].iteration != iterations:
        keep(iterations, network)
    return Fitted(untrained, network, losses, history, snapshots, None)


def _split(
    n: int, rows: NDArray[np.integer] | None, validation: int
) -> tuple[NDArray[np.integer] | None, NDArray[np.integer] | None]:
    """The samples to train on, all of n if None, and those held out, if there are any."""
    if validation == 0:
        return rows, None
    rows = np.arange(n) if rows is None else rows
    if validation >= len(rows):
        raise UserError(
            f"train.validation holds {validation} samples out, of {len(rows)}; "
            "some must be left to train on"
        )
    return rows[:-validation], rows[-validation:]


def _update_ratio(network: TwoLayerNet, steps: dict[str, Floats], key: str) -> float:
    """Norm of an update over that of the weights after it; 0 if there was no update.

    CS231n, "Ratio of weights:updates", https://cs231n.github.io/neural-networks-3/#ratio: it should
    be about 1e-3; if it is far lower, the learning rate may be too small, if higher, too large.
    """
    step = _norm(steps[key]) if steps else 0.0
    return step and step / _norm(network.params[key])


def _norm(array: Floats) -> float:
    return math.sqrt(np.square(array, dtype=np.float64).sum())


def _check_set(samples: Samples, classes: int, name: str) -> None:
    x, t = as_array(samples.x, f"{name}.x"), as_array(samples.t, f"{name}.t")
    if x.ndim != 2 or x.dtype != np.float32:  # that of the networks
        raise TypeError(
            f"{name}.x must be float32 of shape (N, D), not {x.dtype} of shape {x.shape}"
        )
    as_indices(t, classes, f"{name}.t")
    check_lengths({f"{name}.x": x, f"{name}.t": t})
    check_not_empty(t, f"{name}.t")


@np.errstate(over="ignore", invalid="ignore")  # divergence is raised, not warned of
def train(
    network: TwoLayerNet,
    optimizer: Optimizer,
    batches: Iterable[Samples],
    *,
    iterations: int,
    iterations_per_epoch: int,
    rates: Iterable[float] | None = None,
    label_smoothing: float = 0.0,
    draw_mask: Callable[[int], Floats | None] = lambda _: None,
    averaging: float = 0.0,
    threads: int = 1,
    on_epoch: OnEpoch = lambda *_: None,
    progress: Callable[[Iterable[int]], Iterable[int]] = iter,
) -> list[float]:
    """Train a network in place: the notebook's loop.

    Parameters
    ----------
    network : TwoLayerNet
    optimizer : Optimizer
        One that was not used yet; each part of the network uses a copy.
    batches : iterable of Samples
        At least as many as iterations.
    iterations : int
        Number of updates.
    iterations_per_epoch : int
    rates : iterable of float, optional
        The learning rate of each update; that of the optimizer if left out.
    label_smoothing : float
        As for `softmax_with_loss`.
    draw_mask : callable
        Gives the dropout mask of each batch, from its number of samples; None for no dropout.
    averaging : float
        As for `WeightAverage`, which `on_epoch` gets, and which the network holds in the end.
    threads : int
        As for `fit`.
    on_epoch : callable
        Called before the training and after each epoch, with the number of epochs and of updates so
        far, the network, and what the last update subtracted from each of its parameters, beside
        what decayed; nothing before the first. The next update changes both.
    progress : callable
        Wraps the iterations, as tqdm does.

    Returns
    -------
    list of float, the loss of each batch before its update

    Raises
    ------
    TypeError, ValueError
        If a batch is not one of finite inputs, and of targets: see `TwoLayerNet.loss`.
    UserError
        If the training diverges.
    """
    losses = []
    parts = split_training(network, optimizer, averaging)
    on_epoch(0, 0, network, {})
    rates = itertools.repeat(optimizer.learning_rate) if rates is None else rates
    numbers = progress(range(1, iterations + 1))
    with side_by_side(min(threads, len(parts))) as for_each:
        for iteration, (x, t), rate in zip(numbers, batches, rates, strict=False):
            optimizer.learning_rate = rate
            mask = draw_mask(len(x))
            # In the order of the parts, whichever is ready first: the order decides the rounding.
            a2, *others = for_each(PartTraining.forward, parts, x, mask)
            for other in others:
                a2 += other
            loss, dy = softmax_with_loss(
                a2, t, scale=optimizer.gradient_scale, label_smoothing=label_smoothing
            )
            for part in parts:
                part.receive(dy, rate)
            if len(parts) == 1:  # which waits for no thread, and would gain nothing by waiting
                parts[0].update()
            if not math.isfinite(loss):
                if not np.isfinite(x).all():
                    raise ValueError(f"batches: x of iteration {iteration} is not finite")
                raise _divergence(f"the loss of iteration {iteration} is {loss}", optimizer)
            losses.append(loss)
            if iteration % iterations_per_epoch == 0:
                for_each(PartTraining.update, parts)
                on_epoch(
                    iteration // iterations_per_epoch,
                    iteration,
                    join([part.averaged() for part in parts]),
                    join([part.network.with_params(part.steps) for part in parts]).params,
                )
        for_each(PartTraining.update, parts)
    network.params = join([part.averaged() for part in parts]).params
    if not all(np.isfinite(param).all() for param in network.params.values()):
        raise _divergence("after the last iteration the weights are not finite", optimizer)
    return losses


def _divergence(problem: str, optimizer: Optimizer) -> UserError:
    return UserError(
        f"the training diverges: {problem}; try a train.learning_rate below "
        f"{optimizer.learning_rate:g}, or a smaller train.weight_init"
    )
