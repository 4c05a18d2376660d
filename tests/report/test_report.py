"""The report's tables and sentences, read back and compared with other libraries' figures."""

import dataclasses
import re

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest, fisher_exact
from sklearn import metrics as sklearn_metrics

from nnlib.analysis.analysis import analyse_predictions
from nnlib.analysis.confidence import expected_calibration_error, reliability
from nnlib.analysis.evidence import MeanEvidence, PairEvidence
from nnlib.analysis.predictions import Predictions
from nnlib.analysis.units import Units
from nnlib.data.corrections import DROPPED, no_corrections
from nnlib.data.datasets import MNIST
from nnlib.network.gradient_check import GradientCheck, ParameterCheck
from nnlib.report.confusion_report import report_pages
from tests.conftest import neighbours_at_random, slices_at_random, units_at_random
from tests.markdown import table

SAMPLES = [30, 2, 17]
HISTORY = pd.DataFrame(
    {
        "epoch": [0, 1],
        "iteration": [0, 600],
        "loss": [2.3, 0.8634],
        "train_accuracy": [0.1, 0.7855],
        "test_accuracy": [0.09, 0.7875],
        "saturated": [0.0, 0.0351],
        "update_ratio_W1": [0.0, 0.00416],
        "update_ratio_W2": [0.0, 0.00648],
    }
)
CHECK = GradientCheck(
    **{
        key: ParameterCheck(
            entries=entries,
            largest_gradient=0.0123,
            largest_difference=4.5e-11,
            largest_relative_error=6.78e-8,
        )
        for key, entries in (("W1", 100), ("b1", 50), ("W2", 99), ("b2", 10))
    }
)


def make_pages(
    analysis,
    cards=SAMPLES,
    *,
    evidence=(),
    slices=None,
    units=None,
    history=HISTORY,
    pairs=5,
    members=1,
    trials=None,
    corrections=None,
):
    if slices is None:
        slices = slices_at_random(analysis.trained)
    return report_pages(
        analysis,
        dataset=MNIST,
        activation="sigmoid",
        members=members,
        evidence=evidence,
        slices=slices,
        neighbours=neighbours_at_random(analysis.mistakes),
        units=units or units_at_random(samples=len(analysis.trained)),
        history=history,
        gradient_check=CHECK,
        iterations=1000,
        cards=cards,
        pairs=pairs,
        trials=trials,
        corrections=no_corrections() if corrections is None else corrections,
    )


def make_report(*args, **options):
    """All pages in one text."""
    return whole(make_pages(*args, **options))


def whole(pages):
    return "\n".join(pages.values())


@pytest.fixture(scope="module")
def pages(analysis):
    return make_pages(analysis)


@pytest.fixture(scope="module")
def report(pages):
    return whole(pages)


@pytest.fixture
def trained(analysis):
    return analysis.trained.table()


@pytest.fixture
def y(trained):
    return trained.loc[:, "p0":"p9"].to_numpy()


@pytest.fixture
def wrong(trained):
    return trained[trained["actual"] != trained["predicted"]]


def numbers(cell):
    return [float(number) for number in re.findall(r"\d+\.\d+", cell)]


def percent(cell):
    (number,) = numbers(cell)
    return number / 100


def percents(cell):
    """A share with its interval as a sentence has it, of a cell without the sign."""
    share, low, high = re.findall(r"\d+\.\d+", cell)
    return f"{share}% ({low} to {high}%)"


def section(report, heading):
    """The text under a heading, its lines joined."""
    _, text = re.split(rf"\n#+ {re.escape(heading)}\n", report, maxsplit=1)
    return " ".join(re.split(r"\n#+ ", text, maxsplit=1)[0].split())


def test_the_head(report, trained, wrong, *, train, repeats):
    n, errors = 1500, len(wrong)
    interval = binomtest(n - errors, n).proportion_ci(method="wilson")
    head = " ".join(report.split())
    assert report.startswith("# Confusion report: MNIST, test set\n")
    assert f"classifies {n - errors:,} of {n:,} digits correctly" in head
    assert f"accuracy of **{100 * (n - errors) / n:.2f}%**" in head
    low, high = (f"{100 * bound:.2f}" for bound in interval)
    assert f"(95% [Wilson interval](glossary.md#wilson-interval): {low} to {high}%)" in head
    assert f"with **{errors} errors**" in head
    train_accuracy = (train.t == train.predicted).mean()
    assert f"On the training set its accuracy is {100 * train_accuracy:.2f}%" in head
    accuracies = (repeats == trained["actual"].to_numpy()).sum(axis=1) / n
    mean, low, high = (100 * f(accuracies) for f in (np.mean, np.min, np.max))
    assert f"with 3 other seeds have a test accuracy of {mean:.2f}% on average" in head
    assert f", from {low:.2f}% to {high:.2f}%, with a standard deviation of " in head
    assert f"of {100 * accuracies.std(ddof=1):.2f} percentage points." in head


def test_the_matrix(report, trained):
    expected = sklearn_metrics.confusion_matrix(trained["actual"], trained["predicted"])
    rows = table("| |", report[report.index("## Confusion matrix") :])
    assert [row[0] for row in rows] == [f"**{digit}**" for digit in range(10)]
    recall = expected / expected.sum(axis=1, keepdims=True)
    for row, counts, shares in zip(rows, expected, recall, strict=True):
        assert row[1:] == [
            f"{count} ({100 * share:.2f})" if count else "0"
            for count, share in zip(counts, shares, strict=True)
        ]


