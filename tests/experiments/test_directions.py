"""The directions of outlines: against images whose edges are known."""

import numpy as np
import pytest

from experiments.labels.directions import CELLS, DIRECTIONS, direction_features


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def strengths(image, *, has_strokes=False):
    """The strength of each direction, summed over the cells."""
    features = direction_features(image[np.newaxis], has_strokes=has_strokes)
    return np.square(features).reshape(DIRECTIONS, CELLS, CELLS).sum(axis=(1, 2))


def half(rows, columns):
    """An image whose ink begins at some row and column."""
    image = np.zeros((28, 28), np.uint8)
    image[rows:, columns:] = 255
    return image


@pytest.mark.parametrize(
    ("bar", "directions"),
    [
        (np.s_[4:24, 12:16], [0, 2]),  # a vertical bar: ink begins to the right, and ends there
        (np.s_[12:16, 4:24], [1, 3]),
    ],
)
def test_the_edges_of_a_bar_point_across_it(bar, directions):
    image = np.zeros((28, 28), np.uint8)
    image[bar] = 255
    found = strengths(image)
    assert found[directions] == pytest.approx(found[directions[0]])
    assert found[directions].sum() > 0.75  # the rest are its ends
    assert found.sum() == pytest.approx(1)


def test_a_gradient_is_the_sum_of_vectors_in_the_two_directions_beside_it():
    y, x = np.mgrid[:28, :28]
    image = (3 * x + y).astype(np.uint8)  # (3, 1) = 2 (1, 0) + 1 (1, 1)
    inner = direction_features(image[np.newaxis], has_strokes=False)
    middle = np.square(inner).reshape(DIRECTIONS, CELLS, CELLS)[:, 3, 3]
    assert middle[4] / middle[0] == pytest.approx(np.sqrt(2) / 2)
    assert middle[[1, 2, 3, 5, 6, 7]] == pytest.approx(0)


def test_each_image_has_length_one_and_a_blank_one_none(rng):
    images = rng.integers(0, 256, (5, 20, 31), np.uint8)
    images[2] = 0
    lengths = np.linalg.norm(direction_features(images, has_strokes=True), axis=1)
    assert lengths == pytest.approx([1, 1, 0, 1, 1], abs=1e-5)


def test_more_contrast_changes_nothing():
    image = half(8, 10)
    bright, dark = (
        direction_features(i[np.newaxis], has_strokes=False) for i in (image, image // 5)
    )
    assert bright == pytest.approx(dark, abs=1e-6)


def test_the_slant_of_strokes_is_taken_away():
    upright = np.zeros((28, 28), np.uint8)
    upright[4:24, 13:15] = 255
    slanted = np.zeros((28, 28), np.uint8)
    for row in range(4, 24):
        slanted[row, 13 + (14 - row) // 2 : 15 + (14 - row) // 2] = 255
    wanted = strengths(upright, has_strokes=True)
    assert strengths(slanted, has_strokes=True) == pytest.approx(wanted, abs=0.1)
    assert np.abs(strengths(slanted) - wanted).max() > 0.2


def test_an_upright_stroke_stays_as_it_is():
    image = np.zeros((1, 28, 28), np.uint8)
    image[0, 4:24, 9:11] = 200
    found, plain = (direction_features(image, has_strokes=each) for each in (True, False))
    assert found == pytest.approx(plain, abs=1e-6)


def test_what_is_sheared_beyond_the_border_is_gone_and_does_not_come_back():
    image = np.zeros((1, 28, 28), np.uint8)
    for row in range(28):
        image[0, row, 27 - row] = 255  # sheared upright, it stands in the middle column
    found = direction_features(image, has_strokes=True).reshape(DIRECTIONS, CELLS, CELLS)
    assert np.square(found).sum(axis=(0, 1))[[0, 1, 5, 6]] == pytest.approx(0, abs=0.01)
