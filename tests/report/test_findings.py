"""The first page's findings: each number against what is counted here, and what follows from it."""

import dataclasses
import re

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest, ttest_1samp

from nnlib.analysis.analysis import analyse_predictions
from nnlib.analysis.held_out import decide
from nnlib.analysis.predictions import Predictions
from nnlib.analysis.trials import Trial, Trials
from nnlib.report.findings import (
    doubtful_labels,
    fall_at_the_end,
    gap,
    left_to_a_person,
    most_confused,
    vote_of_seeds,
)
from nnlib.stats.intervals import difference_interval
from tests.conftest import slices_at_random
from tests.markdown import table
from tests.report.test_report import make_pages, make_report, section

HEADING = "What it found, and what follows"


def findings(text):
    """The items of the list, without its no-break spaces and where its links lead."""
    found = re.sub(r"\]\([^)]*\)", "]", section(text, HEADING)).replace("\N{NO-BREAK SPACE}", " ")
    return found.split(" 1. ")[1:]


@pytest.fixture(scope="module")
def found(analysis):
    return findings(make_report(analysis))


@pytest.fixture(scope="module")
def wrong(analysis):
    predictions = analysis.trained.table()
    return predictions[predictions["actual"] != predictions["predicted"]]


def the_one(found, pattern):
    (item,) = (item for item in found if re.search(pattern, item))
    return item


def percent(share):
    return f"{100 * share:.2f}%"


def interval(count, of):
    low, high = binomtest(count, of).proportion_ci(method="wilson")
    return f"({100 * low:.2f} to {100 * high:.2f}%)"


def test_they_come_first_and_each_says_what_follows_and_where_it_is_shown(analysis):
    pages = make_pages(analysis)
    assert re.findall(r"^## (.*)$", pages["confusion"], re.MULTILINE)[0] == HEADING
    items = re.findall(r"^1\. (.*)$", pages["confusion"], re.MULTILINE)
    assert len(items) == len(findings(pages["confusion"])) >= 4
    for item in items:
        assert item.startswith("**")
        assert item.count("What follows: ") == 1
        assert re.search(r"\(\[[^]]+\]\((#[a-z-]+|[a-z]+\.md(#[a-z-]+)?)\).*\)$", item)


def test_the_training_set_is_known_better(analysis, train, found):
    item = the_one(found, "misclassifies test digits more often than training digits")
    on_train, on_test = train.right.mean(), analysis.trained.right.mean()
    assert f"{percent(1 - on_test)} against {percent(1 - on_train)}, a difference" in item
    _, low, high = difference_interval(
        (int(train.right.sum()), int(analysis.trained.right.sum())), (2000, 1500)
    )
    assert low > 0
    points = f"{100 * (on_train - on_test):.2f} percentage points"
    assert f"a difference of {points} ({100 * low:.2f} to {100 * high:.2f})" in item
    assert "`train.augmentation`, `train.weight_decay` or `train.dropout`" in item


def history_of(*errors):
    columns = ("loss", "test_accuracy", "saturated", "update_ratio_W1", "update_ratio_W2")
    epochs = range(len(errors))
    history = pd.DataFrame({"epoch": epochs, "iteration": [600 * epoch for epoch in epochs]})
    return history.assign(train_accuracy=1 - np.array(errors), **dict.fromkeys(columns, 0.5))


FALLING = history_of(0.9, 0.3, 0.2, 0.1, 0.08)


def test_the_training_set_is_known_no_better(analysis):
    alike = dataclasses.replace(
        analysis, train_confusion=analysis.confusion, train_accuracy=analysis.trained.accuracy
    )
    item = the_one(findings(make_report(alike, history=FALLING)), "almost as often as test digits")
    assert "still falling, from 10.00% after epoch 3 to 8.00% after epoch 4: train for long" in item
    flat = history_of(0.9, 0.3, 0.2, 0.1, 0.1)
    item = the_one(findings(make_report(alike, history=flat)), "almost as often as test digits")
    assert "hardly falling at the end: try more hidden units" in item
    item = the_one(findings(make_report(alike)), "almost as often as test digits")
    assert "Train for longer, or with more hidden units" in item
    share = percent(1 - analysis.trained.accuracy)
    assert f"**: {share} against {share}, a difference of 0.00 percentage points (" in item


