"""The report on two sets of predictions, its figures too, against a comparison worked by hand."""

import itertools
import re
from html import escape

import numpy as np
import pytest
from matplotlib.text import Text
from PIL import Image

from experiments.compare.comparison import compare_predictions
from experiments.compare.figures import MOST_CLASSES, draw_confusion_change, picture
from experiments.compare.report import MOST_ROWS, comparison_report, seeds_verdict, verdict
from experiments.compare.seeds import summarise_seeds
from experiments.compare.shared import Labelled, predictions_of_shared, shared_samples
from nnlib.analysis.predictions import Predictions
from nnlib.data.datasets import MNIST
from nnlib.network.functions import softmax
from nnlib.report.pages import FOLD, page
from nnlib.stats.paired import equivalence, paired_difference_interval
from tests.conftest import DEGENERATE
from tests.markdown import table

NAMES = ("bar", "dot", "ring", "arc", "cross", "star", "wave", "fan", "key", "leaf", "eye")
SHAPES = MNIST.model_copy(update={"name": "shapes", "class_names": NAMES, "class_noun": "shape"})
LETTERS = MNIST.model_copy(update={"class_names": ("a", "b", "c"), "class_noun": "letter"})
ACTUAL = np.array([0, 0, 1, 1, 1, 2, 2, 2])
BEFORE = np.array(
    [
        *([0.7, 0.2, 0.1], [0.3, 0.6, 0.1], [0.2, 0.7, 0.1], [0.1, 0.4, 0.5]),
        *([0.2, 0.6, 0.2], [0.6, 0.1, 0.3], [0.1, 0.7, 0.2], [0.1, 0.1, 0.8]),
    ]
)
AFTER = np.array(
    [
        *([0.9, 0.1, 0.0], [0.8, 0.2, 0.0], [0.1, 0.8, 0.1], [0.1, 0.9, 0.0]),
        *([0.5, 0.4, 0.1], [0.7, 0.1, 0.2], [0.2, 0.2, 0.6], [0.0, 0.1, 0.9]),
    ]
)
# Right before: 0, 2, 4, 7. Right after: all but 4 and 5. So 1, 3 and 6 are fixed, 4 is broken, and
# 5 is wrong in both.


@pytest.fixture(scope="module")
def comparison():
    return compare_predictions(Predictions.of(BEFORE, ACTUAL), Predictions.of(AFTER, ACTUAL))


def all_shared(t, dataset):
    """Test sets that are the same."""
    images = np.arange(len(t), dtype=np.uint16).reshape(-1, 1, 1)
    return shared_samples(*[Labelled(images, t, dataset.class_names, images[:0])] * 2)


def make_report(comparison, seeds=None, explored=None, t=ACTUAL):
    return comparison_report(
        comparison,
        all_shared(t, LETTERS),
        dataset=LETTERS,
        data_verdict="",
        before_label="old",
        after_label="new",
        parameters=[("train.learning_rate", 0.1, 0.2)],
        commits=[{"side": "after", "hash": "abc1234", "subject": "Learn faster"}],
        seeds=seeds,
        explored=explored,
    )


@pytest.fixture(scope="module")
def report(comparison):
    return make_report(comparison)


def test_the_verdict(comparison, report):
    # 4 tosses with 1 head or fewer, or 3 or more: 10 of 16 ways
    sentence = (
        "3 fixed, 1 broken: 2 more of 8 are right. By chance alone, a difference at least this "
        "large occurs in 62% of cases (exact McNemar test). The accuracies are shown neither to "
        "differ nor to be equivalent within ±0.5 points (two one-sided tests, p = 0.84)."
    )
    assert verdict(comparison) == sentence
    assert f"**{sentence}**" in report
    assert "Before: old. After: new." in report
    assert table("| parameter |", report) == [["`train.learning_rate`", "0.1", "0.2"]]
    assert "- after: abc1234 Learn faster" in report


@pytest.mark.parametrize(
    ("fixed", "chance"), [(4, "12%"), (5, "6.25%"), (8, "0.78%"), (20, "< 0.01%")]
)
def test_the_verdict_has_two_digits_where_chance_is_rare(fixed, chance):
    t = np.zeros(fixed, int)
    before, after = np.tile([0.4, 0.6], (fixed, 1)), np.tile([0.6, 0.4], (fixed, 1))
    text = verdict(compare_predictions(Predictions.of(before, t), Predictions.of(after, t)))
    assert f"occurs in {chance} of cases" in text  # 2 / 2 ** fixed


