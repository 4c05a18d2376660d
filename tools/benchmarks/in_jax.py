"""The same training in JAX: the updates of an epoch in one compiled loop."""

import argparse
from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from nnlib.data.samples import Samples

Params = dict[str, Array]


def training(
    work: argparse.Namespace,
    train_set: Samples,
    test_set: Samples,
    *,
    learning_rate: float,
    per_epoch: int,
    seed: int,
) -> Callable[[], None]:
    """`lax.scan` over the batches of an epoch; all is compiled before the work begins."""
    sets = [(jnp.asarray(np.array(x)), jnp.asarray(t)) for x, t in (train_set, test_set)]
    n, D = train_set.x.shape
    rng = np.random.default_rng(seed)
    initial = {
        "W1": jnp.asarray(0.01 * rng.standard_normal((D, work.hidden_size), np.float32)),
        "b1": jnp.zeros(work.hidden_size),
        "W2": jnp.asarray(0.01 * rng.standard_normal((work.hidden_size, 10), np.float32)),
        "b2": jnp.zeros(10),
    }
    epochs = [min(per_epoch, work.iterations - i) for i in range(0, work.iterations, per_epoch)]
    epoch = jax.jit(partial(train, *sets[0], learning_rate))
    epoch_of = {
        updates: epoch.lower(initial, jnp.zeros((updates, work.batch_size), jnp.int32)).compile()
        for updates in set(epochs)
    }
    evaluations = [jax.jit(evaluate).lower(initial, x, t).compile() for x, t in sets]

    def evaluate_both(params: Params) -> None:
        for evaluation, (x, t) in zip(evaluations, sets, strict=True):
            for result in evaluation(params, x, t):
                float(result)

    def run() -> None:
        params = initial
        if work.evaluate:
            evaluate_both(params)
        for updates in epochs:
            batches = rng.integers(n, size=(updates, work.batch_size), dtype=np.int32)
            params, losses = epoch_of[updates](params, batches)
            losses.tolist()
            if work.evaluate and updates == per_epoch:
                evaluate_both(params)

    return run


def train(
    x: Array, t: Array, learning_rate: float, params: Params, batches: Array
) -> tuple[Params, Array]:
    """An update with each batch of samples, given by their indices."""

    def update(params: Params, batch: Array) -> tuple[Params, Array]:
        loss, gradient = jax.value_and_grad(mean_loss)(params, x[batch], t[batch])
        return jax.tree.map(lambda w, g: w - learning_rate * g, params, gradient), loss

    return jax.lax.scan(update, params, batches)


def evaluate(params: Params, x: Array, t: Array) -> tuple[Array, Array]:
    """Loss and accuracy."""
    return mean_loss(params, x, t), (logits(params, x).argmax(axis=1) == t).mean()


def mean_loss(params: Params, x: Array, t: Array) -> Array:
    """Mean cross-entropy."""
    log_y = jax.nn.log_softmax(logits(params, x))
    return -jnp.take_along_axis(log_y, t[:, None].astype(jnp.int32), axis=1).mean()


def logits(params: Params, x: Array) -> Array:
    """The output before softmax."""
    z1 = jax.nn.sigmoid(x @ params["W1"] + params["b1"])
    return z1 @ params["W2"] + params["b2"]
