"""What nnlib makes of any input, where one comes in: what NumPy makes of float64, or an error.

The error names the argument. Whatever warns fails, as everywhere in these tests.
"""

import math
import re
from contextlib import nullcontext

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import expit, rel_entr
from scipy.special import softmax as scipy_softmax

from nnlib.analysis.confusion import confusion_matrix
from nnlib.analysis.predictions import Predictions, read_predictions, write_predictions
from nnlib.base.errors import UserError
from nnlib.data.encoding import Encoding
from nnlib.data.samples import Samples
from nnlib.network import TwoLayerNet
from nnlib.network.evaluation import evaluate, predict
from nnlib.network.functions import (
    accuracy,
    cross_entropy_error,
    sigmoid,
    sigmoid_grad,
    softmax,
)
from nnlib.network.gradient import numerical_gradient
from nnlib.network.optimizers import SGD
from nnlib.stats.intervals import wilson_interval
from nnlib.stats.paired import mcnemar_exact, paired_difference_interval, paired_t
from nnlib.training.batches import Batch, draw_batches
from nnlib.training.fit import Settings, fit
from nnlib.training.loop import train

N, D, H, C = 4, 2, 3, 3
RNG = np.random.default_rng(0)
Y = RNG.dirichlet(np.ones(C), size=N)
LABELS = np.array([2, 0, 1, 2])
X = RNG.standard_normal((N, D))

EXAMPLES = settings(max_examples=60, deadline=None, database=None)

INTEGERS = [np.dtype(f"{kind}{size}") for kind in ("i", "u") for size in (1, 2, 4, 8)]
FLOATS = [np.dtype(name) for name in ("f2", "f4", "f8")]
REAL = [np.dtype(bool), *INTEGERS, *FLOATS]
DTYPES = st.sampled_from([*REAL, np.dtype("c8"), np.dtype("U3"), np.dtype(object)])


def elements(dtype):
    """Values of a dtype: half the time none but small numbers, which may be labels."""
    small = [0, 1, 2]
    if dtype.kind in "iu":
        limits = np.iinfo(dtype)
        return st.sampled_from(small) | st.sampled_from([limits.min, *small, 3, limits.max])
    if dtype.kind == "f":
        large = [-1.0, -0.5, 0.5, 3.0, 1e4, math.nan, math.inf, -math.inf]
        return st.sampled_from([0.0, 1.0, 2.0]) | st.sampled_from([*small, *large])
    if dtype.kind == "b":
        return st.booleans()
    return st.sampled_from([str(value) for value in small] if dtype.kind == "U" else small)


def any_arrays(*shapes):
    """Arrays of any dtype, of one of the shapes."""
    return st.tuples(DTYPES, st.sampled_from(shapes)).flatmap(
        lambda drawn: arrays(drawn[0], drawn[1], elements=elements(drawn[0]))
    )


@st.composite
def one_hot_arrays(draw):
    """One-hot rows of any dtype, one of them broken half the time."""
    rows = np.eye(C)[draw(st.lists(st.integers(0, C - 1), min_size=N, max_size=N))]
    if draw(st.booleans()):
        rows[draw(st.integers(0, N - 1)), draw(st.integers(0, C - 1))] = draw(
            st.sampled_from([0, 1, 2])
        )
    return rows.astype(draw(DTYPES))


@st.composite
def distributions(draw):
    """Rows of probabilities of any dtype of floats, one of them broken half the time."""
    seed = draw(st.integers(0, 1000))
    rows = (
        np.random.default_rng(seed)
        .dirichlet(np.ones(C), size=N)
        .astype(draw(st.sampled_from(FLOATS)))
    )
    if draw(st.booleans()):
        place = draw(st.integers(0, N - 1)), draw(st.integers(0, C - 1))
        rows[place] = draw(st.sampled_from([-0.01, 0, 1, 1.01, math.nan, math.inf, -math.inf]))
    return rows


