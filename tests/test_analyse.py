"""What the analysis stage writes for machines."""

import dataclasses

import numpy as np
import pytest

from nnlib.analysis.confidence import accuracy_by_coverage
from stages.analyse import metrics, table_by_digit


def test_the_table_by_digit_has_every_number_and_no_list(analysis):
    table = table_by_digit(analysis)
    assert table["digit"].tolist() == list(range(10))
    assert set(table.columns) == {"digit", *analysis.by_class.columns} - {"taken_for"}
    assert all(np.issubdtype(dtype, np.number) for dtype in table.dtypes)
    trained = analysis.trained
    for digit, confidence in zip(table["digit"], table["mean_confidence"], strict=True):
        expected = trained.loc[trained["actual"] == digit, "confidence"].mean()
        assert confidence == pytest.approx(expected)


def test_the_coverage_is_the_largest_at_which_99_of_100_are_right(analysis):
    # the 100 most confident are right, and the last two wrong: 100 of 101 is enough, of 102 not
    curve = accuracy_by_coverage(np.linspace(1, 0.5, 102), np.arange(102) < 100)
    found = metrics(dataclasses.replace(analysis, accuracy_by_coverage=curve))
    assert found["coverage_at_99"] == pytest.approx(101 / 102)


def test_any_analysis_has_metrics_that_are_finite(degenerate_analysis):
    found = metrics(degenerate_analysis)
    assert all(np.isfinite(value) for value in found.values())
    assert (found["worst_pair"] == 0) == (found["errors"] == 0)
