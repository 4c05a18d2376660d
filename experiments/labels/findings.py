"""What people found on a list of labels that may be wrong, as a section of its report."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from experiments.labels.agreement import fleiss_kappa, kappa_interval
from experiments.labels.suspects import FIRST
from experiments.labels.votes import (
    CANNOT,
    CONFIRMED,
    CORRECTED,
    OPEN,
    count_votes,
    merge_votes,
    with_ranks,
)
from nnlib.data.datasets import MNIST, Dataset
from nnlib.report.templating import literal, render
from nnlib.stats.intervals import wilson_interval

UNJUDGED = "not judged"
OUTCOMES = (CORRECTED, CONFIRMED, CANNOT, OPEN, UNJUDGED)
# Landis and Koch (1977): what a kappa of up to so much is called
CALLED = (
    *((0.0, "poor"), (0.2, "slight"), (0.4, "fair"), (0.6, "moderate"), (0.8, "substantial")),
    (1.0, "almost perfect"),
)


class Findings(NamedTuple):
    """What the votes on a list come to."""

    reviewers: int
    votes: int
    judged: int  # samples on the list with a vote
    off_list: int  # samples with votes that are not on the list
    kappa: float | None
    interval: tuple[float, float] | None  # of kappa, 95%
    first: pd.DataFrame  # a row for each number of first ones on the list, the last one for all
    pairs: pd.DataFrame  # `given`, `majority`, `count` of the corrected labels, most first


def votes_summary(votes: pd.DataFrame, suspects: pd.DataFrame) -> Findings:
    """Summarise what people found.

    Parameters
    ----------
    votes : DataFrame
        As `experiments.labels.votes.read_votes` returns them.
    suspects : DataFrame
        The list that they are on, with the columns `rank`, `set`, `index` and `suggested`.

    Returns
    -------
    Findings, with `first` of the columns `set`, `first` (how many), `is_all` (of this set),
    `corrected`, `confirmed`, `cannot tell`, `open` and `not judged` (counts of samples), and
    `share`, `low` and `high`: what is corrected of what has an outcome, with Wilson's 95% interval,
    NaN if nothing has one
    """
    merged = merge_votes(votes)
    counts = count_votes(votes)
    ranked = with_ranks(merged, suspects).dropna(subset="rank").set_index(["set", "rank"])
    rows = []
    for part, of_part in suspects.groupby("set", sort=False):
        places = pd.MultiIndex.from_product([[part], of_part["rank"].sort_values()])
        outcomes = ranked["outcome"].reindex(places, fill_value=UNJUDGED)
        for size in sorted({*(size for size in FIRST if size < len(outcomes)), len(outcomes)}):
            counted = outcomes.iloc[:size].value_counts()
            rows.append(
                {"set": part, "first": size, "is_all": size == len(outcomes)}
                | {name: int(counted.get(name, 0)) for name in OUTCOMES}
            )
    first = pd.DataFrame(rows, columns=["set", "first", "is_all", *OUTCOMES])
    decided = first[[CORRECTED, CONFIRMED, CANNOT]].sum(axis=1)
    low, high = wilson_interval(first[CORRECTED], decided)
    share = first[CORRECTED] / decided.where(decided > 0, np.nan)
    corrected = merged[merged["outcome"] == CORRECTED]
    pairs = corrected.value_counts(["given", "majority"]).reset_index()
    return Findings(
        reviewers=votes["reviewer"].nunique(),
        votes=len(votes),
        judged=len(ranked),
        off_list=len(merged) - len(ranked),
        kappa=fleiss_kappa(counts),
        interval=kappa_interval(counts),
        first=first.assign(share=share, low=low, high=high),
        pairs=pairs.sort_values(["count", "given", "majority"], ascending=[False, True, True]),
    )


def votes_section(votes: pd.DataFrame, suspects: pd.DataFrame, dataset: Dataset) -> str:
    """Write the section.

    Parameters
    ----------
    votes : DataFrame
        As `experiments.labels.votes.read_votes` returns them.
    suspects : DataFrame
        The list that they are on, with the columns `rank`, `set`, `index` and `suggested`.
    dataset : Dataset

    Returns
    -------
    str, Markdown that begins with a heading of the second level, and links to `labels-votes.csv`
    and `corrections.csv` beside the report
    """
    found = votes_summary(votes, suspects)
    first: list[dict[Any, Any]] = found.first.to_dict("records")
    return render(
        "votes.md",
        Path(__file__).parent,
        v=found,
        first=first,
        listed=len(suspects),
        called=None if found.kappa is None else kappa_called(found.kappa),
        pairs=[
            (literal(given), literal(majority), count)
            for given, majority, count in found.pairs.itertuples(index=False)
        ],
        is_mnist=dataset == MNIST,
        noun=literal(dataset.class_noun),
        item=literal(dataset.image_noun),
        items=literal(dataset.image_nouns),
    )


def kappa_called(kappa: float) -> str:
    """What Landis and Koch (1977) call an agreement of a kappa."""
    return next(name for most, name in CALLED if kappa <= most)