LABEL_SHAPES = [(N,), (N,), (), (0,), (N - 1,), (N + 1,), (1,), (N, 1), (N, C), (N, C, 1)]
targets = any_arrays(*LABEL_SHAPES) | one_hot_arrays()
any_probabilities = distributions() | one_hot_arrays() | any_arrays((N, C), (N,), (N, 0), (1, N, C))


def labels_meant(t):
    """The label of each sample; None for what are no labels."""
    if t.shape != (N,) or t.dtype.kind not in "iu" or not all(int(v) in range(C) for v in t):
        return None
    return [int(value) for value in t]


def targets_meant(t):
    """The target of each sample, from labels or one-hot rows."""
    if t.shape != (N, C) or t.dtype.kind not in "biuf":
        return labels_meant(t)
    rows = [[float(value) for value in row] for row in t]
    if any(sorted(row) != [0.0] * (C - 1) + [1.0] for row in rows):
        return None
    return [row.index(1.0) for row in rows]


def probabilities_meant(y):
    """The probabilities in float64; None for what are no distributions."""
    if y.shape != (N, C) or y.dtype.kind not in "biuf":
        return None
    y = y.astype(np.float64)
    for row in y.tolist():
        if not all(0 <= p < math.inf for p in row) or abs(math.fsum(row) - 1) > 1e-3:
            return None
    return y


def refused(name, *more):
    return pytest.raises(
        (TypeError, ValueError), match="|".join(rf"\b{re.escape(n)}\b" for n in (name, *more))
    )


def assert_close(found, expected):
    np.testing.assert_allclose(
        np.asarray(found, float), np.asarray(expected, float), rtol=1e-5, atol=1e-6
    )


def share_right(y, t):
    return sum(row.index(max(row)) == label for row, label in zip(y.tolist(), t, strict=True)) / N


def mean_loss(y, t):
    return np.mean([rel_entr(1, y[i, label]) for i, label in enumerate(t)])


# What takes probabilities, with targets, and the same by other means.
OF_TARGETS = {
    "cross_entropy_error": (cross_entropy_error, mean_loss),
    "accuracy": (accuracy, share_right),
    "Predictions": (
        lambda y, t: Predictions.of(y, t).table()[["actual", "confidence"]],
        lambda y, t: [[label, max(row)] for row, label in zip(y.tolist(), t, strict=True)],
    ),
    "scores of Predictions": (
        lambda y, t: [Predictions.of(y, t).mean_loss, Predictions.of(y, t).accuracy],
        lambda y, t: [mean_loss(y, t), share_right(y, t)],
    ),
}


@pytest.mark.parametrize("name", OF_TARGETS)
def test_targets_are_those_meant_or_refused(name):
    function, expected = OF_TARGETS[name]

    @EXAMPLES
    @given(targets)
    def try_one(t):
        meant = targets_meant(t)
        with refused("t") if meant is None else nullcontext():
            assert_close(function(Y, t), expected(Y, meant))

    try_one()


@pytest.mark.parametrize("name", OF_TARGETS)
def test_probabilities_are_those_meant_or_refused(name):
    function, expected = OF_TARGETS[name]

    @EXAMPLES
    @given(any_probabilities)
    def try_one(y):
        meant = probabilities_meant(y)
        if name == "cross_entropy_error" and y.ndim == 1:
            return  # a sample, which it takes
        with refused("y") if meant is None else nullcontext():
            assert_close(function(y, LABELS), expected(meant, LABELS.tolist()))

    try_one()


@EXAMPLES
@given(any_arrays(*LABEL_SHAPES), st.booleans())
def test_confusion_counts_the_labels_meant_or_refuses(labels, is_actual):
    meant = labels_meant(labels)
    with refused("actual" if is_actual else "predicted") if meant is None else nullcontext():
        confusion = confusion_matrix(*((labels, LABELS) if is_actual else (LABELS, labels)), C)
        expected = np.zeros((C, C), int)
        for one, other in zip(meant, LABELS, strict=True):
            expected[(one, other) if is_actual else (other, one)] += 1
        np.testing.assert_array_equal(confusion, expected)


