"""The report on the record, in Markdown."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from experiments.record.summary import Record, count_errors
from nnlib.data.datasets import MNIST, Dataset
from nnlib.report.templating import literal, render
from nnlib.stats.intervals import wilson_interval

MOST_SHOWN = 100  # samples that every network misclassifies
# Meier, Cireşan, Gambardella and Schmidhuber (2011): a committee of 25 networks of one hidden layer
COMMITTEE = count_errors(39, 10_000)


def record_report(
    record: Record,
    *,
    dataset: Dataset,
    parameters: Sequence[tuple[str, str, str]],
    search: pd.DataFrame,
    search_samples: int,
    validation_accuracy: float | None,
    validation_samples: int,
    seconds: float | None,
) -> str:
    """Write the report.

    Parameters
    ----------
    record : Record
    dataset : Dataset
    parameters : sequence of (name, before, after)
        Those that are not the defaults.
    search : DataFrame
        What was tried: `hidden_size`, `epochs`, `changes`, and `errors` on samples held out.
    search_samples : int
        How many were held out.
    validation_accuracy : float, optional
        That of the recipe, trained by this code, on samples held out.
    validation_samples : int
        How many these are.
    seconds : float, optional
        What the experiment took, if that is known.

    Returns
    -------
    str, Markdown with a link to `record.png`, beside it
    """
    low, high = wilson_interval(search["errors"], search_samples)
    tried = search.assign(share=search["errors"] / search_samples, low=low, high=high)
    validation = None
    if validation_accuracy is not None:
        errors = round((1 - validation_accuracy) * validation_samples)
        validation = count_errors(errors, validation_samples)
    return render(
        "report.md",
        Path(__file__).parent,
        r=record,
        is_mnist=dataset == MNIST,
        committee=COMMITTEE,
        name=literal(dataset.name),
        names=[literal(name) for name in dataset.class_names],
        noun=literal(dataset.class_noun),
        nouns=literal(dataset.class_nouns),
        parameters=parameters,
        tried=tried.to_dict("records"),
        search_samples=search_samples,
        validation=validation,
        validation_samples=validation_samples,
        seconds=seconds,
        total=len(record.remaining),
        remaining=record.remaining.head(MOST_SHOWN).to_dict("records"),
    )
