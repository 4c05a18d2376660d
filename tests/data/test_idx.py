"""The IDX reader, on files that the test makes byte by byte."""

import gzip
import struct
import tracemalloc

import numpy as np
import pytest

from nnlib.base.blocks import BLOCK
from nnlib.base.errors import UserError
from nnlib.data.idx import IdxFile, read_idx, write_idx, write_idx_blocks


def idx(content, *shape, zeros=0, type_code=8):
    return struct.pack(f">HBB{len(shape)}I", zeros, type_code, len(shape), *shape) + content


def test_it_reads_what_the_format_says(tmp_path):
    path = tmp_path / "file.gz"
    path.write_bytes(gzip.compress(b"\0\0\x08\x02\0\0\0\x02\0\0\0\x03abcdef"))
    np.testing.assert_array_equal(read_idx(path), [[97, 98, 99], [100, 101, 102]])


@pytest.mark.parametrize("shape", [(0,), (5,), (3, 28, 28)])
def test_what_is_written_is_read(tmp_path, shape):
    array = np.random.default_rng(0).integers(256, size=shape, dtype=np.uint8)
    write_idx(tmp_path / "file.gz", array)
    read = read_idx(tmp_path / "file.gz")
    assert read.dtype == np.uint8
    np.testing.assert_array_equal(read, array)


def test_blocks_are_written_and_read_one_after_another_as_often_as_asked(tmp_path):
    array = np.random.default_rng(0).integers(256, size=(2 * BLOCK + 7, 3), dtype=np.uint8)
    write_idx_blocks(tmp_path / "file.gz", array.shape, [array[:5], array[5:]])
    file = IdxFile(tmp_path / "file.gz")
    assert file.shape == array.shape
    for _ in range(2):
        assert [len(block) for block in file] == [BLOCK, BLOCK, 7]
        np.testing.assert_array_equal(np.concatenate(list(file)), array)
    np.testing.assert_array_equal(read_idx(tmp_path / "file.gz"), array)


def test_the_same_array_gives_the_same_bytes_at_another_time(tmp_path, monkeypatch):
    write_idx(tmp_path / "now.gz", np.arange(100, dtype=np.uint8))
    monkeypatch.setattr("time.time", lambda: 0.0)
    write_idx(tmp_path / "1970.gz", np.arange(100, dtype=np.uint8))
    assert (tmp_path / "now.gz").read_bytes() == (tmp_path / "1970.gz").read_bytes()


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "cannot be read"),
        (b"no gzip at all", "(?i:not a gzip)"),
        (gzip.compress(idx(b"abc", 3))[:-6], "cannot be read"),
        (gzip.compress(b""), "cannot be read"),
        (gzip.compress(b"\0\0\x08"), "cannot be read"),
        (gzip.compress(b"\0\0\x08\x03\0\0"), "cannot be read"),
        (gzip.compress(idx(b"abc", 3, zeros=1)), "wrong first bytes"),
        (gzip.compress(idx(b"abc", 3, type_code=0x0D)), "wrong first bytes"),
        (gzip.compress(b"\0\0\x08\x00a"), "0 dimensions"),
        (gzip.compress(idx(b"a", *[1] * 100)), "100 dimensions"),
        (gzip.compress(idx(b"abc", 4)), "truncated"),
        (gzip.compress(idx(b"abc", 2)), "trailing bytes"),
        (gzip.compress(idx(b"", 2**32 - 1, 2**32 - 1, 2**32 - 1)), "truncated"),
    ],
    ids=[
        "empty",
        "not gzip",
        "gzip cut off",
        "nothing inside",
        "half a magic number",
        "half a header",
        "wrong magic number",
        "wrong type",
        "no dimension",
        "too many dimensions",
        "too few elements",
        "too many elements",
        "a header that promises everything",
    ],
)
def test_a_broken_file_is_refused_by_name(tmp_path, content, problem):
    path = tmp_path / "broken.gz"
    path.write_bytes(content)
    with pytest.raises(UserError, match=rf"broken\.gz.*{problem}"):
        read_idx(path)


def test_a_file_that_expands_without_end_is_not_read_to_it(tmp_path):
    path = tmp_path / "bomb.gz"
    header = struct.pack(">HBBI", 0, 8, 1, 10)
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(header)
        for _ in range(256):
            file.write(bytes(1 << 20))
    tracemalloc.start()
    with pytest.raises(UserError, match="trailing bytes"):
        read_idx(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1 << 20


def test_a_missing_file_is_refused_by_name(tmp_path):
    with pytest.raises(UserError, match=r"nowhere\.gz"):
        read_idx(tmp_path / "nowhere.gz")
