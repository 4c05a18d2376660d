"""The judges of labels: that none judges a label that it has seen."""

import numpy as np
import pytest

from experiments.labels import judges
from experiments.labels.calibration import check_expectations
from experiments.labels.judges import Neighbours, find_neighbours, settings_of_judges
from nnlib.data.synthetic import draw_images, draw_labels
from stages.common import PARAMS
from stages.params import Params, check_params, read_params
from tools.checkouts import ROOT


@pytest.fixture(scope="module")
def digits():
    """Drawn training and test digits, and the labels of the former."""
    rng = np.random.default_rng(5)
    labels = draw_labels(330, rng)
    images = np.concatenate([*draw_images(labels, rng)])
    return images[:300], images[300:], labels[:300]


@pytest.fixture(scope="module")
def neighbours(digits):
    return find_neighbours(*digits[:2], has_strokes=True)


def test_no_sample_is_its_own_neighbour(neighbours):
    assert neighbours.train.shape == (300, judges.NEIGHBOURS)
    assert neighbours.test.shape == (30, judges.NEIGHBOURS)
    assert (neighbours.train != np.arange(300)[:, np.newaxis]).all()


def test_a_copy_is_the_first_neighbour_also_of_many_copies(digits):
    train, test, _ = digits
    copied = np.concatenate([train[:1], train, test])
    assert find_neighbours(copied, test, has_strokes=True).train[0, 0] == 1
    same = np.repeat(train[:1], 14, axis=0)
    found = find_neighbours(same, test, has_strokes=True).train
    assert (found != np.arange(14)[:, np.newaxis]).all()


def test_few_samples_have_fewer_neighbours(digits):
    train, test, _ = digits
    found = find_neighbours(train[:4], test, has_strokes=False)
    assert (found.train.shape, found.test.shape) == ((4, 3), (30, 4))


def test_neighbours_vote_with_their_labels_and_one_vote_is_for_all():
    neighbours = Neighbours(train=np.array([[1, 2], [2, 0], [1, 0]]), test=np.array([[0, 1]]))
    train, test = neighbours.opinions(np.array([3, 1, 1]), classes=4)
    assert test[0] == pytest.approx([1 / 12, 5 / 12, 1 / 12, 5 / 12])
    assert train[0] == pytest.approx([1 / 12, 9 / 12, 1 / 12, 1 / 12])


def test_a_samples_own_label_changes_no_opinion_on_it(digits, neighbours):
    labels = digits[2].copy()
    before = neighbours.opinions(labels, 10).train[7]
    labels[7] = (labels[7] + 1) % 10
    assert (neighbours.opinions(labels, 10).train[7] == before).all()


def test_small_sets_are_trained_on_for_more_epochs():
    defaults = read_params(Params, ROOT / PARAMS)
    mnist = settings_of_judges(defaults, (28, 28), 60_000)
    assert (mnist.epochs, mnist.hidden_size, mnist.label_smoothing) == (30, 512, 0.1)
    assert mnist.augmentation.shift == 1.5
    small = settings_of_judges(defaults, (56, 56), 1000)
    assert small.epochs == pytest.approx(judges.LEAST_UPDATES / (800 // 256), abs=1)
    assert small.augmentation.shift == 3


@pytest.mark.parametrize(
    "changes",
    [
        {"optimizer": {"name": "momentum", "momentum": 0.8}},
        {"optimizer": {"name": "adam", "beta1": 0.5}},
        {"schedule": {"name": "step", "every": 100, "factor": 0.5, "warmup": 9}},
        {"members": 3, "dropout": 0.2, "validation": 5000, "epochs": 0, "iterations": 77},
    ],
)
def test_judges_do_not_depend_on_how_the_workspace_trains(changes):
    defaults = read_params(Params, ROOT / PARAMS)
    content = defaults.model_dump()
    content["train"] |= changes
    changed = check_params(Params, content, "params.yaml")
    expected = settings_of_judges(defaults, (28, 28), 60_000)
    assert settings_of_judges(changed, (28, 28), 60_000) == expected


def test_a_share_that_is_not_one_label_is_not_planted(digits, neighbours, monkeypatch):
    _, _, labels = digits
    monkeypatch.setattr("experiments.labels.calibration.SHARES", (0.001, 0.01))
    even = np.full((300, 10), 0.1)
    assert [check.planted for check in check_expectations(even, neighbours, labels)] == [3, 3]


def test_a_check_counts_the_planted_errors_that_are_found(digits, neighbours, monkeypatch):
    _, _, labels = digits
    monkeypatch.setattr("experiments.labels.calibration.SHARES", (0.1,))
    sure = np.full((300, 10), 0.01)
    sure[np.arange(300), labels] = 0.91
    for check in check_expectations(sure, neighbours, labels):
        assert check.planted == 30
        assert check.first[10][0] == 10  # of the networks' opinion, all are found
        assert check.first[50][0] == 30
        assert check.expected.wrong == pytest.approx(30, abs=3)
