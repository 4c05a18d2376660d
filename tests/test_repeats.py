"""The confusion matrices of networks trained with other seeds, in a file and out of it."""

import re

import numpy as np
import pandas as pd
import pytest

from nnlib.analysis.repeats import accuracies, read_confusions, write_confusions
from nnlib.errors import UserError

CONFUSIONS = np.array([[[7, 1], [2, 3]], [[8, 0], [0, 5]], [[4, 4], [5, 0]]])
SUPPORT = np.array([8, 5])


@pytest.fixture
def path(tmp_path):
    write_confusions(tmp_path / "confusion.csv", [5, 6, 7], CONFUSIONS)
    return tmp_path / "confusion.csv"


def test_the_accuracies():
    assert accuracies(CONFUSIONS).tolist() == [10 / 13, 1, 4 / 13]
    assert accuracies(CONFUSIONS[:0]).shape == (0,)


def test_what_is_written_is_read(path):
    assert path.read_text().startswith("seed,actual,predicted,count\n5,0,0,7\n5,0,1,1\n5,1,0,2\n")
    assert np.array_equal(read_confusions(path, SUPPORT), CONFUSIONS)


def test_none_are_none(tmp_path):
    path = tmp_path / "confusion.csv"
    write_confusions(path, [], CONFUSIONS[:0])
    assert read_confusions(path, SUPPORT).shape == (0, 2, 2)


@pytest.mark.parametrize(
    "change",
    [
        lambda table: table[:-1],
        lambda table: table[:-4].iloc[1:],
        lambda table: table.assign(actual=table["predicted"]),
        lambda table: table[::-1],
        lambda table: table.assign(count=table["count"] + 1),
        lambda table: table.assign(count=-table["count"]),
        lambda table: table.assign(count=table["count"] + 0.5),
        lambda table: table.assign(count="many"),
        lambda table: table.rename(columns={"count": "number"}),
    ],
)
def test_what_is_no_whole_matrix_of_these_samples_is_refused(path, change):
    change(pd.read_csv(path)).to_csv(path, index=False)
    with pytest.raises(UserError, match=re.escape(str(path))) as caught:
        read_confusions(path, SUPPORT)
    assert caught.value.file == path
