"""Stage 6: the confusion report, the model card, and the explorer of every prediction."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nnlib.analysis.analysis import Analysis, analyse_predictions
from nnlib.analysis.confusion import read_confusion
from nnlib.analysis.evidence import explain_pairs
from nnlib.analysis.ink import ink_properties
from nnlib.analysis.neighbours import neighbours_of
from nnlib.analysis.predictions import Predictions, read_predictions, read_repeats
from nnlib.analysis.slices import ALL, COLUMNS, compare_quintiles
from nnlib.analysis.trials import Trials
from nnlib.analysis.units import Units, leave_out_units
from nnlib.base.blocks import blocks, evenly_spaced
from nnlib.base.files import write_text
from nnlib.base.tables import write_csv, write_mixed_csv, write_report_csv
from nnlib.base.validation import read_json
from nnlib.data.corrections import (
    APPLIED,
    PARTS,
    corrected_labels,
    kept_samples,
    read_corrections,
    read_published_labels,
    samples_of,
)
from nnlib.data.datasets import MNIST, Dataset, open_set, read_dataset
from nnlib.data.encoding import Encoding, Scaling
from nnlib.data.samples import load_samples, load_sets
from nnlib.network import TwoLayerNet
from nnlib.network.gradient_check import GradientCheck
from nnlib.pictures.likeness import HELD_OUT, threshold
from nnlib.report.confusion_report import report_pages
from nnlib.report.drawings import drawings
from nnlib.report.explorer import MOST_MISTAKES, Published, explorer
from nnlib.report.figures import draw_slices
from nnlib.report.galleries import draw_neighbours, draw_units
from nnlib.report.model_card import model_card
from nnlib.report.neighbours import Neighbours, with_images
from nnlib.training.history import read_history, read_losses, read_snapshots
from stages import consistency
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
from stages.corrections import predict_corrected
from stages.params import Params, Train, leaves
from stages.train import settings_of
from stages.workers import worker_processes

TRIALS = Path("stages/trials.json")  # which tools/trials.py writes


def analyse(params: Params) -> None:
    """Write the report, the explorer, the files for DVC's plots, and the metrics."""
    dataset = read_dataset(RAW)
    inputs = math.prod(dataset.image_shape)
    published = read_published_labels(RAW, dataset)
    applied = read_corrections(NORMALIZED / APPLIED, dataset.class_names, published)
    of_train, labels = (corrected_labels(applied, part, published[part]) for part in PARTS)
    kept = kept_samples(applied, "test", len(published["test"]))
    images = read_test_images(dataset, kept)
    repeats = read_repeats(
        REPEATS / "predictions.npy", params.repeat.seeds, len(labels), dataset.classes
    )
    analysis = analyse_predictions(
        trained=read_predictions(PREDICTIONS / "test.csv", labels, dataset.classes),
        untrained=read_predictions(PREDICTIONS / "untrained.csv", labels, dataset.classes),
        train_confusion=read_confusion(PREDICTIONS / "train.csv", of_train, dataset.classes),
        repeats=repeats,
    )
    loss = read_losses(TRAINING / "loss.csv")
    history = read_history(TRAINING / "history.csv")
    snapshots = read_snapshots(TRAINING / "weights.npz", inputs)
    gradient_check = read_json(TRAINING / "gradient_check.json", GradientCheck)
    encoding = read_json(ENCODING, Encoding)
    network, untrained = (
        TwoLayerNet.load(MODELS / f"{name}.npz", input_size=inputs, encoding=encoding)
        for name in ("trained", "untrained")
    )
    consistency.check_course(settings_of(params.train), len(of_train), loss, history, snapshots)
    consistency.check_last_weights(snapshots, network)
    test_set = load_samples(NORMALIZED, "test", dataset.classes)
    consistency.check_test_set(test_set, images, labels, encoding)
    consistency.check_predictions("test", analysis.trained, network, test_set.x)
    consistency.check_predictions("untrained", analysis.untrained, untrained, test_set.x)
    corrections = predict_corrected(network, encoding)
    pairs = analysis.pairs.head(params.analyse.pairs)
    evidence = explain_pairs(network, images, analysis.trained, pairs)
    figures = drawings(
        FIGURES,
        analysis,
        images,
        dataset,
        network=network,
        evidence=evidence,
        loss=loss,
        history=history,
        snapshots=snapshots,
        cards=params.analyse.samples,
    )
    with worker_processes(4 + len(figures), "fork") as workers:
        # first what takes longest, and what the report waits for
        near = workers.submit(find_neighbours, network, images, analysis.mistakes, dataset)
        left_out = workers.submit(measure_units, network, images, dataset)
        measured = workers.submit(measure_likeness, images, dataset)
        sliced = None
        if has_strokes(params, dataset):
            sliced = workers.submit(measure_ink, images, analysis.trained, repeats, dataset)
        drawn = [workers.submit(figure) for figure in figures]
        write_report_csv(REPORTS / "confusion_matrix.csv", table_of_counts(analysis, dataset))
        write_report_csv(REPORTS / "classes.csv", table_by_class(analysis, dataset))
        write_plots(analysis, dataset)
        write_metrics("analyse", dataset, metrics(analysis))
        (neighbours, held), units = near.result(), left_out.result()
        slices = sliced.result() if sliced else None
        write_mixed_csv(NEIGHBOURS / "neighbours.csv", neighbours)
        write_report_csv(REPORTS / "units.csv", table_of_units(units, dataset))
        write_report_csv(REPORTS / "slices.csv", table_of_slices(slices, dataset))
        pages = report_pages(
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
            trials=trials_of(params.train, encoding.scaling, dataset) if applied.empty else None,
            corrections=corrections,
        )
        for name, text in pages.items():
            write_text(REPORTS / f"{name}.md", text)
        card = model_card(
            analysis,
            dataset=dataset,
            network=network,
            train_samples=len(of_train),
            iterations=len(loss),
            settings=dict(leaves(params.train.model_dump())),
            corrections=corrections,
        )
        write_text(REPORTS / "model_card.md", card)
        page = explorer(
            *(analysis, images, dataset, network),
            units=units,
            neighbours=held,
            unlike=measured.result(),
            published=Published(np.flatnonzero(kept), published["test"][kept]),
        )
        write_text(REPORTS / "explorer.html", page)
        for figure in drawn:
            figure.result()


