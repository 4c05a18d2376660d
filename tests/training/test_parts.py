"""A network as the sum of its parts, by itself and in training."""

from copy import deepcopy

import numpy as np
import pytest

from nnlib.data.samples import Samples
from nnlib.network import TwoLayerNet
from nnlib.network.functions import softmax
from nnlib.network.optimizers import OPTIMIZERS, make_optimizer
from nnlib.training import part_training
from nnlib.training.fit import train
from nnlib.training.parts import average, join, split

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


def trained(network, name="adam", **options):
    rng = np.random.default_rng(1)
    batches = [
        Samples(rng.random((N, D)).astype(network.params["W1"].dtype), rng.integers(C, size=N))
        for _ in range(5)
    ]
    masks = np.random.default_rng(2)
    told = []
    losses = train(
        network,
        make_optimizer(0.05, name, weight_decay=0.1),
        batches,
        iterations=5,
        iterations_per_epoch=2,
        rates=[0.05, 0.04, 0.03, 0.02, 0.01],
        label_smoothing=0.1,
        draw_mask=lambda n: (masks.random((n, H)) < 0.7).astype(network.params["W1"].dtype),
        on_epoch=lambda *args: told.append(deepcopy(args)),
        **options,
    )
    return network, losses, told


@pytest.mark.parametrize("averaging", [0, 0.5])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_parts_train_as_the_network_would(name, averaging, monkeypatch):
    whole, losses, told = trained(random_network(3), name, averaging=averaging)
    monkeypatch.setattr(part_training, "UNITS", 3)
    parts, losses_of_parts, told_of_parts = trained(random_network(3), name, averaging=averaging)
    np.testing.assert_allclose(losses_of_parts, losses, rtol=1e-10)
    assert_close(parts.params, whole.params)
    for (*when, network, steps), (*when_of_parts, joined, steps_of_parts) in zip(
        told, told_of_parts, strict=True
    ):
        assert when_of_parts == when
        assert_close(joined.params, network.params)
        assert_close(steps_of_parts, steps)


def assert_close(params, expected):
    assert list(params) == list(expected)
    for key, param in expected.items():
        np.testing.assert_allclose(params[key], param, rtol=1e-9, atol=1e-12)


def test_the_number_of_threads_changes_no_byte(monkeypatch):
    monkeypatch.setattr(part_training, "UNITS", 2)
    one, losses, _ = trained(random_network(3, np.float32), averaging=0.9, threads=1)
    for threads in (2, 3, 9):
        other, losses_of_other, _ = trained(
            random_network(3, np.float32), averaging=0.9, threads=threads
        )
        assert losses_of_other == losses
        for key, param in one.params.items():
            assert other.params[key].tobytes() == param.tobytes()
