"""The `.npy` files of a set of samples, whole and broken."""

import numpy as np
import pytest

from nnlib.base.errors import UserError
from nnlib.data.samples import load_samples, load_sets, save_samples

X = np.random.default_rng(0).random((6, 4), np.float32)
T = np.arange(6, dtype=np.uint8)


@pytest.fixture
def folder(tmp_path):
    save_samples(tmp_path, "test", [X[:4], X[4:]], T)
    return tmp_path


def test_what_is_saved_is_loaded(folder):
    x, t = load_samples(folder, "test", 10)
    np.testing.assert_array_equal(x, X)
    np.testing.assert_array_equal(t, T)
    assert (x.dtype, t.dtype) == (np.float32, np.uint8)
    assert sorted(path.name for path in folder.iterdir()) == ["t_test.npy", "x_test.npy"]


def test_blocks_make_the_file_that_numpy_makes_of_the_whole(folder, tmp_path):
    np.save(tmp_path / "whole.npy", X)
    assert (folder / "x_test.npy").read_bytes() == (tmp_path / "whole.npy").read_bytes()


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("x", X.astype(np.float64)),
        ("x", X[0]),
        ("x", X[:5]),
        ("x", X[:0]),
        ("x", X[:, :0]),
        ("x", np.where(X > 0.9, np.nan, X).astype(np.float32)),
        ("x", np.where(X > 0.9, -np.inf, X).astype(np.float32)),
        ("x", np.array([[{}]], object)),
        ("t", T.astype(np.int64)),
        ("t", T[:, np.newaxis]),
        ("t", T[:5]),
        ("t", T[:0]),
        ("t", T + 5),
    ],
)
def test_another_array_is_refused(folder, name, array):
    np.save(folder / f"{name}_test.npy", array)
    with pytest.raises(UserError, match=rf"{name}_test\.npy"):
        load_samples(folder, "test", 10)


def test_a_missing_file_is_named(folder):
    (folder / "t_test.npy").unlink()
    with pytest.raises(UserError, match=r"t_test\.npy"):
        load_samples(folder, "test", 10)


def test_an_archive_is_refused(folder):
    np.savez(folder / "x.npz", X)
    (folder / "x.npz").replace(folder / "x_test.npy")
    with pytest.raises(UserError, match=r"x_test\.npy: expected an array"):
        load_samples(folder, "test", 10)


def test_a_truncated_file_is_refused_wherever_it_ends(folder):
    content = (folder / "x_test.npy").read_bytes()
    for end in range(0, len(content), 5):
        (folder / "x_test.npy").write_bytes(content[:end])
        with pytest.raises(UserError, match=r"x_test\.npy"):
            load_samples(folder, "test", 10)


def test_a_header_that_promises_too_much_is_refused(folder):
    with (folder / "x_test.npy").open("wb") as file:
        header = {"descr": "<f4", "fortran_order": False, "shape": (10**9, 10**6)}
        np.lib.format.write_array_header_1_0(file, header)
    with pytest.raises(UserError, match=r"x_test\.npy cannot be read"):
        load_samples(folder, "test", 10)


def test_sets_of_different_widths_are_refused(folder):
    for name, width in (("train", X.shape[1]), ("test", X.shape[1] - 1)):
        np.save(folder / f"x_{name}.npy", np.ascontiguousarray(X[:, :width]))
        np.save(folder / f"t_{name}.npy", T)
    sizes = f"x_train.npy has {X.shape[1]} inputs per sample, x_test.npy {X.shape[1] - 1}"
    with pytest.raises(UserError, match=sizes) as caught:
        load_sets(folder, 10)
    assert caught.value.file == folder / "x_test.npy"
    np.save(folder / "x_test.npy", X)
    assert [samples.x.shape for samples in load_sets(folder, 10)] == [X.shape, X.shape]
