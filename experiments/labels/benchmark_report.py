"""The report on how many planted errors are found, in Markdown."""

from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from nnlib.data.datasets import Dataset
from nnlib.report.templating import literal, render
from nnlib.stats.paired import PairedT, paired_t
from nnlib.stats.proportions import holm
from nnlib.stats.significance import ALPHA

RIVALS = ("cleanlab_pooled_self_confidence", "cleanlab_pooled_normalized_margin")


class Difference(NamedTuple):
    """How much less another ranking finds."""

    change: PairedT  # of its precision, less ours
    is_significant: bool


def summarise_benchmark(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Sum up the seeds of each share and kind of errors.

    Parameters
    ----------
    table : DataFrame
        As `experiments.labels.benchmark` measures it, with two seeds or more.

    Returns
    -------
    list of dict: `share`, `kind`, `flips`; a PairedT over the seeds for each other column;
    `regained`, a PairedT; `covered`, how many intervals hold the number of flips; and `differences`
    """
    groups = [group for _, group in table.groupby(["share", "kind"], sort=True)]
    changes = [[paired_t(group[rival] - group["pooled"]) for rival in RIVALS] for group in groups]
    is_significant = holm([change.p for of_group in changes for change in of_group]) < ALPHA
    flags = is_significant.reshape(len(groups), len(RIVALS)).tolist()
    rows = []
    for group, of_group, of_flags in zip(groups, changes, flags, strict=True):
        measured = group.columns.drop(["share", "kind", "seed", "flips"])
        row: dict[str, Any] = {str(name): paired_t(group[name]) for name in measured}
        row |= {name: group[name].iloc[0] for name in ("share", "kind", "flips")}
        row["regained"] = paired_t(group["accuracy_corrected"] - group["accuracy_planted"])
        is_covered = group["expected_low"].le(group["flips"])
        row["covered"] = int((is_covered & group["expected_high"].ge(group["flips"])).sum())
        row["differences"] = [*map(Difference, of_group, of_flags)]
        rows.append(row)
    return rows


def benchmark_report(
    table: pd.DataFrame, dataset: Dataset, partners: list[int], epochs: int
) -> str:
    """Write the report.

    Parameters
    ----------
    table : DataFrame
        As for `summarise_benchmark`.
    dataset : Dataset
    partners : list of int
        The class that each class becomes with "pairs".
    epochs : int
        Of the networks.
    """
    names = [literal(name) for name in dataset.class_names]
    rows = summarise_benchmark(table)
    return render(
        "benchmark.md",
        Path(__file__).parent,
        rows=rows,
        biases=[row["expected"].mean / row["flips"] - 1 for row in rows],
        data=literal(dataset.name),
        noun=literal(dataset.class_noun),
        partners=", ".join(
            f"{name} as {names[other]}" for name, other in zip(names, partners, strict=True)
        ),
        seeds=table["seed"].nunique(),
        epochs=epochs,
        version=version("cleanlab"),
    )
