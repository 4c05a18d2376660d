"""What lies in a folder: the data, what is left out, and what cannot be imported."""

import os
import socket
import zipfile
import zlib

import numpy as np
import pytest

from nnlib.base.errors import UserError
from nnlib.data.datasets import MNIST, write_dataset
from nnlib.importing.importer import Options, import_images, write_imported
from tests.importing.conftest import write_csv, write_idx, write_picture


def fill(folder, classes=("cat", "dog"), n=2):
    """Pictures in a folder for each class, all of them different."""
    rng = np.random.default_rng(zlib.crc32(folder.name.encode()))
    for name in classes:
        for i in range(n):
            write_picture(folder / name / f"{i}.png", rng.integers(256, size=(8, 8)))


def rows(imported, kind):
    return [text for found, text in imported.notes.rows() if found == kind]


def refusal(path, **options):
    with pytest.raises(UserError) as caught:
        import_images(path, Options(**options))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_what_is_no_picture_is_left_out_and_said(tmp_path):
    fill(tmp_path)
    for name in (".DS_Store", "cat/.DS_Store", "cat/Thumbs.db", "dog/desktop.ini", "._dog"):
        (tmp_path / name).write_text("x")
    write_picture(tmp_path / "__MACOSX/cat/._1.png", np.zeros((8, 8)))
    write_picture(tmp_path / ".hidden/1.png", np.zeros((8, 8)))
    (tmp_path / "cat/README.txt").write_text("about the pictures")
    (tmp_path / "LICENSE").write_text("as is")
    (tmp_path / "empty/inside").mkdir(parents=True)
    write_picture(tmp_path / "beside.png", np.zeros((8, 8)))
    imported = import_images(tmp_path, Options())
    assert imported.class_names == ("cat", "dog")
    assert len(imported.train.labels) + len(imported.test.labels) == 4
    left_out = "\n".join(rows(imported, "left out"))
    assert "7 hidden files and folders: .DS_Store, ._dog, .hidden and 4 more" in left_out
    assert "1 picture outside of class folders: beside.png" in left_out
    assert "2 other files: LICENSE, cat/README.txt" in left_out
    assert "1 empty folder: empty" in left_out.split("\n")


def test_folders_are_sorted_by_their_numbers(tmp_path):
    fill(tmp_path, ("10", "9", "2", "1", "b", "a10", "a9"))
    imported = import_images(tmp_path, Options())
    assert imported.class_names == ("1", "2", "9", "10", "a9", "a10", "b")


def test_pictures_in_nested_folders_count_for_the_class_above(tmp_path):
    fill(tmp_path)
    write_picture(tmp_path / "cat/black/old/7.png", np.full((8, 8), 3))
    imported = import_images(tmp_path, Options())
    assert imported.class_names == ("cat", "dog")
    everything = dict(
        zip(
            imported.train.origins + imported.test.origins,
            [*imported.train.labels, *imported.test.labels],
            strict=True,
        )
    )
    assert everything["cat/black/old/7.png"] == 0
    assert any("cat/black/old/7.png" in text for text in rows(imported, "changed"))


@pytest.mark.parametrize(
    ("train", "test"),
    [("train", "test"), ("Training", "TEST"), ("train", "val"), ("train", "valid")],
)
def test_training_and_test_folders_are_taken_as_they_are(tmp_path, train, test):
    fill(tmp_path / train, n=5)
    fill(tmp_path / test, n=11)
    imported = import_images(tmp_path, Options())
    assert {origin.split("/")[0] for origin in imported.train.origins} == {train}
    expected = [f"{test}/{name}/{i}.png" for name in ("cat", "dog") for i in range(11)]
    assert imported.test.origins == expected  # in the order of the files
    assert len(imported.train.origins) == 10


