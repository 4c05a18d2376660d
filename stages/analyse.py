"""Stage 6: the confusion report, and the explorer of every prediction."""

import math
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nnlib.analysis.analysis import Analysis, analyse_predictions
from nnlib.analysis.confusion import confusion_matrix
from nnlib.analysis.evidence import PairEvidence, explain_pairs
from nnlib.analysis.ink import ink_properties
from nnlib.analysis.neighbours import MISTAKES_SHOWN, neighbours_of
from nnlib.analysis.predictions import read_prediction_blocks, read_predictions
from nnlib.analysis.repeats import confusions, read_repeats
from nnlib.analysis.slices import compare_fifths
from nnlib.analysis.units import Units, leave_out_units
from nnlib.base.blocks import blocks
from nnlib.base.errors import UserError
from nnlib.base.files import write_text
from nnlib.base.tables import write_csv
from nnlib.data.datasets import DATASETS, Dataset, open_set, read_labels
from nnlib.data.encoding import load_encoding
from nnlib.data.samples import Samples, load_samples, load_sets
from nnlib.network import TwoLayerNet
from nnlib.network.gradient_check import load_gradient_check
from nnlib.report.confusion_report import PAIRS_SHOWN, confusion_report
from nnlib.report.explorer import MOST_MISTAKES, Neighbours, explorer
from nnlib.report.figures import (
    draw_confidence,
    draw_confusion,
    draw_mean_probabilities,
    draw_reliability,
    draw_slices,
    draw_training,
)
from nnlib.report.galleries import (
    draw_cards,
    draw_evidence,
    draw_label_issues,
    draw_learning,
    draw_mistakes,
    draw_neighbours,
    draw_pairs,
    draw_units,
    draw_weights,
)
from nnlib.training.history import Snapshot, read_history, read_losses, read_snapshots
from stages.common import (
    ENCODING,
    FIGURES,
    MODELS,
    NEIGHBOURS,
    NORMALIZED,
    PLOTS,
    PREDICTIONS,
    RAW,
    REPEATS,
    REPORTS,
    TRAINING,
    run,
    write_metrics,
)
from stages.params import Analyse, Params
from stages.workers import worker_processes


def analyse(params: Params) -> None:
    """Write the report, the explorer, the files for DVC's plots, and the metrics."""
    dataset = DATASETS[params.data.source]
    file, labels = open_set(RAW, dataset, "test")
    images = file.read()
    repeats = read_repeats(REPEATS / "predictions.npy", len(labels), dataset.classes)
    analysis = analyse_predictions(
        trained=read_predictions(PREDICTIONS / "test.csv", labels, dataset.classes),
        untrained=read_predictions(PREDICTIONS / "untrained.csv", labels, dataset.classes),
        train_confusion=confusion_on_train(dataset),
        repeats=confusions(repeats, labels, dataset.classes),
    )
    loss = read_losses(TRAINING / "loss.csv")
    history = read_history(TRAINING / "history.csv")
    snapshots = read_snapshots(TRAINING / "weights.npz", math.prod(dataset.image_shape))
    gradient_check = load_gradient_check(TRAINING / "gradient_check.json")
    network = TwoLayerNet.load(
        MODELS / "trained.npz",
        input_size=math.prod(dataset.image_shape),
        class_names=dataset.class_names,
    )
    evidence = explain_pairs(
        network, images, analysis.trained, analysis.pairs.head(params.analyse.pairs)
    )

    figures: list[Callable[[], None]] = [
        *figures_of_predictions(analysis, images, dataset, params.analyse),
        *figures_of_network(network, evidence, dataset),
        *figures_of_training(loss, history, snapshots, dataset),
    ]
    with worker_processes(3 + len(figures), "fork") as workers:
        # first what takes longest, and what the report waits for
        near = workers.submit(find_neighbours, network, images, analysis.mistakes, dataset)
        left_out = workers.submit(measure_units, network, images, dataset)
        sliced = workers.submit(measure_ink, images, analysis.trained, repeats, dataset)
        drawn = [workers.submit(figure) for figure in figures]
        counts = pd.DataFrame(analysis.confusion).rename_axis("actual").reset_index()
        write_csv(REPORTS / "confusion_matrix.csv", counts)
        write_csv(REPORTS / "digits.csv", table_by_digit(analysis))
        write_plots(analysis)
        write_metrics("analyse", params.data.source, metrics(analysis))
        (neighbours, held), units = near.result(), left_out.result()
        slices = sliced.result()
        write_text(NEIGHBOURS / "neighbours.csv", as_csv(neighbours))
        write_csv(REPORTS / "units.csv", units.table)
        write_text(REPORTS / "slices.csv", as_csv(slices))
        report = confusion_report(
            analysis,
            dataset=dataset,
            activation=network.activation,
            evidence=evidence,
            slices=slices,
            history=history,
            gradient_check=gradient_check,
            iterations=len(loss),
            members=params.train.members,
            neighbours=neighbours,
            units=units,
            cards=params.analyse.samples,
            pairs=params.analyse.pairs,
        )
        write_text(REPORTS / "confusion.md", report)
        page = explorer(analysis, images, dataset, network, units=units, neighbours=held)
        write_text(REPORTS / "explorer.html", page)
        for figure in drawn:
            figure.result()


