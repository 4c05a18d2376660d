"""What single training labels do, in words and as a picture."""

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from experiments.labels.leave_one_out import CHOOSING, TOUCHED, Influence
from nnlib.data.datasets import Dataset
from nnlib.report.galleries import COLUMNS, GAP, SMALL, WIDTH, draw_gallery
from nnlib.report.names import fitted, words_of
from nnlib.report.templating import literal, render

FIGURE = "labels-influence.png"  # beside the report
SHOWN = 20  # samples in it, each with those that it touches


def influence_table(found: Influence, samples: pd.DataFrame, test: pd.DataFrame) -> pd.DataFrame:
    """A row for each sample left out and each test sample that it touches most.

    Parameters
    ----------
    found : Influence
    samples : DataFrame
        `index`, `label` and `suggested` of the K samples left out, in their order.
    test : DataFrame
        `index` and `label` of the whole test set.

    Returns
    -------
    DataFrame with these columns, those of `Influence.samples`, `test_index`, `test_label`, those of
    `Influence.pairs` without the places, and `of_seeds`, on which these were measured
    """
    of_sample = pd.concat(
        [samples[["index", "label", "suggested"]].reset_index(drop=True), found.samples], axis=1
    )
    of_test = test[["index", "label"]].add_prefix("test_").reset_index(drop=True)
    pairs = found.pairs
    return pd.concat(
        [
            of_sample.iloc[pairs["sample"]].reset_index(drop=True),
            of_test.iloc[pairs["test"]].reset_index(drop=True),
            pairs[["chosen", "change", "same_sign"]].assign(of_seeds=found.seeds),
        ],
        axis=1,
    )


def influence_report(
    suspects: Influence, controls: Influence, table: pd.DataFrame, dataset: Dataset
) -> str:
    """Write the report, in Markdown, which links to `FIGURE`.

    Parameters
    ----------
    suspects, controls : Influence
        Of samples whose labels are suspected, and of others.
    table : DataFrame
        As `influence_table` makes it of the suspects.
    dataset : Dataset
    """
    rows = [
        {
            **of_sample.iloc[0],
            "label": literal(str(of_sample["label"].iloc[0])),
            "suggested": literal(str(of_sample["suggested"].iloc[0])),
            "touched": [
                {**pair, "test_label": literal(str(pair["test_label"]))}
                for pair in of_sample.to_dict("records")
            ],
        }
        for _, of_sample in table.groupby("index", sort=False)
    ]
    return render(
        "influence.md",
        Path(__file__).parent,
        suspects=suspects,
        controls=controls,
        rows=rows,
        trainings=(len(rows) + len(controls.samples) + 1) * (CHOOSING + suspects.seeds),
        choosing=CHOOSING,
        touched=TOUCHED,
        shown=min(SHOWN, len(rows)),
        figure=FIGURE,
        name=literal(dataset.name),
        nouns=literal(dataset.image_nouns),
    )


def draw_influence(
    path: Path,
    table: pd.DataFrame,
    train_images: NDArray[np.uint8],
    test_images: NDArray[np.uint8],
    dataset: Dataset,
) -> None:
    """Draw those samples that touch a test sample most, each with what they touch.

    Parameters
    ----------
    path : Path
    table : DataFrame
        As `influence_table` makes it. The samples are chosen on the seeds for choosing.
    train_images, test_images : ndarray of uint8 of shape (N, height, width)
        As published, which the indices are about.
    dataset : Dataset
    """
    size = table["chosen"].abs().groupby(table["index"]).max()
    shown = size.sort_values(ascending=False, kind="stable").head(SHOWN).index
    words = words_of(dataset)
    names = dict(zip(dataset.class_names, words.names, strict=True))

    def line(text: str) -> str:
        return fitted(text, 72 * WIDTH * (1 - GAP / 2) / COLUMNS, SMALL)

    images, captions = [], []
    for index in shown:
        pairs = table[table["index"] == index]
        first = pairs.iloc[0]
        images.append(train_images[index])
        label, suggested = names[first["label"]], names[first["suggested"]]
        captions.append([f"without {index}", f"label {label},", f"like {suggested}?", ""])
        for pair in pairs.to_dict("records"):
            images.append(test_images[pair["test_index"]])
            label = names[pair["test_label"]]
            change = f"{pair['change']:+.3f} nats"
            holds = f"{pair['same_sign']} of {pair['of_seeds']} seeds"
            captions.append([f"test {pair['test_index']}", f"label {label}", change, holds])
    texts = ["\n".join(map(line, lines)) for lines in captions]
    title = f"Training samples left out, and the test samples touched most, {words.title}"
    draw_gallery(path, np.array(images), texts, title, dataset)
