"""Files of corrections: what they say, what is wrong in them, and what they make of labels."""

import numpy as np
import pandas as pd
import pytest

from nnlib.base.errors import UserError
from nnlib.base.tables import write_report_csv
from nnlib.data.corrections import (
    DROPPED,
    NO_ROWS,
    UNKNOWN,
    corrected_labels,
    corrected_samples,
    count_corrections,
    kept_samples,
    no_corrections,
    read_corrections,
    samples_of,
    write_corrections,
)

NAMES = ("cat", "dog", "05", 'a "b", c', "=1+x")
# by number:                       0  1  2  3            0  1  2
PUBLISHED = {"train": np.uint8([0, 1, 2, 0]), "test": np.uint8([1, 1, 0])}


@pytest.fixture
def read(tmp_path):
    def read(text, names=NAMES, published=PUBLISHED):
        path = tmp_path / "corrections.csv"
        path.write_bytes(text.encode())
        return read_corrections(path, names, published)

    return read


@pytest.fixture
def problems(read):
    """The lines of the message about a file, without the first, which names it."""

    def problems(text, *args):
        with pytest.raises(UserError) as caught:
            read(text, *args)
        first, *lines = str(caught.value).split("\n")
        assert first == f"{caught.value.file}:"
        return [line.removeprefix("  ") for line in lines]

    return problems


def rows(table):
    return table.to_numpy().tolist()


def test_a_file_and_what_it_makes_of_the_labels(read):
    table = read("set,index,label\ntest,2,dog\ntrain,3,drop\ntest,0,drop\ntrain,1,05\n")
    assert rows(table) == [
        ["train", 1, 1, 2],
        ["train", 3, 0, DROPPED],
        ["test", 0, 1, DROPPED],
        ["test", 2, 0, 1],
    ]
    assert kept_samples(table, "train", 4).tolist() == [True, True, True, False]
    assert corrected_labels(table, "train", PUBLISHED["train"]).tolist() == [0, 2, 2]
    assert corrected_labels(table, "test", PUBLISHED["test"]).tolist() == [1, 1]
    assert corrected_samples(table, "test", 3).tolist() == [True, False, True]
    assert count_corrections(table, "train") == (1, 1)
    assert PUBLISHED["train"].tolist() == [0, 1, 2, 0]  # as before


def test_without_rows_everything_stays(read, tmp_path):
    for text in ("set,index,label\n", "set,index,label", "given,label,set,index\r\n\r\n,,,\r\n"):
        table = read(text)
        assert table.equals(no_corrections())
        assert kept_samples(table, "test", 3).all()
        for part, labels in PUBLISHED.items():
            assert corrected_labels(table, part, labels).tobytes() == labels.tobytes()
    write_corrections(tmp_path / "none.csv", table, NAMES)
    assert (tmp_path / "none.csv").read_bytes() == NO_ROWS


@pytest.mark.parametrize(
    "text",
    [
        "\ufeffset,index,label\r\ntest,2,05\r\n",  # of a spreadsheet
        " label , set,index\n\n 05 ,test, 2\n",
        'set,index,label,given\n"test","2","05","cat"\n',
        "given,set,index,label\ncat,test,002,05\n\n,,,\n",
    ],
)
def test_the_same_correction_in_several_ways(read, text):
    assert rows(read(text)) == [["test", 2, 0, 2]]


def test_names_are_texts(read, tmp_path):
    (row,) = rows(read('set,index,label\ntest,2,"a ""b"", c"\n'))
    assert row[3] == 3
    names = ("5", "5.0", "NA", "\u00e9t\u00e9")
    for text, number in (("5", 0), ("5.0", 1), ("NA", 2), ("e\u0301te\u0301", 3)):
        (row,) = rows(read(f"set,index,label\ntest,0,{text}\n", names, None))
        assert row[3] == number
    # as a report writes what a spreadsheet would run
    report = pd.DataFrame({"set": ["test"], "index": [2], "label": ["=1+x"]})
    write_report_csv(tmp_path / "report.csv", report)
    assert "'=1+x" in (tmp_path / "report.csv").read_text()
    table = read_corrections(tmp_path / "report.csv", NAMES, PUBLISHED)
    assert rows(table) == [["test", 2, 0, 4]]


