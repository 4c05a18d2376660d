"""How many planted errors are found: `python -m experiments.labels.benchmark [--seeds N]`.

Labels of the training set are made wrong on purpose, and judged as those of a data set are.
"""

import argparse
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from experiments.commands import exit_of_command, parse_with_seeds
from experiments.data import data_of_files, data_of_params, only_one_trains
from experiments.labels.benchmark_report import benchmark_report
from experiments.labels.in_cleanlab import find_issues
from experiments.labels.judges import (
    Neighbours,
    find_neighbours,
    opinions_of_networks,
    settings_of_judges,
)
from experiments.labels.noise import Judgement, judge
from experiments.labels.planted import KINDS, Planted, most_confused, plant
from experiments.trials import Trial, TrialData, load_once, run_trials
from nnlib.base.arrays import Floats
from nnlib.base.errors import UserError
from nnlib.base.files import write_text
from nnlib.base.tables import write_mixed_csv
from nnlib.data.corrections import APPLIED, read_published_labels
from nnlib.data.datasets import DESCRIPTION, FILES, TRAIN
from nnlib.data.idx import write_idx
from nnlib.report.numerals import percent
from nnlib.stats.intervals import weighted_count_interval
from stages.common import PARAMS, REPORTS
from stages.params import Params, read_params

TABLE, REPORT = REPORTS / "labels-benchmark.csv", REPORTS / "labels-benchmark.md"
SEEDS = 5
SHARES = (0.01, 0.03, 0.1)  # of the labels
EPOCHS = 15  # of the networks, one for each fold, so that it takes an hour and not five
SURE = 0.5  # the probability to be wrong above which a label is corrected


def main() -> None:
    """Read the command line, plant errors, find them and report."""
    parser = argparse.ArgumentParser(prog="python -m experiments.labels.benchmark")
    seeds = parse_with_seeds(parser, f"plant with N seeds; {SEEDS} if left out").seeds or SEEDS
    with exit_of_command("labels"), only_one_trains():
        params = read_params(Params, PARAMS)
        with data_of_params(params.data) as data:
            if (data.raw / APPLIED).exists():
                raise UserError(
                    f"{PARAMS}: data.corrections: errors are planted in labels as published; name "
                    "a file without corrections"
                )
            encoding, train_set, test_set = load_once(data.sets(params.normalize.scaling))
            shape = data.dataset.image_shape
            neighbours = find_neighbours(
                *(encoding.images(each.x, shape) for each in (train_set, test_set)),
                has_strokes=data.dataset.has_strokes,
            )
            opinion = neighbours.opinions(train_set.t, data.dataset.classes).train
            partners = most_confused(opinion, train_set.t)
            rows = []
            for row in measure(data, params, neighbours, partners, seeds):
                rows.append(row)
                print(
                    f"{row['share']:.0%} {row['kind']}, seed {row['seed']}: "
                    f"{percent(row['pooled'])} of the first {row['flips']} are wrong"
                )
    table = pd.DataFrame(rows)
    write_mixed_csv(TABLE, table)
    write_text(REPORT, benchmark_report(table, data.dataset, partners.tolist(), EPOCHS))
    print(f"Report: {REPORT}, {TABLE}")


def measure(
    data: TrialData,
    params: Params,
    neighbours: Neighbours,
    partners: NDArray[np.integer],
    seeds: int,
) -> Iterator[dict[str, Any]]:
    """Plant each share of each kind of errors with each seed, and measure what is found.

    Parameters
    ----------
    data : TrialData
        Without corrections.
    params : Params
    neighbours : Neighbours
    partners : ndarray of int of shape (C,)
        As for `plant`.
    seeds : int
        How many.
    """
    labels = read_published_labels(data.raw, data.dataset)["train"]
    right = {seed: accuracy_on(data, params, seed) for seed in range(1, seeds + 1)}
    for share in SHARES:
        for seed, accuracy in right.items():
            for kind in KINDS:
                planted = plant(labels, partners, share, kind, seed)
                found, with_errors, corrected = find(data, params, planted, neighbours, seed)
                yield {
                    "kind": kind,
                    "share": share,
                    "seed": seed,
                    **found,
                    "accuracy_right": accuracy,
                    "accuracy_planted": with_errors,
                    "accuracy_corrected": corrected,
                }


def find(
    data: TrialData, params: Params, planted: Planted, neighbours: Neighbours, seed: int
) -> tuple[dict[str, Any], float, float]:
    """Judge labels with planted errors.

    Returns
    -------
    What is found, and the test accuracies after a training on these labels and on those corrected.
    """
    labels, is_wrong = planted
    settings = settings_of_judges(params, data.dataset.image_shape, len(labels), EPOCHS)
    with relabelled(data, labels) as changed:
        networks = opinions_of_networks(changed, params, settings, [seed], None).train
        with_errors = accuracy_on(changed, params, seed)
    of_neighbours = neighbours.opinions(labels, data.dataset.classes).train
    both, alone = judge([networks, of_neighbours], labels), judge([networks], labels)
    own = np.arange(len(labels)), labels
    issues = {
        name: find_issues(each, labels)
        for name, each in (("networks", networks), ("pooled", both.pooled))
    }
    rankings = {
        "pooled": both.score,
        "networks": alone.score,
        "neighbours": -of_neighbours[own],
        **{
            f"cleanlab_{name}_{method}": -getattr(each, method)
            for name, each in issues.items()
            for method in ("self_confidence", "normalized_margin")
        },
    }
    flips = int(is_wrong.sum())
    found: dict[str, Any] = {"flips": flips}
    found |= {name: precision(score, is_wrong, flips) for name, score in rankings.items()}
    found["pooled_half"] = precision(both.score, is_wrong, flips // 2)
    selections = {"sure": both.wrong > SURE}
    selections |= {f"cleanlab_{name}": each.selected for name, each in issues.items()}
    for name, selected in selections.items():
        hits = int((selected & is_wrong).sum())
        found |= {f"{name}_precision": hits / selected.sum(), f"{name}_recall": hits / flips}
    found["expected"], found["expected_low"], found["expected_high"] = weighted_count_interval(
        both.wrong
    )
    with relabelled(data, corrected_labels(both, labels)) as corrected:
        return found, with_errors, accuracy_on(corrected, params, seed)


def precision(score: Floats, is_wrong: NDArray[np.bool_], most: int) -> float:
    """The share of wrong labels among the `most` with the highest scores."""
    return float(is_wrong[np.argsort(-score, kind="stable")[:most]].mean())


def corrected_labels(judgement: Judgement, labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The labels, those that are more likely wrong than right changed to the likeliest class."""
    likeliest = judgement.posterior.argmax(axis=1).astype(np.uint8)
    return np.where(judgement.wrong > SURE, likeliest, labels)


@contextmanager
def relabelled(data: TrialData, labels: NDArray[np.uint8]) -> Iterator[TrialData]:
    """The same data set with other labels of the training set."""
    contents = {name: (data.raw / name).read_bytes() for name in (*FILES, DESCRIPTION)}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / TRAIN.labels
        write_idx(path, labels)
        contents[TRAIN.labels] = path.read_bytes()
    with data_of_files(contents) as changed:
        yield changed


def accuracy_on(data: TrialData, params: Params, seed: int) -> float:
    """The test accuracy of the workspace's settings, trained on a data set."""
    trial = Trial(params.normalize.scaling, params.train.model_copy(update={"seed": seed}))
    return run_trials([trial], data)[0].test_accuracy


if __name__ == "__main__":
    main()
