"""Reports on two classes and on a hundred, of any names, and on classes without samples."""

import itertools
import re

import numpy as np
import pandas as pd
import pytest
from markdown_it import MarkdownIt
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.font_manager import get_font
from matplotlib.text import Text

from nnlib.analysis.analysis import analyse_predictions
from nnlib.analysis.confusion import confusion_matrix
from nnlib.analysis.evidence import explain_pairs
from nnlib.analysis.predictions import Predictions
from nnlib.data.corrections import no_corrections
from nnlib.data.datasets import Dataset
from nnlib.data.encoding import Encoding
from nnlib.network import TwoLayerNet
from nnlib.network.functions import softmax
from nnlib.report.confusion_report import report_pages
from nnlib.report.drawings import drawings
from nnlib.report.figures import draw_confusion
from nnlib.report.galleries import draw_cards, draw_neighbours, draw_units
from nnlib.report.names import FONT
from nnlib.report.neighbours import Neighbours
from nnlib.report.templating import anchor
from nnlib.training.history import Snapshot
from tests.conftest import neighbours_at_random, slices_at_random, units_at_random
from tests.markdown import EVIL, table
from tests.report.test_report import CHECK, HISTORY, whole

ANIMALS = ("cat", "dog")
MANY = EVIL + tuple(f"class {i}" for i in range(len(EVIL), 100))


class World:
    """A data set, random predictions of its samples, and what is made of them."""

    def __init__(self, names, *, n, shape=(8, 6), noun="item", strokes=False, without=(), skill=5):
        C, rng = len(names), np.random.default_rng(5)
        self.names, self.without = names, without
        self.dataset = Dataset(
            name="<b>$a$</b> | 日本",
            class_names=names,
            class_noun=noun,
            image_shape=shape,
            has_strokes=strokes,
            prepared_as_mnist=False,
        )
        t = rng.choice([label for label in range(C) if label not in without], size=n)
        self.trained, before, *others = (
            Predictions.of(softmax(rng.normal(0, 2, (n, C)) + skill * np.eye(C)[t]), t)
            for skill in (skill, 0, skill, skill)
        )
        self.analysis = analyse_predictions(
            self.trained,
            before,
            confusion_matrix(t, others[0].predicted, C),
            np.array([each.predicted for each in others]),
        )
        encoding = Encoding(scaling="unit", pixel_mean=0, pixel_std=1, class_names=names)
        self.network = TwoLayerNet(
            shape[0] * shape[1], 5, C, weight_init=0.1, encoding=encoding, rng=rng
        )
        self.images = rng.integers(256, size=(n, *shape), dtype=np.uint8)
        self.evidence = explain_pairs(
            self.network, self.images, self.trained, self.analysis.pairs.head(7)
        )
        self.units = units_at_random(5, n, C)
        self.neighbours = neighbours_at_random(self.analysis.mistakes, C)

    def report(self):
        return whole(self.pages())

    def pages(self):
        slices = None
        if self.dataset.has_strokes:
            slices = slices_at_random(self.trained, [self.trained.predicted] * 2)
        return report_pages(
            self.analysis,
            dataset=self.dataset,
            activation="sigmoid",
            members=1,
            evidence=self.evidence,
            slices=slices,
            neighbours=self.neighbours,
            units=self.units,
            history=HISTORY,
            gradient_check=CHECK,
            iterations=1000,
            cards=[0, 3],
            pairs=7,
            trials=None,
            corrections=no_corrections(),
        )

    def draw(self, folder):
        for draw in drawings(
            folder,
            self.analysis,
            self.images,
            self.dataset,
            network=self.network,
            evidence=self.evidence,
            loss=pd.DataFrame({"iteration": [1], "loss": [2.3]}),
            history=HISTORY,
            snapshots=[Snapshot(0, self.network.params["W1"])],
            cards=[0, 3],
        ):
            draw()
        pictures = self.images[: self.neighbours["train_index"].nunique()]
        pictures = np.resize(
            pictures, (self.neighbours["train_index"].nunique(), *pictures[0].shape)
        )
        held = Neighbours(self.neighbours, pictures)
        draw_neighbours(folder, self.images, self.analysis.mistakes, held, self.dataset)
        draw_units(folder, self.units, self.images, self.network.params, self.dataset)