@EXAMPLES
@given(any_arrays((), (C,), (N, C), (0, C), (0,), (N, 0), (2, N, C)))
def test_activations_are_scipys_or_refuse(x):
    is_real = x.dtype.kind in "biuf"
    with np.errstate(all="ignore"):  # SciPy warns where the answer is NaN
        x64 = x.astype(np.float64) if is_real else x
        expected = expit(x64) if is_real else None
    with nullcontext() if is_real else refused("x"):
        assert_close(sigmoid(x), expected)
    with nullcontext() if is_real else refused("x"):
        assert_close(sigmoid_grad(x), expected * (1 - expected))
    is_whole = is_real and x.ndim in {1, 2} and x.shape[-1] > 0
    with nullcontext() if is_whole else refused("x"):
        found = softmax(x)
        with np.errstate(all="ignore"):
            assert_close(found, scipy_softmax(x64, axis=-1) if x.size else x64)


@pytest.mark.parametrize(
    "x", [np.uint8([1, 2, 3]), np.int8([-100, 100]), np.float16([20, 30]), [True, False]]
)
def test_small_numbers_are_computed_with_as_float64(x):
    expected = scipy_softmax(np.asarray(x, float))
    assert softmax(x).dtype == np.float64
    np.testing.assert_allclose(softmax(x), expected, rtol=1e-14)
    np.testing.assert_allclose(sigmoid(x), expit(np.asarray(x, float)), rtol=1e-14)


@pytest.mark.parametrize("dtype", [*INTEGERS, "f2", "f4", "U3", object])
def test_numerical_gradient_is_of_float64_only(dtype):
    x = np.array([1, 2]).astype(dtype)
    with refused("x"):
        numerical_gradient(lambda x: float(x[0] * x[1]), x)
    with refused("x"):
        numerical_gradient(lambda x: float(x[0] * x[1]), x.tolist())


# The network.


def make_network(dtype=np.float64):
    return TwoLayerNet(D, H, C, weight_init=1, dtype=dtype)


def forward_by_hand(network, x):
    params = {key: value.astype(np.float64) for key, value in network.params.items()}
    z1 = expit(x.astype(np.float64) @ params["W1"] + params["b1"])
    return scipy_softmax(z1 @ params["W2"] + params["b2"], axis=-1)


OF_BATCHES = {
    "loss": lambda network, x: network.loss(x, LABELS),
    "accuracy": lambda network, x: network.accuracy(x, LABELS),
    "evaluate": lambda network, x: evaluate(network, Samples(x, LABELS)).loss,
    "loss_and_gradient": lambda network, x: network.loss_and_gradient(x, LABELS)[0],
    "gradient": lambda network, x: network.gradient(x, LABELS)["b2"],
    "numerical_gradient": lambda network, x: network.numerical_gradient(x, LABELS)["b2"],
    "predict in blocks": predict,
    "predict": TwoLayerNet.predict,
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", OF_BATCHES)
def test_inputs_are_predicted_or_refused(name, dtype):
    network = make_network(dtype)

    @settings(EXAMPLES, max_examples=30)
    @given(any_arrays((N, D), (N, D), (N, D), (D,), (0, D), (N, D + 1), (N - 1, D), (1, N, D), ()))
    def try_one(x):
        is_batch = x.dtype.kind in "biuf" and x.shape == (N, D)
        is_taken = is_batch or (
            x.dtype.kind in "biuf"
            and name.startswith("predict")
            and (x.shape == (N - 1, D) or (name == "predict" and x.shape in {(D,), (0, D)}))
        )
        if x.dtype.kind == "f" and not np.isfinite(x).all():
            return  # below
        with nullcontext() if is_taken else refused("x", "t"):
            found = OF_BATCHES[name](network, x)
            y = forward_by_hand(network, x)
            if name.startswith("predict"):
                expected = y
            elif name == "accuracy":
                expected = np.mean(y.argmax(axis=1) == LABELS)
            elif name.endswith("gradient") and name != "loss_and_gradient":
                expected = (y - np.eye(C)[LABELS]).mean(axis=0)
            else:
                expected = -np.log(y[range(N), LABELS]).mean()
            np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)

    try_one()


