"""What the analysis stage writes for machines."""

import dataclasses

import numpy as np
import pytest

from nnlib.analysis.held_out import decide
from nnlib.analysis.predictions import Predictions
from stages.analyse import metrics, table_by_digit


def test_the_table_by_digit_has_every_number_and_no_list(analysis):
    table = table_by_digit(analysis)
    assert table["digit"].tolist() == list(range(10))
    assert set(table.columns) == {"digit", *analysis.by_class.columns} - {"taken_for"}
    assert all(np.issubdtype(dtype, np.number) for dtype in table.dtypes)
    trained = analysis.trained.table()
    for digit, confidence in zip(table["digit"], table["mean_confidence"], strict=True):
        expected = trained.loc[trained["actual"] == digit, "confidence"].mean()
        assert confidence == pytest.approx(expected)


def test_the_coverage_is_that_of_thresholds_chosen_on_the_other_half(analysis):
    # in each half the 100 most confident are right, and the last two wrong: 100 of 101 is enough
    confidence = np.linspace(1, 0.51, 204)
    y = np.transpose([confidence, 1 - confidence])
    decided = decide(Predictions.of(y, np.repeat([0, 1], [200, 4])), 0.99)
    found = metrics(dataclasses.replace(analysis, decided=[decided]))
    assert found["coverage_at_99"] == pytest.approx(202 / 204, abs=1 / 204)


def test_any_analysis_has_metrics_that_are_finite(degenerate_analysis):
    found = metrics(degenerate_analysis)
    assert all(np.isfinite(value) for value in found.values())
    assert (found["worst_pair"] == 0) == (found["errors"] == 0)