@pytest.mark.parametrize(
    ("errors", "expected"),
    [
        ((0.9, 0.3, 0.2, 0.1, 0.08), (3, 4, True)),
        ((0.9, 0.3, 0.2, 0.1, 0.096), (3, 4, False)),  # less than a twentieth
        ((0.9, 0.1), None),  # only the first epochs
        ((0.9,), None),
        ((0.9, 0, 0, 0, 0), (3, 4, False)),
        ((0.9, *[0.5] * 11, 0.4, 0.3, 0.3, 0.3, 0.3), (12, 16, True)),
    ],
)
def test_whether_the_training_error_still_falls(errors, expected):
    found = fall_at_the_end(history_of(*errors))
    if expected is None:
        assert found is None
    else:
        assert (found["from"], found["to"], found["is_falling"]) == expected
        ends = [errors[epoch] for epoch in expected[:2]]
        assert [found["before"], found["after"]] == pytest.approx(ends)


def trials_with(**errors):
    return Trials(
        data="MNIST",
        settings={},
        samples=1000,
        errors=(40, 42, 38),
        trials=tuple(
            Trial(changes={f"train.{name}": 0.5 for name in names.split("_and_")}, errors=each)
            for names, each in errors.items()
        ),
    )


TRIALS = {
    "rate": (20, 23, 19),
    "size": (39, 42, 38),
    "decay": (30, 33, 29),
    "rate_and_size": (10, 13, 9),
    "bad": (60, 63, 59),
}


def test_the_best_trial_of_one_change_is_cited(analysis):
    alike = dataclasses.replace(
        analysis, train_confusion=analysis.confusion, train_accuracy=analysis.trained.accuracy
    )
    pages = make_pages(alike, history=FALLING, trials=trials_with(**TRIALS))
    item = the_one(findings(pages["confusion"]), "almost as often as test digits")
    assert (
        "In [trials] with 3 seeds, `train.rate: 0.5` lowered the error on 1,000 samples held out "
        "from 4.00% to 2.07%, by 1.79 to 2.08 points." in item
    )
    assert "Where no trials are named, what is advised was not tried" in pages["confusion"]
    rows = table("| changed |", pages["training"])
    assert [row[0] for row in rows] == [
        "`train.rate: 0.5` and `train.size: 0.5`",
        *(f"`train.{name}: 0.5`" for name in ("rate", "decay", "size", "bad")),
    ]
    assert rows[1][1] == "2.07%"
    differences = np.array([20 - 40, 23 - 42, 19 - 38]) / 10
    expected = [differences.mean(), *ttest_1samp(differences, 0).confidence_interval()]
    assert [float(each) for each in re.findall(r"[-+]\d+\.\d+", rows[1][2])] == pytest.approx(
        expected, abs=0.0051
    )
    assert rows[4][2].startswith("+2.07")


def test_a_trial_that_is_no_better_is_not_cited(analysis):
    alike = dataclasses.replace(
        analysis, train_confusion=analysis.confusion, train_accuracy=analysis.trained.accuracy
    )
    others = {name: TRIALS[name] for name in ("size", "rate_and_size", "bad")}
    pages = make_pages(alike, history=FALLING, trials=trials_with(**others))
    assert "[trials]" not in pages["confusion"]
    assert "## What was tried" in pages["training"]
    assert "not with that on the test set. Unchanged, it is " in pages["training"]
    without = make_pages(alike, history=FALLING)
    assert "What is advised was not tried; `make compare` measures" in without["confusion"]
    assert "What was tried" not in without["training"]


def test_the_two_classes_that_are_confused_most(wrong, repeats, analysis, found):
    both = [tuple(sorted(pair)) for pair in wrong[["actual", "predicted"]].to_numpy().tolist()]
    counts = pd.Series(both).value_counts()
    first, second = most_confused(analysis)["classes"]
    count = counts.iloc[0]
    assert counts[first, second] == count
    item = the_one(found, "are confused most")
    n = len(wrong)
    share = f"{count} of the {n} errors, {percent(count / n)} {interval(count, n)}"
    assert item.startswith(f"**{first} and {second} are confused most**: {share}")
    t = analysis.trained.t
    times = [
        ((t == first) & (each == second)).sum() + ((t == second) & (each == first)).sum()
        for each in repeats
    ]
    others = f"{np.mean(times):.1f} on average ({min(times)} to {max(times)})"
    assert f"; with the other seeds {others}. What follows:" in item
    assert f"the accuracy would be {percent((1500 - n + count) / 1500)}." in item


