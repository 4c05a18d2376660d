"""How many planted errors are found: the summary of seeds, worked by hand."""

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("cleanlab", reason="cleanlab is not installed (make .venv/bench)")

from experiments.labels.benchmark import corrected_labels, precision
from experiments.labels.benchmark_report import benchmark_report, summarise_benchmark
from experiments.labels.in_cleanlab import find_issues
from experiments.labels.noise import Judgement
from nnlib.data.datasets import MNIST

MEASURED = (
    *("pooled", "networks", "neighbours", "pooled_half", "sure_precision", "sure_recall"),
    *(
        f"cleanlab_{who}_{what}"
        for who in ("networks", "pooled")
        for what in ("self_confidence", "normalized_margin", "precision", "recall")
    ),
    *("expected", "accuracy_right", "accuracy_planted", "accuracy_corrected"),
)


def table():
    rows = []
    for kind, gain in (("pairs", 0.02), ("uniform", 0.0)):
        for seed in (1, 2, 3):
            row = dict.fromkeys(MEASURED, 0.9 + seed / 1000)
            row |= {"pooled": 0.95 + seed / 1000, "accuracy_corrected": 0.93 + seed / 1000}
            row["cleanlab_pooled_self_confidence"] = row["pooled"] - gain + seed * 1e-5
            row |= {"expected": 10.0, "expected_low": 7.0, "expected_high": 9.0 + seed}
            rows.append({"kind": kind, "share": 0.03, "seed": seed, "flips": 11, **row})
    return pd.DataFrame(rows)


def test_seeds_are_summed_up_and_compared_pair_by_pair():
    pairs, uniform = summarise_benchmark(table().sample(frac=1, random_state=1))
    assert (pairs["kind"], uniform["kind"], pairs["flips"]) == ("pairs", "uniform", 11)
    assert pairs["pooled"].mean == pytest.approx(0.952)
    assert pairs["regained"].mean == pytest.approx(0.03)
    assert pairs["covered"] == 2  # 11 lies within 7 to 11 and 7 to 12
    changes = [each.change.mean for each in pairs["differences"]]
    assert changes == pytest.approx([-0.02 + 2e-5, -0.05])
    assert [each.is_significant for each in pairs["differences"]] == [True, True]
    assert uniform["differences"][0].change.mean == pytest.approx(2e-5)


def test_the_report_has_the_figures():
    text = benchmark_report(table(), MNIST, [*range(1, 10), 0], 15).replace(
        "\N{NO-BREAK SPACE}", " "
    )
    assert "| 3%, pairs | **95.20% (94.95 to 95.45%)** | " in text
    assert "| 3%, pairs | **-2.00** (-2.00 to -2.00) | **-5.00** " in text
    assert "| 3%, uniform | 11 | 10.0 | with 2 of 3 seeds |" in text
    assert "the estimate is off by -9 to -9%" in text  # 10 of 11
    assert "+3.00 (" in text
    assert "0 as 1, 1 as 2" in text


def test_precision_is_that_of_the_first_ones():
    is_wrong = np.array([True, False, True, True])
    assert precision(np.array([5.0, 4, 3, 9]), is_wrong, 2) == 1
    assert precision(np.array([5.0, 4, 3, 9]), is_wrong, 3) == pytest.approx(2 / 3)


def test_a_label_is_corrected_if_it_is_more_likely_wrong_than_right():
    posterior = np.array([[0.6, 0.3, 0.1], [0.4, 0.3, 0.3]])
    score = np.log([0.7 / 0.3, 0.4 / 0.6])
    judgement = Judgement(posterior, np.ones(1), np.eye(3), posterior, score)
    assert corrected_labels(judgement, np.array([1, 0], np.uint8)).tolist() == [0, 0]
    judgement = Judgement(posterior, np.ones(1), np.eye(3), posterior, -score)
    assert corrected_labels(judgement, np.array([1, 1], np.uint8)).tolist() == [1, 0]


def test_cleanlab_ranks_by_the_lowest_score():
    y = np.array([[0.9, 0.1], [0.2, 0.8], [0.9, 0.1]] * 20)
    labels = np.array([0, 1, 0] * 19 + [0, 1, 1])
    found = find_issues(y, labels)
    assert found.self_confidence.argmin() == found.normalized_margin.argmin() == 59
    assert found.selected.nonzero()[0].tolist() == [59]
