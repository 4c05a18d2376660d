"""The batches that the training draws."""

import itertools
import threading

import numpy as np
import pytest

from nnlib.data.samples import Samples
from nnlib.training.batches import AHEAD, draw_batches


@pytest.fixture
def samples():
    rng = np.random.default_rng(0)
    return Samples(rng.random((300, 4), np.float32), rng.integers(10, size=300, dtype=np.uint8))


@pytest.mark.parametrize("ahead", [True, False])
@pytest.mark.parametrize("batch_size", [1, 7, 100, AHEAD, AHEAD + 1])
def test_they_are_those_of_one_drawing_after_another(samples, batch_size, ahead):
    rng = np.random.default_rng(5)
    batches = draw_batches(samples, batch_size, np.random.default_rng(5), ahead=ahead)
    for x, t, weights in itertools.islice(batches, 3 * AHEAD // batch_size + 3):
        rows = rng.integers(300, size=batch_size)
        np.testing.assert_array_equal(x, samples.x[rows])
        np.testing.assert_array_equal(t, samples.t[rows])
        assert weights is None


@pytest.mark.parametrize("sampling", ["replacement", "shuffled"])
@pytest.mark.parametrize("ahead", [True, False])
def test_each_sample_keeps_its_weight_and_the_draws_are_the_same(samples, sampling, ahead):
    def first_twenty(**options):
        batches = draw_batches(
            samples, 70, np.random.default_rng(5), np.arange(100, 300), sampling, **options
        )
        return list(itertools.islice(batches, 20))

    weight_of = {x.tobytes(): np.float32(row / 300) for row, x in enumerate(samples.x)}
    weighted = first_twenty(weights=np.float32(np.arange(300) / 300), ahead=ahead)
    for batch, plain in zip(weighted, first_twenty(), strict=True):
        np.testing.assert_array_equal(batch.x, plain.x)
        np.testing.assert_array_equal(batch.t, plain.t)
        assert batch.weights.tolist() == [weight_of[x.tobytes()] for x in batch.x]


def test_they_are_drawn_with_replacement(samples):
    (batch,) = itertools.islice(draw_batches(samples, 300, np.random.default_rng(0)), 1)
    distinct = len(np.unique(batch.x, axis=0))
    assert distinct == pytest.approx(300 * (1 - np.exp(-1)), abs=20)


@pytest.mark.parametrize("batch_size", [1, 7, 100, 300])
def test_shuffled_every_epoch_has_each_sample_at_most_once(samples, batch_size):
    batches = draw_batches(
        samples, batch_size, np.random.default_rng(0), np.arange(299), sampling="shuffled"
    )
    rows = {x.tobytes(): row for row, x in enumerate(samples.x)}
    epochs = []
    for _ in range(3):
        drawn = list(itertools.islice(batches, max(299 // batch_size, 1)))
        assert {len(batch.t) for batch in drawn} == {min(batch_size, 299)}
        epochs.append([rows[x.tobytes()] for batch in drawn for x in batch.x])
        assert (
            len(set(epochs[-1]))
            == len(epochs[-1])
            == max(299 // batch_size, 1) * min(batch_size, 299)
        )
        assert max(epochs[-1]) < 299
    assert epochs[0] != epochs[1] != epochs[2]


def test_each_batch_is_augmented_on_its_own_however_many_are_read_ahead(samples, monkeypatch):
    def noisy(x):
        return x + rng.random(x.shape, np.float32) * len(x)

    def first_three(**options):
        batches = draw_batches(samples, 7, np.random.default_rng(0), augment=noisy, **options)
        return np.stack([batch.x for batch in itertools.islice(batches, 3)])

    rng = np.random.default_rng(1)
    plain = draw_batches(samples, 7, np.random.default_rng(0))
    expected = np.stack([noisy(batch.x) for batch in itertools.islice(plain, 3)])
    for ahead in (1, 14, 500):
        rng = np.random.default_rng(1)
        monkeypatch.setattr("nnlib.training.batches.AHEAD", ahead)
        np.testing.assert_array_equal(first_three(), expected)
    rng = np.random.default_rng(1)
    np.testing.assert_array_equal(first_three(ahead=False), expected)


def test_the_thread_ends_with_the_batches(samples):
    before = threading.active_count()
    here = draw_batches(samples, 5, np.random.default_rng(0), ahead=False)
    next(here)
    assert threading.active_count() == before
    batches = draw_batches(samples, 5, np.random.default_rng(0))
    next(batches)
    assert threading.active_count() == before + 1
    batches.close()
    assert threading.active_count() == before
