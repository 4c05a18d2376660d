"""One piece of work in a process of its own, which prints the seconds that it took.

    python -m tools.benchmarks.work ours --hidden-size 50 --batch-size 100 --iterations 600

All train on the samples in data/normalized of the current folder. Importing, reading and preparing
are not counted.
"""

import argparse
import time
import warnings
from collections.abc import Callable
from functools import partial

import stages  # noqa: F401 - before NumPy, to pin its kernels; UNPINNED=1 leaves them

# isort: split
import numpy as np

from nnlib.base.arrays import Floats
from nnlib.base.blocks import blocks
from nnlib.base.validation import read_json
from nnlib.data.datasets import MNIST
from nnlib.data.distortion import Amounts, Distortion
from nnlib.data.encoding import Encoding
from nnlib.data.samples import Samples, load_samples
from nnlib.network.two_layer_net import TwoLayerNet
from nnlib.training.fit import Settings, fit
from nnlib.training.parts import split
from nnlib.training.wide import UNITS, side_by_side
from stages.common import ENCODING, NORMALIZED
from tools.benchmarks import notebook

Work = argparse.Namespace  # what the command line says
Run = Callable[[], object]  # what is timed

LEARNING_RATES = {"sgd": 0.1, "adam": 0.002}
WEIGHT_DECAYS = {"sgd": 0.0, "adam": 0.1}
SEED = 1
# as in the recipe of the record
AMOUNTS = Amounts(rotation=12, shear=16, scale=0.12, shift=1.5, elastic=0.85)


def ours(work: Work, train_set: Samples, test_set: Samples) -> Run:
    """The training of this project."""
    settings = Settings(
        hidden_size=work.hidden_size,
        weight_init=0.01,
        iterations=work.iterations,
        batch_size=work.batch_size,
        learning_rate=LEARNING_RATES[work.optimizer],
        seed=SEED,
        activation=work.activation,
        optimizer={"name": work.optimizer},
        weight_decay=WEIGHT_DECAYS[work.optimizer],
    )
    return partial(
        fit,
        settings,
        train_set,
        read_json(ENCODING, Encoding),
        test_set=test_set if work.evaluate else None,
        augment=Distortion(AMOUNTS, MNIST.image_shape) if work.augment else None,
        threads=work.threads,
    )


def products(work: Work, train_set: Samples, test_set: Samples) -> Run:
    """The matrix products of that training alone; each update has those of the same batch."""
    rng = np.random.default_rng(SEED)
    N, H = work.batch_size, work.hidden_size
    x, dy = np.array(train_set.x[:N]), rng.random((N, 10), np.float32)
    network = TwoLayerNet(x.shape[1], H, 10, rng=rng, dtype=np.float32)
    parts = [(part.params["W1"], part.params["W2"]) for part in split(network, UNITS)]

    def update(W1: Floats, W2: Floats) -> None:
        z1 = np.dot(x, W1)
        np.dot(z1, W2)
        np.dot(dy, W2.T)
        np.dot(x.T, z1)
        np.dot(z1.T, dy)

    def run() -> None:
        with side_by_side(work.threads) as for_each:
            for _ in range(work.iterations):
                for_each(update, *zip(*parts, strict=True))
        for _ in range(evaluations(work, train_set)):
            for samples in (train_set, test_set):
                for rows in blocks(len(samples.x)):
                    for W1, W2 in parts:
                        np.dot(np.dot(samples.x[rows], W1), W2)

    return run


def the_notebook(work: Work, train_set: Samples, test_set: Samples) -> Run:
    """The notebook's loop, on one-hot targets; it always evaluates."""
    (x_train, t_train), (x_test, t_test) = train_set, test_set
    return partial(
        notebook.train,
        np.array(x_train),
        np.eye(10)[t_train],
        np.array(x_test),
        np.eye(10)[t_test],
        hidden_size=work.hidden_size,
        iters_num=work.iterations,
        batch_size=work.batch_size,
        learning_rate=LEARNING_RATES["sgd"],
    )


def pytorch(work: Work, train_set: Samples, test_set: Samples) -> Run:
    """PyTorch's layers and optimizer."""
    from tools.benchmarks import in_pytorch

    return in_pytorch.training(
        work,
        train_set,
        test_set,
        learning_rate=LEARNING_RATES[work.optimizer],
        weight_decay=WEIGHT_DECAYS[work.optimizer],
        amounts=AMOUNTS,
        per_epoch=updates_per_epoch(work, train_set),
        seed=SEED,
    )


def jax(work: Work, train_set: Samples, test_set: Samples) -> Run:
    """JAX's compiled loop, of a network with the sigmoid function and SGD."""
    from tools.benchmarks import in_jax

    return in_jax.training(
        work,
        train_set,
        test_set,
        learning_rate=LEARNING_RATES["sgd"],
        per_epoch=updates_per_epoch(work, train_set),
        seed=SEED,
    )


def scikit_learn(work: Work, train_set: Samples, _test_set: Samples) -> Run:
    """scikit-learn's MLPClassifier, for as many epochs as the updates make; it never evaluates."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier

    warnings.simplefilter("ignore", ConvergenceWarning)  # it must stop where it is told to
    epochs = work.iterations // updates_per_epoch(work, train_set)
    classifier = MLPClassifier(
        hidden_layer_sizes=(work.hidden_size,),
        activation="logistic",
        solver="sgd",
        alpha=0,
        batch_size=work.batch_size,
        learning_rate_init=LEARNING_RATES["sgd"],
        momentum=0,
        max_iter=epochs,
        n_iter_no_change=epochs,
        random_state=SEED,
    )
    return partial(classifier.fit, np.array(train_set.x), train_set.t)


def updates_per_epoch(work: Work, train_set: Samples) -> int:
    """Updates of an epoch, as nnlib.training.fit counts them."""
    return max(len(train_set.x) // work.batch_size, 1)


def evaluations(work: Work, train_set: Samples) -> int:
    """Evaluations of both sets by nnlib.training.fit: one before, one after each epoch."""
    if not work.evaluate:
        return 0
    return 1 + work.iterations // updates_per_epoch(work, train_set)


def main() -> None:
    """Do the work that the command line names, and print its seconds."""
    everyone = {
        "ours": ours,
        "products": products,
        "notebook": the_notebook,
        "pytorch": pytorch,
        "jax": jax,
        "scikit-learn": scikit_learn,
    }
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("who", choices=everyone)
    parser.add_argument("--hidden-size", type=int, required=True)
    parser.add_argument("--batch-size", type=int, required=True)
    parser.add_argument("--iterations", type=int, required=True)
    parser.add_argument("--evaluate", action="store_true", help="before, and after each epoch")
    parser.add_argument("--activation", choices=["sigmoid", "relu"], default="sigmoid")
    parser.add_argument("--optimizer", choices=LEARNING_RATES, default="sgd")
    parser.add_argument("--augment", action="store_true", help="distort the images")
    parser.add_argument("--threads", type=int, default=1, help="of ours, products and pytorch")
    work = parser.parse_args()
    run = everyone[work.who](
        work, load_samples(NORMALIZED, "train", 10), load_samples(NORMALIZED, "test", 10)
    )
    start = time.perf_counter()
    run()
    print(time.perf_counter() - start)


if __name__ == "__main__":
    main()
