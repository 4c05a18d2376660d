"""Pixels of every kind become 0 to 255, by one linear map for the whole set."""

import numpy as np
import pytest

from nnlib.base.errors import UserError
from nnlib.importing.importer import Options, import_images
from nnlib.importing.pixels import Extremes, Range, border_means, range_of
from nnlib.pictures.preparation import fitted

LABELS = np.arange(6) % 2


def convert(tmp_path, train, test=None, **options):
    """The training images as they are written, in their order before, and the notes."""
    test = train if test is None else test
    np.savez(tmp_path / "a.npz", x_train=train, y_train=LABELS, x_test=test, y_test=LABELS)
    imported = import_images(tmp_path / "a.npz", Options(**options))
    return imported.test.images, [text for _, text in imported.notes.rows()]


def images(*values):
    """Six images of 2 x 2 pixels, with these values among them."""
    return np.resize(np.array(values), (6, 2, 2))


@pytest.mark.parametrize(
    ("values", "dtype", "expected", "said"),
    [
        ((0, 128, 255), np.uint8, (0, 128, 255), None),
        ((0, 7, 200), np.uint8, (0, 7, 200), None),
        ((0, 128, 255), np.float64, (0, 128, 255), None),
        ((0.0, 0.25, 1.0), np.float32, (0, 64, 255), "0 to 1"),
        ((0, 1, 1), np.uint8, (0, 255, 255), "0 to 1"),
        ((-1.0, 0.0, 1.0), np.float64, (0, 128, 255), "-1 to 1"),
        ((-1.0, 0.25, 0.5), np.float64, (0, 159, 191), "-1 to 1"),
        ((-0.5, 0.0, 0.5), np.float32, (0, 128, 255), "-0.5 to 0.5"),
        ((0, 8, 16), np.float64, (0, 128, 255), "0 to 16"),
        ((0, 4, 15), np.uint8, (0, 64, 239), "0 to 16"),
        ((-128, 0, 127), np.int8, (0, 128, 255), "-128 to 127"),
        ((-100, 0, 100), np.int16, (28, 128, 228), "-128 to 127"),
        ((0, 257, 65535), np.uint16, (0, 1, 255), "0 to 65535"),
        ((0, 2000, 4095), np.uint16, (0, 125, 255), "0 to 4095"),
        ((-32768, 0, 32767), np.int16, (0, 128, 255), "-32768 to 32767"),
        ((-0.42, 1.2, 2.82), np.float32, (0, 128, 255), "-0.42 to 2.82"),
        ((0.5, 127.5, 254.5), np.float32, (0, 128, 254), None),
    ],
)
def test_the_range_is_known_by_the_values(tmp_path, values, dtype, expected, said):
    found, notes = convert(tmp_path, images(*values).astype(dtype))
    np.testing.assert_array_equal(found, images(*expected))
    maps = [note for note in notes if "became 0 to 255" in note]
    assert maps == ([f"pixels {said} became 0 to 255"] if said else [])


def test_the_range_is_that_of_both_sets_and_not_of_each_image(tmp_path):
    train, test = images(0, 2000, 4095), images(0, 400, 1000)  # which alone would be 0 to 1023
    found, _ = convert(tmp_path, train, test)
    assert found.max() == 62  # 1000 / 4095 of 255
    train = images(0, 4, 16)
    train[0] = 1  # an image of nothing but a faint grey
    found, _ = convert(tmp_path, train)
    assert (found[0] == 16).all()


@pytest.mark.parametrize(
    ("one", "other", "said"),
    [
        ((0, 128, 255), (0.0, 0.5, 1.0), ("0 to 255", "0 to 1")),
        ((0, 128, 255), (0, 1, 1), ("0 to 255", "0 to 1")),
        ((0, 128, 255), (0, 8, 16), ("0 to 255", "0 to 16")),
        ((0, 8, 16), (0.0, 0.5, 1.0), ("0 to 16", "0 to 1")),
        ((0, 300, 65535), (0, 128, 255), ("0 to 65535", "0 to 255")),
        ((-1.0, 0.0, 1.0), (0.0, 0.5, 1.0), ("-1 to 1", "0 to 1")),
        ((-1.0, 0.0, 1.0), (0, 128, 255), ("-1 to 1", "0 to 255")),
        ((-128, 0, 127), (0, 60, 127), ("-128 to 127", "0 to 127")),
    ],
)
def test_sets_of_different_ranges_are_refused(tmp_path, one, other, said):
    for train, test in ((one, other), (other, one)):
        with pytest.raises(UserError, match="different ranges") as caught:
            convert(tmp_path, images(*train), images(*test))
        assert all(f"{text} in a.npz:x_" in str(caught.value) for text in said)


@pytest.mark.parametrize(
    ("train", "test"),
    [
        ((0, 128, 255), (0, 0, 0)),  # nothing but blank images
        ((0, 128, 255), (200, 230, 250)),
        ((0.0, 0.5, 1.0), (0.0, 0.01, 0.1)),
        ((-0.42, 1.2, 2.82), (-0.42, 0.3, 0.9)),  # standardized
        ((0, 4, 8), (1, 2, 2)),
    ],
)
def test_a_few_samples_need_not_fill_the_range(tmp_path, train, test):
    convert(tmp_path, images(*train), images(*test))


def test_light_backgrounds_are_inverted_on_request(tmp_path):
    found, _ = convert(tmp_path, images(0.0, 0.2, 1.0), invert=True)
    np.testing.assert_array_equal(found, images(255, 204, 0))


@pytest.mark.parametrize("usual", [Range(0, 1), Range(-0.5, 0.5), Range(-1, 1)])
def test_a_usual_range_need_not_be_filled(usual):
    middle = (usual.low + usual.high) / 2
    assert range_of(Extremes(usual.low, middle + 0.1, is_whole=False)) == usual


@pytest.mark.parametrize("size", [(10, 10), (50, 20), (20, 50), (7, 7), (10, 3)])
def test_the_border_is_that_of_the_picture_and_not_of_its_image(size):
    pictures = np.full((3, *size), 200, np.uint8)
    pictures[1] = 100
    found = border_means(np.stack([fitted(each, (10, 10)) for each in pictures]), size)
    np.testing.assert_array_equal(found, [200, 100, 200])


@pytest.mark.parametrize("size", [(1, 90), (90, 1)])
def test_of_a_picture_thinner_than_a_pixel_the_border_is_what_is_seen(size):
    picture = fitted(np.full(size, 200, np.uint8), (10, 10))
    assert border_means(picture[np.newaxis], size) == [picture.max()]


def test_arrays_are_brought_to_a_size_after_they_are_mapped(tmp_path):
    train = np.zeros((6, 4, 4))
    train[:, :2] = 1
    found, notes = convert(tmp_path, train, size=(8, 8))
    assert found.shape == (6, 8, 8)
    assert (found[:, 0] == 255).all()
    assert (found[:, -1] == 0).all()
    assert any("images brought to 8 x 8 (height x width)" in note for note in notes)
