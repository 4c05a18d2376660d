"""The evidence: its sums against the network's logits, its parts against numerical integration."""

import autograd
import autograd.numpy as anp
import numpy as np
import pytest

from nnlib.analysis.confusion import confusion_matrix
from nnlib.analysis.evidence import (
    MeanEvidence,
    PairEvidence,
    explain_pairs,
    pixel_evidence,
    sum_by_thirds,
    unit_evidence,
)
from nnlib.analysis.pairs import confused_pairs
from nnlib.analysis.predictions import Predictions
from nnlib.data.encoding import Encoding
from nnlib.network import TwoLayerNet
from nnlib.network.functions import ACTIVATIONS

FORMULAS = {"sigmoid": lambda a: 1 / (1 + anp.exp(-a)), "tanh": anp.tanh}
SCALINGS = {"unit": (0, 1), "standard": (0.13, 0.3), "none": None}


def make_network(D, H, C, *, activation="sigmoid", scaling="standard", dtype=np.float64, seed=0):
    rng = np.random.default_rng(seed)
    encoding = None
    if SCALINGS[scaling]:
        mean, std = SCALINGS[scaling]
        names = tuple(f"class {label}" for label in range(C))
        encoding = Encoding(scaling=scaling, pixel_mean=mean, pixel_std=std, class_names=names)
    shapes = {"W1": (D, H), "b1": (H,), "W2": (H, C), "b2": (C,)}
    params = {key: rng.standard_normal(shape).astype(dtype) for key, shape in shapes.items()}
    return TwoLayerNet.from_params(params, activation=activation, encoding=encoding)


def make_images(N, D, seed=0):
    """Images of which about half is without ink, and a blank one."""
    rng = np.random.default_rng(seed)
    images = rng.integers(256, size=(N, D), dtype=np.uint8) * rng.integers(2, size=(N, D))
    images[0] = 0
    return images.astype(np.uint8)


def inputs(network, images):
    return network.encoding.inputs(images) if network.encoding else images / 255