def test_the_overall_rows(report):
    rows = {row[0].split(" (")[0]: row[1:] for row in table("| | before | after |", report)}
    assert rows["right"] == ["4", "6", "+2"]
    before, after, change = rows["accuracy"]
    assert before.startswith("50.00% (")
    assert after.startswith("75.00% (")
    low, high = paired_difference_interval(3, 1, 8)
    assert change == f"+25.00 points ({100 * low:+.2f} to {100 * high:+.2f})"
    of_equivalence = equivalence(3, 1, 8)
    low, high = 100 * of_equivalence.low, 100 * of_equivalence.high
    assert f"if the 90% interval of the difference, {low:+.2f} to {high:+.2f} points" in " ".join(
        report.split()
    )
    # -ln of the actual letter's probability, averaged: by hand from the columns above
    losses = [
        -np.log([0.7, 0.3, 0.7, 0.4, 0.6, 0.3, 0.2, 0.8]).mean(),
        -np.log([0.9, 0.8, 0.8, 0.9, 0.4, 0.2, 0.6, 0.9]).mean(),
    ]
    assert rows["loss"] == [f"{losses[0]:.4f}", f"{losses[1]:.4f}", f"{losses[1] - losses[0]:+.4f}"]
    # (7 + 6 + 7 + 5 + 6 + 6 + 7 + 8) / 80 and (9 + 8 + 8 + 9 + 5 + 7 + 6 + 9) / 80
    assert rows["mean confidence"] == ["65.00%", "76.25%", "+11.25 points"]


def test_what_became_of_the_samples(report):
    assert table("| | right after |", report) == [
        ["right before", "3", "1 broken"],
        ["wrong before", "3 fixed", "1, 0 of them in another way"],
    ]
    # 0, 2, 5 and 7
    assert "4 of 8 samples have the same prediction." in report


def test_letter_by_letter(report):
    assert table("| letter |", report) == [
        ["a", "2", "50.00%", "100.00%", "1", "0", "+1"],
        ["b", "3", "66.67%", "66.67%", "1", "1", "+0"],
        ["c", "3", "33.33%", "66.67%", "1", "0", "+1"],
    ]


def gallery(report, title):
    return table("| | ", report[report.index(f"## {title}\n") :])


def test_the_galleries_have_the_largest_change_first(report):
    assert gallery(report, "Fixed") == [
        ["index", "1", "3", "6"],
        ["actual", "a", "b", "c"],
        ["before", "b at 60%", "c at 50%", "b at 70%"],
        ["after", "a at 80%", "b at 90%", "c at 60%"],
    ]
    assert gallery(report, "Broken") == [
        ["index", "4"],
        ["actual", "b"],
        ["before", "b at 60%"],
        ["after", "a at 50%"],
    ]
    assert "\n## Wrong in another way\n\nNone.\n" in report


def test_the_pairs(report):
    # each of the changes is of one sample, which is not significant
    assert table("| one direction |", report) == [
        ["a classified as b", "1 → 0", "1", "b classified as a", "0 → 1", "1"],
        ["b classified as c", "1 → 0", "1", "c classified as b", "1 → 0", "1"],
    ]


def test_each_direction_of_a_pair_has_its_p():
    t = np.array([0] * 8 + [1])
    before, after = (Predictions.of(0.1 + 0.7 * np.eye(3)[read], t) for read in (1 - t, t))
    # 8 tosses, all heads or all tails: 2 of 256 ways, times the 6 directions; and one toss
    assert table("| one direction |", make_report(compare_predictions(before, after), t=t)) == [
        ["a classified as b", "8 → 0", "0.047", "b classified as a", "1 → 0", "1"],
    ]


def test_many_samples_are_collapsed_or_left_out():
    t = np.repeat([0, 1, 2], 10)
    first, second = (
        Predictions.of(np.full((30, 3), 0.1) + 0.7 * np.eye(3)[(t + turn) % 3], t)
        for turn in (1, 2)
    )
    report = make_report(compare_predictions(first, second), t=t)
    shown = report[report.index("## Wrong in another way\n") :]
    assert "\n30 samples, wrong before and after, but classified as a different letter" in shown
    index, *_ = table("| | ", shown)
    assert index == ["index", *map(str, range(8))]
    folded = shown[shown.index("<details>") :]
    assert "the 24 whose probability changed most</summary>" in folded
    assert [row[0] for row in table("| index |", folded)] == [str(i) for i in range(24)]
    assert table("| actual | before", folded) == [
        ["a", "b → c", "10"],
        ["b", "c → a", "10"],
        ["c", "a → b", "10"],
    ]


