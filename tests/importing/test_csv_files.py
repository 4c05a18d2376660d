"""Tables of labels and pixels: with a header or without, the label first, last or named."""

import numpy as np
import pytest

from nnlib.base.errors import UserError
from nnlib.importing import csv_files
from nnlib.importing.importer import Options, import_images
from tests.importing.conftest import as_bytes, write_csv

PIXELS = [f"pixel{i}" for i in range(64)]


@pytest.fixture
def flat(digits):
    """400 digits as rows of 64 whole numbers, and their labels."""
    images, labels = digits
    return images[:400].reshape(-1, 64).astype(int).tolist(), labels[:400].tolist()


def imported_rows(path, **options):
    """Each image and label of both sets by its row."""
    imported = import_images(path, Options(**options))
    found = {}
    for samples in (imported.train, imported.test):
        for image, label, origin in zip(*samples, strict=True):
            found[int(origin.split("[")[1][:-1])] = (image, imported.class_names[label])
    return [found[row] for row in range(len(found))], imported


def check(path, flat, **options):
    rows, imported = imported_rows(path, **options)
    for (image, name), pixels, label in zip(rows, *flat, strict=True):
        np.testing.assert_array_equal(image, as_bytes(np.reshape(pixels, (8, 8))))
        assert name == str(label)
    return [text for _, text in imported.notes.rows()]


HEADERS = {
    "names": PIXELS,
    "numbers": list(range(64)),  # as pandas writes the columns of an array
    "numbers from 1": list(range(1, 65)),
}


@pytest.mark.parametrize(
    ("header", "place"),
    [*((header, place) for header in HEADERS for place in (0, 64)), ("names", 10)],
)
@pytest.mark.parametrize("name", ["label", "Class", "target", "y"])
def test_a_named_label_is_found_wherever_it_is(tmp_path, flat, header, place, name):
    rows = [[*row[:place], label, *row[place:]] for row, label in zip(*flat, strict=True)]
    names = [*HEADERS[header][:place], name, *HEADERS[header][place:]]
    write_csv(tmp_path / "a.csv", rows, names)
    notes = check(tmp_path / "a.csv", flat)
    assert f"a.csv: the labels are in column {name}, number {place + 1} of 65" in notes


@pytest.mark.parametrize("place", [0, 64])
@pytest.mark.parametrize("header", [None, ["c0", *PIXELS]])
def test_a_label_without_a_name_is_found_first_or_last(tmp_path, flat, place, header):
    rows = [[*row[:place], label, *row[place:]] for row, label in zip(*flat, strict=True)]
    write_csv(tmp_path / "a.csv", rows, header)
    notes = check(tmp_path / "a.csv", flat)
    assert any(f"number {place + 1} of 65" in note for note in notes)


@pytest.mark.parametrize("place", [0, 64])
def test_it_is_found_in_a_file_that_is_sorted_by_class(tmp_path, flat, place):
    pixels, labels = zip(*sorted(zip(*flat, strict=True), key=lambda pair: pair[1]), strict=True)
    rows = [[*row[:place], label, *row[place:]] for row, label in zip(pixels, labels, strict=True)]
    write_csv(tmp_path / "a.csv", rows)
    check(tmp_path / "a.csv", (pixels, labels))


@pytest.mark.parametrize(
    ("end", "problem"),
    [
        (",NA", "line 6: column 65 holds NA, which is no pixel"),
        (",", "line 6: column 65 holds ''"),
        ("", "line 6: column 65 holds ''"),
        (",1_0", "line 6: column 65 holds 1_0"),
        (",\uff11", "line 6: column 65 holds \uff11"),
    ],
)
@pytest.mark.parametrize("header", [None, ["c0", *PIXELS]])
def test_one_broken_pixel_makes_no_labels_of_its_column(tmp_path, flat, end, problem, header):
    lines = [",".join(map(str, [label, *row[:63], 0])) for row, label in zip(*flat, strict=True)]
    row = 4 if header else 5  # that line 6 holds
    lines[row] = lines[row].removesuffix(",0") + end
    text = "\n".join([*([",".join(header)] if header else []), *lines])
    (tmp_path / "a.csv").write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=problem):
        import_images(tmp_path / "a.csv", Options())


def test_labels_may_be_texts_and_numbers(tmp_path, flat):
    names = ["0123456789ABCDEF"[(label * 7 + row) % 16] for row, label in enumerate(flat[1])]
    rows = [[name, *pixels] for pixels, name in zip(flat[0], names, strict=True)]
    write_csv(tmp_path / "a.csv", rows)
    found, _ = imported_rows(tmp_path / "a.csv")
    assert [name for _, name in found] == names


@pytest.mark.parametrize("end", ["texts", "numbers"])
def test_where_both_ends_look_like_labels_the_user_is_asked(tmp_path, flat, end):
    rows = [
        [label, *row[1:], i % 7] if end == "numbers" else [f"a{label}", *row[1:], f"b{i % 7}"]
        for i, (row, label) in enumerate(zip(*flat, strict=True))
    ]
    write_csv(tmp_path / "a.csv", rows)
    with pytest.raises(UserError, match=r"either the first or the last column.*LABEL=first or"):
        import_images(tmp_path / "a.csv", Options())
    if end == "numbers":
        found, _ = imported_rows(tmp_path / "a.csv", label="first")
        assert [int(name) for _, name in found] == flat[1]