def test_the_digits(report, trained, wrong):
    precision, recall, f1, support = sklearn_metrics.precision_recall_fscore_support(
        trained["actual"], trained["predicted"]
    )
    rows = table("| digit | support |", report)
    assert [int(row[0]) for row in rows] == list(range(10))
    assert [int(row[1]) for row in rows] == support.tolist()
    for digit, row in enumerate(rows):
        predictions = (trained["predicted"] == digit).sum()
        right = round(recall[digit] * support[digit])
        of_recall = binomtest(right, support[digit]).proportion_ci(method="wilson")
        of_precision = binomtest(right, predictions).proportion_ci(method="wilson")
        for cell, expected in (
            (row[2], [recall[digit], *of_recall]),
            (row[4], [precision[digit], *of_precision]),
            (row[5], [f1[digit]]),
            (row[6], [trained["confidence"][trained["actual"] == digit].mean()]),
        ):
            assert numbers(cell) == pytest.approx(100 * np.array(expected), abs=0.0051)
        readings = wrong["predicted"][wrong["actual"] == digit].value_counts()
        most = sorted(readings[readings == readings.max()].index)
        each = " each" if len(most) > 1 else ""
        assert row[7] == f"{', '.join(map(str, most))} ({readings.max()}{each})"


def test_the_recall_on_the_training_set(report, train):
    rows = table("| digit | support |", report)
    found = [float(row[3]) / 100 for row in rows]
    recall = sklearn_metrics.recall_score(train.t, train.predicted, average=None)
    assert found == pytest.approx(recall, abs=5.1e-5)


def test_the_pairs(report, trained, wrong, train, repeats):
    counts = wrong.groupby(["actual", "predicted"]).size().sort_values(ascending=False)
    rows = table("| actual |", report)
    assert len(rows) == 5
    running = 0
    for row, count in zip(rows, counts, strict=False):
        actual, predicted = int(row[0]), int(row[1])
        support = (trained["actual"] == actual).sum()
        running += count
        assert row[2] == f"{count} of {support}"
        assert counts[actual, predicted] == count
        interval = binomtest(count, support).proportion_ci(method="wilson")
        assert numbers(row[3]) == pytest.approx(
            100 * np.array([count / support, *interval]), abs=0.0051
        )
        of_train = train.predicted[train.t == actual]
        assert percent(row[4]) == pytest.approx((of_train == predicted).mean(), abs=5.1e-5)
        times = (repeats[:, trained["actual"] == actual] == predicted).sum(axis=1)
        mean, low, high = (f(times) for f in (np.mean, np.min, np.max))
        assert row[5] == f"{mean:.1f} ({low}\N{NO-BREAK SPACE}to\N{NO-BREAK SPACE}{high})"
        other_support = (trained["actual"] == predicted).sum()
        reverse = counts.get((predicted, actual), 0)
        assert row[6] == f"{reverse} of {other_support}"
        p = fisher_exact([[count, support - count], [reverse, other_support - reverse]]).pvalue
        assert float(row[7]) >= float(f"{p:.2g}")
        assert percent(row[8]) == pytest.approx(count / len(wrong), abs=5.1e-5)
        assert percent(row[9]) == pytest.approx(running / len(wrong), abs=5.1e-5)
    found = section(report, "Most-confused pairs")
    assert f"Of the 90 possible confusions, {len(counts)} occur." in found
    share = 100 * running / len(wrong)
    assert f"The 5 most frequent make up {share:.2f}% of all errors." in found


def test_the_pairs_after_the_first_five_are_collapsed(analysis):
    report = make_report(analysis, pairs=7)
    assert "The images of the first 5 pairs, " in report
    (fold,) = (fold for fold in folds(report) if "figures/more_pairs.png" in fold)
    assert "figures/pairs.png" not in fold
    report = make_report(analysis, pairs=5)
    assert "The images of these pairs, " in report
    assert "more_pairs" not in report


def folds(report):
    """The parts that are collapsed, as GitHub knows them: between blank lines."""
    opening = r"(?<=\n\n)<details><summary>[^<>&\n]+</summary>\n\n"
    return re.findall(opening + r"(.*?)\n\n</details>\n", report, re.DOTALL)


def test_tables_that_repeat_a_figure_are_collapsed(report):
    folded = folds(report)
    assert len(folded) == report.count("<details>") == report.count("<summary>")
    assert not any("\n## " in fold for fold in folded)  # no link leads into one
    heads = ["| **0** |", "| confidence |", "| index | actual |", "| rank |", "| unit |"]
    for head in heads:
        assert report.count(head) == "".join(folded).count(head) > 0


def test_intervals_stay_on_one_line(report):
    assert len(re.findall(r"\d\u00a0to\u00a0\d", report)) > 50
    assert re.findall(r"(?:\(\d+|\.\d+) to -?\d.*", report) == []
    assert "<br>" not in report


