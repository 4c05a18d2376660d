"""Stage 5: the confusion report, and the explorer of every prediction."""

import math
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nnlib.analysis.analysis import COVERAGE_ACCURACIES, Analysis, analyse_predictions
from nnlib.analysis.confidence import coverage_at
from nnlib.analysis.metrics import confusion_matrix
from nnlib.analysis.predictions import read_prediction_blocks, read_predictions
from nnlib.data.mnist import CLASSES, TEST_IMAGES, TEST_LABELS, TRAIN_LABELS, open_set, read_labels
from nnlib.files import write_text
from nnlib.network.training import Epoch
from nnlib.network.two_layer_net import TwoLayerNet
from nnlib.report.confusion_report import confusion_report
from nnlib.report.explorer import explorer
from nnlib.report.figures import (
    draw_confidence,
    draw_confusion,
    draw_mean_probabilities,
    draw_reliability,
    draw_training,
)
from nnlib.report.galleries import (
    draw_cards,
    draw_label_issues,
    draw_mistakes,
    draw_pairs,
    draw_weights,
)
from nnlib.tables import read_csv, write_csv
from stages.common import (
    FIGURES,
    MODELS,
    PLOTS,
    PREDICTIONS,
    RAW,
    REPORTS,
    TRAINING,
    by_digit,
    run,
    write_metrics,
)
from stages.params import Params
from stages.workers import worker_processes


def analyse(params: Params) -> None:
    """Write the report, the explorer, the files for DVC's plots, and the metrics."""
    file, labels = open_set(RAW, TEST_IMAGES, TEST_LABELS)
    images = file.read()
    analysis = analyse_predictions(
        trained=read_predictions(PREDICTIONS / "test.csv", labels),
        untrained=read_predictions(PREDICTIONS / "untrained.csv", labels),
        train_confusion=confusion_on_train(),
    )
    loss = read_csv(TRAINING / "loss.csv", ["iteration", "loss"])
    history = read_csv(TRAINING / "history.csv", list(Epoch._fields))
    W1 = TwoLayerNet.load(MODELS / "trained.npz").params["W1"]

    data = params.data.name
    figures: list[Callable[[], None]] = [
        *figures_of_predictions(analysis, images, params),
        partial(draw_weights, FIGURES / "weights.png", W1, f"First layer, trained on {data}"),
        partial(draw_training, FIGURES / "training.png", loss, history, f"Training on {data}"),
    ]
    with worker_processes(len(figures), "fork") as workers:
        drawn = [workers.submit(figure) for figure in figures]
        report = confusion_report(
            analysis,
            data=data,
            history=history,
            iterations=len(loss),
            samples=params.analyse.samples,
            pairs=params.analyse.pairs,
        )
        write_text(REPORTS / "confusion.md", report)
        counts = pd.DataFrame(analysis.confusion).rename_axis("actual").reset_index()
        write_csv(REPORTS / "confusion_matrix.csv", counts)
        write_text(REPORTS / "explorer.html", explorer(analysis, images, data))
        write_plots(analysis)
        write_metrics("analyse", params, metrics(analysis))
        for figure in drawn:
            figure.result()


def confusion_on_train() -> NDArray[np.int64]:
    """Confusion matrix of the training set, whose predictions may be too many to hold at once."""
    labels = read_labels(RAW / TRAIN_LABELS)
    predictions = read_prediction_blocks(PREDICTIONS / "train.csv", labels)
    counts = [
        confusion_matrix(block["actual"], block["predicted"], CLASSES) for block in predictions
    ]
    return np.sum(counts, axis=0)


def figures_of_predictions(
    analysis: Analysis, images: NDArray[np.uint8], params: Params
) -> Iterator[Callable[[], None]]:
    """What draws each figure of the test set's predictions; a gallery only of what there is."""
    test_set = f"{params.data.name}, test set"
    samples = params.analyse.samples
    pairs = analysis.pairs.head(params.analyse.pairs)
    mistakes, issues = analysis.listed_mistakes, analysis.listed_issues

    yield partial(
        draw_confusion,
        FIGURES / "confusion.png",
        analysis.confusion,
        f"Confusion matrix, {test_set}",
    )
    yield partial(
        draw_mean_probabilities,
        FIGURES / "mean_probabilities.png",
        analysis.mean_probabilities,
        f"Second choices, {test_set}",
    )
    yield partial(
        draw_reliability,
        FIGURES / "reliability.png",
        analysis.reliability,
        f"Reliability diagram, {test_set}",
    )
    yield partial(
        draw_confidence,
        FIGURES / "confidence.png",
        analysis.trained,
        analysis.accuracy_by_coverage,
        COVERAGE_ACCURACIES,
        f"Confidence, {test_set}",
    )
    if len(mistakes):
        yield partial(
            draw_pairs,
            FIGURES / "pairs.png",
            images,
            analysis.mistakes,
            pairs,
            f"Most-confused pairs, {test_set}",
        )
        yield partial(
            draw_mistakes,
            FIGURES / "mistakes.png",
            images,
            mistakes,
            f"Most expensive mistakes, {test_set}",
        )
    if len(issues):
        yield partial(
            draw_label_issues,
            FIGURES / "labels.png",
            images,
            issues,
            f"Labels to check, {test_set}",
        )
    yield partial(
        draw_cards,
        FIGURES / "cards.png",
        images[samples],
        analysis.trained.iloc[samples],
        analysis.untrained.iloc[samples],
        f"Samples of {test_set}",
    )


def write_plots(analysis: Analysis) -> None:
    """Write what DVC plots, in files of their own: it embeds every column of a file."""
    write_csv(PLOTS / "confusion.csv", analysis.trained[["actual", "predicted"]])
    bins = analysis.reliability[["confidence", "accuracy"]].dropna()
    bins["perfectly_calibrated"] = bins["confidence"]  # the diagonal
    write_csv(PLOTS / "reliability.csv", bins)
    recall = analysis.digits["recall"].rename_axis("digit").reset_index().dropna()
    write_csv(PLOTS / "recall.csv", recall)


def metrics(analysis: Analysis) -> dict[str, Any]:
    """What `dvc metrics diff` compares."""
    digits, pairs = analysis.digits, analysis.pairs
    return {
        "errors": len(analysis.mistakes),
        "macro_f1": float(digits["f1"].mean()),  # over those that occur or are predicted
        "expected_calibration_error": analysis.calibration_error,
        "brier_score": analysis.brier_score,
        "coverage_at_99": coverage_at(analysis.accuracy_by_coverage, 0.99).coverage,
        "worst_pair_count": int(pairs["count"].max()) if len(pairs) else 0,
        "recall": by_digit(none_for_nan(digits["recall"])),
        "precision": by_digit(none_for_nan(digits["precision"])),
    }


def none_for_nan(values: pd.Series) -> list[float | None]:
    """Values for JSON, which has no NaN; DVC shows None as -."""
    return [None if math.isnan(value) else value for value in values]


if __name__ == "__main__":
    run(analyse)