@pytest.mark.parametrize(("explored", "predicted"), [("before", "b"), ("after", "a")])
def test_every_letter_is_linked_into_the_explorer(comparison, explored, predicted):
    report = make_report(comparison, explored=explored)
    assert (
        f"[the explorer](explorer.html), which shows the network {explored} the change." in report
    )
    first = f"explorer.html#actual=a&predicted={predicted}&index=1)"
    assert f"[![index 1](compare/fixed-1.png)]({first}" in report
    assert gallery(report, "Fixed")[0][1] == f"[1]({first}"
    assert table("| one direction |", report)[0][0] == (
        "[a classified as b](explorer.html#actual=a&predicted=b)"
    )
    assert table("| letter |", report)[1][0] == "[b](explorer.html#actual=b)"


def test_nothing_is_linked_into_an_explorer_of_another_network(report):
    assert "explorer.html#" not in report
    assert "There are no links to the explorer" in report


@pytest.mark.parametrize("name", DEGENERATE)
def test_where_something_is_missing_or_all_alike(name):
    predicted, t, rest = DEGENERATE[name](np.arange(40) % 10)
    first, second = (
        Predictions.of(rest + (1 - 10 * rest) * np.eye(10)[read], t)
        for read in (predicted, (predicted + 2) % 10)
    )
    for sides in ((first, second), (second, first), (first, first)):
        report = comparison_report(
            compare_predictions(*sides),
            all_shared(t, MNIST),
            dataset=MNIST,
            data_verdict="",
            before_label="old",
            after_label="new",
            parameters=[],
            commits=[],
            seeds=None,
            explored="after",
        )
        assert report.count("<details>") == report.count("</details>")
        assert "nan" not in report


def test_a_loss_that_holds_over_the_seeds(comparison):
    seeds = summarise_seeds([1, 2, 3], [0.95, 0.952, 0.951], [0.90, 0.903, 0.901])
    report = make_report(comparison, seeds)
    *runs, mean, deviation = table("| seed |", report)
    assert runs == [
        ["1", "95.00%", "90.00%", "-5.00"],
        ["2", "95.20%", "90.30%", "-4.90"],
        ["3", "95.10%", "90.10%", "-5.00"],
    ]
    # the standard error is 0.0577 / sqrt(3) points, and Student's quantile 4.3027
    assert mean == ["mean", "95.10%", "90.13%", "-4.97 (-5.11 to -4.82)"]
    assert deviation == ["standard deviation (points)", "0.10", "0.15", "0.06"]
    text = seeds_verdict(seeds)
    assert text in report
    assert "goes from 95.10% to 90.13%: -4.97 points, with a 95% interval of -5.11 to -4.82" in text
    assert text.endswith("; this is statistically significant (paired t test, p = 4.5e-05).")


def test_the_figure_of_the_change(tmp_path, drawn, comparison):
    change = comparison.confusion_change
    draw_confusion_change(tmp_path, change, LETTERS)
    assert (tmp_path / "confusion.png").read_bytes()[1:4] == b"PNG"
    axes = drawn[0].axes[0]
    texts = np.full((3, 3), None)
    for text in axes.texts:
        column, row = text.get_position()
        texts[row, column] = text.get_text()
    assert texts.tolist() == [["+1", "-1", "0"], ["+1", "0", "-1"], ["0", "-1", "+1"]]
    np.testing.assert_array_equal(axes.images[0].get_array(), change)
    more, fewer = axes.images[0].to_rgba([5, -5])[:, :3]
    assert more[0] > more[2]  # orange: more red than blue
    assert fewer[0] < fewer[2]  # purple
    assert [label.get_text() for label in axes.get_xticklabels()] == ["a", "b", "c"]
    assert axes.get_title() == "Change of the confusion matrix"


def predict_twice(t, classes):
    rng = np.random.default_rng(0)
    shape = (len(t), classes)
    logits = [2 * rng.standard_normal(shape) + skill * np.eye(classes)[t] for skill in (2, 4)]
    return compare_predictions(*(Predictions.of(softmax(each), t) for each in logits))


T = np.random.default_rng(1).integers(11, size=300)


@pytest.fixture(scope="module")
def comparison_of_shapes():
    return predict_twice(T, 11)


