"""The quintiles of the ink in words, in the report's section and in its figure."""

import re

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from nnlib.analysis.analysis import analyse_predictions
from nnlib.analysis.confusion import confusion_matrix
from nnlib.analysis.ink import ink_properties
from nnlib.analysis.predictions import Predictions
from nnlib.analysis.slices import compare_quintiles
from nnlib.data.datasets import MNIST
from nnlib.report.figures import draw_slices
from nnlib.report.shapes import PROPERTIES, by_quintile, describe_slices, standing_out, values
from nnlib.report.style import BLUE, ORANGE
from tests.markdown import table
from tests.report.test_report import make_report, section

NAMES = [str(digit) for digit in range(10)]
N = 10_000
HEADING = "Which shapes are misclassified: MNIST, test set"


@pytest.fixture(scope="module")
def properties():
    """Properties that have nothing to do with each other or the class."""
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "thickness": 1 + rng.random(N),
            "slant": rng.normal(0, 0.3, N),
            "strokes": rng.choice([1.0, 2.0, 3.0], N, p=[0.9, 0.08, 0.02]),
        }
    )


@pytest.fixture(scope="module")
def predictions(properties):
    """4s of the most slanted quintile are wrong in 30% of cases, broken strokes in 15%."""
    actual = np.random.default_rng(1).integers(10, size=N)
    of_class = actual == 4
    slanted = of_class & (properties["slant"] > properties["slant"][of_class].quantile(0.8))
    rate = np.where(slanted, 0.3, np.where(properties["strokes"] > 1, 0.15, 0.04))

    def predict(seed):
        is_wrong = np.random.default_rng(seed).random(N) < rate
        return np.where(is_wrong, (actual + 5) % 10, actual)

    return actual, predict(2), np.array([predict(seed) for seed in (3, 4)])


def certain(actual, predicted):
    return Predictions.of(0.01 + 0.9 * np.eye(10)[predicted], actual)


def compare(properties, predictions):
    actual, predicted, repeats = predictions
    return compare_quintiles(properties, certain(actual, predicted), repeats)


@pytest.fixture(scope="module")
def slices(properties, predictions):
    return compare(properties, predictions)


def report_on(predictions, slices):
    actual, predicted, repeats = predictions
    trained, counts = certain(actual, predicted), confusion_matrix(actual, predicted, 10)
    analysis = analyse_predictions(trained, trained, counts, repeats)
    text = section(make_report(analysis, slices=slices), HEADING)
    return text.replace("\N{NO-BREAK SPACE}", " ")


def test_the_words_are_about_what_is_measured():
    assert list(PROPERTIES) == ink_properties(np.zeros((1, 2, 2), np.uint8)).columns.tolist()


@pytest.mark.parametrize(
    ("name", "ends", "expected"),
    [
        ("thickness", (1.094, 2.005), "1.09 to 2.00"),
        ("thickness", (2.001, 2.002), "2.00"),
        ("slant", (-1, np.sqrt(3)), "-45 to 60"),  # tangents
        ("slant", (-0.001, 0.001), "0"),
        ("x", (-0.5, -0.0), "-0.5 to 0"),
        ("width", (12, 12), "12"),
    ],
)
def test_a_range_in_words(name, ends, expected):
    assert values(name, *ends) == expected


def test_the_quintiles_have_names(slices):
    def names(key):
        return [(row["name"], row["range"]) for row in described if row["property"] == key][:5]

    described = describe_slices(slices, NAMES, "all digits")
    assert [name for name, _ in names("thickness")] == [
        *("thinnest quintile", "second thinnest quintile", "middle quintile"),
        *("second thickest quintile", "thickest quintile"),
    ]
    assert names("strokes")[:2] == [
        ("least broken quintile", "1"),
        ("most broken quintile", "2 to 3"),
    ]
    assert all(text.endswith(" degrees") for _, text in names("slant"))
    assert {row["whose"] for row in described} == {"all digits", *NAMES}


def test_an_empty_quintile_is_none(slices):
    rows = {
        row["name"]: row["quintiles"] for row in by_quintile(describe_slices(slices, NAMES, ""))
    }
    strokes = rows["number of strokes"]
    assert [each["samples"] > 0 if each else None for each in strokes] == [
        *(None, None, True, None, True)
    ]
    assert rows["width"] == [None] * 5


def test_the_most_errors_come_first_and_of_two_quintiles_the_worse(slices):
    described = describe_slices(slices, NAMES, "all digits")
    more, fewer = (standing_out(described, sign) for sign in (1, -1))
    first, second = more[:2]
    assert (first["whose"], first["name"]) == ("all digits", "most broken quintile")
    assert (second["whose"], second["name"]) == ("4", "most right-leaning quintile")
    for row in more:
        excess = row["errors"] - row["samples"] * row["other_errors"] / row["other_samples"]
        assert row["excess"] == pytest.approx(excess)
    assert (np.diff([row["excess"] for row in more]) <= 0).all()
    assert "strokes" not in {row["property"] for row in fewer}  # "fewer" if they are one


def test_of_those_with_fewer_errors_the_one_with_the_fewest_comes_first():
    described = [{"sign": -1, "full": 5, "excess": excess} for excess in (-3, -20, -5)]
    assert [row["excess"] for row in standing_out(described, -1)] == [-20, -5, -3]


