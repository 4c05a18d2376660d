"""The nearest training samples, against scikit-learn's and against one distance at a time."""

import tracemalloc

import numpy as np
import pandas as pd
import pytest
from sklearn.neighbors import NearestNeighbors

from nnlib.analysis.neighbours import (
    NEIGHBOURS,
    Majorities,
    majorities,
    nearest,
    neighbours_of,
)
from nnlib.base.blocks import BLOCK
from nnlib.data.samples import Samples
from nnlib.network import TwoLayerNet


def in_blocks(training, size):
    return (training[start : start + size] for start in range(0, len(training), size))


def one_by_one(x, training, k):
    """Indices and distances, with ties by index, from differences in float64."""
    x, training = x.astype(np.float64), training.astype(np.float64)
    squares = np.array([np.square(training - each).sum(axis=1) for each in x])
    indices = np.argsort(squares, axis=1, kind="stable")[:, :k]
    return indices, np.sqrt(np.take_along_axis(squares, indices, axis=1))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", [3, 64, 500])
def test_the_nearest_are_those_of_scikit_learn(dtype, size):
    rng = np.random.default_rng(0)
    x, training = (rng.random((n, 30)).astype(dtype) for n in (40, 500))
    found = nearest(x, in_blocks(training, size), 5)
    model = NearestNeighbors(n_neighbors=5, algorithm="brute").fit(training.astype(np.float64))
    distances, indices = model.kneighbors(x.astype(np.float64))
    np.testing.assert_array_equal(found.indices, indices)
    np.testing.assert_allclose(found.distances, distances, rtol=1e-9)


def test_more_samples_than_a_block_are_all_found():
    rng = np.random.default_rng(1)
    x, training = (rng.random((n, 4)).astype(np.float32) for n in (BLOCK + 20, 300))
    found = nearest(x, in_blocks(training, 100), 3)
    np.testing.assert_array_equal(found.indices, one_by_one(x, training, 3)[0])


@pytest.mark.parametrize("size", [1, 7, 90])
def test_of_equally_near_ones_the_first_count(size):
    rng = np.random.default_rng(2)
    x = rng.integers(3, size=(25, 3)).astype(np.float32)
    training = rng.integers(3, size=(90, 3)).astype(np.float32)  # 27 points, most more than once
    found = nearest(x, in_blocks(training, size), 6)
    indices, distances = one_by_one(x, training, 6)
    np.testing.assert_array_equal(found.indices, indices)
    np.testing.assert_array_equal(found.distances, distances)


def test_float32_alone_could_not_tell_these_apart():
    rng = np.random.default_rng(3)
    x, training = (1000 + rng.random((n, 20)).astype(np.float32) for n in (10, 400))
    products = np.square(training).sum(axis=1) - 2 * np.dot(x, training.T)
    indices, distances = one_by_one(x, training, 5)
    assert (np.argsort(products, axis=1)[:, :5] != indices).mean() > 0.5
    found = nearest(x, in_blocks(training, 50), 5)
    np.testing.assert_array_equal(found.indices, indices)
    np.testing.assert_allclose(found.distances, distances, rtol=1e-12)


def test_there_may_be_fewer_training_samples_than_neighbours():
    x, training = np.array([[0.0], [5]]), np.array([[4.0], [1]])
    for size in (1, 2):
        found = nearest(x, in_blocks(training, size), 5)
        assert found.indices.tolist() == [[1, 0], [0, 1]]
        assert found.distances.tolist() == [[1, 4], [1, 4]]
    assert nearest(x[:0], in_blocks(training, 1), 2).indices.shape == (0, 2)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x": np.array([[np.nan, 0]])}, "x holds a value that is not finite"),
        ({"training": [np.array([[0, np.inf]])]}, "training holds a value that is not finite"),
        ({"training": [np.array([[0, 1e20]])]}, "or too large"),
        # 1e19 and -1e19 have a squared distance of 4e38, and float32 ends at 3.4e38
        ({"x": np.full((3, 2), [1e19, 0])}, "or too large"),
    ],
)
def test_what_has_no_nearest_is_refused(change, message):
    arguments = {"x": np.zeros((3, 2)), "training": [np.ones((4, 2))], "k": 2} | change
    with pytest.raises(ValueError, match=message):
        nearest(**arguments)