def test_a_class_of_most_samples_is_still_no_background(tmp_path, flat):
    labels = [int(label > 5) for label in flat[1]]  # 60 and 40 %
    rows = [
        [int(i % 10 == 0), *row[1:], label]
        for i, (row, label) in enumerate(zip(flat[0], labels, strict=True))
    ]  # a corner that is lit in every tenth image
    write_csv(tmp_path / "a.csv", rows)
    found, _ = imported_rows(tmp_path / "a.csv")
    assert [int(name) for _, name in found] == labels


def test_names_of_columns_may_look_like_numbers_to_python(tmp_path, flat):
    rows = [[label, *row] for row, label in zip(*flat, strict=True)]
    write_csv(tmp_path / "a.csv", rows, ["c", *(f"{i // 8}_{i % 8}" for i in range(64))])
    check(tmp_path / "a.csv", flat)


def test_texts_that_python_takes_for_numbers_stay_texts(tmp_path, flat):
    rows = [[f"{label + 1}_0", *row] for row, label in zip(*flat, strict=True)]
    write_csv(tmp_path / "a.csv", rows)
    found, _ = imported_rows(tmp_path / "a.csv")
    assert [name for _, name in found] == [f"{label + 1}_0" for label in flat[1]]


def test_a_column_can_be_named(tmp_path, flat):
    rows = [[label, *row[1:], 3] for row, label in zip(*flat, strict=True)]
    write_csv(tmp_path / "a.csv", rows, ["what", *PIXELS])
    for label in ("what", "first"):
        rows, _ = imported_rows(tmp_path / "a.csv", label=label)
        assert [int(name) for _, name in rows] == flat[1]
    with pytest.raises(UserError, match="1 class was found"):
        imported_rows(tmp_path / "a.csv", label="last")
    with pytest.raises(UserError, match=r"no column colour, but columns what, pixel0, .*LABEL="):
        imported_rows(tmp_path / "a.csv", label="colour")


def test_texts_are_labels_as_they_are_even_na(tmp_path, flat):
    names = [
        ["NA", "null", "true", "=1+2", "07", "x,y", 'a "b"', "靴", "1e3", ""][i] for i in flat[1]
    ]
    names = [name or "none" for name in names]
    write_csv(tmp_path / "a.csv", [[name, *row] for row, name in zip(flat[0], names, strict=True)])
    rows, imported = imported_rows(tmp_path / "a.csv")
    assert [name for _, name in rows] == names
    assert len(imported.class_names) == 10


def test_labels_may_be_floats(tmp_path, flat):
    rows = [[f"{label}.0", *row] for row, label in zip(*flat, strict=True)]
    write_csv(tmp_path / "a.csv", rows)
    check(tmp_path / "a.csv", flat)


@pytest.mark.parametrize("separator", [";", "\t"])
@pytest.mark.parametrize("start", ["", "\ufeff"])
def test_separators_and_marks_of_other_systems_are_known(tmp_path, flat, separator, start):
    lines = [separator.join(map(str, ["label", *PIXELS]))]
    lines += [separator.join(map(str, [label, *row])) for row, label in zip(*flat, strict=True)]
    (tmp_path / "a.csv").write_bytes((start + "\r\n".join(lines)).encode())
    check(tmp_path / "a.csv", flat)


def test_columns_that_number_the_rows_are_left_out(tmp_path, flat):
    rows = [[i, label, *row] for i, (row, label) in enumerate(zip(*flat, strict=True))]
    write_csv(tmp_path / "a.csv", rows, ["", "label", *PIXELS])  # as pandas writes an index
    notes = check(tmp_path / "a.csv", flat)
    assert any(note.startswith("a.csv: columns that number the rows") for note in notes)


def test_a_test_set_without_labels_is_left_out(tmp_path, flat):
    rows = [[label, *row] for row, label in zip(*flat, strict=True)]
    write_csv(tmp_path / "train.csv", rows, ["label", *PIXELS])
    write_csv(tmp_path / "test.csv", flat[0][:7], PIXELS)  # as Kaggle's
    write_csv(tmp_path / "sample_submission.csv", [[1, 0]], ["ImageId", "Label"])
    notes = check(tmp_path, flat)
    assert "test.csv, which has no labels" in notes
    assert "1 other table: sample_submission.csv" in notes
    assert any(note.startswith("split: ") for note in notes)


@pytest.mark.parametrize("numbered", [False, True])
def test_a_numbered_test_set_without_labels_is_left_out(tmp_path, flat, numbered):
    rows = [[label, *row] for row, label in zip(*flat, strict=True)]
    if numbered:
        rows = [[i, *row] for i, row in enumerate(rows)]
    write_csv(tmp_path / "train.csv", rows, [*(["id"] if numbered else []), "label", *PIXELS])
    write_csv(tmp_path / "test.csv", [[i, *row] for i, row in enumerate(flat[0])], ["Id", *PIXELS])
    assert "test.csv, which has no labels" in check(tmp_path, flat)


