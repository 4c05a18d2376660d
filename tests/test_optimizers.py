"""The training step against the textbook's gradient."""

import numpy as np
import pytest

from nnlib.network import TwoLayerNet
from nnlib.network.optimizers import SGD

LEARNING_RATE = 0.3


@pytest.mark.parametrize("shape", [(1, 1, 1, 2), (7, 5, 4, 3), (100, 784, 50, 10)])
@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 2e-6), (np.float64, 1e-14)])
def test_updates_are_steps_against_the_gradient(shape, dtype, tolerance):
    N, D, H, C = shape
    rng = np.random.default_rng(0)
    network = TwoLayerNet(D, H, C, weight_init=0.5, rng=rng, dtype=dtype)
    sgd, dW1 = SGD(LEARNING_RATE), np.empty((D, H), dtype)
    for _ in range(3):  # the buffer of one update must not show in the next
        x = rng.random((N, D)).astype(dtype)
        t = rng.integers(C, size=N, dtype=np.uint8)
        before = TwoLayerNet.from_params(
            {key: value.astype(np.float64) for key, value in network.params.items()}
        )
        grads = before.gradient(x.astype(np.float64), t)
        loss, steps = network.loss_and_gradient(x, t, scale=sgd.gradient_scale, out_W1=dW1)
        sgd.update(network.params, steps)
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
    _, steps = network.loss_and_gradient(x, t, scale=LEARNING_RATE)
    SGD(LEARNING_RATE).update(network.params, steps)
    np.testing.assert_array_equal(x, x_before)
    np.testing.assert_array_equal(t, t_before)
