"""The confusion report, in Markdown: its first page, and those that it links."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nnlib.analysis.analysis import Analysis
from nnlib.analysis.confidence import BINS, FEW, expected_calibration_error, reliability
from nnlib.analysis.evidence import PairEvidence, sum_by_thirds
from nnlib.analysis.held_out import Decided
from nnlib.analysis.neighbours import MISTAKES_SHOWN, SPACES, majorities
from nnlib.analysis.predictions import Predictions
from nnlib.analysis.summary import summarise
from nnlib.analysis.trials import Trials
from nnlib.analysis.units import EXAMPLES, Units
from nnlib.base.arrays import Floats
from nnlib.base.blocks import evenly_spaced
from nnlib.data.datasets import MNIST, Dataset
from nnlib.network.gradient_check import GradientCheck
from nnlib.report import findings
from nnlib.report.corrections import describe_corrections
from nnlib.report.names import words_of
from nnlib.report.shapes import (
    by_quintile,
    describe_slices,
    records,
    same_findings,
    standing_out,
)
from nnlib.report.templating import literal, render
from nnlib.stats.intervals import wilson_interval
from nnlib.stats.paired import paired_difference_interval
from nnlib.stats.significance import ALPHA

PAGES = ("confusion", "shapes", "network", "training", "glossary")
PAIRS_SHOWN = 5  # whose images and evidence are not collapsed
MOST_COLUMNS = 20  # classes that a table has a column for
CLASSES_SHOWN = 20  # of more, those whose numbers are not collapsed
MOST_NAMED = 10  # classes in a sentence or a cell
PAIRS_IN_SENTENCES = 10
MOST_PROBABLE = 5  # classes of a card
MOST_EPOCHS = 50  # that are listed
PLACES = (
    ("top left", "top", "top right"),
    ("left", "centre", "right"),
    ("bottom left", "bottom", "bottom right"),
)


def report_pages(
    analysis: Analysis,
    *,
    dataset: Dataset,
    activation: str,
    evidence: Sequence[PairEvidence],
    slices: pd.DataFrame | None,
    history: pd.DataFrame,
    gradient_check: GradientCheck,
    iterations: int,
    members: int,
    neighbours: pd.DataFrame,
    units: Units,
    cards: list[int],
    pairs: int,
    trials: Trials | None,
    corrections: pd.DataFrame,
) -> dict[str, str]:
    """Write the pages of the report on a test set.

    Parameters
    ----------
    analysis : Analysis
    dataset : Dataset
    activation : str
        Of the network's hidden units.
    evidence : sequence of PairEvidence
        Of the most-confused pairs, as their figure shows it.
    slices : DataFrame, optional
        As `nnlib.analysis.slices.compare_quintiles` makes it, of the properties of the ink; None if
        the report is to say nothing of these.
    history : DataFrame with the columns of `nnlib.training.history.Epoch`
    gradient_check : GradientCheck
        Of the network before its training.
    iterations : int
        Length of the training, which may end between two epochs.
    members : int
        Networks whose logits are averaged; the history is that of the first.
    neighbours : DataFrame
        Of all mistakes, as `nnlib.analysis.neighbours.neighbours_of` makes it.
    units : Units
        Of the hidden layer, measured on the test set.
    cards : list of int
        Indices of the samples that get a card.
    pairs : int
        How many of the most-confused pairs to list.
    trials : Trials, optional
        Of other settings on the same data set; None if there are none of this network's settings.
    corrections : DataFrame
        Of labels, as `nnlib.report.corrections.describe_corrections` takes it.

    Returns
    -------
    dict of the Markdown of each of `PAGES`, which link to each other, to the figures and to the
    tables beside them
    """
    trained, untrained = analysis.trained, analysis.untrained
    noun, nouns = dataset.class_noun, dataset.class_nouns
    names = [literal(name) for name in dataset.class_names]
    classes, is_small = _classes(analysis, names), dataset.classes <= MOST_COLUMNS
    second_choices, second_choices_of_right = (
        _second_choices(means) if dataset.classes > 2 else []  # the other of two is no choice
        for means in (analysis.mean_probabilities, analysis.mean_probabilities_of_right)
    )
    are_digits = (dataset.class_names, noun) == (MNIST.class_names, MNIST.class_noun)
    context: dict[str, Any] = {
        "dataset": dataset,
        "title": literal(dataset.name),
        "names": names,
        "renamed": _renamed(dataset, names),
        "noun": noun,
        "nouns": nouns,
        "image": dataset.image_noun,
        "images": dataset.image_nouns,
        "dark": "ink"
        if dataset.has_strokes
        else "brightness",  # of a pixel, as the figures show it
        "is_small": is_small,
        "most_named": MOST_NAMED,
        "activation": activation,
        "analysis": analysis,
        "unlike_train": np.count_nonzero(analysis.against_train.sign),
        "samples": len(trained),
        "before": summarise(analysis.untrained),
        "after": summarise(trained),
        "repeats": _repeats(analysis),
        "corrections": describe_corrections(analysis, corrections),
        "tried": findings.what_was_tried(trials),
        "fewest_errors": findings.FEWEST_ERRORS,
        "found": {
            "gap": findings.gap(analysis),
            "fall": findings.fall_at_the_end(history),
            "pair": findings.most_confused(analysis),
            "labels": findings.doubtful_labels(analysis),
            "review": findings.left_to_a_person(analysis),
            "hardest": _hardest(classes),
            "vote": findings.vote_of_seeds(analysis),
        },
        "alpha": ALPHA,
        "pairs_shown": PAIRS_SHOWN,
        "classes": classes,
        "listed_classes": classes if is_small else sorted(classes, key=_recall),
        "classes_shown": CLASSES_SHOWN,
        "listed_pairs": records(analysis.pairs.head(pairs)),
        "one_way_pairs": records(analysis.pairs[analysis.pairs["sign"] > 0]),
        "pairs_in_sentences": PAIRS_IN_SENTENCES,
        "explained_pairs": [_explained(pair) for pair in evidence],
        "ink": None if slices is None else _ink(slices, names, f"all {nouns}"),
        "second_choices": second_choices,
        "second_choices_of_right": second_choices_of_right,
        # the notebook asks about these digits
        "seven_to_one": are_digits and _rank(second_choices, 7, 1),
        "seven_to_one_of_right": are_digits and _rank(second_choices_of_right, 7, 1),
        "bins": BINS,
        "few": FEW,
        "full_bins": _full_bins(analysis),
        "decided": [_decided(each) for each in analysis.decided],
        "calibration": _calibration(analysis),
        "sets": [
            {"wanted": wanted, **_of_sets(sets, trained.t)}
            for wanted, sets in analysis.prediction_sets.items()
        ],
        "listed_mistakes": records(analysis.listed_mistakes),
        "total_loss": {
            "all": math.fsum(trained.loss),  # exact, so the order does not matter
            "mistakes": math.fsum(analysis.mistakes["loss"]),
            "listed": math.fsum(analysis.listed_mistakes["loss"]),
        },
        "neighbours": _neighbours(analysis.mistakes, neighbours),
        "units": {
            "number": len(units.table),
            "needed": units.needed,
            "examples": EXAMPLES,
            "shown": [_unit(row, len(trained)) for row in records(units.shown)],
        },
        "listed_issues": records(analysis.listed_issues),
        "is_mnist": dataset == MNIST,
        "most_entropy": math.log(dataset.classes),
        "cards": list(zip(_cards(trained, cards), _cards(untrained, cards), strict=True)),
        "history": records(_listed_epochs(history)),
        "evaluations": len(history),
        "gradient_check": gradient_check.model_dump(),
        "iterations": iterations,
        "members": members,
    }
    return {name: render(f"{name}.md", **context) for name in PAGES}


def _listed_epochs(history: pd.DataFrame) -> pd.DataFrame:
    """As many epochs as a table can have, evenly spaced, the first and the last among them."""
    return history.iloc[evenly_spaced(len(history), MOST_EPOCHS)]


def _repeats(analysis: Analysis) -> dict[str, float] | None:
    """The test accuracy of networks trained with other seeds, or None if there are none."""
    accuracies = analysis.accuracies_of_repeats
    if len(accuracies) == 0:
        return None
    return {
        "number": len(accuracies),
        "mean": accuracies.mean(),
        "std": accuracies.std(ddof=1),
        "low": accuracies.min(),
        "high": accuracies.max(),
    }


def _classes(analysis: Analysis, names: list[str]) -> list[dict[str, Any]]:
    """The numbers of each class, with its name and the names that it is taken for."""
    return [
        row
        | {
            "name": name,
            "taken_for": [names[label] for label in row["taken_for"]],
            "taken_for_count": counts[row["taken_for"]].max(initial=0),
        }
        for name, row, counts in zip(
            names, records(analysis.by_class), analysis.confusion, strict=True
        )
    ]


def _hardest(classes: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Of the classes with a recall that is significantly lower, the one with the lowest."""
    lower = [row for row in classes if row["recall_sign"] < 0]
    return min(lower, key=_recall, default=None)


