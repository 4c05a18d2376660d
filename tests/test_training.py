"""The training loop, on sets small enough to know the outcome."""

import numpy as np
import pytest

from nnlib.errors import UserError
from nnlib.network import TwoLayerNet
from nnlib.samples import Samples
from nnlib.training import train


def random_samples(N, D=12, C=10, seed=0):
    rng = np.random.default_rng(seed)
    return Samples(rng.random((N, D), np.float32), rng.integers(C, size=N, dtype=np.uint8))


def run(samples, *, seed=0, hidden_size=8, weight_init_std=0.1, **settings):
    settings = {"iterations": 10, "batch_size": 5, "learning_rate": 0.1} | settings
    rng_weights, rng_batches = np.random.default_rng(seed).spawn(2)
    network = TwoLayerNet(
        samples.x.shape[1], hidden_size, 10, weight_init_std, rng=rng_weights, dtype=np.float32
    )
    history = []
    losses = train(network, samples, samples, rng=rng_batches, on_epoch=history.append, **settings)
    return network, losses, history


def test_one_step_is_the_gradient_times_the_learning_rate():
    samples = random_samples(1)
    untrained, _, _ = run(samples, iterations=0)
    trained, losses, _ = run(samples, iterations=1, batch_size=1, learning_rate=0.3)
    grad = untrained.gradient(samples.x, samples.t)
    for key, value in untrained.params.items():
        np.testing.assert_allclose(trained.params[key], value - 0.3 * grad[key], rtol=1e-6)
    assert losses == [pytest.approx(untrained.loss(samples.x, samples.t))]


def test_it_overfits_ten_samples():
    samples = random_samples(10)
    network, losses, _ = run(samples, iterations=4000, batch_size=10, learning_rate=1.0)
    assert network.accuracy(samples.x, samples.t) == 1
    assert losses[-1] < 0.1 < losses[0]


def test_the_same_seed_gives_the_same_weights():
    samples = random_samples(50)
    first, losses, _ = run(samples, seed=7, iterations=100)
    second, losses_again, _ = run(samples, seed=7, iterations=100)
    other, _, _ = run(samples, seed=8, iterations=100)
    assert losses == losses_again
    for key, value in first.params.items():
        np.testing.assert_array_equal(value, second.params[key])
    assert np.any(first.params["W1"] != other.params["W1"])


def test_it_leaves_the_global_random_state_alone():
    before = np.random.get_state()[1].copy()  # noqa: NPY002 - it is what must not change
    run(random_samples(20))
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


def test_history_has_the_untrained_network_and_every_epoch():
    samples = random_samples(20)
    _, losses, history = run(samples, iterations=14, batch_size=5)
    assert len(losses) == 14
    assert [(row.epoch, row.iteration) for row in history] == [(0, 0), (1, 4), (2, 8), (3, 12)]


def test_history_measures_the_full_sets():
    samples = random_samples(20)
    network, _, history = run(samples, iterations=4, batch_size=5)
    assert history[-1].iteration == 4
    assert history[-1].loss == pytest.approx(network.loss(*samples), rel=1e-6)
    assert history[-1].train_accuracy == network.accuracy(*samples)
    assert history[-1].test_accuracy == network.accuracy(*samples)


def test_a_batch_larger_than_the_set_makes_each_iteration_an_epoch():
    _, _, history = run(random_samples(3), iterations=2, batch_size=5)
    assert [row.epoch for row in history] == [0, 1, 2]


def test_divergence_is_said_and_not_trained_through():
    with pytest.raises(UserError, match=r"iteration \d+ is inf.*learning_rate below 1e\+06"):
        run(random_samples(50), iterations=1000, learning_rate=1e6)