def test_the_sentence_on_a_slice(predictions, slices):
    text = report_on(predictions, slices)
    (row,) = slices.query("property == 'slant' and label == 4 and fifth == 4").to_dict("records")
    found = re.search(
        r"1\. 4, the most right-leaning quintile \(slant (\d+) to (\d+) degrees, (\d+) of ([\d,]+)"
        r"\): ([\d.]+)% \(([\d.]+) to ([\d.]+)%\) misclassified "
        r"against ([\d.]+)% \(([\d.]+) to ([\d.]+)%\) of the others, p < 0.0001",
        text,
    )
    low, high, samples, of, *shares = (float(each.replace(",", "")) for each in found.groups())
    angles = np.degrees(np.arctan([row["least"], row["most"]]))
    assert [low, high] == [round(angle) for angle in angles]
    assert samples == row["samples"]
    assert of == (predictions[0] == 4).sum()
    keys = ("rate", "low", "high", "other_rate", "other_low", "other_high")
    np.testing.assert_allclose(shares, [100 * row[key] for key in keys], atol=0.00501)
    more = slices[slices["sign"] > 0]
    assert f"frequent in {len(more)} of the {len(slices)} quintiles tested, p adjusted for" in text
    assert f"they are one finding: there are {more['finding'].nunique()}, the largest" in text
    assert "all are the same" in report_on(predictions, slices.assign(finding=slices["sign"] - 1))
    assert text.count(" 1. ") == more["finding"].nunique()
    assert "higher than that of the others in the most broken quintile](figures" in text


def test_what_is_found_twice_is_said_once(predictions, slices):
    text = report_on(predictions, slices)
    strokes = slices.query("property == 'strokes' and sign == 1")
    assert strokes["label"].tolist()[0] == -1
    assert len(strokes) > 2
    also = [f"{label}, the most broken quintile" for label in strokes["label"].tolist()[1:]]
    item = text[
        text.index("1. All digits, the most broken quintile") : text.index(" 1. 4, the most")
    ]
    assert item.count("misclassified against") == 1
    assert all(each in item for each in also)
    assert text.index("1. All digits, the most broken") < text.index("1. 4, the most right")


def test_the_table_of_the_quintiles(predictions, slices):
    actual, predicted, repeats = predictions
    trained, counts = certain(actual, predicted), confusion_matrix(actual, predicted, 10)
    analysis = analyse_predictions(trained, trained, counts, repeats)
    rows = table("| property | definition |", make_report(analysis, slices=slices))
    assert [row[0] for row in rows] == [words.name for words in PROPERTIES.values()]
    of_all = slices.query("property == 'thickness' and label == -1")
    for cell, rate in zip(rows[0][2:], of_all["rate"], strict=True):
        assert f"pixels: {100 * rate:.2f} (" in cell.replace("\N{NO-BREAK SPACE}", " ")
    assert [cell == "empty" for cell in rows[-1][2:]] == [True, True, False, True, False]


def test_where_nothing_stands_out_the_report_says_so(properties, predictions):
    actual, predicted, _ = predictions
    shuffled = np.random.default_rng(9).permutation(predicted != actual)
    predicted = np.where(shuffled, (actual + 5) % 10, actual)
    predictions = actual, predicted, np.array([predicted] * 2)
    slices = compare(properties, predictions)
    text = report_on(predictions, slices)
    link = "[significantly](glossary.md#statistically-significant)"
    assert f"In 165 comparisons, errors are in no quintile {link} more frequent than in" in text
    assert "misclassified against" not in text
    assert text.count("<details>") == 1


def test_without_other_seeds_significance_was_not_measured(properties, predictions):
    predictions = *predictions[:2], np.empty((0, N), int)
    text = report_on(predictions, compare(properties, predictions))
    assert "was not measured, as the parameter `repeat.seeds` is 0" in text
    assert "ignificantly" not in text
    assert "misclassified against" not in text


def test_the_figure_has_a_panel_for_each_property(tmp_path, drawn, slices):
    draw_slices(tmp_path, slices, MNIST)
    panels = drawn[0].axes
    assert [axes.get_title().split(" (")[0] for axes in panels] == [
        words.name for words in PROPERTIES.values()
    ]
    for axes, key in zip(panels, PROPERTIES, strict=True):
        of_all = slices[(slices["property"] == key) & (slices["label"] == -1)]
        full = of_all[of_all["samples"] > 0]
        assert axes.get_xticks().tolist() == full["fifth"].tolist()
        points = {}
        for container in axes.containers:
            line, _, (bars,) = container
            colour = to_hex(line.get_color()).upper()
            for x, y, bar in zip(*line.get_data(), bars.get_segments(), strict=True):
                points[int(x)] = y, bar[0, 1], bar[1, 1], colour
        for row in full.to_dict("records"):
            *shares, colour = points.pop(row["fifth"])
            np.testing.assert_allclose(shares, [100 * row[k] for k in ("rate", "low", "high")])
            assert colour == (ORANGE if row["sign"] else BLUE)
        assert not points
    strokes = panels[-1]
    assert [label.get_text() for label in strokes.get_xticklabels()] == ["1", "2 to\n3"]
    assert len(panels[0].lines) > 1  # the dashed line is that of all
    assert strokes.get_ylim()[0] == 0