def test_words_are_explained_where_they_first_stand(pages):
    glossary = pages["glossary"]
    text = whole({name: page for name, page in pages.items() if name != "glossary"})
    links = set(re.findall(r"\(glossary\.md#([^)]+)\)", text))
    terms = re.findall(r"^## (.*)$", glossary, re.MULTILINE)
    assert terms == sorted(terms)
    assert {term.lower().replace("'", "").replace(" ", "-") for term in terms} == links
    words = ("wilson", "brier", "fisher", "holm", "mcnemar", "nats", "logit", "conformal")
    text = re.sub(r"(?<=\])\([^)]*\)", "", text)  # what is read of the links
    for word in (*words, "entropy", "loss", "expected calibration error", "significant"):
        before = text[: text.lower().index(word)]
        assert before.rfind("[") > before.rfind("]"), word  # in a link


def test_the_second_choices(report, trained, y):
    means = np.array([y[trained["actual"] == digit].mean(axis=0) for digit in range(10)])
    rows = table("| |", report[report.index("## Second choices") :])
    found = np.array([[float(cell.strip("*")) for cell in row[1:]] for row in rows])
    np.testing.assert_allclose(found, 100 * means, atol=0.0051)
    np.fill_diagonal(means, 0)
    bold = [[column for column, cell in enumerate(row[1:]) if "**" in cell] for row in rows]
    assert bold == [[second] for second in means.argmax(axis=1)]

    text = section(report, "Second choices")
    right = trained["actual"] == trained["predicted"]
    means_of_right = np.array(
        [y[right & (trained["actual"] == digit)].mean(axis=0) for digit in range(10)]
    )
    np.fill_diagonal(means_of_right, 0)
    for start, values in (
        (
            "Over all samples of an actual digit, the largest mean probabilities of another digit",
            means,
        ),
        ("Over only those that are classified correctly, they", means_of_right),
    ):
        triples = []
        for flat in np.argsort(values, axis=None)[::-1][:3]:
            actual, digit = divmod(int(flat), 10)
            triples.append(f"{100 * values[actual, digit]:.2f}% from {actual} to {digit}")
        assert f"{start} are {triples[0]}, {triples[1]} and {triples[2]}." in text
    rank = 1 + (means[7] > means[7, 1]).sum()
    assert f"from 7 to 1 is {100 * means[7, 1]:.2f}%, rank {rank} among the nine" in text
    assert f"and {100 * means_of_right[7, 1]:.2f}% over the 7s that are classified cor" in text


def test_the_confidence(report, analysis, trained, wrong):
    rows = table("| measure |", report)
    values = {re.sub(r"\[(.*)\]\(.*\)", r"\1", row[0]): row[1] for row in rows}
    mean, accuracy = trained["confidence"].mean(), 1 - len(wrong) / 1500
    assert percent(values["mean confidence"]) == pytest.approx(mean, abs=5.1e-5)
    gap = float(values["accuracy minus mean confidence"].removesuffix(" percentage points"))
    assert gap == pytest.approx(100 * (accuracy - mean), abs=0.0051)
    error = percent(values["expected calibration error"])
    assert error == pytest.approx(analysis.calibration_error, abs=5.1e-5)
    assert float(values["Brier score"]) == pytest.approx(analysis.brier_score, abs=5.1e-5)

    assert "averaged over 15 bins of equal width" in report
    full = analysis.reliability[analysis.reliability["count"] > 0]
    assert f"empty bins are left out ({15 - len(full)})" in report
    few = full["count"] < 30
    assert 0 < few.sum() < len(few)
    assert f"Bins with fewer than 30 predictions ({few.sum()}) are grey" in report
    rows = table("| confidence |", report)
    assert [int(row[1].strip("*").replace(",", "")) for row in rows] == full["count"].tolist()
    italic = [[cell.startswith("*") and cell.endswith("*") for cell in row] for row in rows]
    assert italic == [[each] * 4 for each in few]
    for row, found in zip(rows, full.to_dict("records"), strict=True):
        expected = [found["low"], found["high"]]
        assert numbers(row[0]) == pytest.approx(100 * np.array(expected), abs=0.0051)
        assert percent(row[2]) == pytest.approx(found["confidence"], abs=5.1e-5)
        expected = [found[name] for name in ("accuracy", "accuracy_low", "accuracy_high")]
        assert numbers(row[3]) == pytest.approx(100 * np.array(expected), abs=0.0051)

    rows = table("| target accuracy |", report)
    assert [row[0] for row in rows] == ["99.0%", "99.5%"]
    for row, found in zip(rows, analysis.decided, strict=True):
        assert row[0] == f"{100 * found.wanted:.1f}%"
        assert [float(t) for t in re.findall(r"[\d.]+", row[1])] == pytest.approx(
            100 * np.array(found.thresholds), abs=0.051
        )
        half = np.arange(1500) % 2
        decided = trained["confidence"] >= np.array(found.thresholds)[1 - half]
        right = (trained["actual"] == trained["predicted"])[decided].sum()
        assert row[2] == f"{decided.sum()} of 1,500 ({100 * decided.mean():.2f}%)"
        interval = binomtest(right, decided.sum()).proportion_ci(method="wilson")
        assert numbers(row[3]) == pytest.approx(
            100 * np.array([right / decided.sum(), *interval]), abs=0.0051
        )


