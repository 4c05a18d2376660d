"""What a comparison makes of any input, as tests/base/test_inputs.py asks of nnlib."""

from contextlib import nullcontext

import numpy as np
import pytest
from hypothesis import given

from experiments.compare.seeds import summarise_seeds
from tests.base.test_inputs import (
    CONFIDENCE,
    EXAMPLES,
    Y,
    any_arrays,
    refused,
    shuffled,
)


@EXAMPLES
@given(any_arrays((3,), (3,), (1,), (2,), (3, 1), ()))
def test_accuracies_of_seeds_are_shares_or_refused(accuracies):
    is_meant = accuracies.dtype.kind in "biuf" and accuracies.shape == (3,)
    is_meant = is_meant and all(0 <= float(value) <= 1 for value in accuracies)
    for order in (1, -1):
        before, after = (accuracies, [0.5, 0.5, 0.75])[::order]
        with nullcontext() if is_meant else refused("before", "after"):
            seeds = summarise_seeds([1, 2, 3], before, after)
            assert seeds.mean_before == pytest.approx(np.mean(np.asarray(before, float)))
            assert seeds.mean_after == pytest.approx(np.mean(np.asarray(after, float)))


def test_one_seed_is_refused_without_a_warning():
    with refused("two differences or more"):
        summarise_seeds([1], [0.5], [0.5])


def test_the_accuracies_of_seeds_are_taken_by_position():
    expected = summarise_seeds([1, 2, 3, 4], CONFIDENCE, Y[:, 0])
    for before, after in (
        (shuffled(CONFIDENCE), Y[:, 0]),
        (CONFIDENCE, shuffled(Y[:, 0])),
        (shuffled(CONFIDENCE), shuffled(Y[:, 0])),
    ):
        assert summarise_seeds([1, 2, 3, 4], before, after) == expected