def confusion_on_train(dataset: Dataset) -> NDArray[np.int64]:
    """Confusion matrix of the training set, whose predictions may be too many to hold at once."""
    labels = read_labels(RAW / dataset.train.labels, dataset.classes)
    predictions = read_prediction_blocks(PREDICTIONS / "train.csv", labels, dataset.classes)
    counts = [
        confusion_matrix(block["actual"], block["predicted"], dataset.classes)
        for block in predictions
    ]
    return np.sum(counts, axis=0)


def figures_of_predictions(
    analysis: Analysis, images: NDArray[np.uint8], dataset: Dataset, params: Analyse
) -> Iterator[Callable[[], None]]:
    """What draws each figure of the test set's predictions; no gallery without images."""
    test_set = f"{dataset.name}, test set"
    cards = params.samples
    pairs = analysis.pairs.head(params.pairs)
    mistakes, issues = analysis.listed_mistakes, analysis.listed_issues

    yield partial(
        draw_confusion,
        FIGURES / "confusion.png",
        analysis.confusion,
        f"Confusion matrix, {test_set}",
        dataset=dataset,
    )
    yield partial(
        draw_mean_probabilities,
        FIGURES / "mean_probabilities.png",
        analysis.mean_probabilities,
        f"Second choices, {test_set}",
        dataset=dataset,
    )
    yield partial(
        draw_reliability,
        FIGURES / "reliability.png",
        analysis.reliability,
        f"Reliability diagram, {test_set}",
        dataset=dataset,
    )
    yield partial(
        draw_confidence,
        FIGURES / "confidence.png",
        analysis.trained,
        analysis.accuracy_by_coverage,
        analysis.decided,
        f"Confidence, {test_set}",
        dataset=dataset,
    )
    for name, shown in (("pairs", pairs[:PAIRS_SHOWN]), ("more_pairs", pairs[PAIRS_SHOWN:])):
        if len(shown):
            yield partial(
                draw_pairs,
                FIGURES / f"{name}.png",
                images,
                analysis.mistakes,
                shown,
                f"Most-confused pairs, {test_set}",
                dataset=dataset,
            )
    if len(mistakes):
        yield partial(
            draw_mistakes,
            FIGURES / "mistakes.png",
            images,
            mistakes,
            f"Most expensive mistakes, {test_set}",
            dataset=dataset,
        )
    if len(issues):
        yield partial(
            draw_label_issues,
            FIGURES / "labels.png",
            images,
            issues,
            f"Most doubtful labels, {test_set}",
            dataset=dataset,
        )
    yield partial(
        draw_cards,
        FIGURES / "cards.png",
        images[cards],
        analysis.trained.iloc[cards],
        analysis.untrained.iloc[cards],
        f"Samples of {test_set}",
        dataset=dataset,
    )


def figures_of_network(
    network: TwoLayerNet, evidence: list[PairEvidence], dataset: Dataset
) -> Iterator[Callable[[], None]]:
    """What draws each figure of the network's weights; no evidence without confused pairs."""
    yield partial(
        draw_weights,
        FIGURES / "weights.png",
        network.params["W1"],
        f"First layer, trained on {dataset.name}",
        dataset=dataset,
    )
    for name, shown in (
        ("evidence", evidence[:PAIRS_SHOWN]),
        ("more_evidence", evidence[PAIRS_SHOWN:]),
    ):
        if shown:
            yield partial(
                draw_evidence,
                FIGURES / f"{name}.png",
                shown,
                network.params,
                f"Evidence in the most-confused pairs, {dataset.name}, test set",
                dataset=dataset,
            )


def find_neighbours(
    network: TwoLayerNet, images: NDArray[np.uint8], mistakes: pd.DataFrame, dataset: Dataset
) -> tuple[pd.DataFrame, Neighbours]:
    """Find the training samples nearest to each mistake, and draw some; no gallery without any.

    Returns the table of all, and those that the explorer may hold.
    """
    train_set, test_set = load_sets(NORMALIZED, dataset.classes)
    check_test_set(test_set, images, dataset)
    indices = np.sort(mistakes["index"])
    neighbours = neighbours_of(network, test_set.x[indices], indices, train_set)
    shown = mistakes.head(MISTAKES_SHOWN)
    if len(shown):
        of_shown = neighbours[neighbours["index"].isin(shown["index"])]
        draw_neighbours(
            FIGURES / "neighbours.png",
            images,
            shown,
            of_shown,
            f"Nearest training images, {dataset.name}",
            pictures=pictures_of(train_set.x[of_shown["train_index"]], dataset),
            dataset=dataset,
        )
    held = neighbours[neighbours["index"].isin(mistakes["index"].head(MOST_MISTAKES))]
    return neighbours, Neighbours(held, pictures_of_samples(train_set, held, dataset))


