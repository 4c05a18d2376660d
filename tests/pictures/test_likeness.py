"""The distance that 1% of held-out samples lie beyond."""

import math

import numpy as np
import pytest

from nnlib.base.blocks import blocks
from nnlib.pictures.likeness import distances, threshold


def test_the_distance_to_the_nearest_by_hand():
    training = [np.array([[0.0, 0], [9, 9]]), np.array([[3.0, 4]])]
    x = np.array([[0.0, 1], [3, 3], [9, 12]])
    np.testing.assert_allclose(distances(x, training), [1, 1, 3])


@pytest.mark.parametrize(("n", "beyond"), [(99, 0), (199, 1), (999, 9), (1000, 9)])
def test_so_many_held_out_samples_lie_beyond(n, beyond):
    held_out = np.random.default_rng(n).permutation(n)[:, np.newaxis].astype(float) + 1
    limit = threshold(held_out, [np.zeros((1, 1))])
    assert limit == n - beyond
    assert (distances(held_out, [np.zeros((1, 1))]) > limit).sum() == beyond


def test_too_few_held_out_samples_tell_nothing():
    assert math.isinf(threshold(np.ones((98, 1)), [np.zeros((1, 1))]))


def test_on_average_a_hundredth_of_further_samples_lies_beyond():
    rng = np.random.default_rng(0)
    shares = []
    for _ in range(40):
        training, held_out, further = (rng.normal(size=(n, 3)) for n in (50, 300, 500))
        limit = threshold(held_out, (training[rows] for rows in blocks(50)))
        shares.append((distances(further, [training]) > limit).mean())
    assert 0.003 < np.mean(shares) < 0.014