def test_the_temperatures(report, analysis, trained):
    temperatures, calibrated = analysis.calibrated
    (head,) = re.findall(
        r"^\| \| as trained \| with the temperatures (.*) \|$", report, re.MULTILINE
    )
    assert [float(each) for each in head.split(" and ")] == pytest.approx(temperatures, rel=5e-3)
    loss, error = table("| | as trained |", report)
    assert float(loss[1]) == pytest.approx(trained["loss"].mean(), abs=5.1e-5)
    assert float(loss[2]) == pytest.approx(
        sklearn_metrics.log_loss(trained["actual"], calibrated.y, labels=range(10)), abs=5.1e-5
    )
    bins = reliability(calibrated)
    assert percent(error[1]) == pytest.approx(analysis.calibration_error, abs=5.1e-5)
    assert percent(error[2]) == pytest.approx(expected_calibration_error(bins), abs=5.1e-5)


def test_the_prediction_sets(report, analysis, trained):
    actual = trained["actual"].to_numpy()
    rows = table("| target coverage |", report)
    by_digit = table("| digit | coverage, target 90% |", report)
    assert [row[0] for row in rows] == ["90%", "95%", "99%"]
    for i, (row, sets) in enumerate(zip(rows, analysis.prediction_sets.values(), strict=True)):
        held, sizes = sets[np.arange(1500), actual], sets.sum(axis=1)
        interval = binomtest(held.sum(), 1500).proportion_ci(method="wilson")
        assert numbers(row[1]) == pytest.approx(
            100 * np.array([held.mean(), *interval]), abs=0.0051
        )
        assert float(row[2]) == pytest.approx(sizes.mean(), abs=5.1e-4)
        assert percent(row[3]) == pytest.approx((sizes == 1).mean(), abs=5.1e-5)
        assert percent(row[4]) == pytest.approx((sizes == 0).mean(), abs=5.1e-5)
        for digit, of_digit in enumerate(by_digit):
            assert percent(of_digit[1 + 2 * i]) == pytest.approx(
                held[actual == digit].mean(), abs=5.1e-5
            )
            assert float(of_digit[2 + 2 * i]) == pytest.approx(
                sizes[actual == digit].mean(), abs=5.1e-4
            )


def test_prediction_sets_of_none_and_of_all(analysis):
    sets = np.eye(10, dtype=bool)[analysis.trained.t]
    sets[:15], sets[15:45] = False, True
    changed = dataclasses.replace(analysis, prediction_sets={0.9: sets})
    (row,) = table("| target coverage |", make_report(changed))
    assert row[1].startswith("99.00%")
    assert row[2:] == ["1.170", "97.00%", "1.00%"]  # (1455 + 30 * 10) / 1500 classes


def test_the_mistakes(report, trained, wrong):
    worst = wrong.sort_values("loss", ascending=False).head(24)
    rows = table("| index | actual |", report)
    assert [int(row[0]) for row in rows] == worst["index"].tolist()
    for row, sample in zip(rows, worst.to_dict("records"), strict=True):
        assert [int(row[1]), int(row[2])] == [sample["actual"], sample["predicted"]]
        assert percent(row[3]) == pytest.approx(sample[f"p{sample['predicted']}"], abs=5.1e-5)
        assert percent(row[4]) == pytest.approx(sample[f"p{sample['actual']}"], abs=5.1e-5)
        assert float(row[5]) == pytest.approx(sample["loss"], abs=0.0051)
    text = section(report, "The mistakes with the highest loss")
    share = 100 * wrong["loss"].sum() / trained["loss"].sum()
    assert f"The errors make up {share:.2f}% of the total loss;" in text
    share = 100 * worst["loss"].sum() / trained["loss"].sum()
    assert f"the 24 with the highest, {share:.2f}% of the total, are shown" in text


def test_the_nearest_training_digits(report, wrong):
    neighbours = neighbours_at_random(wrong)
    rows = table("| nearest by |", report)
    assert [row[0] for row in rows] == ["activations", "pixels"]
    for row in rows:
        labels = neighbours.loc[neighbours["space"] == row[0], "label"].to_numpy().reshape(-1, 5)
        samples = wrong.sort_values("index")
        counts = [
            ((labels == samples[column].to_numpy()[:, np.newaxis]).sum(axis=1) > 2).sum()
            for column in ("predicted", "actual")
        ]
        majority = [np.bincount(each).max() > 2 for each in labels]
        counts += [sum(majority) - sum(counts), len(wrong) - sum(majority)]
        assert [int(cell.split(":")[0]) for cell in row[1:]] == counts
        for cell, count in zip(row[1:], counts, strict=True):
            interval = binomtest(int(count), len(wrong)).proportion_ci(method="wilson")
            assert numbers(cell) == pytest.approx(
                100 * np.array([count / len(wrong), *interval]), abs=0.0051
            )
    worst = wrong.sort_values("loss", ascending=False).head(12)
    rows = table("| index | actual | predicted | nearest", report)
    assert [int(row[0]) for row in rows] == worst["index"].tolist()
    for row in rows:
        for cell, space in zip(row[3:], ("activations", "pixels"), strict=True):
            labels = neighbours.query(f"index == {row[0]} and space == '{space}'")["label"]
            assert cell == ", ".join(map(str, labels))
    text = section(report, "Nearest training digits")
    assert "these are the 5 training samples at the smallest Euclidean distance" in text
    by_activations, by_pixels = (
        (row[1].split(":")[0], percents(row[1])) for row in table("| nearest by |", report)
    )
    text = text.replace("\N{NO-BREAK SPACE}", " ")
    majority = f"has the majority for {by_activations[0]} of the {len(wrong)} errors, "
    assert f"{majority}{by_activations[1]}, by the activations" in text
    assert f"and for {by_pixels[0]}, {by_pixels[1]}, by the pixels." in text


