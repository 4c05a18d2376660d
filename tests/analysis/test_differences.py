"""Which differences in a confusion matrix are called significant: planted ones, and no others."""

import numpy as np
import pytest
from scipy.stats import fisher_exact

from nnlib.analysis.confusion import compare_recalls, compare_with_train
from nnlib.analysis.pairs import compare_directions

SHARES = np.full((10, 10), 0.01) + 0.9 * np.eye(10)


def draw(shares, seed, samples=1000):
    """A confusion matrix with as many samples of each class."""
    rng = np.random.default_rng(seed)
    return np.array([rng.multinomial(samples, row) for row in shares])


def several(shares, seeds):
    return np.array([draw(shares, seed) for seed in seeds])


@pytest.fixture
def one_way():
    """5 is classified as 3 in 5% of cases, 3 as 5 in 1% as everything else."""
    shares = SHARES.copy()
    shares[5, [3, 5]] += [0.04, -0.04]
    return shares


def test_a_planted_direction_is_found_and_nothing_else(one_way):
    differences = compare_directions(draw(one_way, 0), several(one_way, [1, 2, 3, 4]))
    assert differences.sign[5, 3] == 1
    assert differences.sign[3, 5] == -1
    assert np.abs(differences.sign).sum() == 2


def test_a_planted_recall_is_found_and_nothing_else(one_way):
    one_way[5, 5] -= 0.02
    one_way[5, 4] += 0.02
    differences = compare_recalls(draw(one_way, 0), several(one_way, [1, 2, 3, 4]))
    assert differences.sign.tolist() == [0, 0, 0, 0, 0, -1, 0, 0, 0, 0]
    one_way[5] = np.where(np.arange(10) == 5, 0.955, 0.005)
    differences = compare_recalls(draw(one_way, 0), several(one_way, [1, 2, 3, 4]))
    assert differences.sign[5] == 1


def test_where_nothing_differs_hardly_anything_is_found():
    found = 0
    for seed in range(0, 250, 5):
        matrix, repeats = draw(SHARES, seed), several(SHARES, range(seed + 1, seed + 5))
        found += np.abs(compare_directions(matrix, repeats).sign).sum() > 0
        found += np.abs(compare_recalls(matrix, repeats).sign).sum() > 0
    assert found <= 2  # 5% of 50, twice, if the repeats were not asked too


def test_one_seed_that_disagrees_is_enough_to_say_nothing(one_way):
    repeats = several(one_way, [1, 2, 3, 4])
    repeats[2] = repeats[2].T  # as many of each class only by chance, and the other direction
    assert compare_directions(draw(one_way, 0), repeats).sign[5, 3] == 0


def test_one_seed_that_sees_no_difference_is_enough_to_say_nothing(one_way):
    repeats = several(one_way, [1, 2])
    repeats[1, 3, 5] = repeats[1, 5, 3]
    repeats[1, 3, 3] += 1000 - repeats[1, 3].sum()
    assert compare_directions(draw(one_way, 0), repeats).sign[5, 3] == 0


@pytest.mark.parametrize("seeds", [[], [1]])
def test_without_two_other_seeds_nothing_is_said(one_way, seeds):
    repeats = several(one_way, seeds).reshape(-1, 10, 10)
    differences = compare_directions(draw(one_way, 0), repeats)
    assert differences.p[5, 3] < 0.001
    assert not differences.sign.any()
    assert not compare_recalls(draw(one_way, 0), repeats).sign.any()


def test_the_p_values_are_adjusted_for_all_differences(one_way):
    confusion = draw(one_way, 0)
    a, b = confusion[5, 3], confusion[3, 5]
    p = fisher_exact([[a, 1000 - a], [b, 1000 - b]]).pvalue
    differences = compare_directions(confusion, confusion[np.newaxis])
    assert differences.p[5, 3] == pytest.approx(45 * p)  # the least of 45
    assert differences.p[3, 5] == differences.p[5, 3]
    assert (np.diag(differences.p) == 1).all()

    right = np.diag(confusion)
    tables = [[[k, 1000 - k], [right.sum() - k, 9000 - right.sum() + k]] for k in right]
    p = [fisher_exact(table).pvalue for table in tables]
    assert compare_recalls(confusion, confusion[np.newaxis]).p.min() == pytest.approx(10 * min(p))


def test_a_class_without_samples_differs_from_nothing():
    confusion = draw(SHARES, 0)
    confusion[7] = 0
    assert not compare_recalls(confusion, np.array([confusion] * 3)).sign[7]
    assert compare_recalls(confusion, np.array([confusion] * 3)).p[7] == 1
    assert (compare_directions(confusion, np.array([confusion] * 3)).p[7] == 1).all()


def test_a_share_that_is_unlike_that_on_the_training_set_is_found(one_way):
    train, repeats = draw(SHARES, 9, samples=6000), several(one_way, [1, 2, 3, 4])
    confusion = draw(one_way, 0)
    differences = compare_with_train(confusion, repeats, train)
    expected = np.zeros((10, 10), int)
    expected[5, [3, 5]] = 1, -1
    assert differences.sign.tolist() == expected.tolist()
    of_both = [[confusion[5, 3], 1000 - confusion[5, 3]], [train[5, 3], 6000 - train[5, 3]]]
    assert differences.p[5, 3] == pytest.approx(min(1, 100 * fisher_exact(of_both).pvalue))
    repeats[1, 5] = train[5] // 6 - np.eye(10, dtype=int)[3]  # one seed confuses them less
    assert compare_with_train(confusion, repeats, train).sign[5, 3] == 0


def test_where_test_and_training_set_are_alike_no_share_is_found():
    found = sum(
        np.abs(
            compare_with_train(
                draw(SHARES, seed), several(SHARES, [seed + 1, seed + 2]), draw(SHARES, seed + 3)
            ).sign
        ).sum()
        > 0
        for seed in range(0, 200, 4)
    )
    assert found <= 4