WORLDS = {
    "two": {"names": ANIMALS, "n": 60, "noun": "animal", "skill": 2},
    "a hundred": {"names": MANY, "n": 900, "shape": (40, 24)},
    "evil": {"names": EVIL[:18], "n": 300, "shape": (5, 9), "strokes": True},
    "without samples": {"names": tuple("abcdef"), "n": 40, "without": (1, 4), "noun": "class"},
}


@pytest.fixture(scope="module", params=WORLDS)
def world(request):
    return World(**WORLDS[request.param])


SLOW = dict.fromkeys(("two", "a hundred", "evil"), pytest.mark.slow)


@pytest.fixture(
    scope="module", params=[pytest.param(name, marks=SLOW.get(name, ())) for name in WORLDS]
)
def drawn_world(request):
    return World(**WORLDS[request.param])


@pytest.fixture(scope="module")
def report(world):
    return world.report()


@pytest.fixture(scope="module")
def figures(drawn_world, tmp_path_factory):
    """All figures of a world, by the names of their files."""
    found, folder, print_png = {}, tmp_path_factory.mktemp("figures"), FigureCanvasAgg.print_png

    def keep(canvas, path):
        found[path.name.removeprefix(".part.")] = canvas.figure
        print_png(canvas, path)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FigureCanvasAgg, "print_png", keep)
        drawn_world.draw(folder)
    assert set(found) == {path.name for path in folder.iterdir()}
    return found


@pytest.fixture(scope="module")
def hundred():
    return World(**WORLDS["a hundred"])


@pytest.fixture(scope="module")
def two():
    return World(**WORLDS["two"]).report()


def plain(cell):
    """What is seen of a cell of a table, without what makes it bold."""
    text = "".join(
        token.content
        for block in MarkdownIt().parse(cell)
        for token in block.children or ()
        if token.type == "text"
    )
    return text.strip()


def test_the_report_is_on_the_data_set_and_of_whole_tables(world, report):
    heading, _ = report.split("\n", 1)
    assert heading == r"# Confusion report: \<b\>\$a\$\</b\> \| 日本, test set"
    assert "digit" not in report
    assert "nan" in world.names or "nan" not in report
    columns = None
    for line in report.splitlines():
        cells = len(re.findall(r"(?<!\\)\|", line)) if line.startswith("|") else None
        assert columns in (None, cells) or cells is None, line
        columns = cells


def test_each_page_ends_with_one_line_end(world):
    for name, text in world.pages().items():
        assert text.endswith("\n"), name
        assert not text.endswith("\n\n"), name


def test_the_reports_html_is_only_that_of_its_folds(report):
    for token in MarkdownIt("js-default", {"html": True}).parse(report):
        if token.type == "html_block":
            assert re.fullmatch(
                r"(<details><summary>[^<>&]*</summary>|</details>)\n?", token.content
            )
        kinds = {child.type for child in token.children or ()}
        assert not kinds & {"html_inline", "code_inline"} or "`" in token.content
        images = [child for child in token.children or () if child.type == "image"]
        assert all(child.attrs["src"].startswith("figures/") for child in images)


def test_each_link_leads_somewhere(drawn_world, figures):
    pages = drawn_world.pages()
    targets = {
        name: {anchor(heading) for heading in re.findall(r"^#+ (.*)$", text, re.MULTILINE)}
        for name, text in pages.items()
    }
    linked, files = set(), set()
    for name, text in pages.items():
        for link in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"\\.", "", text)):
            path, _, fragment = link.partition("#")
            if path.startswith("figures/"):
                linked.add(path.removeprefix("figures/"))
            elif path.endswith(".csv"):
                files.add(path)
            elif not path.startswith("https:"):
                page = path.removesuffix(".md") or name
                assert not fragment or fragment in targets[page], link
                assert page in pages
    assert linked - {"ink.png"} == set(figures)
    assert ("ink.png" in linked) == drawn_world.dataset.has_strokes
    assert files <= {"classes.csv", "confusion_matrix.csv", "slices.csv", "units.csv"}