def test_what_is_written_is_read_again(read, tmp_path):
    table = read('set,index,label\ntrain,0,"a ""b"", c"\ntest,1,drop\ntest,0,05\n')
    write_corrections(tmp_path / "copy.csv", table, NAMES)
    assert (tmp_path / "copy.csv").read_text() == (
        'set,index,given,label\ntrain,0,cat,"a ""b"", c"\ntest,0,dog,05\ntest,1,dog,drop\n'
    )
    for published in (PUBLISHED, None):
        assert read_corrections(tmp_path / "copy.csv", NAMES, published).equals(table)


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("Test,0,cat", "set: expected train or test, found Test"),
        ("validation,0,cat", "set: expected train or test, found validation"),
        ("test,3,cat", "index: 3 lies outside the test set, whose last is 2"),
        ("train,4,drop", "index: 4 lies outside the training set, whose last is 3"),
        ("test,-1,cat", "index: expected a whole number from 0 on, found -1"),
        ("test,1.0,cat", "index: expected a whole number from 0 on, found 1.0"),
        ("test,\u0661,cat", "index: expected a whole number from 0 on, found \u0661"),
        (
            f"test,{'9' * 5000},cat",
            f"index: expected a whole number from 0 on, found {'9' * 97}...",
        ),
        ("test,,cat", "index: expected a whole number from 0 on, found ''"),
        ("test,0,cta", "label: cta is no class; there is cat"),
        (
            "test,0,DROP",
            'label: DROP is no class; there is cat, dog, 05, a "b", c, =1+x, \'=1+x, drop',
        ),
        ("test,0,5", "label: 5 is no class; there is 05"),
        ("test,0,", "label: '' is no class; there is cat, dog, 05, a \"b\", c, =1+x, '=1+x, drop"),
        ("test,0,dog", "label: dog is the published label: remove this line"),
    ],
)
def test_what_is_wrong_in_a_row_is_said_with_its_line_and_column(problems, row, problem):
    found = problems(f"set,index,label\ntrain,0,dog\n\n{row}\n")
    assert found == [f"line 4, {problem}"]


def test_what_was_given_tells_whether_the_file_is_of_this_data_set(problems, read):
    (problem,) = problems("set,index,given,label\ntest,0,cat,05\n")
    assert problem == (
        "line 2, given: it is cat, but sample 0 of the test set was published as dog: is this file "
        "of another data set?"
    )
    assert problems("set,index,given,label\ntest,0,drop,05\n")[0].startswith(
        "line 2, given: drop is no class; there is "
    )
    # without the published labels, only what the file says is known
    assert rows(read("set,index,given,label\ntest,999,cat,05\n", NAMES, None)) == [
        ["test", 999, 0, 2]
    ]
    assert rows(read("set,index,label\ntest,999,05\n", NAMES, None)) == [["test", 999, UNKNOWN, 2]]
    assert problems("set,index,given,label\ntest,999,cat,cat\n", NAMES, None) == [
        "line 2, label: cat is the published label: remove this line"
    ]


@pytest.mark.parametrize("label", ["cat", "drop", "05"])
def test_a_sample_is_corrected_once(problems, label):
    text = f"set,index,label\ntest,0,cat\ntrain,0,dog\ntest,1,cat\ntest,0,{label}\n"
    assert problems(text) == [
        "line 5, index: sample 0 of the test set is in line 2 too: keep one of the two"
    ]


def test_drop_is_unclear_where_it_is_a_class(problems, read):
    names = ("cat", "drop", "dog")
    assert problems("set,index,label\ntest,2,drop\n", names) == [
        "line 2, label: drop is the name of a class too, and so unclear: rename that class"
    ]
    assert rows(read("set,index,given,label\ntest,0,drop,cat\n", names)) == [["test", 0, 1, 0]]
    assert rows(read("set,index,label\ntest,0,drop\n", ("cat", "dog", "Drop"))) == [
        ["test", 0, 1, DROPPED]
    ]


def test_all_problems_are_listed_up_to_a_number(problems):
    lines = [f"test,{index},cat" for index in range(3, 40)]
    found = problems("\n".join(["set,index,label", "exam,x,cow", *lines]))
    assert found[:4] == [
        "line 2, set: expected train or test, found exam",
        "line 2, index: expected a whole number from 0 on, found x",
        found[2],
        "line 3, index: 3 lies outside the test set, whose last is 2",
    ]
    assert found[2].startswith("line 2, label: cow is no class")
    assert len(found) == 21
    assert found[-1] == "and 20 more"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "expected the columns set,index,label or set,index,label,given; found ''"),
        ("test,0,cat\n", "expected the columns .* found test,0,cat"),
        ("set;index;label\ntest;0;cat\n", "expected the columns .* found set;index;label"),
        ("set,index,label,note\n", "expected the columns .* found set,index,label,note"),
        ("set,index,label,label\n", "expected the columns"),
        ('set,index,label\ntest,0,a "b", c\n', "line 2: expected 3 values, found 4; a name with a"),
        ("set,index,label\ntest,0\n", "line 2: expected 3 values, found 2"),
        ('set,index,label\ntest,0,"cat\n', "cannot be read as CSV: "),
        ("set,index,label\ntest,0,drop\ntest,1,drop\ntest,2,drop\n", "no sample of the test set"),
    ],
)
def test_what_is_no_such_file(read, text, problem):
    with pytest.raises(UserError, match=problem):
        read(text)


def test_files_that_cannot_be_read(tmp_path):
    (tmp_path / "latin.csv").write_bytes(b"set,index,label\ntest,0,\xe9t\xe9\n")
    for path in (tmp_path / "none.csv", tmp_path, tmp_path / "latin.csv"):
        with pytest.raises(UserError, match="cannot be read as CSV") as caught:
            read_corrections(path, NAMES, PUBLISHED)
        assert caught.value.file == path


def test_some_of_the_images_read_in_blocks():
    images = np.arange(7 * 2, dtype=np.uint8).reshape(7, 1, 2)
    wanted = np.array([False, True, False, False, False, True, True])
    found = [*samples_of([images[:2], images[2:5], images[5:]], wanted)]
    assert [len(block) for block in found] == [1, 2]
    np.testing.assert_array_equal(np.concatenate(found), images[wanted])