def report_of(comparison, shared, dataset, data_verdict="", explored=None):
    return comparison_report(
        comparison,
        shared,
        dataset=dataset,
        data_verdict=data_verdict,
        before_label="before",
        after_label="after",
        parameters=[],
        commits=[],
        seeds=None,
        explored=explored,
    )


def test_the_comparison_speaks_of_its_classes(comparison_of_shapes):
    report = report_of(comparison_of_shapes, all_shared(T, SHAPES), SHAPES)
    assert "digit" not in report
    assert [row[0] for row in table("| shape |", report)] == list(SHAPES.class_names)
    rows = table("| index | actual | before |", report[report.index("## Fixed") :])
    fixed = comparison_of_shapes.fixed.head(len(rows)).to_dict("records")
    for sample, row in zip(fixed, rows, strict=True):
        keys = ("actual", "predicted_before", "predicted_after")
        names = [SHAPES.class_names[sample[key]] for key in keys]
        assert [cell.split(" at ")[0] for cell in row[1:4]] == names
    assert len(rows) > 2


@pytest.mark.parametrize(
    ("explored", "first", "second"),
    [
        ("before", "actual=b&predicted=b&index=2", "actual=a&predicted=b&index=1"),
        ("after", "actual=b&predicted=a&index=0", "actual=a&predicted=a&index=1"),
    ],
)
def test_samples_have_the_index_of_the_later_set_and_links_that_of_the_explorers(
    explored, first, second
):
    images = np.arange(4, dtype=np.uint8).reshape(-1, 1, 1)
    before = Labelled(images, np.array([0, 0, 1, 0]), ("a", "b"), images[:0])
    after = Labelled(images[[2, 1]], np.array([1, 0]), ("a", "b"), images[:0])
    shared = shared_samples(before, after)
    predictions = (
        Predictions.of([[0.9, 0.1], [0.1, 0.9], [0.1, 0.9], [0.9, 0.1]], before.labels),
        Predictions.of([[0.8, 0.2], [0.6, 0.4]], after.labels),
    )
    comparison = compare_predictions(
        *(
            predictions_of_shared(each, ("a", "b"), rows, shared)
            for each, rows in zip(predictions, (shared.before, shared.after), strict=True)
        )
    )
    report = report_of(comparison, shared, LETTERS, "They differ.", explored)
    assert "\n\nThey differ.\n\n" in report
    assert gallery(report, "Broken")[0] == ["index", f"[0](explorer.html#{first})"]
    assert gallery(report, "Fixed")[0] == ["index", f"[1](explorer.html#{second})"]


EVIL = ('=1+1,"|', "<script>alert(1)</script>", "![x](y.png) `*_[z]", "名前" * 20)


def page_folds(text):
    """How many parts of a report are collapsed on its page."""
    return sum(FOLD.fullmatch(line) is not None for line in text.splitlines()) // 2


def test_names_are_shown_as_they_stand_and_do_no_harm(tmp_path):
    dataset = MNIST.model_copy(
        update={"name": "<i>my</i> | set", "class_names": EVIL, "class_noun": "thing <b>"}
    )
    t = np.arange(400) % 4
    text = report_of(predict_twice(t, 4), all_shared(t, dataset), dataset, explored="after")
    assert text.startswith("# What changed: \\<i\\>my\\</i\\> \\| set, test set\n")
    assert text.count("<details>") == text.count("<summary>") == text.count("</details>") > 3
    assert page_folds(text) == text.count("</details>")
    (tmp_path / "compare").mkdir()
    for name in re.findall(r"\((compare/[\w-]+\.png)\)", text):
        (tmp_path / name).touch()
    html = page(text, tmp_path)
    assert "<script>alert" not in html
    assert not re.search(r"<i\W", html)
    assert not re.search(r"<b\W", html)
    assert 'src="y.png' not in html
    for name in (*EVIL, "<i>my</i> | set"):
        assert escape(name, quote=False) in html.replace("&quot;", '"')
    # each row of a table has the cells of its head
    for head in ("thing", "one direction", "index | actual | before"):
        heads = [line for line in text.splitlines() if line.startswith(f"| {head}")]
        assert heads
        for line in heads:
            cells = len(re.findall(r"(?<!\\)\|", line))
            first = text.splitlines().index(line)
            for row in itertools.takewhile(
                lambda line: line.startswith("|"), text.splitlines()[first:]
            ):
                assert len(re.findall(r"(?<!\\)\|", row)) == cells, row


