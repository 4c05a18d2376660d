"""Class names: their order, which are taken, and which label is which."""

import unicodedata

import numpy as np
import pytest

from nnlib.base.errors import UserError
from nnlib.importing.importer import Options, import_images
from nnlib.importing.names import checked_name, checked_names, label_texts, natural, number_classes
from nnlib.importing.notes import Notes
from tests.importing.conftest import write_picture

# Unicode's PropList.txt, Bidi_Control
BIDI = [*map(chr, (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)))]


def number(labels, listed=None):
    notes = Notes()
    names, numbers = number_classes({"train": labels}, listed, notes)
    return names, numbers["train"].tolist(), [text for _, text in notes.rows()]


def test_numbers_in_names_are_sorted_as_numbers():
    names = ["b2", "10", "b10", "2", "b1", "1", "b", "0x1", "b02"]
    expected = ["0x1", "1", "2", "10", "b", "b1", "b02", "b2", "b10"]
    assert sorted(names, key=natural) == expected


@pytest.mark.parametrize(
    "name",
    [
        "=1+2",
        "<b>bold</b>",
        'with "quotes", commas',
        "靴",
        "x" * 100,
        "🥾",
        "👨\u200d👩\u200d👧",
        "-",
        "a/b",
        "0",
    ],
)
def test_any_name_is_taken(name):
    assert checked_names([name, "other"]) == (name, "other")


def test_a_name_is_stripped_and_composed():
    assert checked_name("  ol\u0065\u0301 ") == "ol\u00e9"
    assert unicodedata.is_normalized("NFC", checked_name("\u0065\u0301"))


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("", "is empty"),
        ("  ", "is empty"),
        ("x" * 101, "has 101 characters: shorten it to 100"),
        ("a\nb", "control characters"),
        ("a\x1b[31mb", "control characters"),
        ("a\u2028b", "control characters"),
        ("ol\udce9", "not UTF-8"),
        ("\u200b\ufeff", "is empty"),
        *((f"a{character}b", "turn the direction of text") for character in BIDI),
    ],
)
def test_other_names_are_refused_in_one_line(name, problem):
    with pytest.raises(UserError, match=problem) as caught:
        checked_name(name)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("names", "problem"),
    [
        (("Cat", "dog", "cat"), "Cat and cat have the same name but for case"),
        (("Straße", "STRASSE"), "the same name but for case"),
        (("ol\u00e9", "ole\u0301"), "have the same name: "),
        (("cat", "c\u200bat"), r"cat and 'c\\u200bat' have the same name but for invisible char"),
        (("Cat", "c\u00adat"), "the same name but for invisible characters"),
        (("cat",), r"1 class was found \(cat\), but there must be 2 to 100"),
        ((), "0 classes were found, but"),
        (tuple(map(str, range(101))), r"101 classes were found \(0, 1, 2 and 98 more\)"),
    ],
)
def test_sets_of_names_that_are_refused(names, problem):
    with pytest.raises(UserError, match=problem):
        checked_names(names)


def test_folders_that_differ_but_for_case_are_refused(tmp_path):
    for name in ("Cat", "cat", "dog"):
        write_picture(tmp_path / name / "1.png", np.zeros((8, 8)))
    with pytest.raises(UserError, match="Cat and cat have the same name but for case"):
        import_images(tmp_path, Options())


def test_a_hundred_classes_are_taken(tmp_path):
    images = np.random.default_rng(0).integers(256, size=(400, 5, 5))
    np.savez(tmp_path / "a.npz", x=images, y=np.arange(400) % 100)
    imported = import_images(tmp_path / "a.npz", Options())
    assert imported.class_names == tuple(map(str, range(100)))
    assert set(imported.test.labels) == set(range(100))


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (np.array([3, 1, 2], np.uint8), ["3", "1", "2"]),
        (np.array([3, -1], np.int32), ["3", "-1"]),
        (np.array([3.0, 1.0]), ["3", "1"]),
        (np.array([True, False]), ["1", "0"]),
        (np.array(["cat ", "dog"]), ["cat", "dog"]),
        (np.array([b"cat", b"dog"]), ["cat", "dog"]),
        (np.array(["3.0", "1"]), ["3", "1"]),
        (np.array(["01", "2"]), ["01", "2"]),
        (np.array(["1.5", "2"]), ["1.5", "2"]),
        (np.array(["nan", "2.0"]), ["nan", "2.0"]),
        (np.array(["1_0", "2_0"]), ["1_0", "2_0"]),
        (np.array(["\uff11", "2.0"]), ["\uff11", "2.0"]),
        (np.array(["1e400", "2.0"]), ["1e400", "2.0"]),
        (np.array(["+3", "1e1", ".0", "2."]), ["3", "10", "0", "2"]),
        (np.array(["Käse".encode()]), ["Käse"]),
        (np.array([[3], [1]]), ["3", "1"]),
        (np.array([[0, 0, 1], [1, 0, 0]]), ["2", "0"]),
        (np.array([[0.0, 1.0], [1.0, 0.0]]), ["1", "0"]),
        (np.array([[7, 0, 4], [1, 0, 3]]), ["7", "1"]),  # QMNIST's
        (np.array([[1, 0, 4], [1, 0, 0]]), ["1", "1"]),
        (np.array([[7, 0], [3, 0]]), ["7", "3"]),
    ],
)
def test_labels_of_every_kind(labels, expected):
    assert label_texts(labels, "file", Notes()) == expected


