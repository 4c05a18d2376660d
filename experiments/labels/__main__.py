"""Finds labels that may be wrong: `python -m experiments.labels [options]`."""

import argparse
from collections.abc import Sequence

import numpy as np
import pandas as pd

from experiments.commands import exit_of_command, seeds_from
from experiments.data import data_of_params, only_one_trains
from experiments.labels.calibration import Check, check_expectations
from experiments.labels.findings import votes_section
from experiments.labels.judges import find_neighbours, opinions_of_networks, settings_of_judges
from experiments.labels.noise import judge
from experiments.labels.page import voting_page
from experiments.labels.published import Labels, read_labels_of
from experiments.labels.report import draw_suspects, labels_report
from experiments.labels.suspects import Judged, contradictions, summarise, suspects_in
from experiments.labels.votes import corrected_further, merge_votes, read_votes, with_ranks
from experiments.trials import TrialData, load_once
from nnlib.base.errors import UserError
from nnlib.base.files import write_text
from nnlib.base.tables import write_report_csv
from nnlib.data.corrections import PARTS, write_corrections
from nnlib.data.datasets import Dataset, Part
from nnlib.importing.importer import SAMPLES
from nnlib.report.numerals import count
from stages.common import IMPORTED, PARAMS, REPORTS
from stages.params import MOST_SEEDS, Params, Train, read_params

TABLE, REPORT, PAGE = (REPORTS / f"labels.{kind}" for kind in ("csv", "md", "html"))
VOTES, CORRECTIONS = REPORTS / "labels-votes.csv", REPORTS / "corrections.csv"
SEEDS = 3
MOST_VOTED = 200  # suspects of each set on the page, which holds their images


def main() -> None:
    """Read the command line, judge all labels, and report."""
    parser = argparse.ArgumentParser(prog="python -m experiments.labels", description=__doc__)
    parser.add_argument("--seeds", type=int, default=SEEDS, metavar="N", help="of each fold")
    parser.add_argument("--cluster", metavar="ADDRESS", help="of a Dask scheduler")
    parser.add_argument("--votes", metavar="A.csv,B.csv", help="what reviewers exported")
    arguments = parser.parse_args()
    if not 1 <= arguments.seeds <= MOST_SEEDS:
        parser.error(f"--seeds: from 1 to {MOST_SEEDS}")
    with exit_of_command("labels"), only_one_trains():
        params = read_params(Params, PARAMS)
        seeds = seeds_from(params, arguments.seeds)
        with data_of_params(params.data) as data:
            labels = read_labels_of(data)
            votes = None
            if arguments.votes:  # read before anything is trained
                votes = read_votes(files_in_list(arguments.votes), data.dataset, labels)
            settings, sets, checks = judge_labels(data, params, labels, seeds, arguments.cluster)
        files = files_of_samples() if params.data.source == "imported" else None
        suspects = [
            suspects_in(each, data.dataset, None if files is None else files[each.part])
            for each in sets
        ]
        section = ""
        if votes is not None:
            section = report_votes(votes, pd.concat(suspects), data.dataset, labels)
        text = labels_report(
            [summarise(each) for each in sets],
            checks,
            contradictions(sets),
            dataset=data.dataset,
            settings=settings,
            seeds=len(seeds),
            votes=section,
        )
        write_list(sets, suspects, data.dataset)
        write_text(REPORT, text)
    found = sum(map(len, suspects))
    print(f"Suspected: {count(found)} label{'' if found == 1 else 's'}")
    print(f"Report: {REPORT}, {TABLE}; to vote, open {PAGE} in a browser")


def files_in_list(text: str) -> list[str]:
    """The files that VOTES names.

    Raises
    ------
    UserError
        If it names none.
    """
    paths = [each.strip() for each in text.split(",") if each.strip()]
    if not paths:
        raise UserError("VOTES names no file; for example: VOTES=a.csv,b.csv")
    return paths


def judge_labels(
    data: TrialData, params: Params, given: Labels, seeds: Sequence[int], cluster: str | None
) -> tuple[Train, list[Judged], list[Check]]:
    """Judge the labels of both sets.

    Returns
    -------
    settings : Train
        Of the networks.
    sets : list of Judged
        The test set first.
    checks : list of Check
        Of errors that were planted in the training set.
    """
    dataset = data.dataset
    encoding, *sets = load_once(data.sets(params.normalize.scaling))
    labels = [np.asarray(each.t) for each in sets]
    images = [encoding.images(each.x, dataset.image_shape) for each in sets]
    settings = settings_of_judges(params, dataset.image_shape, len(labels[0]))
    networks = opinions_of_networks(data, params, settings, seeds, cluster)
    neighbours = find_neighbours(*images, has_strokes=dataset.has_strokes)
    votes = neighbours.opinions(labels[0], dataset.classes)
    opinions = zip(networks, votes, strict=True)
    judged = [
        Judged(part, given.indices(part), t, pictures, *both, judge(both, t))
        for part, t, pictures, both in zip(PARTS, labels, images, opinions, strict=True)
    ]
    return settings, judged[::-1], check_expectations(networks.train, neighbours, labels[0])


def files_of_samples() -> dict[Part, list[str]]:
    """The names of the files that were imported, in the order of the samples of each set."""
    table = pd.read_csv(IMPORTED / SAMPLES, dtype=str, keep_default_na=False)
    return {part: table["file"][table["set"] == part].tolist() for part in PARTS}


def report_votes(
    votes: pd.DataFrame, suspects: pd.DataFrame, dataset: Dataset, labels: Labels
) -> str:
    """Merge votes, write what comes of them, and return their section of the report."""
    merged = merge_votes(votes)
    write_report_csv(VOTES, with_ranks(merged, suspects))
    corrections = corrected_further(labels.corrections, merged, dataset.class_names)
    write_corrections(CORRECTIONS, corrections, dataset.class_names)
    print(f"Votes: {VOTES}")
    print(f"To train on the corrected labels: cp {CORRECTIONS} data/corrections.csv && make repro")
    return votes_section(votes, suspects, dataset)


def write_list(sets: Sequence[Judged], suspects: Sequence[pd.DataFrame], dataset: Dataset) -> None:
    """Write the list, its pictures and the page to vote on it."""
    write_report_csv(TABLE, pd.concat(suspects))
    voted, images = [], []
    for judged, table in zip(sets, suspects, strict=True):
        draw_suspects(REPORTS, judged, table, dataset)
        voted.append(table.head(MOST_VOTED))
        images.append(judged.images_of(voted[-1]))
    page = voting_page(pd.concat(voted, ignore_index=True), np.concatenate(images), dataset)
    write_text(PAGE, page)


if __name__ == "__main__":
    main()