def test_a_validation_set_beside_a_test_set_comes_last_in_training(tmp_path):
    for part, n in (("train", 20), ("val", 8), ("test", 2)):
        fill(tmp_path / part, n=n)
    imported = import_images(tmp_path, Options())
    parts = [origin.split("/")[0] for origin in imported.train.origins]
    assert parts == ["train"] * 40 + ["val"] * 16
    assert any(
        "the 16 samples of the validation set come last" in text
        for text in rows(imported, "changed")
    )
    for rows_of in (slice(0, 20), slice(40, 48)):  # neither is sorted by class
        assert set(imported.train.labels[rows_of]) == {0, 1}


@pytest.mark.parametrize("inside", ["", "steam"])
def test_a_class_may_be_called_train(tmp_path, inside):
    fill(tmp_path, ("bus", "car", f"train/{inside}"))
    assert import_images(tmp_path, Options()).class_names == ("bus", "car", "train")


def test_a_test_folder_without_classes_is_left_out(tmp_path):
    fill(tmp_path / "train", n=6)
    for i in range(2):
        write_picture(tmp_path / f"test/{i}.png", np.full((8, 8), i))
    imported = import_images(tmp_path, Options())
    assert len(imported.test.labels) == 2  # of the training set
    assert any(
        "2 pictures outside of class folders: test/0.png" in t for t in rows(imported, "left out")
    )
    assert any(text.startswith("split:") for text in rows(imported, "changed"))


@pytest.mark.parametrize("depth", ["data", "a/b"])
def test_data_in_the_only_folder_are_found(tmp_path, depth):
    fill(tmp_path / depth)
    (tmp_path / "README.md").write_text("what this is")
    (tmp_path / "classes.txt").write_text("dog\ncat\n")
    imported = import_images(tmp_path, Options())
    assert imported.class_names == ("dog", "cat")
    assert f"all in the folder {depth}" in rows(imported, "found")


def test_a_folder_with_nothing_but_training_data_is_split(tmp_path):
    fill(tmp_path / "train", n=6)
    imported = import_images(tmp_path, Options())
    assert imported.class_names == ("cat", "dog")
    assert len(imported.test.labels) == 2


def test_what_cannot_be_imported_is_said(tmp_path):
    assert "does not exist" in refusal(tmp_path / "nowhere")
    assert "is empty" in refusal(tmp_path)
    (tmp_path / ".DS_Store").write_text("x")
    assert "has only hidden files" in refusal(tmp_path)
    (tmp_path / "notes.txt").write_text("x")
    assert "holds 1 file (notes.txt), but nothing that can be imported" in refusal(tmp_path)
    assert "notes.txt cannot be imported: expected pictures" in refusal(tmp_path / "notes.txt")


def test_pictures_without_folders_of_classes_are_refused(tmp_path):
    for i in range(3):
        write_picture(tmp_path / f"{i}.png", np.zeros((8, 8)))
    text = refusal(tmp_path)
    assert "holds pictures (0.png, 1.png, 2.png) but no class folders" in text
    assert "cat/1.png" in text
    assert "name the folder that it is in" in refusal(tmp_path / "1.png")


def test_training_and_test_set_are_no_classes(tmp_path):
    fill(tmp_path, ("train", "test"))
    text = refusal(tmp_path)
    assert f"{tmp_path}/train holds pictures (0.png, 1.png) but no class folders" in text
    fill(tmp_path / "other/test")
    fill(tmp_path / "other/val")
    assert "other has test, val, but no folder train" in refusal(tmp_path / "other")


def test_one_class_is_too_few(tmp_path):
    fill(tmp_path, ("cat",))
    assert "no class folders" in refusal(tmp_path)
    fill(tmp_path / "train", ("cat",))
    fill(tmp_path / "test", ("cat",))
    (tmp_path / "cat/0.png").unlink()
    (tmp_path / "cat/1.png").unlink()
    assert "1 class was found (cat), but there must be 2 to 100" in refusal(tmp_path)


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("digits.zip", "unzip digits.zip"),
        ("digits.tar.gz", "tar -xf digits.tar.gz"),
        ("digits.TGZ", "tar -xf digits.TGZ"),
        ("digits.7z", "7z x digits.7z"),
    ],
)
def test_an_archive_is_to_be_unpacked(tmp_path, name, command):
    with zipfile.ZipFile(tmp_path / name, "w") as archive:
        archive.writestr("cat/1.png", b"")
    for path in (tmp_path / name, tmp_path):
        text = refusal(path)
        assert f"{name} is an archive: unpack it" in text
        assert f"`{command}`" in text


