"""The report on a sweep and its figures."""

import matplotlib.image
import numpy as np
import pandas as pd
import pytest

from experiments.sweep.figures import level_text
from experiments.sweep.report import draw_sweep, setting_name, sweep_report
from experiments.sweep.summary import Level, summarise_sweep
from tests.markdown import table

VALUES = pd.DataFrame({"train.units": [5, 5, 10, 10], "train.rate": [0.5, 1.0, 0.5, 1.0]})
ERRORS = np.array([[0.30, 0.31, 0.32], [0.20, 0.21, 0.20], [0.12, 0.10, 0.11], [0.11, 0.12, 0.11]])
COSTS = np.array([[1.0] * 3, [2.0] * 3, [3.0] * 3, [4.0] * 3])


def plain(text):
    return text.replace("\N{NO-BREAK SPACE}", " ")


def report_on(errors=ERRORS, values=VALUES, costs=COSTS, **changes):
    found = summarise_sweep(values, errors, costs[: len(errors), : errors.shape[1]])
    arguments = {
        "data": "MNIST",
        "fixed": {"train.validation": "200"},
        "seeds": range(3, 3 + errors.shape[1]),
        "measure": "validation",
        "test_errors": errors.mean(axis=1) + 0.01,
        "seconds": 150.0,
    }
    return plain(sweep_report(found, values, **arguments | changes))


def test_the_best_and_what_is_as_good():
    report = report_on()
    assert report.startswith("# Sweep: MNIST, 4 settings, 3 seeds\n")
    assert (
        "**`units=10 rate=0.5` has the smallest validation error: 11.00% (8.52 to 13.48%), the "
        "mean of 3 seeds. Of the 3 others, 1 is not significantly worse.**" in report
    )
    assert "All settings have `train.validation=200`; all other" in report
    assert "Warning" not in report
    rows = table("| train.units | train.rate | validation error (95% interval) |", report)
    assert [row[:2] for row in rows] == [["10", "0.5"], ["10", "1.0"], ["5", "1.0"], ["5", "0.5"]]
    # a deviation of 1 point; Student's 97.5% quantile, 4.303, over sqrt(3) is 2.484
    assert rows[0][2:7] == ["11.00% (8.52 to 13.48%)", "12.00%", "1.00", "the best", ""]
    assert rows[1][5] == "+0.33"
    assert float(rows[1][6]) > 0.5
    # differences of 8, 11 and 9 points: t = 9.333 / (1.528 / sqrt(3)) = 10.58, p = 0.0088, times 2
    assert rows[2][5:] == ["+9.33", "0.018", "2.0"]
    assert "the 3 tests" in report
    assert "the 12 trainings took 2.5 minutes of CPU time" in report


def test_the_test_error_is_not_to_be_compared_with_the_validation_error():
    easier = "Yet every setting has the larger error on the test samples, so those held out are"
    test_errors = ERRORS.mean(axis=1) + 0.01
    assert easier in report_on(test_errors=test_errors)
    test_errors[2] -= 0.01  # as large as the other
    report = report_on(test_errors=test_errors)
    assert easier not in report
    assert "test samples. Compare errors of the same samples alone.\n\nErrors are means" in report
    of_test = report_on(measure="test", test_errors=test_errors)
    assert "held out, whose error" not in of_test
    for text, measure in ((report, "validation"), (of_test, "test")):
        assert f"| std of the {measure} error |" in text
        assert f"std is the standard deviation of the {measure} error over the seeds" in text
    assert "std" not in report_on(ERRORS[:, :1])


def test_every_other_is_worse():
    assert "Every other setting is significantly worse." in report_on(ERRORS[[0, 1, 2]], VALUES[:3])


def test_several_are_as_good():
    errors = ERRORS[[2, 3, 3, 0]]
    assert "Of the 3 others, 2 are not significantly worse." in report_on(errors)


def test_the_best_at_an_end_of_what_was_tried():
    assert "at the edge" not in report_on()  # two values have nothing but ends
    values = pd.DataFrame({"train.units": [3, 4, 1, 2], "train.rate": [1.0, 2.0, 3.0, 4.0]})
    assert "** Its `train.units` is at the edge of the values tried" in report_on(values=values)
    values["train.rate"] = [1.0, 2.0, 4.0, 3.0]
    assert "** Its `train.units` and `train.rate` are at the" in report_on(values=values)