def test_the_largest_that_are_allowed_have_their_nearest():
    x = np.array([[9e18], [-9e18]], np.float32)
    found = nearest(x, [x], 2)
    assert found.indices.tolist() == [[0, 1], [1, 0]]
    np.testing.assert_allclose(found.distances, [[0, 1.8e19]] * 2, rtol=1e-7)


def test_more_training_samples_take_no_more_memory():
    x = np.random.default_rng(4).random((200, 50)).astype(np.float32)

    def peak(number):
        rng = np.random.default_rng(5)
        tracemalloc.start()
        nearest(x, (rng.random((500, 50), np.float32) for _ in range(number)), 5)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    few = peak(4)
    assert peak(60) < few + 100_000  # of 6 MB of training samples


@pytest.fixture(scope="module")
def found():
    """The neighbours of twelve samples by a random network, with all that they were found in."""
    rng = np.random.default_rng(6)
    network = TwoLayerNet(20, 6, 10, weight_init=1.0, rng=rng, dtype=np.float32)
    train = Samples(
        rng.random((2 * BLOCK + 5, 20)).astype(np.float32),
        rng.integers(10, size=2 * BLOCK + 5, dtype=np.uint8),
    )
    x, indices = rng.random((12, 20)).astype(np.float32), np.arange(12) * 7
    return network, train, x, indices, neighbours_of(network, x, indices, train)


def test_the_table_has_both_spaces_of_each_sample(found):
    network, train, x, indices, table = found
    assert list(table) == ["index", "space", "rank", "train_index", "label", "distance"]
    assert len(table) == 12 * 2 * NEIGHBOURS
    of = {"pixels": (x, train.x), "activations": [network.forward(x)[0] for x in (x, train.x)]}
    for space, (near, training) in of.items():
        model = NearestNeighbors(n_neighbors=NEIGHBOURS).fit(training.astype(np.float64))
        distances, expected = model.kneighbors(near.astype(np.float64))
        of_space = table[table["space"] == space]
        assert of_space["index"].tolist() == np.repeat(indices, NEIGHBOURS).tolist()
        assert of_space["rank"].tolist() == list(range(1, NEIGHBOURS + 1)) * 12
        assert of_space["train_index"].tolist() == expected.ravel().tolist()
        assert of_space["label"].tolist() == train.t[expected.ravel()].tolist()
        np.testing.assert_allclose(of_space["distance"], distances.ravel(), rtol=1e-5)


def test_no_samples_have_no_neighbours(found):
    network, train, x, indices, _ = found
    table = neighbours_of(network, x[:0], indices[:0], train)
    assert len(table) == 0
    assert list(table) == list(found[-1])


def votes(index, space, labels):
    return pd.DataFrame({"index": index, "space": space, "label": labels})


def test_the_majorities_by_hand():
    mistakes = pd.DataFrame({"index": [9, 4, 6], "actual": [1, 2, 3], "predicted": [7, 8, 9]})
    neighbours = pd.concat(
        [
            votes(4, "pixels", [8, 2, 8, 2, 8]),  # the predicted
            votes(6, "pixels", [3, 3, 9, 9, 0]),  # none
            votes(9, "pixels", [1, 1, 1, 1, 1]),  # the actual
            votes(4, "activations", [0, 0, 0, 2, 8]),  # another
            votes(6, "activations", [9, 9, 9, 9, 3]),
            votes(9, "activations", [7, 7, 7, 1, 1]),
        ]
    )
    assert majorities(neighbours, mistakes) == {
        "activations": Majorities(predicted=2, actual=0, other=1, none=0),
        "pixels": Majorities(predicted=1, actual=1, other=0, none=1),
    }


def test_half_of_the_votes_is_no_majority():
    mistakes = pd.DataFrame({"index": [0], "actual": [1], "predicted": [2]})
    neighbours = pd.concat([votes(0, space, [2, 1]) for space in ("activations", "pixels")])
    none = Majorities(predicted=0, actual=0, other=0, none=1)
    assert majorities(neighbours, mistakes) == {"activations": none, "pixels": none}
