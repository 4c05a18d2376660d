"""The confusion report, in Markdown."""

from pathlib import Path

import numpy as np
import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from numpy.typing import NDArray

from nnlib.metrics import confused_pairs, per_class


def confusion_report(
    *,
    data: str,
    confusion: NDArray[np.int64],
    trained: pd.DataFrame,
    untrained: pd.DataFrame,
    history: pd.DataFrame,
    iterations: int,
    samples: list[int],
    pairs: int,
) -> str:
    """Write the report on a test set.

    Parameters
    ----------
    data : str
        Name of the data set.
    confusion : ndarray of int of shape (C, C)
        Confusion matrix of `trained`.
    trained, untrained : DataFrame
        Predictions, as `nnlib.predictions.tabulate` makes them.
    history : DataFrame with the columns of `nnlib.training.Epoch`
    iterations : int
        Length of the training, which may end between two epochs.
    samples : list of int
        Indices of the samples that get a card.
    pairs : int
        How many of the most-confused pairs to list.

    Returns
    -------
    str, Markdown with links to the figures and to the matrix beside it
    """
    return _render(
        "confusion.md",
        data=data,
        samples=len(trained),
        errors=int((trained["actual"] != trained["predicted"]).sum()),
        pairs=confused_pairs(confusion).head(pairs).to_dict("records"),
        confusion=confusion.tolist(),
        digits=per_class(confusion).to_dict("records"),
        cards=list(
            zip(
                trained.iloc[samples].to_dict("records"),
                untrained.iloc[samples].to_dict("records"),
                strict=True,
            )
        ),
        history=history.to_dict("records"),
        iterations=iterations,
    )


def _render(template: str, **context: object) -> str:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - Markdown of numbers and our own words, no HTML
    )
    return environment.get_template(template).render(context)