def test_the_units(report):
    units = units_at_random()
    rows = table("| unit | cost", report)
    assert [int(row[0]) for row in rows] == units.shown["unit"].tolist()
    for row, unit in zip(rows, units.shown.to_dict("records"), strict=True):
        cost, low, high = (float(number) for number in re.findall(r"-?\d+\.\d+", row[1]))
        assert cost == pytest.approx(100 * unit["cost"], abs=0.0051)
        if unit["fixed"] != unit["broken"]:
            assert low < cost < high
        assert [int(row[2]), int(row[3])] == [unit["broken"], unit["fixed"]]
        suffers = [str(unit["class"]), f"{100 * unit['class_cost']:.2f}"]
        assert row[6:8] == (suffers if unit["class_cost"] > 0 else ["none", "none"])
    text = section(report, "What each unit does")
    needed = ((units.table["p"] < 0.05) & (units.table["broken"] > units.table["fixed"])).sum()
    assert needed > 1
    assert f"Of the 30 units, {needed} have a significant cost: p of" in text
    assert "for all units, is below 0.05." in text
    assert "The 12 units that cost most are shown" in text


def test_there_may_be_no_unit_that_is_needed(analysis):
    units = units_at_random(hidden=3)
    none = Units(units.table.assign(p=1.0, class_cost=0.0), units.examples)
    report = make_report(analysis, units=none)
    assert [row[6:8] for row in table("| unit | cost", report)] == [["none", "none"]] * 3
    text = section(report, "What each unit does")
    assert "None of the 3 units has a significant cost: p of" in text
    assert "for all units, is nowhere below 0.05." in text
    assert "All units are shown" in text


def test_the_labels_to_check(report, analysis):
    issues = analysis.label_issues
    rows = table("| rank |", report)
    assert [int(row[0]) for row in rows] == list(range(1, 25))
    for row, issue in zip(rows, issues.head(24).to_dict("records"), strict=True):
        assert [int(cell) for cell in row[1:4]] == [
            issue[name] for name in ("index", "label", "looks_like")
        ]
        shares = [issue[name] for name in ("label_probability", "probability", "threshold")]
        assert [percent(cell) for cell in row[4:6]] == pytest.approx(shares[:2], abs=5.1e-5)
        assert row[6] == f"{100 * shares[2]:.1f}%"
        assert float(row[7]) == pytest.approx(issue["margin"], abs=5.1e-4)
    text = section(report, "Most doubtful labels")
    assert f"{len(issues)} give another digit at least its threshold" in text
    assert "The first 24 are shown here" in text
    assert "people confirmed 15 as wrong" in text


def test_before_and_after_training(report, analysis, trained):
    untrained = analysis.untrained.table()
    rows = {row[0]: row[1:] for row in table("| | before", report)}
    most = untrained["predicted"].mode()[0]
    times = (untrained["predicted"] == most).sum()
    assert f"The untrained network predicts {most} for {times} of 1,500 samples." in report
    for column, predictions in enumerate((untrained, trained)):
        confidence = percent(rows["mean confidence"][column])
        assert confidence == pytest.approx(predictions["confidence"].mean(), abs=5.1e-5)
        right = (predictions["actual"] == predictions["predicted"]).sum()
        p = predictions.loc[:, "p0":"p9"].to_numpy()
        interval = binomtest(right, 1500).proportion_ci(method="wilson")
        assert rows["classified correctly"][column] == f"{right:,} of 1,500"
        expected = 100 * np.array([right / 1500, *interval])
        found = numbers(rows["test accuracy (95% interval)"][column])
        assert found == pytest.approx(expected, abs=0.0051)
        (entropy,) = (row[column] for name, row in rows.items() if "entropy" in name)
        entropy = float(entropy)
        assert entropy == pytest.approx(-(p * np.log(p)).sum(axis=1).mean(), abs=5.1e-5)
    counts = [[int(cell) for cell in row] for row in table("| digit | samples |", report)]
    for digit, row in enumerate(counts):
        assert row == [
            digit,
            (trained["actual"] == digit).sum(),
            (untrained["predicted"] == digit).sum(),
            (trained["predicted"] == digit).sum(),
        ]


def test_the_cards(report, analysis):
    rows = table("| index, actual digit |", report)
    assert len(rows) == 2 * len(SAMPLES)
    for i, sample in enumerate(SAMPLES):
        before, after = rows[2 * i : 2 * i + 2]
        assert before[0] == f"{sample}, {analysis.trained.t[sample]}"
        for cells, network, predicted in (
            (before, "untrained", analysis.untrained.table()),
            (after, "trained", analysis.trained.table()),
        ):
            assert cells[1] == network
            assert int(cells[2]) == predicted["predicted"][sample]
            expected = predicted.loc[sample, "p0":"p9"].tolist()
            found = [float(cell) / 100 for cell in cells[3:]]
            assert found == pytest.approx(expected, abs=5.1e-5)


