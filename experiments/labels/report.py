"""The report on labels that may be wrong, in Markdown."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from experiments.labels.calibration import Check
from experiments.labels.judges import FOLDS, NEIGHBOURS
from experiments.labels.suspects import FIRST, Judged, Summary
from nnlib.data.corrections import CALLED
from nnlib.data.datasets import MNIST, Dataset, Part
from nnlib.report.galleries import draw_gallery, label_captions
from nnlib.report.templating import literal, render
from stages.params import Train

SHOWN = 48  # suspects of each set in a gallery, in six rows
MOST_PAIRS = 10
MANY = 0.25  # of the labels: if more are suspected, the judges may be no good
# Of the 100 test labels of MNIST that confident learning finds most doubtful, those that most of
# five reviewers did not confirm: Northcutt, Athalye and Mueller (2021), "Pervasive label errors in
# test sets destabilize machine learning benchmarks", table 1, https://arxiv.org/abs/2103.14749.
PUBLIC_JUDGED, PUBLIC_WRONG = 100, 15


def labels_report(
    summaries: Sequence[Summary],
    checks: Sequence[Check],
    contradictions: Sequence[Sequence[tuple[Part, int, int]]],
    *,
    dataset: Dataset,
    settings: Train,
    seeds: int,
    votes: str,
) -> str:
    """Write the report.

    Parameters
    ----------
    summaries : sequence of Summary
        Of each set.
    checks : sequence of Check
    contradictions : sequence
        The samples of each image that has several labels, as (set, index, label).
    dataset : Dataset
    settings : Train
        Of the networks.
    seeds : int
        Of each fold.
    votes : str
        The section on the votes, in Markdown; empty without votes.

    Returns
    -------
    str, Markdown with links to files beside it
    """
    before = sum(each.all.wrong for each in summaries if each.part == "train")
    return render(
        "report.md",
        Path(__file__).parent,
        called=CALLED,
        summaries=summaries,
        checks=checks,
        biases=[each.expected.wrong / (each.planted + before) - 1 for each in checks],
        before=before,
        covered=sum(
            each.expected.low <= each.planted + before <= each.expected.high for each in checks
        ),
        contradictions=contradictions,
        is_mnist=dataset == MNIST,
        name=literal(dataset.name),
        names=[literal(name) for name in dataset.class_names],
        noun=literal(dataset.class_noun),
        nouns=literal(dataset.image_nouns),
        has_strokes=dataset.has_strokes,
        settings=settings,
        seeds=seeds,
        folds=FOLDS,
        neighbours=NEIGHBOURS,
        first=FIRST,
        many=MANY,
        shown=SHOWN,
        most_pairs=MOST_PAIRS,
        public=(PUBLIC_WRONG, PUBLIC_JUDGED),
        votes=votes,
    )


def draw_suspects(folder: Path, judged: Judged, suspects: pd.DataFrame, dataset: Dataset) -> None:
    """Draw the first suspects of a set, as `labels-SET.png`; without any, remove that file.

    Parameters
    ----------
    folder : Path
    judged : Judged
    suspects : DataFrame
        As `suspects_in` makes it.
    dataset : Dataset
    """
    first = suspects.head(SHOWN)
    number = {name: label for label, name in enumerate(dataset.class_names)}
    issues = pd.DataFrame(
        {
            "index": first["index"],
            "label": first["label"].map(number),
            "looks_like": first["suggested"].map(number),
        }
    )
    title = f"{dataset.name}: the first suspects of the {CALLED[judged.part]}"
    captions = label_captions(issues, dataset)
    path = folder / f"labels-{judged.part}.png"
    path.unlink(missing_ok=True)  # of other suspects
    draw_gallery(path, judged.images_of(first), captions, title, dataset)
