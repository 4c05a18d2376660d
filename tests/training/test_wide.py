"""A network as the sum of its parts, by itself and in training: the same as the whole."""

import itertools
from contextlib import contextmanager
from copy import deepcopy

import numpy as np
import pytest

from nnlib.base.errors import UserError
from nnlib.network import TwoLayerNet
from nnlib.network.functions import softmax
from nnlib.network.optimizers import OPTIMIZERS, make_optimizer
from nnlib.training import wide
from nnlib.training.averaging import WeightAverage
from nnlib.training.batches import Batch
from nnlib.training.loop import train
from nnlib.training.parts import average, join, split
from nnlib.training.wide import WideNet, WideOptimizer, in_parts, side_by_side

N, D, H, C = 20, 6, 7, 4


def random_network(seed, dtype=np.float64):
    rng = np.random.default_rng(seed)
    network = TwoLayerNet(D, H, C, weight_init=1, activation="tanh", rng=rng, dtype=dtype)
    network.params["b1"] += rng.standard_normal(H).astype(dtype)
    network.params["b2"] += rng.standard_normal(C).astype(dtype)
    return network


@pytest.fixture
def x():
    return np.random.default_rng(0).standard_normal((N, D))


@pytest.mark.parametrize(("size", "sizes"), [(3, [3, 3, 1]), (6, [6, 1]), (1, [1] * 7)])
def test_the_logits_of_the_parts_add_up(x, size, sizes):
    network = random_network(1)
    parts = split(network, size)
    assert [len(part.params["b1"]) for part in parts] == sizes
    logits = sum(part.logits(part.hidden(x)) for part in parts)
    np.testing.assert_allclose(logits, network.logits(network.hidden(x)), rtol=1e-12)
    joined = join(parts)
    assert joined.activation == "tanh"
    for key, param in network.params.items():
        np.testing.assert_array_equal(joined.params[key], param)


def test_a_network_of_one_part_is_this_part():
    network = random_network(1)
    (part,) = split(network, H)
    assert part is network
    assert join([part]) is network


def test_the_logits_of_the_average_are_the_mean(x):
    networks = [random_network(seed) for seed in range(3)]
    one = average(networks)
    assert one.params["W1"].shape == (D, 3 * H)
    mean = np.mean([network.logits(network.hidden(x)) for network in networks], axis=0)
    np.testing.assert_allclose(one.predict(x), softmax(mean), rtol=1e-12)


def trained(network, name="adam", averaging=0.0, threads=1):
    """What a short training with everything switched on makes, step by step."""
    rng = np.random.default_rng(1)
    dtype = network.params["W1"].dtype
    batches = [
        Batch(
            rng.random((N, D)).astype(dtype), rng.integers(C, size=N), rng.random(N).astype(dtype)
        )
        for _ in range(5)
    ]
    optimizer = make_optimizer(name, weight_decay=0.1)
    if averaging:
        optimizer = WeightAverage(optimizer, averaging)
    recorder = Kept()
    with in_parts(network, optimizer, threads) as trainee:
        after, losses = train(
            *trainee,
            iter(batches),
            [0.05, 0.04, 0.03, 0.02, 0.01],
            label_smoothing=0.1,
            dropout=Masks(),
            recorder=recorder,
        )
    return after, losses, recorder.steps


class Kept:
    """Keeps the network and the step after each update."""

    def __init__(self):
        self.steps = []

    def record(self, _iteration, network, optimizer, steps):
        averaged = network.with_params(optimizer.averaged(network.params))
        step = steps and network.with_params(steps).params
        self.steps.append(deepcopy((averaged.params, step)))


class Masks:
    """Dropout in the dtype of the activations."""

    def __init__(self):
        self.rng = np.random.default_rng(2)

    def mask(self, n):
        return (self.rng.random((n, H)) < 0.7) * np.float32(1)


@pytest.mark.parametrize("averaging", [0, 0.5])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_parts_train_as_the_network_would(name, averaging, monkeypatch):
    whole, losses, steps = trained(random_network(3), name, averaging)
    monkeypatch.setattr(wide, "UNITS", 3)
    parts, losses_of_parts, steps_of_parts = trained(random_network(3), name, averaging)
    np.testing.assert_allclose(losses_of_parts, losses, rtol=1e-10)
    assert_close(parts.params, whole.params)
    for (params, step), (params_of_parts, step_of_parts) in zip(steps, steps_of_parts, strict=True):
        assert_close(params_of_parts, params)
        assert (step is None) == (step_of_parts is None)
        if step:
            assert_close(step_of_parts, step)


@pytest.mark.parametrize("averaging", [0, 0.5])
@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_one_part_trains_to_the_same_bytes_as_the_network(name, averaging, dtype, monkeypatch):
    whole, losses, steps = trained(random_network(3, dtype), name, averaging)

    @contextmanager
    def in_one_part(network, optimizer, threads):
        with side_by_side(threads) as for_each:
            yield WideNet(network, for_each), WideOptimizer(optimizer, 1, for_each)

    monkeypatch.setitem(globals(), "in_parts", in_one_part)
    part, losses_of_part, steps_of_part = trained(random_network(3, dtype), name, averaging)
    assert losses_of_part == losses
    assert_same_bytes(part.params, whole.params)
    for (params, step), (params_of_part, step_of_part) in zip(steps, steps_of_part, strict=True):
        assert_same_bytes(params_of_part, params)
        assert_same_bytes(step_of_part or {}, step or {})


def assert_same_bytes(params, expected):
    assert list(params) == list(expected)
    for key, param in expected.items():
        assert params[key].tobytes() == param.tobytes()


def assert_close(params, expected):
    assert list(params) == list(expected)
    for key, param in expected.items():
        np.testing.assert_allclose(params[key], param, rtol=1e-9, atol=1e-12)


def test_the_number_of_threads_changes_no_byte(monkeypatch):
    monkeypatch.setattr(wide, "UNITS", 2)
    one, losses, _ = trained(random_network(3, np.float32), averaging=0.9)
    for threads in (2, 3, 9):
        other, losses_of_other, _ = trained(random_network(3, np.float32), "adam", 0.9, threads)
        assert losses_of_other == losses
        assert_same_bytes(other.params, one.params)


def test_a_network_that_is_not_wide_is_trained_as_it_is():
    network, optimizer = random_network(3), make_optimizer("sgd")
    with in_parts(network, optimizer, 2) as trainee:
        assert trainee == (network, optimizer)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_divergence_is_raised_and_not_warned_of_by_any_thread(name, monkeypatch):
    monkeypatch.setattr(wide, "UNITS", 3)
    batch = Batch(np.full((N, D), 1e30, np.float32), np.arange(N, dtype=np.uint8) % C)
    network, optimizer = random_network(3, np.float32), make_optimizer(name, weight_decay=1e9)
    with (
        in_parts(network, optimizer, threads=2) as trainee,
        pytest.raises(UserError, match="the training diverges"),
    ):
        train(*trainee, itertools.repeat(batch), [1e30] * 50)