def test_the_training(report, analysis):
    assert table("| epoch |", report) == [
        ["0", "0", "2.3000", "10.00%", "9.00%", "0.00%", "no update", "no update"],
        ["1", "600", "0.8634", "78.55%", "78.75%", "3.51%", "0.00416", "0.00648"],
    ]
    assert table("| parameter |", report) == [
        [name, entries, "1.2e-02", "4.5e-11", "6.8e-08"]
        for name, entries in (("W1", "100"), ("b1", "50"), ("W2", "99"), ("b2", "10"))
    ]
    text = section(report, "The training")
    assert (
        "the [loss](glossary.md#loss) ln 10 = 2.3026. Before its training this one had 2.3000 on"
        in text
    )
    accuracy = 100 * analysis.trained.accuracy
    assert f"(iterations: 1,000) the test accuracy is {accuracy:.2f}%." in report


def why_confused(report):
    """The sentences on why the pairs are confused."""
    (found,) = re.findall(r"\n## Why they are confused\n(.*?)\n## ", report, re.DOTALL)
    return re.findall(r"^- \*\*.*$", found, re.MULTILINE)


def test_why_a_pair_is_confused_on_a_case_worked_by_hand(analysis):
    # Of the blank image the difference of the logits is -1; with the evidence of 3 it is +2. In
    # those classified correctly it is -1 + 0.5. The parts differ by 2 at the top right, by 1.5 in
    # the bottom row's middle, by -1 in the centre. At the top right is half as much ink again.
    confused = MeanEvidence(
        samples=2,
        image=np.array([[9.0, 9, 150], [9, 9, 9], [9, 9, 9]]),
        pixels=np.array([[0, 0, 2.5], [0, -1, 0], [0, 1.5, 0]]),
        units=np.array([1, -2, 0, 3, 0.5, 0.5]),  # 3 + 1 + 0.5 of 5 for it
    )
    right = MeanEvidence(9, np.full((3, 3), 100.0), np.array([[0, 0, 0.5], [0] * 3, [0] * 3]), None)
    pair = PairEvidence(actual=4, predicted=9, blank=-1.0, confused=confused, right=right)
    none_right = dataclasses.replace(pair, right=None)
    one_unit = dataclasses.replace(pair, confused=confused._replace(units=np.array([-1.0, 4.0])))
    no_unit = dataclasses.replace(pair, confused=confused._replace(units=np.array([-1.0, 0.0])))
    report = make_report(analysis, evidence=[pair, none_right, one_unit, no_unit])
    sentences = why_confused(report)
    whole_digit = "The odds of the whole digit are 7.4 to 1."  # e to the 2
    assert sentences[0] == sentences[2] == sentences[3]
    assert sentences[0] == (
        "- **4 classified as 9**: compared with correctly classified images of 4, the evidence "
        "differs most at the top right, where there is 50% more ink. This difference of the "
        f"evidence alone multiplies the odds of 9 against 4 by 7.4. {whole_digit}"
    )
    assert sentences[1] == (
        "- **4 classified as 9**: no digit of 4 is classified correctly, to compare with. "
        + whole_digit
    )
    rows = table("| actual | predicted | blank image |", report)
    sums = ["4", "9", "-1.00", "+3.00", "+2.00"]
    of_right = ["+0.50", "+2.50", "+2.00 (top right)"]
    assert rows == [
        [*sums, *of_right, "3, 0 and 4: 90.0%"],
        [*sums, "none", "none", "none", "3, 0 and 4: 90.0%"],
        [*sums, *of_right, "1: 100.0%"],
        [*sums, *of_right, "none"],
    ]
    assert "[why they are confused](#why-they-are-confused)" in report


@pytest.mark.parametrize(
    ("ink", "expected"),
    [(60.0, "40% less ink"), (104.0, None), (105.0, "5% more ink"), (96.0, None)],
)
def test_how_much_ink_there_is_in_the_part_that_differs(analysis, ink, expected):
    right = MeanEvidence(9, np.full((3, 3), 100.0), np.zeros((3, 3)), None)
    confused = MeanEvidence(2, np.full((3, 3), ink), np.eye(3) - np.diag([0, 1, 1]), np.ones(1))
    pair = PairEvidence(actual=4, predicted=9, blank=0.0, confused=confused, right=right)
    (sentence,) = why_confused(make_report(analysis, evidence=[pair]))
    has = f", where there is {expected}" if expected else ""
    assert (
        f"the evidence differs most at the top left{has}. This difference of the evidence"
        in sentence
    )
    assert "by 2.7. The odds of the whole digit are 2.7 to 1." in sentence  # e


@pytest.mark.parametrize(
    ("row", "column", "place"),
    [
        (0, 0, "top left"),
        (0, 4, "top"),
        (1, 8, "top right"),
        (3, 2, "left"),
        (4, 3, "centre"),
        (5, 6, "right"),
        (8, 1, "bottom left"),
        (6, 5, "bottom"),
        (7, 7, "bottom right"),
    ],
)
def test_the_place_on_the_picture(analysis, row, column, place):
    means = MeanEvidence(1, np.zeros((9, 9)), np.zeros((9, 9)), np.ones(1))
    confused = means._replace(pixels=np.eye(81)[9 * row + column].reshape(9, 9))
    pair = PairEvidence(actual=4, predicted=9, blank=0.0, confused=confused, right=means)
    (sentence,) = why_confused(make_report(analysis, evidence=[pair]))
    assert f"the evidence differs most at the {place}. This difference of the" in sentence


