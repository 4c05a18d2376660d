"""Which figures the report has, whatever there is to draw."""

import numpy as np
import pandas as pd
import pytest

from nnlib.data.datasets import MNIST
from nnlib.report.drawings import drawings
from nnlib.report.figures import draw_training
from nnlib.report.galleries import draw_learning
from nnlib.training.history import Snapshot
from tests.report.test_figures import HISTORY

# The figures of any report, and those of the errors.
ALWAYS = {
    *("confusion", "mean_probabilities", "reliability", "confidence", "cards", "weights"),
    *("training", "learning"),
}
OF_ERRORS = {"pairs", "evidence", "mistakes"}


def draw_all(folder, analysis, explain, *, pairs):
    """Draw the figures, and return their names."""
    network, evidence = explain(analysis, pairs)
    figures = drawings(
        folder,
        analysis,
        np.zeros((len(analysis.trained), 28, 28), np.uint8),
        MNIST,
        network=network,
        evidence=evidence,
        loss=pd.DataFrame({"iteration": [1], "loss": [2.3]}),
        history=HISTORY,
        snapshots=[Snapshot(0, np.zeros((784, 1)))],
        cards=[0],
    )
    for draw in figures:
        draw()
    return {path.stem for path in folder.iterdir()}


@pytest.mark.slow
def test_the_figures_of_any_analysis_are_drawn(tmp_path, degenerate_analysis, explain):
    found = draw_all(tmp_path, degenerate_analysis, explain, pairs=2)
    expected = ALWAYS | (OF_ERRORS if len(degenerate_analysis.mistakes) else set())
    assert found == expected | ({"labels"} if len(degenerate_analysis.label_issues) else set())
    for path in tmp_path.iterdir():
        assert path.read_bytes()[1:4] == b"PNG"


@pytest.mark.slow
def test_the_pairs_beyond_the_first_five_are_drawn_apart(tmp_path, drawn, analysis, explain):
    more = {"more_pairs", "more_evidence"}
    assert draw_all(tmp_path, analysis, explain, pairs=7) == ALWAYS | OF_ERRORS | {"labels"} | more
    headings = [
        [
            text.get_text().split("\n")[0]
            for text in figure.axes[0].texts
            if text.get_position()[0] == 0
        ]
        for figure in drawn
        if (figure.get_suptitle() or "").startswith(("Most-confused", "Evidence"))
    ]
    pairs = [
        f"{pair.actual} classified as {pair.predicted}" for pair in analysis.pairs.itertuples()
    ]
    assert headings == [pairs[:5]] * 2 + [pairs[5:7]] * 2


@pytest.mark.slow
def test_each_figure_has_a_title_of_its_own_that_names_the_data_set(
    tmp_path, drawn, analysis, explain
):
    names = draw_all(tmp_path, analysis, explain, pairs=5)
    titles = {figure.get_suptitle() or figure.axes[0].get_title() for figure in drawn}
    assert len(titles) == len(names)
    assert all("MNIST" in title for title in titles)


DEGENERATE_HISTORIES = {
    "no epoch ended": HISTORY.head(1),
    "no errors, and no updates": HISTORY.assign(
        loss=0.0, train_accuracy=1.0, test_accuracy=1.0, update_ratio_W1=0.0, update_ratio_W2=0.0
    ),
}


@pytest.mark.parametrize("history", DEGENERATE_HISTORIES.values(), ids=DEGENERATE_HISTORIES)
def test_the_figures_of_any_training_are_drawn(tmp_path, history):
    loss = pd.DataFrame({"iteration": [1], "loss": [0.0]})
    draw_training(tmp_path, loss, history, MNIST)
    snapshots = [Snapshot(iteration, np.zeros((784, 1))) for iteration in (0, 1)]
    draw_learning(tmp_path, snapshots, history, MNIST)