@pytest.mark.parametrize("name", ["loss", "accuracy", "evaluate", "predict in blocks"])
def test_no_number_is_made_of_nan(name):
    x = X.copy()
    x[1, 0] = np.nan
    with refused("x"):
        OF_BATCHES[name](make_network(), x)
    assert np.isnan(make_network().predict(x)).tolist() == [[row == 1] * C for row in range(N)]
    assert np.isnan(make_network().loss_and_gradient(x, LABELS)[0])


@pytest.mark.parametrize(
    "function",
    [
        lambda t: make_network().loss(X, t),
        lambda t: make_network().accuracy(X, t),
        lambda t: make_network().gradient(X, t)["b2"],
        lambda t: make_network().numerical_gradient(X, t)["b2"],
        lambda t: evaluate(make_network(), Samples(X, t)).loss,
    ],
)
def test_the_network_takes_the_targets_that_its_loss_takes(function):
    expected = function(LABELS)

    @settings(EXAMPLES, max_examples=30)
    @given(targets)
    def try_one(t):
        meant = targets_meant(t)
        with refused("t") if meant is None else nullcontext():
            found = function(t)
            if meant == LABELS.tolist():
                assert_close(found, expected)

    try_one()
    np.testing.assert_allclose(function(np.eye(C, dtype=bool)[LABELS]), expected)


@pytest.mark.parametrize("dtype", [*INTEGERS, "f2", "c8"])
def test_weights_are_floats(dtype):
    with refused("dtype"):
        TwoLayerNet(D, H, C, dtype=dtype)


def test_a_network_whose_weights_are_too_large_is_the_users_to_mend():
    network = make_network(np.float32)
    network.params["W2"] = np.full((H, C), 3e38, np.float32)
    with pytest.raises(UserError, match=r"weights are too large; a smaller learning rate"):
        predict(network, np.float32(X))
    with refused("x"), np.errstate(over="ignore"):
        network.loss(np.float32(X), LABELS)


ROWS = any_arrays((N,), (N,), (0,), (N, 1), ())


@EXAMPLES
@given(ROWS)
def test_rows_are_those_meant_or_refused(rows):
    samples, network = Samples(X[:C], LABELS[:C]), make_network()
    meant = labels_meant(rows)
    with refused("rows") if meant is None else nullcontext():
        found = evaluate(network, samples, rows)
        assert found.loss == pytest.approx(network.loss(X[meant], LABELS[meant]))
    with refused("rows") if meant is None else nullcontext():
        batch = next(draw_batches(samples, 3, np.random.default_rng(0), rows))
        assert {tuple(x) for x in batch.x} <= {tuple(X[row]) for row in meant}


TRAINING = Settings(
    hidden_size=H, weight_init=1, iterations=2, batch_size=2, learning_rate=0.1, seed=0
)
ENCODING = Encoding(scaling="unit", pixel_mean=0, pixel_std=1, class_names=("a", "b", "c"))
GOOD = Samples(np.float32(X), LABELS)


@pytest.mark.parametrize("name", ["train_set", "test_set"])
@pytest.mark.parametrize(
    ("x", "t"),
    [
        (GOOD.x, LABELS[:-1]),
        (GOOD.x[:-1], LABELS),
        (GOOD.x[:0], LABELS[:0]),
        (GOOD.x[0], LABELS[:D]),
        (X, LABELS),
        (np.uint8(X > 0), LABELS),
        (X.astype(str), LABELS),
        (GOOD.x, LABELS - 1),
        (GOOD.x, LABELS + 1),
        (GOOD.x, LABELS.astype(str)),
        (GOOD.x, LABELS / 1),
        (GOOD.x, np.eye(C)[LABELS]),
    ],
)
def test_a_set_that_cannot_be_trained_on_is_refused_before_the_training(name, x, t):
    sets = {"train_set": GOOD, "test_set": GOOD, name: Samples(x, t)}
    with pytest.raises((TypeError, ValueError), match=rf"{name}\.[xt]\b"):
        fit(TRAINING, sets["train_set"], ENCODING, test_set=sets["test_set"])