def test_one_seed_claims_nothing():
    report = report_on(ERRORS[:, :1])
    assert (
        "**`units=10 rate=1.0` has the smallest validation error: 11.00%. One seed cannot" in report
    )
    assert "interval" not in report
    (best, *_) = table("| train.units |", report)
    assert best == ["10", "1.0", "11.00%", "12.00%", "4.0"]


def test_two_seeds_claim_little():
    errors = ERRORS[:, :2].copy()
    report = report_on(errors)
    assert (
        "the mean of 2 seeds. Two seeds can hardly show which others are significantly worse: "
        "`SEEDS=5` trains five.**" in report
    )
    assert "not significantly worse" not in report
    assert "over the seeds 3 and 4; std" in report
    assert "the 8 trainings took" in report
    assert "No setting is both faster and better than one of these" in report


def test_of_two_settings_the_other_is_named_so():
    report = report_on(ERRORS[[2, 3]], VALUES[2:])
    assert "3 seeds. The other setting is not significantly worse.**" in report
    assert "Holm" not in report
    assert "No setting is significantly faster or better than this one:" in report
    assert "seeds. The other setting is significantly worse.**" in report_on(
        ERRORS[[0, 2]], VALUES[2:]
    )


@pytest.mark.parametrize(
    ("seconds", "time"), [(0.34, "0.3 seconds"), (59.9, "59.9 seconds"), (90, "1.5 minutes")]
)
def test_the_time_in_a_unit_that_fits(seconds, time):
    assert f"the 12 trainings took {time} of CPU time" in report_on(seconds=seconds)


def test_names_are_listed_as_in_a_sentence():
    fixed = {"train.validation": "200", "train.epochs": "2"}
    assert "have `train.validation=200` and `train.epochs=2`; all" in report_on(fixed=fixed)
    fixed["train.dropout"] = "0.1"
    assert "`train.validation=200`, `train.epochs=2` and `train.dropout=0.1`; all" in report_on(
        fixed=fixed
    )
    values = pd.DataFrame({"train.units": range(43)})
    failed = np.full((43, 1), np.nan)
    costs = np.ones((43, 1))
    many = sweep_report(
        summarise_sweep(values, failed, costs),
        values,
        data="MNIST",
        fixed={},
        seeds=[1],
        measure="test",
        test_errors=failed[:, 0],
        seconds=1,
    )
    assert "`units=38`, `units=39` and 3 more." in many


def test_settings_that_came_out_the_same_are_named():
    report = report_on(same=[["optimizer={name: adam}", "optimizer={name: adam, beta1: 0.9}"]])
    assert (
        "\n`optimizer={name: adam}` and `optimizer={name: adam, beta1: 0.9}` are the same "
        "training, listed as the first.\n" in report
    )


def test_settings_chosen_on_the_test_set_come_with_a_warning():
    report = report_on(measure="test", fixed={})
    assert "**Warning:** no training samples were held out" in report
    assert "Add `train.validation=5000`" in report
    assert "All other parameters are as in `params.yaml`." in report
    assert "test error | test error" not in report


def test_the_effects():
    report = report_on()
    rows = table("| parameter | value |", report)
    assert [row[:3] for row in rows] == [
        ["train.units", "5", "2"],
        ["", "10", "2"],
        ["train.rate", "0.5", "2"],
        ["", "1", "2"],
    ]
    assert [row[3].partition("%")[0] for row in rows] == ["25.67", "11.17", "21.00", "15.83"]
    assert "For `train.units` and `train.rate` these are marginal means" in report
    assert "at random" not in report


def test_effects_of_settings_drawn_at_random():
    values = pd.DataFrame({"train.units": [5, 6, 7, 8], "train.rate": [0.1, 0.2, 0.3, 0.4]})
    report = report_on(values=values)
    assert "marginal means" not in report
    assert "For `train.units` and `train.rate` the other parameters vary too, at random" in report