def test_a_degenerate_report_has_no_nan(degenerate_analysis, explain):
    evidence = explain(degenerate_analysis)[1]
    report = make_report(degenerate_analysis, cards=[0], evidence=evidence)
    assert ("why-they-are-confused" in report) == ("figures/evidence.png" in report)
    assert ("figures/evidence.png" in report) == (len(degenerate_analysis.mistakes) > 0)
    if evidence:
        assert len(why_confused(report)) == min(len(degenerate_analysis.pairs), 5)
    assert "nan" not in report
    support = degenerate_analysis.by_class["support"]
    for digit, row in enumerate(table("| digit | support |", report)):
        assert (row[2] == row[3] == row[6] == row[7] == "no samples") == (support[digit] == 0)
        predicted_as = (degenerate_analysis.trained.predicted == digit).sum()
        assert (row[4] == "no predictions") == (predicted_as == 0)
    rows = table("| |", report[report.index("## Second choices") :])
    for digit, row in enumerate(rows):
        assert (set(row[1:]) == {"no samples"}) == (support[digit] == 0)
    if degenerate_analysis.mistakes.empty:
        assert report.count("very digit was classified correctly") == 3
        assert "the network finds no label doubtful" in report
        assert "figures/mistakes.png" not in report
        assert "figures/neighbours.png" not in report
        assert "nearest-training" not in report
        assert "figures/pairs.png" not in report
        assert "figures/labels.png" not in report


@pytest.mark.parametrize("degenerate_analysis", ["one error"], indirect=True)
def test_one_error(degenerate_analysis):
    report = make_report(degenerate_analysis, cards=[0])
    assert "with **1 error**" in report
    assert "1 gives another digit at least" in report
    assert "All are shown here" in report
    link = "[significantly](glossary.md#statistically-significant)"
    assert f"The recall of no digit differs {link} from that of the others." in report
    assert f"No pair is confused {link} more often one way than the other." in report


@pytest.fixture
def planted():
    """5 is taken for 3 in 60 of 1,000 cases, 3 for 5 in 10; only 9 is always right."""
    confusion = np.full((10, 10), 10)
    confusion[5, 3], confusion[9] = 60, 0
    np.fill_diagonal(confusion, 1000 - confusion.sum(axis=1) + np.diag(confusion))
    t, predicted = np.repeat(np.divmod(np.arange(100), 10), confusion.ravel(), axis=1)
    predictions = Predictions.of(0.01 + 0.9 * np.eye(10)[predicted], t)
    return lambda repeats: analyse_predictions(
        predictions, predictions, confusion, np.tile(predicted, (repeats, 1))
    )


def test_what_is_significant_is_said(planted):
    report = " ".join(make_report(planted(repeats=2)).split())
    report = report.replace(
        "[significantly](glossary.md#statistically-significant)", "significantly"
    )
    lower, higher = re.findall(r"The recall is significantly .*? for (.*?\))\.", report)
    assert re.fullmatch(r"5 \(86\.00%, p .*\)", lower)
    assert re.fullmatch(r"9 \(100\.00%, p < 0\.0001\)", higher)
    assert (
        "5 is significantly more often classified as 3 than 3 as 5: 6.00% against 1.00% of the "
        "test samples (p < 0.0001), 6.00% against 1.00% of the training samples." in report
    )


def test_without_repeats_nothing_is_called_significant(planted):
    report = make_report(planted(repeats=0))
    assert "ignificantly" not in report
    assert report.count("was not measured, as the parameter `repeat.seeds` is 0") == 5
    assert {row[5] for row in table("| actual |", report)} == {"not measured"}
    assert "nan" not in report


@pytest.mark.parametrize("degenerate_analysis", ["all wrong"], indirect=True)
def test_a_coverage_that_nothing_reaches(degenerate_analysis):
    rows = table("| target accuracy |", make_report(degenerate_analysis, cards=[0]))
    none = ["none is enough, none is enough", "0 of 40 (0.00%)", ""]
    assert [row[1:] for row in rows] == [none, none]


def test_a_validation_has_columns_of_its_own(analysis):
    measured = {"validation_loss": [2.31, 0.9001], "validation_accuracy": [0.11, 0.7345]}
    rows = table("| epoch |", make_report(analysis, history=HISTORY.assign(**measured)))
    assert [row[5:7] for row in rows] == [["2.3100", "11.00%"], ["0.9001", "73.45%"]]


@pytest.mark.parametrize("n", [49, 50, 51, 715])
def test_of_many_epochs_fifty_are_listed_evenly(analysis, n):
    history = pd.concat([HISTORY.head(1)] * n, ignore_index=True).assign(epoch=range(n))
    report = make_report(analysis, history=history)
    epochs = [int(row[0]) for row in table("| epoch |", report)]
    assert len(epochs) == min(n, 50)
    assert (epochs[0], epochs[-1]) == (0, n - 1)
    assert max(np.diff(epochs)) - min(np.diff(epochs)) <= 1
    assert (f"Of {n} evaluations, 50 are listed." in report) == (n > 50)