def test_an_npz_is_no_archive(tmp_path):
    images = np.random.default_rng(0).integers(256, size=(12, 8, 8))
    np.savez(tmp_path / "own.npz", x=images, y=np.arange(12) % 2)
    assert import_images(tmp_path / "own.npz", Options()).image_shape == (8, 8)


def test_two_formats_in_a_folder_are_refused(tmp_path):
    images = np.zeros((2, 8, 8))
    np.savez(tmp_path / "own.npz", x=images, y=[0, 1])
    write_csv(tmp_path / "own.csv", np.zeros((2, 65), int).tolist())
    text = refusal(tmp_path)
    assert "more than one format (" in text
    assert "own.npz" in text
    assert "own.csv" in text


@pytest.mark.parametrize(
    "lines",
    [
        ["index,codepoint,char", "0,U+304A,お", "1,U+304D,き"],  # KMNIST's
        ["0,48", "1,49"],
        ["set,index,class,file,a,b", "train,0,1,x[3],0,0"],
        ["id;a;b;c", "1;2;3;4"],  # one pixel less than 2 x 2 have
        [""],
        ['"'],
    ],
)
def test_tables_that_hold_no_pixels_are_left_out_beside_others(tmp_path, lines):
    np.savez(tmp_path / "own.npz", x=np.arange(4 * 9).reshape(4, 3, 3), y=[0, 1, 0, 1])
    (tmp_path / "classmap.csv").write_text("\n".join(lines), encoding="utf-8")
    imported = import_images(tmp_path, Options())
    assert "1 other file: classmap.csv" in rows(imported, "left out")
    (tmp_path / "inside").mkdir()
    for name in ("own.npz", "classmap.csv"):
        (tmp_path / name).rename(tmp_path / "inside" / name)
    assert "1 other file: classmap.csv" in rows(import_images(tmp_path, Options()), "left out")


def test_an_import_that_is_passed_on_has_its_classes(tmp_path):
    names = ("1", "2", "10", "zebra")  # the first of which has no samples
    np.savez(tmp_path / "a.npz", x=np.arange(6 * 9).reshape(6, 3, 3), y=[2, 1, 2, 1, 2, 1])
    (tmp_path / "classes.txt").write_text("\n".join(("0", *names[1:])))
    first = import_images(tmp_path, Options())
    dataset = MNIST.model_copy(update={"class_names": names, "image_shape": (3, 3)})
    write_imported(tmp_path / "files", first, dataset)
    second = import_images(tmp_path / "files", Options())
    assert second.class_names == names
    assert rows(second, "left out") == ["1 other file: samples.csv"]
    np.testing.assert_array_equal(second.test.images, first.test.images)
    np.testing.assert_array_equal(second.test.labels, first.test.labels)
    assert sorted(second.train.labels) == sorted(first.train.labels)
    (tmp_path / "files/classes.txt").write_text("eins\nzwei\nzehn\nZebra\n")  # counts more
    assert import_images(tmp_path / "files", Options()).class_names[2] == "zehn"
    (tmp_path / "files/classes.txt").unlink()
    write_dataset(tmp_path / "files", dataset.model_copy(update={"class_names": names[:2]}))
    text = refusal(tmp_path / "files")
    assert "2 class names of an earlier import are listed, but the labels are not 0 to 1: " in text