def test_of_two_classes_or_few_errors_no_pair_is_named(degenerate_analysis):
    if len(degenerate_analysis.mistakes) < 5:
        assert most_confused(degenerate_analysis) is None


def test_the_doubtful_labels(analysis, repeats, wrong, found):
    issues = analysis.label_issues["index"].to_numpy()
    always = (repeats[:, issues] != analysis.trained.t[issues]).all(axis=0).sum()
    assert 0 < always < len(issues)
    item = the_one(found, "doubtful")
    begin = f"**{len(issues)} of the {len(wrong)} errors have a doubtful label**"
    assert item.startswith(f"{begin}; {always} of these occur with every seed. What follows:")
    accuracy = percent((1500 - len(wrong) + len(issues)) / 1500)
    assert "expect most to be correct; if all were wrong and the network right" in item
    assert f"its accuracy would be {accuracy}." in item


@pytest.fixture
def decided(analysis):
    """The analysis with a target accuracy that most of these predictions reach."""
    return dataclasses.replace(analysis, decided=[decide(analysis.trained, 0.75)])


def test_what_is_left_to_a_person(analysis, decided, wrong):
    found = findings(make_report(dataclasses.replace(decided, decided=[*decided.decided] * 2)))
    decided = decided.decided[0]
    half = np.arange(1500) % 2
    is_left = analysis.trained.table()["confidence"] < np.array(decided.thresholds)[1 - half]
    caught = is_left[wrong.index].sum()
    right = (~is_left).sum() - (len(wrong) - caught)
    item = the_one(found, "least sure of")
    low, high = binomtest(int(caught), len(wrong)).proportion_ci(method="wilson")
    shares = (
        f"{100 * caught / len(wrong):.1f}% of the errors ({100 * low:.2f} to {100 * high:.2f}%)"
    )
    among = f"are among the {100 * is_left.mean():.1f}% of the digits that it is least sure of."
    assert item.startswith(f"**{shares} {among}**")
    rest = f"{percent(right / (~is_left).sum())} {interval(int(right), int((~is_left).sum()))}"
    assert f"of the rest, {rest} are right" in item
    for threshold in decided.thresholds:
        assert f"{100 * threshold:.1f}%" in item


def test_the_shape_with_the_largest_excess_of_errors(analysis):
    slices = slices_at_random(analysis.trained, [analysis.trained.predicted] * 2)
    assert "misclassified against" not in " ".join(findings(make_report(analysis, slices=slices)))
    slices = slices.assign(finding=-1)
    weak = (slices["label"] == -1) & (slices["property"] == "thickness") & (slices["fifth"] == 0)
    slices.loc[weak, ["sign", "finding", "rate", "other_rate"]] = 1, 0, 0.5, 0.25
    item = the_one(findings(make_report(analysis, slices=slices)), "thinnest")
    assert item.startswith("**The thinnest quintile of all digits** (thickness 1.00 to ")
    assert "50.00% (" in item
    assert "misclassified against 25.00% (" in item
    assert item.rstrip().endswith("([Shapes])")
    other = (slices["property"] == "thickness") & (slices["label"] == 3) & (slices["fifth"] == 1)
    slices.loc[other, ["sign", "finding", "rate", "other_rate"]] = 1, 1, 0.5, 0.25
    item = the_one(findings(make_report(analysis, slices=slices)), "misclassified against")
    assert item.startswith("**The thinnest quintile of all digits**")
    assert "([Shapes], with 1 more)" in item


def test_the_vote_of_the_seeds(analysis, repeats, wrong, found):
    always = (repeats != analysis.trained.t).all(axis=0)[wrong["index"]].sum()
    item = the_one(found, "occur with all 4 seeds")
    n = len(wrong)
    assert item.startswith(f"**{always} of the {n} errors occur with all 4 seeds**, ")
    assert f"{percent(always / n)} {interval(int(always), n)}." in item
    vote = analysis.vote
    assert f"accuracy of {percent(vote.right / 1500)}: +" in item
    assert f": {100 * (vote.right - (1500 - n)) / 1500:+.2f} points (" in item
    assert "several networks are better than one" in item


