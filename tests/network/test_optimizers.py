"""The training step against the textbook's gradient, and each optimizer against other libraries."""

import math

import numpy as np
import pytest
from autograd.misc.optimizers import adam
from sklearn.neural_network._stochastic_optimizers import SGDOptimizer

from nnlib.network import TwoLayerNet
from nnlib.network.optimizers import (
    OPTIMIZERS,
    SGD,
    Momentum,
    Nesterov,
    make_optimizer,
)

LEARNING_RATE = 0.3
GRADIENTS = (2.0, -1.0, 0.5)


@pytest.mark.parametrize("shape", [(1, 1, 1, 2), (7, 5, 4, 3), (100, 784, 50, 10)])
@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 2e-6), (np.float64, 1e-14)])
@pytest.mark.parametrize("scale", [1.0, LEARNING_RATE])
def test_updates_are_steps_against_the_gradient(shape, dtype, tolerance, scale):
    N, D, H, C = shape
    rng = np.random.default_rng(0)
    network = TwoLayerNet(D, H, C, weight_init=0.5, rng=rng, dtype=dtype)
    sgd = SGD()
    for _ in range(3):
        x = rng.random((N, D)).astype(dtype)
        t = rng.integers(C, size=N, dtype=np.uint8)
        before = TwoLayerNet.from_params(
            {key: value.astype(np.float64) for key, value in network.params.items()}
        )
        grads = before.gradient(x.astype(np.float64), t)
        loss, of_loss = network.loss_and_gradient(x, t, scale=scale)
        sgd.step(network.params, of_loss, LEARNING_RATE, scale=scale)
        assert loss == pytest.approx(before.loss(x, t), rel=tolerance)
        for key, value in network.params.items():
            assert value.dtype == dtype
            expected = before.params[key] - LEARNING_RATE * grads[key]
            np.testing.assert_allclose(value, expected, rtol=tolerance, atol=tolerance)


def test_an_update_leaves_the_batch_alone():
    rng = np.random.default_rng(0)
    x, t = rng.random((5, 4)), rng.integers(3, size=5)
    x_before, t_before = x.copy(), t.copy()
    network = TwoLayerNet(4, 3, 3, rng=rng)
    _, grads = network.loss_and_gradient(x, t)
    SGD().step(network.params, grads, LEARNING_RATE)
    np.testing.assert_array_equal(x, x_before)
    np.testing.assert_array_equal(t, t_before)


def minimise(optimizer, gradients, rate=0.1, scale=1.0):
    """Where a single parameter goes under these gradients."""
    params, path = {"W1": np.zeros((1, 1))}, []
    for gradient in gradients:
        grads, before = {"W1": np.array([[scale * gradient]])}, params["W1"].copy()
        steps = optimizer.step(params, grads, rate, scale=scale)
        np.testing.assert_allclose(before - params["W1"], steps["W1"], atol=1e-15)
        path.append(params["W1"].item())
    return path


@pytest.mark.parametrize(
    ("name", "options", "path"),
    [
        ("sgd", {}, [-0.2, -0.1, -0.15]),
        # v: 0.2, 0, 0.05
        ("momentum", {"momentum": 0.5}, [-0.2, -0.2, -0.25]),
        # with the default of 0.9, v: 0.2, 0.08, 0.122
        ("momentum", {}, [-0.2, -0.28, -0.402]),
        # half of v, and the step of plain SGD
        ("nesterov", {"momentum": 0.5}, [-0.3, -0.2, -0.275]),
        # h: 4, 5, 5.25
        ("adagrad", {}, [-0.1, -0.1 + 0.1 / 5**0.5, -0.1 + 0.1 / 5**0.5 - 0.05 / 5.25**0.5]),
        # h: 1, 1, 0.8125
        (
            "rmsprop",
            {"decay": 0.75},
            [-0.2, -0.1, -0.1 - 0.05 / 0.8125**0.5],
        ),
        # with the default of 0.9, h: 0.4, 0.46, 0.439
        (
            "rmsprop",
            {},
            np.cumsum([-0.2 / 0.4**0.5, 0.1 / 0.46**0.5, -0.05 / 0.439**0.5]),
        ),
        # m: 1, 0, 0.25; v as h above
        (
            "adam",
            {"beta1": 0.5, "beta2": 0.75},
            [-0.1, -0.1, -0.1 - 0.1 * (0.25 / 0.875) / math.sqrt(0.8125 / (1 - 0.75**3))],
        ),
    ],
)
def test_the_steps_of_one_parameter_worked_by_hand(name, options, path):
    optimizer = make_optimizer(name, **options)
    np.testing.assert_allclose(minimise(optimizer, GRADIENTS), path, rtol=1e-6)
    if optimizer.is_linear:  # so that the loss may be scaled by the rate, or by anything else
        for scale in (0.1, 8):
            found = minimise(make_optimizer(name, **options), GRADIENTS, scale=scale)
            np.testing.assert_allclose(found, path, rtol=1e-6)