def _recall(row: dict[str, Any]) -> float:
    """What classes are sorted by, the lowest first, and those without samples last."""
    return math.inf if math.isnan(row["recall"]) else row["recall"]


def _renamed(dataset: Dataset, names: list[str]) -> list[tuple[str, str]]:
    """The classes that the figures call by other names: that, and their own."""
    return [
        (literal(short), full)
        for short, name, full in zip(
            words_of(dataset).names, dataset.class_names, names, strict=True
        )
        if short != name
    ]


def _cards(predictions: Predictions, cards: list[int]) -> list[dict[str, Any]]:
    """The predictions of some samples, with the most probable classes."""
    return [
        row | {"most_probable": np.argsort(-y, kind="stable")[:MOST_PROBABLE].tolist()}
        for row, y in zip(records(predictions.table(cards)), predictions.y[cards], strict=True)
    ]


def _full_bins(analysis: Analysis) -> list[dict[str, Any]]:
    """The bins with predictions, and which of them hold few."""
    full = analysis.reliability[analysis.reliability["count"] > 0]
    return records(full.assign(few=full["count"] < FEW))


def _decided(decided: Decided) -> dict[str, Any]:
    low, high = wilson_interval(decided.right, decided.samples)
    accuracy = decided.right / max(decided.samples, 1)
    return {"accuracy": accuracy, "low": low, "high": high, **decided._asdict()}


