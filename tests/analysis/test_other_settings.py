"""Trials of other settings against SciPy."""

import numpy as np
import pytest
from pydantic import ValidationError
from scipy.stats import ttest_rel

from nnlib.analysis.trials import Trial, Trials, compare_trials

BEFORE = (20, 22, 19, 23)
TRIALS = {
    "worse": ({"a.b": 3.0}, (30, 34, 31, 33)),
    "much better": ({"a.b": 1.0, "c": "x"}, (10, 11, 9, 13)),
    "as good": ({"c": "x"}, (21, 20, 20, 23)),
}


def trials(before=BEFORE, others=TRIALS):
    return Trials(
        data="toys",
        settings={},
        samples=200,
        errors=before,
        trials=tuple(Trial(changes=changes, errors=errors) for changes, errors in others.values()),
    )


def test_the_trials_are_compared_over_the_seeds():
    table = compare_trials(trials())
    order = ("much better", "as good", "worse")
    assert table["changes"].tolist() == [TRIALS[name][0] for name in order]
    assert table["sign"].tolist() == [-1, 0, 1]
    before = np.array(BEFORE) / 200
    for name, row in zip(order, table.itertuples(), strict=True):
        errors = np.array(TRIALS[name][1]) / 200
        expected = ttest_rel(errors, before)
        low, high = expected.confidence_interval()
        assert row.error == pytest.approx(errors.mean())
        found = (row.difference, row.low, row.high)
        assert found == pytest.approx(((errors - before).mean(), low, high))
        assert row.p >= expected.pvalue
    smallest = min(ttest_rel(errors, BEFORE).pvalue for _, errors in TRIALS.values())
    assert table["p"].min() == pytest.approx(3 * smallest)  # adjusted by Holm's method


def test_each_trial_has_the_seeds_of_the_others():
    with pytest.raises(ValidationError, match="as many seeds"):
        trials(before=(20, 22, 19))
