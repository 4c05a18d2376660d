"""The activations and the loss, against SciPy and scikit-learn."""

import numpy as np
import pytest
from scipy.special import expit, log_softmax, rel_entr
from scipy.special import softmax as scipy_softmax
from sklearn.metrics import log_loss

from nnlib.network.functions import (
    ACTIVATIONS,
    cross_entropy_error,
    relu,
    sigmoid,
    sigmoid_grad,
    softmax,
    softmax_with_loss,
    softmax_with_losses,
    tanh,
)

EXTREMES = np.array([-1e308, -1e4, -745.2, -88.8, -1.0, -1e-30, 0.0, 1e-30, 1.0, 88.8, 710, 1e308])


@pytest.fixture(autouse=True)
def _no_floating_point_trouble():
    # underflow to 0 is right for an extreme input; any other warning is an error
    with np.errstate(all="raise", under="ignore"):
        yield


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sigmoid_is_scipys(dtype):
    x = np.concatenate([np.clip(EXTREMES, -3e38, 3e38), np.linspace(-40, 40, 1001)]).astype(dtype)
    y = sigmoid(x)
    assert y.dtype == dtype
    expected = expit(x.astype(np.float64))
    np.testing.assert_allclose(y, expected, rtol=8 * np.finfo(dtype).eps, atol=1e-44)


def test_sigmoid_of_a_number():
    assert sigmoid(0) == 0.5


def test_sigmoid_grad_is_the_slope_of_the_sigmoid():
    x = np.linspace(-5, 5, 101)
    slope = (sigmoid(x + 1e-6) - sigmoid(x - 1e-6)) / 2e-6
    np.testing.assert_allclose(sigmoid_grad(x), slope, atol=1e-9)
    assert sigmoid_grad(0.0) == 0.25
    assert np.all(sigmoid_grad(EXTREMES) >= 0)


def test_relu_and_tanh():
    x = np.array([-np.inf, -2, -1e-30, 0, 0.5, 3, np.inf])
    np.testing.assert_array_equal(relu(x), [0, 0, 0, 0, 0.5, 3, np.inf])
    assert np.isnan(relu(np.nan))
    np.testing.assert_allclose(tanh(x), 2 * expit(2 * x) - 1, rtol=1e-14, atol=1e-30)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_the_derivative_is_the_slope_of_the_activation(name, dtype):
    f, derivative, steepest = ACTIVATIONS[name]
    a = np.linspace(-5, 5, 100)  # without 0, where the ReLU has no slope
    slope = (f(a + 1e-6) - f(a - 1e-6)) / 2e-6
    z = f(a.astype(dtype))
    assert z.dtype == derivative(z).dtype == dtype
    np.testing.assert_allclose(derivative(z), slope, atol=1e-6)
    assert steepest == derivative(f(np.zeros(1) + 1e-9)) == pytest.approx(slope.max(), rel=1e-2)


@pytest.mark.parametrize("scale", [1, 100, 1e4, 1e300])
def test_softmax_is_scipys(scale):
    x = scale * np.random.default_rng(0).standard_normal((20, 10))
    np.testing.assert_allclose(softmax(x), scipy_softmax(x, axis=1), rtol=1e-14)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_softmax_of_the_largest_numbers(dtype):
    most = np.finfo(dtype).max
    np.testing.assert_array_equal(softmax(np.array([most, -most, 0], dtype)), [1, 0, 0])


def test_softmax_of_one_sample_is_that_of_its_row():
    x = np.random.default_rng(0).standard_normal((3, 10))
    np.testing.assert_array_equal(softmax(x[1]), softmax(x)[1])


@pytest.mark.parametrize("scale", [1, 10, 100])
def test_cross_entropy_error_is_that_of_scipy_and_scikit_learn(scale):
    rng = np.random.default_rng(0)
    x = np.clip(scale * rng.standard_normal((50, 10)), -350, 350)  # down to e^-700, almost 0
    t = np.concatenate([np.arange(10), rng.integers(10, size=40)])
    loss = cross_entropy_error(softmax(x), t)
    assert loss == pytest.approx(-log_softmax(x, axis=1)[np.arange(50), t].mean(), rel=1e-13)
    if scale == 1:  # scikit-learn clips probabilities at the machine's epsilon
        assert loss == pytest.approx(log_loss(t, softmax(x)), rel=1e-6)


def test_cross_entropy_error_takes_indices_and_one_hot_a_sample_and_a_batch():
    y = softmax(np.random.default_rng(0).standard_normal((4, 10)))
    t = np.array([3, 1, 4, 1])
    assert cross_entropy_error(y, np.eye(10)[t]) == cross_entropy_error(y, t)
    assert cross_entropy_error(y[2], 4) == -np.log(y[2, 4])
    assert cross_entropy_error(y[2], np.eye(10)[4]) == -np.log(y[2, 4])
    each = [cross_entropy_error(y[i], t[i]) for i in range(4)]
    assert cross_entropy_error(y, t) == pytest.approx(np.mean(each), rel=1e-15)


@pytest.mark.parametrize("scale", [1, 100, 1e4, 1e300])
def test_cross_entropy_error_is_scipys_relative_entropy_also_where_it_is_infinite(scale):
    y = softmax(scale * np.random.default_rng(0).standard_normal((20, 10)))
    t = np.arange(20) % 10
    expected = rel_entr(np.eye(10)[t], y).sum(axis=1).mean()
    assert cross_entropy_error(y, t) == pytest.approx(expected, rel=1e-13)


def test_cross_entropy_error_in_float32_at_logits_far_apart():
    x = np.array([[0, 100], [-1e4, 50], [3e38, 0]], np.float32)
    y = softmax(x)
    assert cross_entropy_error(y[0], 0) == pytest.approx(-log_softmax(x[0])[0], rel=1e-3)
    assert cross_entropy_error(y, [1, 1, 0]) == 0


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("scale", [1, 100, 1e4, 1e30])
def test_losses_of_logits_are_those_of_scipy(scale, dtype):
    a2 = (scale * np.random.default_rng(0).standard_normal((20, 10))).astype(dtype)
    t = np.arange(20) % 10
    y, losses = softmax_with_losses(a2, t)
    assert y.dtype == losses.dtype == dtype
    np.testing.assert_array_equal(y, softmax(a2))
    expected = -log_softmax(a2.astype(np.float64), axis=1)[np.arange(20), t]
    rtol = 10 * float(np.finfo(dtype).eps)
    np.testing.assert_allclose(losses, expected, rtol=rtol, atol=rtol)
    loss, _ = softmax_with_loss(a2, t)
    assert loss == pytest.approx(expected.mean(), rel=rtol)


def test_the_loss_of_a_probability_that_rounds_to_0_worked_by_hand():
    a2 = np.array([[0, 104], [104, 0]], np.float32)
    loss, dy = softmax_with_loss(a2, [0, 0])
    assert loss == 52
    np.testing.assert_array_equal(dy, [[-0.5, 0.5], [0, 0]])


@pytest.mark.parametrize("t", [[[1], [1]], [1], [[0, 1, 0], [0, 1, 0]]])
def test_cross_entropy_error_refuses_targets_of_another_shape(t):
    with pytest.raises(ValueError, match="targets of shape"):
        cross_entropy_error([[0.1, 0.9], [0.1, 0.9]], t)


def test_cross_entropy_error_of_a_probability_of_zero_is_infinite():
    assert cross_entropy_error(softmax([0.0, 1e4]), 0) == np.inf
    assert cross_entropy_error(softmax([0.0, 1e4]), 1) == 0
