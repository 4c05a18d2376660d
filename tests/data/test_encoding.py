"""What inputs and outputs stand for, written and read."""

import json

import numpy as np
import pytest

from nnlib.base.errors import UserError
from nnlib.base.validation import read_json, write_json
from nnlib.data.encoding import Encoding

ENCODING = Encoding(
    scaling="standard", pixel_mean=0.1, pixel_std=1 / 3, class_names=("left", "right")
)


@pytest.fixture
def path(tmp_path):
    write_json(tmp_path / "encoding.json", ENCODING)
    return tmp_path / "encoding.json"


def test_what_is_saved_is_loaded_to_the_last_digit(path):
    assert read_json(path, Encoding) == ENCODING
    assert read_json(path, Encoding).classes == 2
    assert path.read_bytes().endswith(b"\n}\n")


def test_an_encoding_stays_as_it_is():
    with pytest.raises(ValueError, match="frozen"):
        ENCODING.pixel_mean = 0.2


def test_inputs_are_worked_out_for_each_of_the_256_values():
    images = np.arange(256, dtype=np.uint8).reshape(4, 8, 8)
    x = ENCODING.inputs(images)
    assert x.shape == (4, 64)
    assert x.dtype == np.float32
    expected = (images.reshape(4, 64) / 255 - 0.1) * 3
    np.testing.assert_allclose(x, expected, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("scaling", 3),
        ("scaling", "log"),
        ("pixel_mean", None),
        ("pixel_std", 0),
        ("class_names", []),
        ("class_names", "ten"),
        ("colour", "red"),
    ],
)
def test_a_wrong_value_is_named(path, key, value):
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | {key: value}))
    with pytest.raises(UserError, match=rf"encoding\.json: {key}") as caught:
        read_json(path, Encoding)
    assert caught.value.file == path


@pytest.mark.parametrize("key", ["scaling", "pixel_mean", "pixel_std", "class_names"])
def test_what_is_missing_is_named(path, key):
    content = json.loads(path.read_text())
    del content[key]
    path.write_text(json.dumps(content))
    with pytest.raises(UserError, match=rf"encoding\.json: {key}: Field required$"):
        read_json(path, Encoding)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b"1"])
def test_another_file_is_refused(path, content):
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"encoding\.json") as caught:
        read_json(path, Encoding)
    assert caught.value.file == path


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UserError, match=r"encoding\.json cannot be read: No such file"):
        read_json(tmp_path / "encoding.json", Encoding)


@pytest.mark.parametrize(("mean", "std"), [(0, 1), (0.1307, 0.3081)])
def test_inputs_are_turned_back_into_images(mean, std):
    scaling = "standard" if mean else "unit"
    encoding = Encoding(scaling=scaling, pixel_mean=mean, pixel_std=std, class_names=("a", "b"))
    images = (np.arange(2 * 784) % 256).astype(np.uint8).reshape(2, 28, 28)
    np.testing.assert_array_equal(encoding.images(encoding.inputs(images), (28, 28)), images)