def pictures_of_samples(
    train_set: Samples, neighbours: pd.DataFrame, dataset: Dataset
) -> NDArray[np.uint8]:
    """The image of each training sample among the neighbours once, in the order of the indices."""
    indices = np.unique(neighbours["train_index"])
    pictures = np.empty((len(indices), *dataset.image_shape), np.uint8)
    for rows in blocks(len(indices)):
        pictures[rows] = pictures_of(train_set.x[indices[rows]], dataset)
    return pictures


def measure_units(network: TwoLayerNet, images: NDArray[np.uint8], dataset: Dataset) -> Units:
    """Measure what leaving out each hidden unit costs, and draw those that cost most."""
    test_set = load_samples(NORMALIZED, "test", dataset.classes)
    check_test_set(test_set, images, dataset)
    units = leave_out_units(network, test_set.x, test_set.t)
    draw_units(
        FIGURES / "units.png",
        units,
        images,
        network.params,
        f"Hidden units, {dataset.name}, test set",
        dataset=dataset,
    )
    return units


def measure_ink(
    images: NDArray[np.uint8],
    predictions: pd.DataFrame,
    repeats: NDArray[np.uint8],
    dataset: Dataset,
) -> pd.DataFrame:
    """Compare the fifths of the test set by each property of the ink, and draw their errors."""
    slices = compare_fifths(
        ink_properties(images),
        predictions["actual"],
        predictions["predicted"],
        repeats,
        dataset.classes,
    )
    draw_slices(FIGURES / "ink.png", slices, f"Errors by shape, {dataset.name}, test set")
    return slices


def check_test_set(test_set: Samples, images: NDArray[np.uint8], dataset: Dataset) -> None:
    """Raise a UserError if the normalized test set cannot be that of these images."""
    expected = (len(images), math.prod(dataset.image_shape))
    if test_set.x.shape != expected:
        path = NORMALIZED / "x_test.npy"
        raise UserError(f"{path}: expected {expected}, found {test_set.x.shape}", file=path)


def pictures_of(x: NDArray[np.floating], dataset: Dataset) -> NDArray[np.uint8]:
    """The images that normalized inputs stand for."""
    blank, full = load_encoding(ENCODING).inputs(np.array([[0], [255]], np.uint8))
    pixels = np.rint(255 * (x - blank) / (full - blank))
    return pixels.astype(np.uint8).reshape(-1, *dataset.image_shape)


def as_csv(table: pd.DataFrame) -> str:
    """A table as CSV that has names too; `nnlib.base.tables` writes numbers only."""
    return table.to_csv(index=False, float_format="%.6g", lineterminator="\n")


def figures_of_training(
    loss: pd.DataFrame, history: pd.DataFrame, snapshots: list[Snapshot], dataset: Dataset
) -> Iterator[Callable[[], None]]:
    """What draws each figure of the course of the training."""
    name = dataset.name
    yield partial(draw_training, FIGURES / "training.png", loss, history, f"Training on {name}")
    yield partial(
        draw_learning,
        FIGURES / "learning.png",
        snapshots,
        history,
        f"Hidden units during the training on {name}",
        dataset=dataset,
    )


def write_plots(analysis: Analysis) -> None:
    """Write what DVC plots, in separate files: DVC embeds every column of a file."""
    write_csv(PLOTS / "confusion.csv", analysis.trained[["actual", "predicted"]])
    bins = analysis.reliability[["confidence", "accuracy"]].dropna()
    bins["perfectly_calibrated"] = bins["confidence"]  # the diagonal
    write_csv(PLOTS / "reliability.csv", bins)


def table_by_digit(analysis: Analysis) -> pd.DataFrame:
    """The numbers of each digit, one row per digit."""
    return analysis.by_class.drop(columns="taken_for").rename_axis("digit").reset_index()


def metrics(analysis: Analysis) -> dict[str, float]:
    """What `dvc metrics diff` compares; the numbers by class are in a separate table."""
    pairs = analysis.pairs
    return {
        "errors": len(analysis.mistakes),
        # over the classes that occur or are predicted
        "macro_f1": float(analysis.by_class["f1"].mean()),
        "ece": analysis.calibration_error,  # expected calibration error
        "brier_score": analysis.brier_score,
        "coverage_at_99": analysis.decided[0].coverage,
        "worst_pair": int(pairs["count"].max()) if len(pairs) else 0,
    }


if __name__ == "__main__":
    run(analyse)