def read_test_images(dataset: Dataset, kept: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """The images of the test samples that are kept, of those that were published."""
    images, _ = open_set(RAW, dataset, "test")
    return np.concatenate([*samples_of(images, kept)])


def trials_of(train: Train, scaling: Scaling, dataset: Dataset) -> Trials | None:
    """The trials that are kept, if they were made on this data set and change these settings."""
    trials = read_json(TRIALS, Trials)
    is_theirs = dataset == MNIST and trials.settings == settings_of_trials(train, scaling)
    return trials if is_theirs else None


def settings_of_trials(train: Train, scaling: Scaling) -> dict[str, Any]:
    """What the outcome of a training depends on, but for its seed."""
    settings = train.model_dump(mode="json", exclude={"seed", "evaluate_every"})
    return {"scaling": scaling, **settings}


def find_neighbours(
    network: TwoLayerNet, images: NDArray[np.uint8], mistakes: pd.DataFrame, dataset: Dataset
) -> tuple[pd.DataFrame, Neighbours]:
    """Find the training samples nearest to each mistake, and draw some.

    Returns the table of all, and those that the explorer may hold.
    """
    train_set, test_set = load_sets(NORMALIZED, dataset.classes)
    indices = np.sort(mistakes["index"])
    neighbours = neighbours_of(network, test_set.x[indices], indices, train_set)
    few = neighbours[neighbours["index"].isin(mistakes["index"].head(MOST_MISTAKES))]
    held = with_images(few, train_set.x, read_json(ENCODING, Encoding), dataset.image_shape)
    draw_neighbours(FIGURES, images, mistakes, held, dataset)
    return neighbours, held


def measure_units(network: TwoLayerNet, images: NDArray[np.uint8], dataset: Dataset) -> Units:
    """Measure what leaving out each hidden unit costs, and draw those that cost most."""
    test_set = load_samples(NORMALIZED, "test", dataset.classes)
    units = leave_out_units(network, test_set.x, test_set.t)
    draw_units(FIGURES, units, images, network.params, dataset)
    return units


def measure_ink(
    images: NDArray[np.uint8], trained: Predictions, repeats: NDArray[np.uint8], dataset: Dataset
) -> pd.DataFrame:
    """Compare the quintiles of the test set by each property of the ink, and draw their errors."""
    slices = compare_quintiles(ink_properties(images), trained, repeats)
    draw_slices(FIGURES, slices, dataset)
    return slices


def measure_likeness(images: NDArray[np.uint8], dataset: Dataset) -> float:
    """How far from the nearest test image 99% of the training images are at most, in grey levels.

    The page of the explorer holds the test set alone, so that pictures are compared with that. Such
    distances are the roots of whole numbers, which every CPU computes alike.
    """
    x = load_samples(NORMALIZED, "train", dataset.classes).x
    some = x[evenly_spaced(len(x), HELD_OUT)]
    held_out = read_json(ENCODING, Encoding).images(some, dataset.image_shape)
    grey_levels = [each.reshape(len(each), -1).astype(np.float32) for each in (held_out, images)]
    return threshold(grey_levels[0], (grey_levels[1][rows] for rows in blocks(len(images))))


def has_strokes(params: Params, dataset: Dataset) -> bool:
    """Whether the report has what only the strokes of a pen have."""
    strokes = params.analyse.strokes
    return dataset.has_strokes if strokes == "auto" else strokes


def write_plots(analysis: Analysis, dataset: Dataset) -> None:
    """Write what DVC plots, in separate files: DVC embeds every column of a file.

    It embeds them in a script, which a "<" in the name of a class could end.
    """
    quotation_mark = "\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}"
    names = np.char.replace(dataset.class_names, "<", quotation_mark)
    columns = {"actual": analysis.trained.t, "predicted": analysis.trained.predicted}
    labels = {name: names[values] for name, values in columns.items()}
    write_mixed_csv(PLOTS / "confusion.csv", pd.DataFrame(labels))
    recall = pd.DataFrame({"class": names, "recall": analysis.by_class["recall"]})
    write_mixed_csv(PLOTS / "recall.csv", recall.dropna())
    bins = analysis.reliability[["confidence", "accuracy"]].dropna()
    bins["perfectly_calibrated"] = bins["confidence"]  # the diagonal
    write_csv(PLOTS / "reliability.csv", bins)


def table_of_counts(analysis: Analysis, dataset: Dataset) -> pd.DataFrame:
    """The confusion matrix, a row for each actual class, a column for each predicted one."""
    names = list(dataset.class_names)
    counts = pd.DataFrame(analysis.confusion, columns=names)
    counts.insert(0, "actual", names, allow_duplicates=True)  # of the name of a class, perhaps
    return counts


def table_by_class(analysis: Analysis, dataset: Dataset) -> pd.DataFrame:
    """The numbers of each class, one row per class."""
    table = analysis.by_class.drop(columns="taken_for")
    table.insert(0, "class", list(dataset.class_names))
    return table


def table_of_units(units: Units, dataset: Dataset) -> pd.DataFrame:
    """The numbers of each hidden unit, with the name of the class that suffers most without it."""
    names = np.array(dataset.class_names)
    return units.table.assign(**{"class": names[units.table["class"]]})


def table_of_slices(slices: pd.DataFrame | None, dataset: Dataset) -> pd.DataFrame:
    """The error rates of the quintiles, with the name of the class; no rows without strokes."""
    table = pd.DataFrame(columns=COLUMNS) if slices is None else slices.copy()
    names = [None if label == ALL else dataset.class_names[label] for label in table["label"]]
    table.insert(2, "class", names)  # behind its label
    return table


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