def test_the_tables_name_the_classes(world, report):
    names, noun = world.names, world.dataset.class_noun
    rows = table(f"| {noun} | samples |", report)
    assert [plain(row[0]) for row in rows] == list(names)
    assert [int(row[1]) for row in rows] == np.bincount(
        world.trained.t, minlength=len(names)
    ).tolist()
    pairs = table("| actual | predicted | count |", report)
    for row, pair in zip(pairs, world.analysis.pairs.itertuples(), strict=False):
        assert [plain(cell) for cell in row[:2]] == [names[pair.actual], names[pair.predicted]]
    assert len(pairs) == min(len(world.analysis.pairs), 5)
    if len(world.analysis.pairs) > 5:
        others = table(
            "| actual | predicted | count |", report[report.index("The other pairs (2)") :]
        )
        assert len(others) == 2
    cards = table(f"| index, actual {noun} |", report)
    assert plain(cards[1][2]) == names[world.trained.predicted[0]]


def test_the_figures_are_drawn_with_characters_that_their_font_has(figures):
    characters = get_font(FONT).get_charmap()
    texts = [
        text for figure in figures.values() for text in figure.findobj(Text) if text.get_text()
    ]
    for text in texts:
        assert not text.get_parse_math()
        assert all(ord(each) in characters for each in text.get_text().replace("\n", ""))
    titles = [each.get_suptitle() or each.axes[0].get_title() for each in figures.values()]
    assert all("<b>$a$</b> | ??" in title for title in titles)


def test_a_caption_overlaps_none_beside_it(figures):
    for figure in figures.values():
        for axes in figure.axes:
            if axes.axison:
                continue
            boxes = [
                (text.get_window_extent(), text.get_text())
                for text in axes.texts
                if text.get_text() and text.get_va() == "top"
            ]
            for i, (box, text) in enumerate(boxes):
                for other, beside in boxes[:i]:
                    assert not box.overlaps(other), (figure.get_suptitle(), text, beside)


def test_of_two_classes_no_second_choice_is_said(two):
    assert "econd choice" not in two
    assert "mean_probabilities" not in two
    assert "majority for another" not in two
    assert [len(row) for row in table("| nearest by |", two)] == [4, 4]
    assert "Of the 2 possible confusions, 2 occur." in two
    assert "all other animals together" not in two
    assert "animals correctly" in two
    assert "### Nearest training animals" in two
    text = " ".join(two.split())
    assert "of the predictions of an animal that are correct" in text
    assert "An animal has the majority if" in text
    assert "ln 2 = 0.6931 if both are equal" in text


def test_of_a_hundred_classes_the_pairs_come_first(hundred):
    report = hundred.report()
    assert report.index("## Most-confused pairs") < report.index("## Confusion matrix")
    assert report.index("(#most-confused-pairs)") < report.index("(#confusion-matrix)")
    assert "Of the 9,900 possible confusions" in report
    assert "the counts as CSV](confusion_matrix.csv)" in report
    widths = [len(re.findall(r"(?<!\\)\|", line)) for line in report.splitlines()]
    assert max(widths) < 15
    assert len(report.encode()) < 150_000


def test_of_a_hundred_classes_those_with_the_lowest_recall_come_first(hundred):
    report, recall = hundred.report(), hundred.analysis.by_class["recall"]
    order = np.argsort(recall.fillna(2), kind="stable")
    heads = [
        match.start() for match in re.finditer(r"^\| item \| support \|", report, re.MULTILINE)
    ]
    first, others = (table("| item | support |", "\n" + report[start:]) for start in heads)
    assert len(first) == 20
    assert [plain(row[0]) for row in first + others] == [hundred.names[label] for label in order]
    assert report.count("<summary>The other items (80)</summary>") == 1
    assert heads[0] < report.index("<summary>The other items") < heads[1]


