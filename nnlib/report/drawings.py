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
from nnlib.report.confusion_report import PAIRS_SHOWN
from nnlib.report.figures import (
    draw_confidence,
    draw_confusion,
    draw_mean_probabilities,
    draw_reliability,
    draw_training,
)
from nnlib.report.galleries import (
    draw_cards,
    draw_evidence,
    draw_label_issues,
    draw_learning,
    draw_mistakes,
    draw_pairs,
    draw_weights,
)
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

    Three more are drawn by whatever computes what they show: `draw_neighbours`, `draw_units` and
    `draw_slices`.

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
    loss : DataFrame with the columns `iteration`, `loss`
    history : DataFrame with the columns of `nnlib.training.history.Epoch`
    snapshots : sequence of Snapshot, not empty
    cards : list of int
        Indices of the samples that get a card.

    Returns
    -------
    list of partial, which need no more arguments
    """
    trained, untrained = analysis.trained, analysis.untrained
    curve, decided = analysis.accuracy_by_coverage, analysis.decided
    pairs = analysis.pairs.head(len(evidence))
    figures = [
        partial(draw_confusion, folder, analysis.confusion, dataset),
        partial(draw_mean_probabilities, folder, analysis.mean_probabilities, dataset),
        partial(draw_reliability, folder, analysis.reliability, dataset),
        partial(draw_confidence, folder, trained, curve, decided, dataset),
    ]
    for prefix, part in (("", slice(PAIRS_SHOWN)), ("more_", slice(PAIRS_SHOWN, None))):
        shown, why = pairs[part], evidence[part]
        figures += [
            partial(draw_pairs, folder, images, analysis.mistakes, shown, dataset, prefix=prefix),
            partial(draw_evidence, folder, why, network.params, dataset, prefix=prefix),
        ]
    return [
        *figures,
        partial(draw_mistakes, folder, images, analysis.listed_mistakes, dataset),
        partial(draw_label_issues, folder, images, analysis.listed_issues, dataset),
        partial(
            draw_cards, folder, images[cards], trained.iloc[cards], untrained.iloc[cards], dataset
        ),
        partial(draw_weights, folder, network.params["W1"], dataset),
        partial(draw_training, folder, loss, history, dataset),
        partial(draw_learning, folder, snapshots, history, dataset),
    ]