def test_a_vote_that_is_no_better(analysis):
    same = analysis.trained.predicted
    t = analysis.trained.t
    alone = analyse_predictions(
        analysis.trained, analysis.untrained, analysis.train_confusion, np.array([same] * 2)
    )
    item = the_one(findings(make_report(alone)), "occur with all 3 seeds")
    assert "+0.00 points" in item
    assert "that several networks are better than one is not shown" in item
    worse = np.array([(t + 1) % 10] * 2)  # two that are always wrong outvote it
    worse = analyse_predictions(
        analysis.trained, analysis.untrained, analysis.train_confusion, worse
    )
    item = the_one(findings(make_report(worse)), "occur with all 3 seeds")
    assert "that several networks are better than one is not shown" in item


def test_the_class_that_is_recognised_least():
    t = np.repeat(np.arange(10), 200)
    predicted = t.copy()
    predicted[600:630], predicted[1000:1060] = 4, 6  # 30 of the 3s, 60 of the 5s
    predictions = Predictions.of(0.01 + 0.9 * np.eye(10)[predicted], t)
    counts = 100 * np.eye(10, dtype=int)
    counts[5, [5, 6]] = 90, 10
    analysis = analyse_predictions(predictions, predictions, counts, np.array([predicted] * 2))
    item = the_one(findings(make_report(analysis)), "recognised least")
    assert item.startswith(f"**5 is recognised least**: 70.00% {interval(140, 200)} of its samples")
    assert "on the training set 90.00%, against 99.00% of all" in item


def test_without_other_seeds_nothing_is_said_of_them(analysis):
    alone = analyse_predictions(
        analysis.trained, analysis.untrained, analysis.train_confusion, np.empty((0, 1500), int)
    )
    text = " ".join(findings(make_report(alone)))
    assert "seed" not in text
    assert "doubtful" in text
    assert vote_of_seeds(alone) is None


@pytest.mark.parametrize("degenerate_analysis", ["one error"], indirect=True)
def test_of_few_errors_little_is_said(degenerate_analysis):
    text = section(make_report(degenerate_analysis, cards=[0]), HEADING)
    assert "too few errors, 1, to say much" in text
    (item,) = findings(make_report(degenerate_analysis, cards=[0]))
    assert item.startswith("**The only error has a doubtful label**; it occurs with every seed.")
    assert "expect it to be correct; if it was wrong and the network right" in item


@pytest.mark.parametrize(
    ("train_errors", "is_small"), [(4770, True), (4200, True), (3900, False), (100, False)]
)
def test_a_gap_is_small_that_is_less_than_a_quarter_of_the_errors(analysis, train_errors, is_small):
    # of 15,000 training samples; 477 of 1,500 test samples, 31.8%, are misclassified
    of_class = train_errors // 10
    right, wrong = np.eye(10, dtype=int), np.roll(np.eye(10, dtype=int), 1, axis=1)
    train_confusion = (1500 - of_class) * right + of_class * wrong
    changed = dataclasses.replace(analysis, train_confusion=train_confusion)
    assert len(analysis.mistakes) == 477
    assert gap(changed)["is_small"] == is_small


def test_if_most_samples_were_left_to_a_person_nothing_is_advised(analysis):
    decided = analysis.decided[0]
    for samples, advised in ((750, True), (749, False)):
        few = decided._replace(samples=samples, right=samples, coverage=samples / 1500)
        found = left_to_a_person(dataclasses.replace(analysis, decided=[few]))
        assert (found is not None) == advised


def test_what_is_uncertain_must_hold_more_errors_than_chance(decided):
    (of_most,) = decided.decided
    right = round(of_most.samples * decided.trained.accuracy)
    by_chance = dataclasses.replace(decided, decided=[of_most._replace(right=right)])
    assert left_to_a_person(decided) is not None
    assert left_to_a_person(by_chance) is None


def test_without_errors_there_is_nothing_to_find(degenerate_analysis):
    text = section(make_report(degenerate_analysis, cards=[0]), HEADING)
    is_right = degenerate_analysis.mistakes.empty
    assert ("so there is nothing to improve on this test set" in text) == is_right
    assert ("What follows" in text) <= (not is_right)
    assert "nan" not in text
    assert np.isfinite(gap(degenerate_analysis)["difference"])
    if is_right:
        assert left_to_a_person(degenerate_analysis) is None
        assert doubtful_labels(degenerate_analysis) is None