def test_of_a_hundred_classes_each_has_its_second_choice(hundred):
    means = hundred.analysis.mean_probabilities.copy()
    np.fill_diagonal(means, -1)
    rows = table("| actual item | second choice |", hundred.report())
    found = {plain(row[0]): (plain(row[1]), float(row[2])) for row in rows}
    assert len(found) == 100
    for label, name in enumerate(hundred.names):
        second = means[label].argmax()
        assert found[name] == (
            hundred.names[second],
            pytest.approx(100 * means[label, second], abs=0.0051),
        )
    assert [float(row[2]) for row in rows] == sorted((float(row[2]) for row in rows), reverse=True)


@pytest.mark.slow
def test_of_a_hundred_classes_a_card_shows_the_most_probable(tmp_path, drawn, hundred):
    rows = table("| index, actual item |", hundred.report())
    y = hundred.trained.y[0]
    first = np.argsort(-y)[:5]
    shown = ", ".join(f"{hundred.names[label]}: {100 * y[label]:.2f}" for label in first)
    assert plain(rows[1][3]) == shown
    # where the actual class is not among the ten, it is shown all the same
    y, untrained = hundred.trained.y, hundred.analysis.untrained
    (last, *_) = np.flatnonzero(y[np.arange(len(y)), hundred.trained.t] < np.sort(y)[:, -10])
    for sample in (0, last):
        tables = (each.table([sample]) for each in (hundred.trained, untrained))
        draw_cards(tmp_path, hundred.images[[sample]], *tables, hundred.dataset)
        _, bars = drawn.pop().axes
        before, after = ([bar.get_height() for bar in each] for each in bars.containers)
        shown = np.argsort(-y[sample])[:10].tolist()
        shown += [hundred.trained.t[sample]] if sample == last else []
        np.testing.assert_allclose(after, y[sample][shown])
        np.testing.assert_allclose(before, untrained.y[sample][shown])
        assert len(bars.get_xticklabels()) == len(shown)


@pytest.mark.slow
def test_a_matrix_of_a_hundred_classes_can_be_enlarged(tmp_path, drawn, hundred):
    draw_confusion(tmp_path, hundred.analysis, hundred.dataset)
    for axes in drawn[0].axes[:1]:
        assert not axes.texts  # there is no room for numbers
        labels = axes.get_yticklabels()
        assert len(labels) == len({label.get_text() for label in labels}) == 100
        boxes = [label.get_window_extent() for label in labels]
        assert all(upper.y0 > lower.y1 for upper, lower in itertools.pairwise(boxes))
        assert min(box.height for box in boxes) > 10  # pixels
        assert {label.get_rotation() for label in axes.get_xticklabels()} == {90}


def test_the_names_that_the_figures_change_are_listed(hundred):
    rows = table("| in the figures | item |", hundred.report())
    found = {plain(row[1]): plain(row[0]) for row in rows}
    assert found["日本語"] == f"label {MANY.index('日本語')}"
    assert found["left" + "x" * 96] == "leftxxxxxxxx…" + "x" * 11
    assert set(found) == {name for name in MANY if len(name) > 24} | {"日本語", "お"}


def test_classes_without_samples_are_named_as_such():
    world = World(**WORLDS["without samples"])
    report = world.report()
    rows = table("| class | support |", report)
    for label, row in enumerate(rows):
        assert (row[2] == row[3] == "no samples") == (label in world.without)
    counts = confusion_matrix(world.trained.t, world.trained.predicted, 6)
    never_trained = counts.copy()
    never_trained[2] = 0
    analysis = analyse_predictions(
        world.trained, world.analysis.untrained, never_trained, np.empty((0, 40), int)
    )
    world.analysis = analysis
    pairs = table("| actual | predicted | count |", world.report())
    assert {row[4] for row in pairs if row[0] == "c"} == {"no samples"}
    assert "no samples" not in {row[4] for row in pairs if row[0] != "c"}
    assert "40 images correctly" in report.replace(",", "")


def test_the_shapes_of_strokes_are_left_out(two):
    assert "ink" not in re.findall(r"\w+", two)
    assert "slices.csv" not in two
    assert "shapes-are-misclassified" not in two
    assert "brightness on a green pixel" in two