def test_inputs_that_are_not_finite_are_not_taken_for_a_divergence():
    bad = Batch(np.full((2, D), np.nan), LABELS[:2])
    with refused("batches"):
        train(make_network(), SGD(), iter([bad]), [0.1])


def test_batches_are_not_drawn_from_sets_that_do_not_fit():
    with refused("samples.x"):
        next(draw_batches(Samples(X, LABELS[:-1]), 2, np.random.default_rng(0)))
    with refused("weights"):
        next(draw_batches(GOOD, 2, np.random.default_rng(0), weights=np.ones(len(LABELS) - 1)))
    with refused("samples.x"):
        evaluate(make_network(), Samples(X, LABELS[:-1]), np.array([0]))


# Counts, shares and predictions.


@pytest.mark.parametrize("dtype", [*INTEGERS, *FLOATS])
def test_intervals_of_counts_of_any_dtype_are_those_of_float64(dtype):
    successes, trials = np.array([100, 3, 0], dtype), np.array([120, 3, 7], dtype)
    expected = wilson_interval([100, 3, 0], [120, 3, 7])
    np.testing.assert_array_equal(wilson_interval(successes, trials), expected)
    assert expected[0][0] == pytest.approx(0.7565, abs=1e-4)  # 100 / 120, worked by hand
    assert expected[1][0] == pytest.approx(0.8894, abs=1e-4)


@EXAMPLES
@given(any_arrays((N,), (), (0,), (N - 1,)))
def test_successes_are_counts_no_higher_than_the_trials(successes):
    is_count = successes.dtype.kind in "biuf" and successes.shape != (N - 1,)
    is_count = is_count and all(0 <= float(k) <= 2 and float(k) % 1 == 0 for k in successes.flat)
    trials = np.full(N, 2) if successes.size else 2
    with nullcontext() if is_count else refused("successes", "trials"):
        low, high = wilson_interval(successes, trials)
        assert ((low >= 0) & (low < high) & (high <= 1)).all()


@pytest.mark.parametrize("dtype", INTEGERS)
def test_tests_of_numpys_integers_are_those_of_pythons(dtype):
    of_dtype = dtype.type
    assert mcnemar_exact(of_dtype(100), of_dtype(60)) == mcnemar_exact(100, 60)
    assert mcnemar_exact(of_dtype(60), of_dtype(100)) == mcnemar_exact(100, 60)
    expected = paired_difference_interval(20, 100, 120)
    assert paired_difference_interval(of_dtype(20), of_dtype(100), of_dtype(120)) == expected


@pytest.mark.parametrize("value", [-1, 2.0, 2.5, "2", None, np.nan, np.int8(-1), np.array([2, 2])])
def test_what_is_no_count_is_refused(value):
    for function, names in (
        (lambda value: mcnemar_exact(value, 2), ["fixed"]),
        (lambda value: mcnemar_exact(2, value), ["broken"]),
        (lambda value: paired_difference_interval(value, 2, 9), ["fixed"]),
        (lambda value: paired_difference_interval(2, value, 9), ["broken"]),
        (lambda value: paired_difference_interval(0, 0, value), ["n"]),
        (lambda value: confusion_matrix([0], [0], value), ["classes"]),
    ):
        with refused(*names):
            function(value)


def test_counts_that_contradict_each_other_are_refused():
    with refused("n"):
        paired_difference_interval(3, 4, 6)