def _calibration(analysis: Analysis) -> dict[str, Any]:
    """Loss and calibration error with the temperatures."""
    temperatures, predictions = analysis.calibrated
    return {
        "temperatures": temperatures,
        "loss": predictions.mean_loss,
        "error": expected_calibration_error(reliability(predictions)),
    }


def _of_sets(sets: NDArray[np.bool_], actual: NDArray[np.integer]) -> dict[str, Any]:
    """How often prediction sets hold the class, and how large they are, overall and by class."""
    held, sizes = sets[np.arange(len(actual)), actual], sets.sum(axis=1)
    low, high = wilson_interval(held.sum(), len(held))
    by_class = pd.DataFrame({"actual": actual, "held": held, "size": sizes}).groupby("actual")
    return {
        "coverage": held.mean(),
        "low": low,
        "high": high,
        "size": sizes.mean(),
        "empty": (sizes == 0).mean(),
        "single": (sizes == 1).mean(),
        "by_class": by_class.mean().reindex(range(sets.shape[1])).to_dict("records"),
    }


def _neighbours(mistakes: pd.DataFrame, neighbours: pd.DataFrame) -> dict[str, Any] | None:
    """What the section on the nearest training samples says, or None if there are no mistakes."""
    if mistakes.empty:
        return None
    counts = {
        space: [_proportion(count, len(mistakes)) for count in of_space]
        for space, of_space in majorities(neighbours, mistakes).items()
    }
    labels = neighbours.groupby(["index", "space"])["label"].agg(list)
    return {
        "number": int(neighbours["rank"].max()),
        "majorities": counts,
        "listed": [
            row | {space: labels[row["index"], space] for space in SPACES}
            for row in records(mistakes.head(MISTAKES_SHOWN))
        ],
    }


def _proportion(count: int, of: int) -> dict[str, Any]:
    low, high = wilson_interval(count, of)
    return {"count": count, "share": count / of, "low": low, "high": high}


def _unit(row: dict[str, Any], samples: int) -> dict[str, Any]:
    """A hidden unit's row of the table, with the interval of its cost."""
    low, high = paired_difference_interval(row["fixed"], row["broken"], samples)
    return row | {"low": -high, "high": -low}


def _explained(pair: PairEvidence) -> dict[str, Any]:
    """What is said of a pair: sums of evidence in nats, and where the ink is."""
    confused = pair.confused.pixels.sum()
    explained = {
        "actual": pair.actual,
        "predicted": pair.predicted,
        "blank": pair.blank,
        "confused": confused,
        "whole": pair.blank + confused,
        "units": pair.strongest,
        "share": pair.shares[pair.strongest].sum(),
        "right": None,
    }
    if pair.right:
        difference = pair.confused.pixels - pair.right.pixels
        parts = sum_by_thirds(difference)
        place = np.unravel_index(np.nanargmax(parts), parts.shape)
        ink, ink_of_right = (
            sum_by_thirds(means.image)[place] for means in (pair.confused, pair.right)
        )
        explained |= {
            "right": pair.right.pixels.sum(),
            "difference": difference.sum(),
            "part": parts[place],
            "place": PLACES[place[0]][place[1]],
            "more_ink": ink / ink_of_right - 1 if ink_of_right else math.nan,
        }
    return explained


def _ink(slices: pd.DataFrame, names: list[str], everything: str) -> dict[str, Any]:
    """What the section on the properties of the ink says."""
    described = describe_slices(slices, names, everything)
    return {
        "comparisons": len(slices),
        "findings": same_findings(described),
        "more": standing_out(described, 1),
        "fewer": standing_out(described, -1),
        "by_quintile": by_quintile(described),
    }


def _second_choices(means: Floats) -> list[dict[str, Any]]:
    """Pairs of classes by the mean probability that one gives to the other, descending."""
    pairs = [
        {"actual": actual, "given_to": given_to, "mean": means[actual, given_to]}
        for actual, given_to in np.ndindex(means.shape)
        if actual != given_to and not np.isnan(means[actual, given_to])
    ]
    return sorted(pairs, key=lambda pair: -pair["mean"])


def _rank(choices: list[dict[str, Any]], actual: int, given_to: int) -> dict[str, Any] | None:
    """A second choice with its rank, from 1, among those of its actual class, or None."""
    of_actual = [choice for choice in choices if choice["actual"] == actual]
    for rank, choice in enumerate(of_actual, start=1):
        if choice["given_to"] == given_to:
            return {"rank": rank, **choice}
    return None
