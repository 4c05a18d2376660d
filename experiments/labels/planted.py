"""Wrong labels that are planted on purpose, so that it is known which they are."""

from typing import Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from nnlib.analysis.confusion import confusion_matrix
from nnlib.base.arrays import Floats

Kind = Literal["uniform", "pairs"]
KINDS: tuple[Kind, ...] = get_args(Kind)


class Planted(NamedTuple):
    """Labels, some of which were made wrong."""

    labels: NDArray[np.uint8]  # (N,)
    is_wrong: NDArray[np.bool_]  # (N,)


def plant(
    labels: NDArray[np.uint8], partners: NDArray[np.integer], share: float, kind: Kind, seed: int
) -> Planted:
    """Make a share of the labels wrong.

    Parameters
    ----------
    labels : ndarray of uint8 of shape (N,)
    partners : ndarray of int of shape (C,)
        The class that each class becomes with "pairs": see `most_confused`.
    share : float
        Of the labels, which are drawn at random.
    kind : str
        "uniform": a wrong label is any other class. "pairs": it is the partner of its class.
    seed : int
        The same for both kinds and each share draws the same labels, or the first of them.
    """
    rng = np.random.default_rng(seed)
    rows = rng.permutation(len(labels))[: round(share * len(labels))]
    changed, is_wrong = labels.copy(), np.zeros(len(labels), bool)
    is_wrong[rows] = True
    if kind == "pairs":
        changed[rows] = partners[labels[rows]]
    else:
        steps = rng.integers(1, len(partners), size=len(rows))
        changed[rows] = (labels[rows] + steps) % len(partners)
    return Planted(changed, is_wrong)


def most_confused(opinions: Floats, labels: NDArray[np.integer]) -> NDArray[np.intp]:
    """The other class that each class is most often taken for.

    Parameters
    ----------
    opinions : ndarray of shape (N, C)
        Probabilities of the classes.
    labels : ndarray of int of shape (N,)

    Returns
    -------
    ndarray of int of shape (C,); of two that are equally frequent, the first
    """
    counts = confusion_matrix(labels, opinions.argmax(axis=1), opinions.shape[1])
    np.fill_diagonal(counts, -1)
    return counts.argmax(axis=1)