def test_of_members_the_first_ones_course_is_named_as_such(analysis, report):
    told = make_report(analysis, members=3)
    assert (
        "an ensemble, the mean of the logits of 3 networks, each trained with its own seed." in told
    )
    assert "ensemble" not in report
    start = told.index("## The training\n\nThis network is an ensemble")
    assert "those of the first.\n\nA network that gives each" in told[start:]
    assert "## The training\n\nA network that gives each" in report


def test_the_notebooks_question_is_about_its_digits(analysis, report):
    assert "the mean from 7 to 1 is " in report
    words = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
    other = report_pages(
        analysis,
        dataset=MNIST.model_copy(update={"class_names": words}),
        activation="sigmoid",
        members=1,
        evidence=[],
        slices=slices_at_random(analysis.trained),
        neighbours=neighbours_at_random(analysis.mistakes),
        units=units_at_random(),
        history=HISTORY,
        gradient_check=CHECK,
        iterations=1000,
        cards=SAMPLES,
        pairs=5,
        trials=None,
        corrections=no_corrections(),
    )
    assert "notebook" not in whole(other)


def test_the_page_of_the_training_says_first_what_came_of_it(analysis, pages):
    falling = HISTORY.iloc[[0, 1, 1, 1, 1]].assign(
        epoch=range(5), train_accuracy=[0.1, 0.7, 0.8, 0.9, 0.95]
    )
    begin = (
        "# How the network learned: MNIST\n\nA page of the [confusion report](confusion.md).\n\n"
        "Training raised the test accuracy from "
    )
    before, after = (100 * each.accuracy for each in (analysis.untrained, analysis.trained))
    told = make_pages(analysis, history=falling)["training"]
    assert told.startswith(f"{begin}{before:.2f}% to {after:.2f}%.\nIt was not at its end: ")
    assert "3 to 4 the error on the training set still fell, from 10.00% to 5.00%." in told
    flat = falling.assign(train_accuracy=[0.1, 0.7, 0.8, 0.9, 0.9])
    told = make_pages(analysis, history=flat)["training"]
    assert "In its last quarter, the error on the training set hardly fell." in told
    assert "In its last quarter" not in pages["training"]  # of one epoch


def test_the_other_seeds(pages, repeats, trained):
    text = section(pages["training"], "Other seeds")
    shares = [
        f"{100 * each:.2f}%" for each in (repeats == trained["actual"].to_numpy()).mean(axis=1)
    ]
    assert f"accuracies are {shares[0]}, {shares[1]} and {shares[2]}; their standard dev" in text


def test_the_page_on_the_inside_says_first_what_a_unit_costs(pages, analysis):
    first = pages["network"].split("\n\n")[2]
    units = units_at_random()
    unit, cost, *_ = table("| unit | cost", pages["network"])[0]
    low, high = re.findall(r"\d+\.\d+", cost)[1:]
    needed = units.needed
    assert first.replace("\N{NO-BREAK SPACE}", " ") == (
        f"{needed} of the 30 hidden units are needed even if all others stay: leaving out "
        f"unit {unit}, which costs most, costs {cost.split()[0][:4]} percentage points "
        f"({low} to {high})."
    )
    none = Units(units.table.assign(p=1.0), units.examples)
    assert (
        "\n\nNone of the 30 hidden units is needed if all others stay: leaving out unit"
        in (make_pages(analysis, units=none)["network"])
    )


def test_corrected_labels_are_a_section(analysis, report):
    assert "orrected labels" not in report
    right, samples = int(analysis.trained.right.sum()), len(analysis.trained)
    # relabelled: the network agrees with the new label, with the old one; dropped: with the old one
    corrections = pd.DataFrame(
        [("test", 7, 3, 5, 5), ("test", 8, 3, 5, 3), ("test", 11, 4, DROPPED, 4)],
        columns=["set", "index", "given", "label", "predicted"],
    )
    pages = make_pages(analysis, corrections=corrections)
    told = pages["confusion"]
    rows = table("| accuracy of this network (95% interval) |", told)
    counts = [row[1].partition(":")[0] for row in rows]
    assert counts == [
        f"{right + 1:,} of {samples + 1:,}",
        f"{right:,} of {samples:,}",
        f"{right - 1:,} of {samples - 2:,}",
    ]
    accuracy = f"{100 * (right + 1) / (samples + 1):.2f}%"
    assert f"by the labels as given, its test accuracy is {accuracy}." in told
    assert "[corrected labels](#corrected-labels)" in told
    assert "## Corrected labels" in told
    assert "in the test set 2 samples got another label and 1 was dropped" in told
    assert table("| set | index in the published set |", told) == [
        ["test", "7", "3", "5", "5"],
        ["test", "8", "3", "5", "3"],
        ["test", "11", "4", "dropped", "4"],
    ]
    assert "an index counts the samples that are left" in told
    told = make_pages(analysis, corrections=corrections[:2])["confusion"]
    assert "an index counts" not in told
    many = pd.concat([corrections] * 40).assign(index=range(120))
    told = make_pages(analysis, corrections=many)["confusion"]
    assert "The first 100 of the 120 corrections" in told
    assert len(table("| set | index in the published set |", told)) == 100