@EXAMPLES
@given(any_arrays((N,), (N,), (0,), (1,), (N, 1), ()))
def test_differences_are_finite_numbers_or_refused(differences):
    is_meant = differences.dtype.kind in "biuf" and differences.shape == (N,)
    is_meant = is_meant and np.isfinite(differences.astype(float)).all()
    with nullcontext() if is_meant else refused("differences"):
        assert paired_t(differences) == paired_t([float(value) for value in differences])


def test_masked_and_ragged_values_are_refused():
    for function in (accuracy, Predictions.of):
        with refused("y"):
            function(np.ma.array(Y, mask=Y < 0.1), LABELS)
        with refused("y"):
            function([[0.5, 0.5], [1.0]], [0, 0])
        with refused("t"):
            function(Y, np.ma.array(LABELS, mask=LABELS == 2))
        with refused("t"):
            function(Y, pd.array([2, 0, None, 2], dtype="Int64"))


def test_nothing_has_no_mean():
    for function in (cross_entropy_error, accuracy, Predictions.of):
        with pytest.raises(ValueError, match="y is empty"):
            function(Y[:0], LABELS[:0])


def test_nothing_has_counts():
    assert not confusion_matrix([], [], C).any()
    assert make_network().predict(X[:0]).shape == (0, C)


@pytest.mark.parametrize("labels", [LABELS + 1, LABELS - 1, LABELS.astype(str), LABELS / 1])
def test_labels_of_no_class_are_not_looked_for_in_a_file(tmp_path, labels):
    write_predictions(tmp_path / "test.csv", Predictions.of(Y, LABELS))
    with refused("labels"):
        read_predictions(tmp_path / "test.csv", labels, C)


# pandas aligns by index; here the position counts.

ORDER = [2, 0, 3, 1]


def shuffled(values):
    """With an index that would bring the rows into another order."""
    of = pd.Series if np.ndim(values) == 1 else pd.DataFrame
    return of(values, index=ORDER)


CONFIDENCE = Y.max(axis=1)
BY_POSITION = {
    "cross_entropy_error": (cross_entropy_error, Y, LABELS),
    "accuracy": (accuracy, Y, LABELS),
    "Predictions": (lambda y, t: Predictions.of(y, t).table().to_numpy(), Y, LABELS),
    "confusion_matrix": (lambda a, b: confusion_matrix(a, b, C), LABELS, LABELS[::-1]),
    "wilson_interval": (wilson_interval, LABELS, LABELS + 1),
    "paired_t": (paired_t, CONFIDENCE),
    "loss": (lambda x, t: make_network().loss(x, t), X, LABELS),
    "gradient": (lambda x, t: make_network().gradient(x, t)["W1"], X, LABELS),
    "predict": (lambda x: predict(make_network(), x), X),
    "evaluate": (lambda x, t: evaluate(make_network(), Samples(x, t)), X, LABELS),
    "some rows": (
        lambda x, t, rows: evaluate(make_network(), Samples(x, t), rows),
        *(X, LABELS, np.array([3, 0, 0, 1])),
    ),
    "fit": (lambda x, t: fit(TRAINING, Samples(x, t), ENCODING).losses, GOOD.x, LABELS),
}


@pytest.mark.parametrize("name", BY_POSITION)
def test_series_and_tables_are_taken_by_position(name):
    function, *arguments = BY_POSITION[name]
    expected = function(*arguments)
    for which in range(len(arguments)):
        mixed = [shuffled(a) if i == which else a for i, a in enumerate(arguments)]
        for given_arguments in (mixed, [shuffled(a) for a in arguments]):
            np.testing.assert_equal(function(*given_arguments), expected)


def test_labels_are_taken_by_position(tmp_path):
    write_predictions(tmp_path / "test.csv", Predictions.of(Y, LABELS))
    read = read_predictions(tmp_path / "test.csv", shuffled(LABELS), C)
    assert read.t.tolist() == LABELS.tolist()