def test_tables_beside_folders_of_pictures_are_left_out(tmp_path):
    fill(tmp_path)
    write_csv(tmp_path / "labels.csv", [["cat/1.png", "cat"]])
    imported = import_images(tmp_path, Options())
    assert "1 other file: labels.csv" in rows(imported, "left out")


@pytest.mark.parametrize("below", ["train", "data", "data/train"])
def test_tables_beside_the_only_folder_are_left_out(tmp_path, below):
    fill(tmp_path / below, n=6)
    write_csv(tmp_path / "labels.csv", [["cat/1.png", "cat"]])
    assert import_images(tmp_path, Options()).class_names == ("cat", "dog")


def test_names_that_differ_in_how_accents_are_written_are_the_same(tmp_path):
    fill(tmp_path / "train", ("ol\u00e9", "cat"))
    fill(tmp_path / "test", ("ole\u0301", "cat"))  # from another file system
    imported = import_images(tmp_path, Options())
    assert imported.class_names == ("cat", "ol\u00e9")
    assert imported.test.labels.tolist() == [0, 0, 1, 1]


def test_links_are_followed_to_an_end(tmp_path):
    fill(tmp_path / "elsewhere", ("cat",))
    fill(tmp_path / "in", ("dog",))
    (tmp_path / "in/cat").symlink_to(tmp_path / "elsewhere/cat")
    (tmp_path / "in/dog/again").symlink_to(tmp_path / "in")
    imported = import_images(tmp_path / "in", Options())
    assert imported.class_names == ("cat", "dog")
    assert len(imported.train.labels) + len(imported.test.labels) == 4
    assert "1 link to a folder that it is in: dog/again" in rows(imported, "left out")


def test_a_link_to_a_folder_that_holds_the_data_brings_in_nothing(tmp_path):
    fill(tmp_path / "all/in")
    fill(tmp_path / "all/beside")
    fill(tmp_path / "elsewhere", ("emu",))
    (tmp_path / "all/in/up").symlink_to(tmp_path / "all")
    (tmp_path / "all/in/emu").symlink_to(tmp_path / "elsewhere/emu")
    (tmp_path / "elsewhere/emu/up").symlink_to(tmp_path / "elsewhere")  # outside of FROM
    imported = import_images(tmp_path / "all/in", Options())
    assert imported.class_names == ("cat", "dog", "emu")
    assert len(imported.train.labels) + len(imported.test.labels) == 6
    assert "2 links to folders that they are in: emu/up, up" in rows(imported, "left out")


def test_pipes_and_sockets_are_not_read(tmp_path, monkeypatch):
    fill(tmp_path)
    os.mkfifo(tmp_path / "cat/88.png")  # to open it would wait for ever
    monkeypatch.chdir(tmp_path / "dog")  # as the address of a socket must be short
    with socket.socket(socket.AF_UNIX) as at:
        at.bind("89.png")
    imported = import_images(tmp_path, Options())
    assert len(imported.train.labels) + len(imported.test.labels) == 4
    text = "2 files that are pipes, sockets or devices: cat/88.png, dog/89.png"
    assert text in rows(imported, "left out")
    os.mkfifo(tmp_path / "a.csv")
    assert "a.csv is neither a folder nor an ordinary file" in refusal(tmp_path / "a.csv")


def test_a_link_to_nothing_is_a_broken_picture(tmp_path):
    fill(tmp_path)
    (tmp_path / "cat/88.png").symlink_to(tmp_path / "nowhere.png")
    assert "1 picture of" in refusal(tmp_path)


def test_two_sets_of_one_kind_are_refused(tmp_path):
    for name in ("train", "emnist-train"):
        write_idx(tmp_path / f"{name}-images-idx3-ubyte", np.zeros((2, 8, 8)))
        write_idx(tmp_path / f"{name}-labels-idx1-ubyte", np.arange(2))
    assert "both seem to hold images of the train set" in refusal(tmp_path)
    fill(tmp_path / "pictures/train")
    fill(tmp_path / "pictures/training")
    assert "hold the same part" in refusal(tmp_path / "pictures")