def test_the_front():
    turned = report_on(ERRORS[::-1], VALUES[::-1].reset_index(drop=True), COSTS[::-1])
    for report in (report_on(), turned):
        assert "faster than the next, which is significantly better (paired t tests" in report
        assert table("| setting | CPU seconds |", report) == [
            ["`units=5 rate=0.5`", "1.0", "31.00%"],
            ["`units=5 rate=1.0`", "2.0", "20.33%"],
            ["`units=10 rate=0.5`", "3.0", "11.00%"],
        ]


def test_what_cannot_be_trained_is_named():
    errors = ERRORS.copy()
    errors[0, 1] = np.nan
    report = report_on(errors)
    assert "1 setting could not be trained with every seed" in report
    assert "is left out: `units=5 rate=0.5`." in report
    assert len(table("| train.units |", report)) == 3
    assert "the 12 trainings took" in report  # the failed ones too
    none = report_on(np.full((4, 3), np.nan))
    assert "**No setting could be trained with every seed.**" in none
    assert "are left out: `units=5 rate=0.5`, " in none
    assert "![" not in none


def test_only_the_best_of_many_are_listed():
    values = pd.DataFrame({"train.units": range(1, 101)})
    errors = np.linspace(0.1, 0.9, 100)[:, None]
    found = summarise_sweep(values, errors, np.ones_like(errors))
    report = sweep_report(
        found,
        values,
        data="MNIST",
        fixed={},
        seeds=[1],
        measure="test",
        test_errors=errors[:, 0],
        seconds=100,
    )
    rows = table("| train.units |", report)
    assert [row[0] for row in rows] == [str(units) for units in range(1, 41)]
    assert "The best 40; [sweep.csv](sweep.csv) has all" in report


def test_names_in_the_tables_are_no_markup():
    values = pd.DataFrame({"train.optimizer": ["{name: adam}", "<b>|"]})
    report = report_on(ERRORS[:2], values)
    assert "| \\<b\\>\\| |" in report


@pytest.mark.parametrize(
    ("level", "text"),
    [
        ((0.1, 0.25), "0.1 to 0.25"),
        ((50, 50), "50"),
        (("relu", "relu"), "relu"),
        ((1, 7), "1 to 7"),
        ((1.0, 1e-7), "1 to 1e-07"),
        ((0.99991234, 0.99991235), "0.99991234 to 0.99991235"),
    ],
)
def test_a_level_in_words(level, text):
    assert level_text(Level(*level, 1, 0.1, 0.1, 0.1)) == text


def test_a_setting_in_words():
    assert setting_name({"train.optimizer.name": "adam", "data.source": "mnist"}) == (
        "optimizer.name=adam source=mnist"
    )


LOSSES = [[[1.0, 0.5, 0.3]] * 3] * 4


@pytest.mark.slow
@pytest.mark.parametrize("others", [{}, {"train.activation": ["relu", "tanh", "tanh", "relu"]}])
def test_the_figures_of_each_number_of_parameters(tmp_path, others):
    for count in (1, 2):
        values = VALUES.iloc[:, :count].assign(**others)
        found = summarise_sweep(values, ERRORS, COSTS)
        folder = tmp_path / str(count)
        draw_sweep(folder, found, values, measure="test", losses=LOSSES)
        names = {path.stem for path in folder.iterdir()}
        together = {"map"} if values.shape[1] > 1 else set()
        assert names == {"effects", "learning", "front"} | together
        for path in folder.iterdir():
            assert matplotlib.image.imread(path).std() > 0.01


@pytest.mark.slow
@pytest.mark.parametrize("errors", [ERRORS[:, :1], ERRORS[:1], np.zeros((4, 3)), np.ones((4, 3))])
def test_the_figures_of_what_is_rare(tmp_path, errors):
    values = VALUES.iloc[: len(errors)].assign(more=range(len(errors)))
    found = summarise_sweep(values, errors, COSTS[: len(errors), : errors.shape[1]])
    losses = [[[0.5]] * errors.shape[1]] * len(errors)
    for each in (values, values.iloc[:, :2]):
        draw_sweep(tmp_path, found, each, measure="validation", losses=losses)
