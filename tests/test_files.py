"""Files that are written whole or not at all."""

import pytest

from nnlib.errors import UserError
from nnlib.files import whole_file, write_text


def test_a_file_is_written_with_its_folders(tmp_path):
    write_text(tmp_path / "a/b/file.txt", "4 read as 9\n")
    assert (tmp_path / "a/b/file.txt").read_bytes() == b"4 read as 9\n"
    assert [path.name for path in (tmp_path / "a/b").iterdir()] == ["file.txt"]


@pytest.mark.parametrize("error", [KeyError("a bug"), KeyboardInterrupt()])
def test_what_stops_in_between_leaves_the_file_as_it_was(tmp_path, error):
    path = tmp_path / "file.txt"
    write_text(path, "before")
    with pytest.raises(type(error)), whole_file(path) as part:  # noqa: PT012
        part.write_text("half of wh")
        assert path.read_text() == "before"
        raise error
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_is_a_file_is_named(tmp_path):
    (tmp_path / "reports").write_text("no folder")
    with pytest.raises(UserError, match=r"reports/file\.txt cannot be written: .*allow writing"):
        write_text(tmp_path / "reports/file.txt", "text")
