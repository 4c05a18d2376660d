"""The errors of networks that differ in their seed alone, and of the mean of their logits."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from nnlib.analysis.predictions import Predictions
from nnlib.base.arrays import Floats
from nnlib.base.checks import check_lengths
from nnlib.stats.intervals import wilson_interval
from nnlib.stats.paired import PairedT, paired_t


class Errors(NamedTuple):
    """The samples that a network misclassifies, as a share of all."""

    wrong: int
    share: float
    low: float  # Wilson's 95% interval of the share
    high: float


class Record(NamedTuple):
    """What networks misclassify."""

    samples: int  # N
    errors: dict[int, Errors]  # by seed
    mean: float  # of their shares
    over_seeds: PairedT | None  # their mean, with its interval; None for one seed
    std: float | None  # of their shares, with S - 1; None for one seed
    joint: Errors  # of the network that averages the logits of all
    any_errors: int  # samples that one network or more misclassify
    remaining: pd.DataFrame  # the predictions of the latter on what every network misclassifies


def summarise_record(
    seeds: Sequence[int], logits: Sequence[Floats], joint: ArrayLike, t: ArrayLike
) -> Record:
    """Count what networks misclassify, each alone, all of them, and together.

    Parameters
    ----------
    seeds : sequence of S int
    logits : sequence of S ndarray of shape (N, C)
        Of each network, by seed.
    joint : array_like of shape (N, C)
        Those of the network that averages them.
    t : array_like of int of shape (N,)
        The actual classes.

    Returns
    -------
    Record, with `remaining` as `nnlib.analysis.predictions.Predictions.table` makes it, the largest
    loss first

    Raises
    ------
    TypeError, ValueError
        If the numbers of seeds and networks differ, or as for `Predictions.of_logits`.
    """
    check_lengths({"seeds": seeds, "logits": logits})
    wrong = np.array([~Predictions.of_logits(a2, t).right for a2 in logits])  # (S, N)
    together = Predictions.of_logits(joint, t)
    shares = wrong.mean(axis=1)  # (S,)
    several = len(seeds) > 1
    remaining = together.table(np.flatnonzero(wrong.all(axis=0)))
    return Record(
        samples=wrong.shape[1],
        errors={
            seed: count_errors(int(of_one.sum()), of_one.size)
            for seed, of_one in zip(seeds, wrong, strict=True)
        },
        mean=float(shares.mean()),
        over_seeds=paired_t(shares) if several else None,
        std=float(shares.std(ddof=1)) if several else None,
        joint=count_errors(int((~together.right).sum()), len(together)),
        any_errors=int(wrong.any(axis=0).sum()),
        remaining=remaining.sort_values("loss", ascending=False, kind="stable"),
    )


def count_errors(wrong: int, samples: int) -> Errors:
    """So many wrong of so many samples, with the interval of their share."""
    low, high = wilson_interval(wrong, samples)
    return Errors(wrong, wrong / samples, float(low), float(high))
