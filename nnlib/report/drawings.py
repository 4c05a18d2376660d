"""Which figures the report has, and of what."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nnlib.analysis.analysis import Analysis
from nnlib.analysis.evidence import PairEvidence
from nnlib.data.datasets import Dataset
from nnlib.network import TwoLayerNet
from nnlib.report import figures, galleries
from nnlib.report.confusion_report import PAIRS_SHOWN
from nnlib.training.history import Snapshot


def drawings(
    folder: Path,
    analysis: Analysis,
    images: NDArray[np.uint8],
    dataset: Dataset,
    *,
    network: TwoLayerNet,
    evidence: Sequence[PairEvidence],
    loss: pd.DataFrame,
    history: pd.DataFrame,
    snapshots: Sequence[Snapshot],
    cards: list[int],
) -> list[partial[None]]:
    """The calls that draw the figures of the report, in any order, and each in any process.

    Three more are drawn by whatever computes what they show: `draw_neighbours`, `draw_units` and,
    if the images are of strokes, `draw_slices`.

    Parameters
    ----------
    folder : Path
        Where the figures go.
    analysis : Analysis
    images : ndarray of uint8 of shape (N, height, width)
        The test set.
    dataset : Dataset
    network : TwoLayerNet
        The trained one.
    evidence : sequence of PairEvidence
        Of the most-confused pairs, which are those that are shown.
    loss, history, snapshots
        Of the training, as `nnlib.training.history` reads them.
    cards : list of int
        Indices of the samples that get a card.

    Returns
    -------
    list of partial, which need no more arguments
    """
    trained, untrained = analysis.trained, analysis.untrained
    pairs = analysis.pairs.head(len(evidence))
    of_pairs = []
    for prefix, part in (("", slice(PAIRS_SHOWN)), ("more_", slice(PAIRS_SHOWN, None))):
        shown, why = (images, analysis.mistakes, pairs[part]), (evidence[part], network.params)
        of_pairs += [
            partial(galleries.draw_pairs, folder, *shown, dataset, prefix=prefix),
            partial(galleries.draw_evidence, folder, *why, dataset, prefix=prefix),
        ]
    of_cards = images[cards], trained.table(cards), untrained.table(cards)
    means = analysis.mean_probabilities
    of_second_choices = [partial(figures.draw_mean_probabilities, folder, means, dataset)]
    return [
        partial(figures.draw_confusion, folder, analysis, dataset),
        *(of_second_choices if dataset.classes > 2 else []),  # the other of two is no choice
        partial(figures.draw_reliability, folder, analysis.reliability, dataset),
        partial(figures.draw_confidence, folder, analysis, dataset),
        *of_pairs,
        partial(galleries.draw_mistakes, folder, images, analysis.listed_mistakes, dataset),
        partial(galleries.draw_label_issues, folder, images, analysis.listed_issues, dataset),
        partial(galleries.draw_cards, folder, *of_cards, dataset),
        partial(galleries.draw_weights, folder, network.params["W1"], dataset),
        partial(figures.draw_training, folder, loss, history, dataset),
        partial(galleries.draw_learning, folder, snapshots, history, dataset),
    ]