def differences(network, x, c, k):
    """a2[c] - a2[k] of each sample, from the probabilities in float64."""
    params = {key: value.astype(np.float64) for key, value in network.params.items()}
    exact = TwoLayerNet.from_params(params, activation=network.activation)
    log_y, rows = np.log(exact.predict(np.asarray(x, np.float64))), np.arange(len(x))
    return log_y[rows, c] - log_y[rows, k]


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("scaling", SCALINGS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("sizes", [(1, 1, 2), (12, 5, 3), (30, 8, 11)])
def test_both_sums_are_what_the_image_does_to_the_logits(activation, scaling, dtype, sizes):
    D, H, C = sizes
    for seed in range(3):
        network = make_network(
            D, H, C, activation=activation, scaling=scaling, dtype=dtype, seed=seed
        )
        x = inputs(network, make_images(20, D, seed)).astype(np.float64)
        blank = x[0]
        # towards the blank image, where little is left of what the units see
        shares = np.array([1, 1e-3, 1e-6, 1e-9, 1e-12])
        x = (blank + shares[:, np.newaxis, np.newaxis] * (x - blank)).reshape(-1, D)
        c, k = np.random.default_rng(seed).integers(C, size=(2, len(x)))
        expected = differences(network, x, c, k) - differences(network, x[:1], c, k)
        by_pixel, by_unit = (
            pixel_evidence(network, x, c, k),
            unit_evidence(network, x, c, k),
        )
        assert by_pixel.shape == (len(x), D)
        assert by_unit.shape == (len(x), H)
        assert by_pixel.dtype == by_unit.dtype == np.float64
        np.testing.assert_allclose(by_pixel.sum(axis=1), expected, rtol=0, atol=1e-10)
        np.testing.assert_allclose(by_unit.sum(axis=1), expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("activation", FORMULAS)
def test_each_pixel_agrees_with_numerical_integration(activation):
    network = make_network(6, 4, 3, activation=activation)
    images = make_images(3, 6)
    x, blank = inputs(network, images)[1:].astype(float), inputs(network, images)[0].astype(float)
    W1, b1, W2, b2 = network.params.values()

    def difference(x):
        a2 = anp.dot(FORMULAS[activation](anp.dot(x, W1) + b1), W2) + b2
        return anp.sum(a2[:, 2] - a2[:, 0])  # the gradient of each row is that of its own sample

    steps = (np.arange(10_000)[:, np.newaxis] + 0.5) / 10_000
    for sample, evidence in zip(x, pixel_evidence(network, x, 2, 0), strict=True):
        gradients = autograd.grad(difference)(blank + steps * (sample - blank))
        expected = (sample - blank) * gradients.mean(axis=0)
        np.testing.assert_allclose(evidence, expected, rtol=0, atol=1e-8)


@pytest.mark.parametrize("scaling", SCALINGS)
def test_there_is_no_evidence_where_there_is_no_ink(scaling):
    network, images = make_network(30, 4, 3, scaling=scaling), make_images(9, 30)
    evidence = pixel_evidence(network, inputs(network, images), 0, 1)
    assert (evidence[images == 0] == 0).all()
    assert (evidence[images > 0] != 0).all()
    assert (unit_evidence(network, inputs(network, images[:1]), 0, 1) == 0).all()


@pytest.mark.parametrize("rest", [0, 1e-15, 1e-12, 1e-9, 3e-8, 1e-6, 1e-3])
def test_the_parts_keep_their_digits_where_they_cancel(rest):
    # the one unit sees s = x[0] - x[1]
    network = TwoLayerNet.from_params(
        {
            "W1": np.array([[1.0], [-1.0]]),
            "b1": np.array([0.3]),
            "W2": np.array([[1.0, 0.0]]),
            "b2": np.zeros(2),
        }
    )
    x = np.array([[3.0, 3.0 - rest]])
    z0 = 1 / (1 + np.exp(-0.3))
    # sigmoid' (0.3) + s sigmoid''(0.3) / 2 + s^2 sigmoid'''(0.3) / 6
    slope = z0 * (1 - z0) * (1 + rest * (1 - 2 * z0) / 2 + rest**2 * (1 - 6 * z0 * (1 - z0)) / 6)
    parts = pixel_evidence(network, x, 0, 1)
    np.testing.assert_allclose(parts, x * [[slope, -slope]], rtol=1e-9)


def test_a_kink_between_blank_and_image_is_not_missed():
    network = make_network(1, 1, 2, activation="relu", scaling="none")
    network.params |= {"W1": np.ones((1, 1)), "b1": np.array([-4e-7]), "W2": np.array([[1.0, 0]])}
    # of 1e-6, the unit passes on the last 6e-7
    np.testing.assert_allclose(
        pixel_evidence(network, np.array([[1e-6]]), 0, 1), [[6e-7]], rtol=1e-9
    )


def test_one_pair_of_classes_serves_all_samples():
    network = make_network(5, 3, 4)
    x = inputs(network, make_images(6, 5))
    for evidence in (pixel_evidence, unit_evidence):
        expected = evidence(network, x, np.full(6, 3), np.full(6, 1))
        np.testing.assert_array_equal(evidence(network, x, 3, 1), expected)
        np.testing.assert_array_equal(evidence(network, x, 1, 3), -expected)


@pytest.fixture(scope="module")
def explained():
    """Pairs of a random network's predictions, with all that they were made from."""
    network = make_network(6, 5, 3, seed=11)  # predicts each class
    images = make_images(9000, 6)
    x = network.encoding.inputs(images)
    y = network.predict(x)
    t = np.where(np.arange(9000) % 4, y.argmax(axis=1), 0)  # the others are not all right
    predictions = Predictions.of(y, t)
    counts = confusion_matrix(t, predictions.predicted, 3)
    pairs = confused_pairs(counts, counts, np.array([counts]))
    evidence = explain_pairs(network, images.reshape(-1, 2, 3), predictions, pairs)
    return network, images, x, predictions, evidence


def test_the_means_of_a_pair_are_over_its_samples(explained):
    network, images, x, predictions, evidence = explained
    assert sorted((pair.actual, pair.predicted) for pair in evidence) == [(0, 1), (0, 2)]
    for pair in evidence:
        c, k = pair.predicted, pair.actual
        (blank,) = differences(network, x[:1], c, k)
        assert pair.blank == pytest.approx(blank, rel=1e-9)
        for means, read_as in ((pair.confused, c), (pair.right, k)):
            chosen = (predictions.t == k) & (predictions.predicted == read_as)
            assert means.samples == chosen.sum()
            expected = images[chosen].mean(axis=0).reshape(2, 3)
            np.testing.assert_allclose(means.image, expected, rtol=1e-12)
            difference = differences(network, x[chosen], c, k).mean()
            for parts in (means.pixels, means.units):
                assert pair.blank + parts.sum() == pytest.approx(difference, rel=1e-9)
            by_pixel = pixel_evidence(network, x[chosen], c, k).mean(axis=0)
            np.testing.assert_allclose(means.pixels, by_pixel.reshape(2, 3), rtol=1e-9)
            by_unit = unit_evidence(network, x[chosen], c, k).mean(axis=0)
            np.testing.assert_allclose(means.units, by_unit, rtol=1e-9)
    assert evidence[0].right.samples > 1000  # more than a block


def pair_with(units):
    picture = np.zeros((2, 2))
    return PairEvidence(0, 1, 0.0, MeanEvidence(1, picture, picture, np.array(units)), None)


def test_the_shares_are_of_what_speaks_for_the_class():
    pair = pair_with([2.0, -1, 1, 0, 5])
    assert pair.shares.tolist() == [0.25, 0, 0.125, 0, 0.625]
    assert pair.strongest == [4, 0, 2]
    assert pair_with([0.0, 3, -1]).strongest == [1]
    assert pair_with([1.0, 1, 1, 1]).strongest == [0, 1, 2]


def test_there_may_be_no_unit_that_speaks_for_the_class():
    pair = pair_with([-1.0, 0, -2])
    assert pair.shares.tolist() == [0, 0, 0]
    assert pair.strongest == []


def test_a_class_that_is_never_read_right_has_no_such_means():
    network, t = make_network(6, 5, 3), np.zeros(4, int)
    predictions = Predictions.of(np.full((4, 3), [0.2, 0.7, 0.1]), t)
    counts = confusion_matrix(t, predictions.predicted, 3)
    pairs = confused_pairs(counts, counts, np.array([counts]))
    images = make_images(4, 6).reshape(-1, 2, 3)
    (pair,) = explain_pairs(network, images, predictions, pairs)
    assert pair.confused.samples == 4
    assert pair.right is None
    network.encoding = None
    with pytest.raises(ValueError, match="network has no encoding"):
        explain_pairs(network, images, predictions, pairs)


def test_the_thirds_of_a_picture():
    picture = np.arange(30.0).reshape(6, 5)  # rows 2 + 2 + 2, columns 2 + 2 + 1
    expected = [[12, 20, 13], [52, 60, 33], [92, 100, 53]]
    assert sum_by_thirds(picture).tolist() == expected
    assert sum_by_thirds(np.ones((28, 28)))[0].tolist() == [100, 90, 90]


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((8, 3), [[3, 3, 3], [3, 3, 3], [2, 2, 2]]),
        ((5, 4), [[4, 2, 2], [4, 2, 2], [2, 1, 1]]),
        ((2, 3), [[1, 1, 1], [np.nan] * 3, [1, 1, 1]]),
        ((1, 2), [[np.nan] * 3, [1, np.nan, 1], [np.nan] * 3]),
        ((1, 1), [[np.nan] * 3, [np.nan, 1, np.nan], [np.nan] * 3]),
    ],
)
def test_the_places_of_tiny_pictures(shape, expected):
    np.testing.assert_array_equal(sum_by_thirds(np.ones(shape)), expected)