def test_the_linear_optimizers_are_those_that_scale_with_the_gradient():
    for name in OPTIMIZERS:
        once, twice = (
            minimise(make_optimizer(name), factor * np.array(GRADIENTS)) for factor in (1, 2)
        )
        is_linear = np.allclose(twice, 2 * np.array(once))
        assert is_linear == OPTIMIZERS[name].is_linear


@pytest.mark.parametrize(
    ("name", "position"),
    [
        ("momentum", -0.2 - 0.25),  # v: 0.2, 0.5 * 0.2 + 0.15; by PyTorch's formula -0.4
        ("nesterov", -0.3 - 0.275),  # half of v and rate * gradient; by PyTorch's -0.55
    ],
)
def test_velocity_keeps_the_rates_of_its_gradients(name, position):
    optimizer, params = make_optimizer(name, momentum=0.5), {"W1": np.zeros(1)}
    for gradient, rate in [(1.0, 0.2), (1.5, 0.1)]:
        optimizer.step(params, {"W1": np.array([gradient])}, rate)
    assert params["W1"].item() == pytest.approx(position)


@pytest.mark.parametrize("name", ["adagrad", "rmsprop", "adam"])
def test_a_gradient_of_0_makes_no_step(name):
    optimizer, params = make_optimizer(name, epsilon=1e-20), {"W1": np.ones(2, np.float32)}
    for _ in range(3):
        optimizer.step(params, {"W1": np.array([0, 1], np.float32)}, 0.01)
    assert params["W1"][0] == 1
    assert 0.9 < params["W1"][1] < 1


@pytest.mark.parametrize(("optimizer", "nesterov"), [(Momentum, False), (Nesterov, True)])
def test_momentum_is_scikit_learns(optimizer, nesterov):
    gradients = np.random.default_rng(0).standard_normal(20)
    param = np.zeros(1)
    theirs = SGDOptimizer([param], 0.1, momentum=0.8, nesterov=nesterov)
    for gradient in gradients:
        theirs.update_params([param], [np.array([gradient])])
    assert minimise(optimizer(0.8), gradients)[-1] == pytest.approx(param[0], rel=1e-12)


def test_adam_is_autograds():
    gradients = np.random.default_rng(0).standard_normal(20)
    theirs = adam(
        lambda _, i: gradients[i : i + 1], np.zeros(1), num_iters=20, step_size=0.1, eps=1e-8
    )
    found = minimise(make_optimizer("adam"), gradients)
    assert found[-1] == pytest.approx(theirs[0], rel=1e-12)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_each_number_is_updated_on_its_own(name):
    rng = np.random.default_rng(0)
    shapes = {"W1": (7, 30), "b1": (30,), "W2": (30, 2), "b2": (2,)}
    params = {key: rng.standard_normal(shape).astype(np.float32) for key, shape in shapes.items()}
    single = {key: params[key].ravel()[[0, -1]] for key in params}
    optimizers = make_optimizer(name), make_optimizer(name)
    for _ in range(3):
        grads = {
            key: rng.standard_normal(shape).astype(np.float32) for key, shape in shapes.items()
        }
        of_single = {key: grads[key].ravel()[[0, -1]] for key in grads}
        optimizers[0].step(params, grads, 0.1)
        optimizers[1].step(single, of_single, 0.1)
    for key, param in params.items():
        assert param.dtype == np.float32
        np.testing.assert_array_equal(param.ravel()[[0, -1]], single[key])


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_weights_decay_beside_the_step_and_biases_do_not(name):
    grads = {key: np.full((2, 2), 0.5) for key in ("W1", "b1", "W2", "b2")}
    params = {key: np.full((2, 2), 10.0) for key in grads}
    optimizer = make_optimizer(name, weight_decay=2)
    # the rate decides how much decays, whatever the loss is scaled by
    scale = 0.1 if optimizer.is_linear else 1.0
    steps = optimizer.step(params, grads, 0.1, scale=scale)
    for key, param in params.items():
        np.testing.assert_allclose(param, (8 if key in {"W1", "W2"} else 10) - steps[key])