def test_a_header_may_be_in_one_file_alone(tmp_path, flat):
    rows = [[label, *row] for row, label in zip(*flat, strict=True)]
    write_csv(tmp_path / "train.csv", rows, ["label", *PIXELS])
    write_csv(tmp_path / "test.csv", rows[:50])
    imported = import_images(tmp_path, Options())
    np.testing.assert_array_equal(
        imported.test.images, as_bytes(np.reshape(flat[0][:50], (-1, 8, 8)))
    )
    assert imported.test.labels.tolist() == flat[1][:50]


@pytest.mark.parametrize("place", [0, 64])
def test_the_labels_of_a_few_samples_are_where_those_of_the_training_set_are(tmp_path, flat, place):
    rows = [[*row[:place], label, *row[place:]] for row, label in zip(*flat, strict=True)]
    write_csv(tmp_path / "train.csv", rows)
    few = [[i % 2, *[9] * 63] for i in range(6)]  # all of one class
    write_csv(tmp_path / "test.csv", [[*row[:place], 3, *row[place:]] for row in few])
    imported = import_images(tmp_path, Options())
    assert imported.test.labels.tolist() == [3] * 6


def test_rows_that_are_no_squares_need_a_shape(tmp_path):
    rng = np.random.default_rng(0)
    rows = [[i % 2, *rng.integers(256, size=960).tolist()] for i in range(10)]
    write_csv(tmp_path / "a.csv", rows)
    with pytest.raises(UserError, match=r"960 pixels, which are not a square.*SHAPE=40x24"):
        import_images(tmp_path / "a.csv", Options())
    found, imported = imported_rows(tmp_path / "a.csv", shape=(40, 24))
    assert imported.image_shape == (40, 24)
    np.testing.assert_array_equal(found[3][0].ravel(), rows[3][1:])


def test_a_file_is_read_in_blocks_of_which_one_may_hold_other_types(tmp_path, monkeypatch):
    monkeypatch.setattr(csv_files, "CHUNK", 3)
    rows = [[i % 2, *np.full(4, value)] for i, value in enumerate([0, 1, 0, 0.5, 0.25, 1, 1])]
    write_csv(tmp_path / "a.csv", rows, ["label", *"abcd"])
    found, _ = imported_rows(tmp_path / "a.csv")
    assert [int(image[0, 0]) for image, _ in found] == [0, 255, 0, 128, 64, 255, 255]


GOOD = "label,a,b,c,d\n1,0,0,0,9\n2,0,0,9,9\n1,0,9,9,9\n"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "has rows of 0 values"),
        ("7\n", "has rows of 1 value;"),
        ("a,b,c,d,e\n", "has no rows"),
        ("1,0,0,0,9,\n2,0,0,9,9,\n" * 4, "line 1: column 6 holds '', which is no pixel"),
        ("label,a\n1,2\n", "has rows of 2 values"),
        ("label,a,b,c,d\n", "has no rows"),
        (GOOD + "2,0,x,0,0\n", "line 5: column 3 holds x, which is no pixel"),
        (GOOD + "2,0,,0,0\n", "line 5: column 3 holds ''"),
        ("1,0,0,0,9\n2,0,0,x,9\n", "line 2: column 4 holds x"),
        (GOOD + "2,0,0,nan,0\n", "line 5: column 4 holds nan"),
        (GOOD + "2,0,0\n", "line 5: column 4 holds ''"),
        ("a,b,c,d,label\n0,0,0,9,1\n0,0,9,9\n", "line 3 has no label"),
        (GOOD + ",0,0,0,0\n", "line 5 has no label"),
        (GOOD + "2,0,0,0,0,7\n", "cannot be read as CSV"),
        (GOOD + '2,0,0,0,"0\n', "cannot be read as CSV"),
        (GOOD.encode() + b"k\xe4se,0,0,0,0\n", "is not UTF-8"),
        (GOOD.encode() * 5000 + b"k\xe4se,0,0,0,0\n", "cannot be read as CSV"),
    ],
)
def test_a_broken_table_is_named_with_its_line(tmp_path, content, problem):
    path = tmp_path / "a.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(UserError, match=rf"a\.csv.*{problem}") as caught:
        import_images(path, Options())
    assert "\n" not in str(caught.value)


def test_which_table_is_the_training_set_must_be_clear(tmp_path, flat):
    rows = [[label, *row] for row, label in zip(*flat, strict=True)]
    for name in ("one.csv", "two.csv"):
        write_csv(tmp_path / name, rows)
    with pytest.raises(UserError, match=r"which of one\.csv, two\.csv is the training set"):
        import_images(tmp_path, Options())
    write_csv(tmp_path / "train.csv", rows)
    write_csv(tmp_path / "train2k.csv", rows)
    with pytest.raises(UserError, match="both seem to hold the train set"):
        import_images(tmp_path, Options())
