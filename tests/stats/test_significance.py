"""Shares of the parts of a group, compared with those of all its other parts."""

import numpy as np
import pytest
from scipy.stats import fisher_exact

from nnlib.stats.significance import compare_parts, significant

# Of a group of two parts, and one of three parts, the last of which is empty.
TRIALS = np.array([[400, 600, 0], [500, 300, 200]])
SUCCESSES = np.array([[80, 30, 0], [25, 15, 12]])


def repeated(*successes):
    """With the trials of each network."""
    return np.array(successes), np.array([TRIALS] * len(successes))


def test_each_part_is_tested_against_all_others_of_its_group():
    p = []
    for k, n in zip(SUCCESSES, TRIALS, strict=True):
        others = k.sum() - k, n.sum() - n
        tables = np.transpose([[k, n - k], [others[0], others[1] - others[0]]], (2, 0, 1))
        p += [fisher_exact(table).pvalue for table in tables]
    assert p[2] == 1  # of no trials
    order = np.argsort(p, kind="stable")
    adjusted = np.maximum.accumulate(np.array(p)[order] * [6, 5, 4, 3, 2, 1])
    found = compare_parts(*repeated(SUCCESSES)).p
    assert found.shape == (2, 3)
    np.testing.assert_allclose(found.ravel()[order], np.minimum(adjusted, 1), rtol=1e-9)


def test_a_p_of_just_the_level_is_not_significant():
    differences = np.ones((3, 2))
    assert significant(np.array([0.05, 0.0499]), differences).sign.tolist() == [0, 1]


def test_a_difference_counts_if_two_other_seeds_agree():
    assert not compare_parts(*repeated(SUCCESSES)).sign.any()
    assert not compare_parts(*repeated(*[SUCCESSES] * 2)).sign.any()
    assert compare_parts(*repeated(*[SUCCESSES] * 3)).sign.tolist() == [[1, -1, 0], [0, 0, 0]]


@pytest.mark.parametrize("others", [[[40, 60, 0], [25, 15, 12]], [[20, 60, 0], [25, 15, 12]]])
def test_one_seed_with_no_difference_or_the_opposite_one_is_enough_to_say_nothing(others):
    found = compare_parts(*repeated(SUCCESSES, SUCCESSES, others))
    assert not found.sign.any()
    np.testing.assert_array_equal(found.p, compare_parts(*repeated(SUCCESSES)).p)
