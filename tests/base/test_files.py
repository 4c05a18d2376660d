"""Files that are written whole or not at all."""

import pytest

from nnlib.base.errors import UserError
from nnlib.base.files import whole_file, whole_folder, write_text


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


def test_a_path_that_is_a_folder_is_named_and_left_alone(tmp_path):
    (tmp_path / "file.txt").mkdir()
    with pytest.raises(UserError, match=r"file\.txt cannot be written: Is a directory; .*name"):
        write_text(tmp_path / "file.txt", "text")
    assert list(tmp_path.rglob("*")) == [tmp_path / "file.txt"]


@pytest.mark.parametrize("name", ["file", ".npz", ".hidden.npz", "file.tar.gz", "file."])
def test_any_name_will_do(tmp_path, name):
    with whole_file(tmp_path / name) as part:
        part.write_text("text")
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_files_of_like_names_are_left_alone(tmp_path):
    names = ["a.npz", "a.part.npz", "a.part", "a.csv", "part.a.npz"]
    for name in [*names, *reversed(names)]:
        write_text(tmp_path / name, name)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {n: n for n in names}


def test_what_a_kill_has_left_is_gone_after_the_next_write(tmp_path):
    with whole_file(tmp_path / "file.txt") as part:
        part.write_text("half of wh")
        left = part.rename(tmp_path / "left")  # the kill comes here
        part.write_text("whole")
    left.rename(part)
    write_text(tmp_path / "file.txt", "whole")
    assert [path.name for path in tmp_path.iterdir()] == ["file.txt"]


def contents(folder):
    return {path.name: path.read_text() for path in folder.iterdir()}


def write_folder(path, *names):
    with whole_folder(path) as part:
        for name in names:
            (part / name).write_text(name)


def test_a_folder_is_replaced_as_a_whole(tmp_path):
    path = tmp_path / "a/folder"
    write_folder(path, "1", "2")
    write_folder(path, "3")
    assert contents(path) == {"3": "3"}
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("error", [KeyError("a bug"), KeyboardInterrupt()])
def test_what_stops_in_between_leaves_the_folder_as_it_was(tmp_path, error):
    path = tmp_path / "folder"
    write_folder(path, "1")
    with pytest.raises(type(error)), whole_folder(path) as part:  # noqa: PT012
        (part / "2").touch()
        raise error
    assert contents(path) == {"1": "1"}
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_kill_has_left_of_a_folder_is_gone_after_the_next_write(tmp_path):
    path = tmp_path / "folder"
    write_folder(path, "1")
    for name in ("part", "old"):
        (tmp_path / f".{name}.folder").mkdir()
        (tmp_path / f".{name}.folder/half").touch()
    write_folder(path, "2")
    assert contents(path) == {"2": "2"}
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "reports").write_text("no folder")
    with pytest.raises(UserError, match="reports/sweep cannot be written: "):
        write_folder(tmp_path / "reports/sweep", "1")
