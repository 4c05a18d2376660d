"""The model card: what the trained network is, how good it is, and what it is not for."""

import json
from collections.abc import Mapping
from functools import partial

import pandas as pd

from nnlib.analysis.analysis import Analysis
from nnlib.analysis.summary import summarise
from nnlib.data.datasets import Dataset
from nnlib.network import TwoLayerNet
from nnlib.report.corrections import describe_corrections
from nnlib.report.shapes import records
from nnlib.report.templating import literal, render

EXTREMES = 3  # classes of the lowest recall that are listed, and of the highest
MOST_NAMED = 10  # classes in a sentence


def model_card(
    analysis: Analysis,
    *,
    dataset: Dataset,
    network: TwoLayerNet,
    train_samples: int,
    iterations: int,
    settings: Mapping[str, object],
    corrections: pd.DataFrame,
) -> str:
    """Write the model card, with the fields that Hugging Face knows.

    They are those of the metadata in https://huggingface.co/docs/hub/model-cards and of Mitchell
    et al. (2019), "Model cards for model reporting", https://doi.org/10.1145/3287560.3287596.

    Parameters
    ----------
    analysis : Analysis
        Of the network's predictions of the test set.
    dataset : Dataset
    network : TwoLayerNet
        The trained one, with its encoding.
    train_samples : int
        In the training set, those held out for validation among them.
    iterations : int
        Updates of the training.
    settings : mapping of str to object
        Of the training, by their names.
    corrections : DataFrame
        Of labels, as `nnlib.report.corrections.describe_corrections` takes it.

    Returns
    -------
    str, Markdown behind metadata in YAML
    """
    names = [literal(name) for name in dataset.class_names]
    rows = records(analysis.by_class.assign(name=names).dropna(subset="recall"))
    by_recall = sorted(rows, key=lambda row: row["recall"])
    accuracies = analysis.accuracies_of_repeats
    inputs, hidden = network.params["W1"].shape
    return render(
        "model_card.md",
        yaml_text=partial(json.dumps, ensure_ascii=False),  # all JSON is YAML
        dataset=dataset,
        name=literal(dataset.name),
        nouns=dataset.class_nouns,
        noun=dataset.class_noun,
        names=names,
        most_named=MOST_NAMED,
        inputs=inputs,
        hidden=hidden,
        numbers=sum(each.size for each in network.params.values()),
        activation=network.activation,
        encoding=network.encoding,
        samples=len(analysis.trained),
        train_samples=train_samples,
        iterations=iterations,
        settings=settings,
        corrections=describe_corrections(analysis, corrections),
        s=summarise(analysis.trained),
        train_accuracy=analysis.train_accuracy,
        macro_f1=float(analysis.by_class["f1"].mean()),
        brier_score=analysis.brier_score,
        repeats=len(accuracies),
        mean=accuracies.mean() if len(accuracies) else None,
        std=accuracies.std(ddof=1) if len(accuracies) > 1 else None,
        worst=by_recall[0],
        best=by_recall[-1],
        extremes=by_recall[:EXTREMES] + by_recall[EXTREMES:][-EXTREMES:],
        pair=next(iter(records(analysis.pairs.head(1))), None),
    )