def test_two_classes():
    dataset = MNIST.model_copy(update={"class_names": ("no", "yes"), "class_noun": "answer"})
    t = np.arange(60) % 2
    report = report_of(predict_twice(t, 2), all_shared(t, dataset), dataset)
    assert [row[0] for row in table("| answer |", report)] == ["no", "yes"]
    assert len(table("| one direction |", report)) == 1


def test_of_a_hundred_classes_the_largest_changes_are_shown(tmp_path, drawn):
    names = tuple(f"class {number} of a hundred" for number in range(100))
    dataset = MNIST.model_copy(update={"class_names": names, "class_noun": "entity"})
    t = np.arange(2000) % 100
    comparison = predict_twice(t, 100)
    report = report_of(comparison, all_shared(t, dataset), dataset)
    assert len(table("| entity |", report)) == 100
    assert f"The matrix has the {MOST_CLASSES} entities with the largest changes." in report
    pairs = report[report.index("## Pairs") :]
    assert f"The next {MOST_ROWS} of {len(comparison.pairs):,} pairs with a change" in pairs
    assert len(table("| one direction |", pairs[pairs.index("<details>") :])) == MOST_ROWS
    assert f"the {MOST_ROWS} most frequent of {len(comparison.switches):,}" in report

    change = comparison.confusion_change
    draw_confusion_change(tmp_path, change, dataset)
    axes = drawn[0].axes[0]
    assert "the 20 classes with the largest changes" in axes.get_title()
    shown = [names.index(label.get_text()) for label in axes.get_yticklabels()]
    assert shown == sorted(shown)
    sizes = np.abs(change).sum(axis=0) + np.abs(change).sum(axis=1)
    assert sorted(sizes[shown]) == sorted(sizes)[-20:]
    np.testing.assert_array_equal(axes.images[0].get_array(), change[np.ix_(shown, shown)])


def test_the_figure_of_the_change_names_its_classes(tmp_path, drawn, comparison_of_shapes):
    draw_confusion_change(tmp_path, comparison_of_shapes.confusion_change, SHAPES)
    axes = drawn[0].axes[0]
    for labels in (axes.get_xticklabels(), axes.get_yticklabels()):
        assert [label.get_text() for label in labels] == list(SHAPES.class_names)
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("predicted shape", "actual shape")
    assert not any("digit" in text.get_text() for text in drawn[0].findobj(Text))


def test_the_figure_numbers_classes_whose_names_it_cannot_show_as_the_data_set_does(
    tmp_path, drawn
):
    names = (*(f"kind {label}" for label in range(30)), "犬", "long " * 8 + "name")
    dataset = MNIST.model_copy(update={"class_names": names, "class_noun": "動物"})
    t = np.repeat([30, 31, *range(30)], [60, 60, *[2] * 30])
    comparison = predict_twice(t, 32)
    draw_confusion_change(tmp_path, comparison.confusion_change, dataset)
    axes = drawn[0].axes[0]
    shown = [label.get_text() for label in axes.get_yticklabels()]
    assert shown[-2] == "label 30"
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("predicted class", "actual class")
    report = report_of(comparison, all_shared(t, dataset), dataset)
    assert f"\nIn it, label 30 is 犬 and {shown[-1]} is {names[-1]}.\n" in report
    assert "In it," not in report_of(predict_twice(t % 3, 3), all_shared(t % 3, LETTERS), LETTERS)


@pytest.mark.parametrize(("width", "side"), [(3, 28), (8, 10), (28, 3), (64, 1), (100, 1)])
def test_a_picture_is_dark_on_white_and_enlarged(tmp_path, width, side):
    image = np.zeros((2, width), np.uint8)
    image[1, :2] = 255, 10
    (tmp_path / "a.png").write_bytes(picture(image, MNIST))
    with Image.open(tmp_path / "a.png") as image:
        pixels = np.asarray(image)
    assert pixels.shape == (2 * side, width * side)
    assert (pixels[:side] == 255).all()
    assert pixels[-1].tolist() == [0] * side + [245] * side + [255] * (width - 2) * side


def test_a_picture_of_no_strokes_is_as_it_is(tmp_path):
    image = np.array([[0, 255], [10, 200]], np.uint8)
    photos = MNIST.model_copy(update={"has_strokes": False})
    (tmp_path / "a.png").write_bytes(picture(image, photos))
    with Image.open(tmp_path / "a.png") as opened:
        np.testing.assert_array_equal(np.asarray(opened)[::42, ::42], image)