@pytest.mark.parametrize(
    ("labels", "problem"),
    [
        (np.array([1, 2.5]), "label 1 is 2.5"),
        (np.array([1, np.nan]), "label 1 is nan"),
        (np.array([[0.2, 0.8], [0.5, 0.5]]), "not one-hot"),
        (np.zeros((2, 2, 2)), r"shape \(2, 2, 2\)"),
        (np.zeros((2, 0)), r"shape \(2, 0\)"),
        (np.array([1j]), "complex"),
        (np.array([b"cat", b"k\xe4se"]), r"label 1 is b'k\\xe4se', which is not UTF-8"),
    ],
)
def test_other_labels_are_refused(labels, problem):
    with pytest.raises(UserError, match=f"file.*{problem}"):
        label_texts(labels, "file", Notes())


def test_numbers_are_ordered_as_numbers_whatever_is_missing():
    assert number(["10", "2", "-1", "2"]) == (("-1", "2", "10"), [2, 1, 0, 1], [])


def test_texts_are_numbered_in_their_order():
    assert number(["dog", "cat", "dog"]) == (("cat", "dog"), [1, 0, 1], [])


def test_listed_names_are_those_of_the_labels_from_0():
    assert number(["0", "2"], ["a", "b", "c"]) == (("a", "b", "c"), [0, 2], [])
    assert number(["1", "2"], ["a", "b", "c"]) == (("a", "b", "c"), [1, 2], [])


def test_listed_names_of_labels_from_1_are_said():
    names, numbers, notes = number(["1", "3"], ["a", "b", "c"])
    assert (names, numbers) == (("a", "b", "c"), [0, 2])
    assert notes == ["the labels 1 to 3 became 0 to 2"]


def test_listed_names_give_texts_their_order():
    assert number(["dog", "cat"], ["dog", "emu", "cat"])[:2] == (("dog", "emu", "cat"), [0, 2])


def test_listed_numbers_are_names():
    assert number(["1", "0"], ["1", "0"])[:2] == (("1", "0"), [0, 1])


@pytest.mark.parametrize("labels", [["cat", "emu"], ["0", "3"], ["-1", "0"], ["0", "1", "x"]])
def test_labels_that_are_not_listed_are_refused(labels):
    with pytest.raises(UserError, match=r"classes\.txt has 3 names.*neither among them"):
        number(labels, ["cat", "dog", "cow"])


@pytest.mark.parametrize(
    ("content", "problem"),
    [(b"cat\n\ndog\n", "line 2 is empty"), ("Käse".encode("latin-1"), "is not UTF-8")],
)
def test_a_broken_list_of_names_is_refused(tmp_path, content, problem):
    (tmp_path / "classes.txt").write_bytes(content)
    np.savez(tmp_path / "a.npz", x=np.zeros((2, 3, 3)), y=[0, 1])
    with pytest.raises(UserError, match=rf"classes\.txt.*{problem}"):
        import_images(tmp_path, Options())


def test_a_list_of_names_may_come_from_windows(tmp_path):
    (tmp_path / "classes.txt").write_bytes("\ufeffcat\r\ndog\r\n".encode())
    np.savez(tmp_path / "a.npz", x=np.arange(4 * 9).reshape(4, 3, 3), y=[0, 1, 0, 1])
    assert import_images(tmp_path, Options()).class_names == ("cat", "dog")


def test_too_many_labels_are_counted_before_they_are_sorted():
    with pytest.raises(UserError, match="500 different labels were found"):
        number([str(i) * 2000 for i in range(500)])
