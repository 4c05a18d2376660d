"""The accuracies of training runs with several seeds."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from experiments.data import data_of_files, only_one_trains
from experiments.revisions import Revision
from experiments.trials import run_trials
from nnlib.base.checks import as_shares, check_lengths
from nnlib.base.errors import UserError
from nnlib.stats.paired import MARGIN, PairedT, paired_t, paired_t_equivalence


class SeedRun(NamedTuple):
    """Test accuracies of two training runs with the same seed."""

    seed: int
    before: float
    after: float


class Seeds(NamedTuple):
    """Test accuracies of training runs with several seeds, before and after a change."""

    runs: list[SeedRun]
    mean_before: float
    mean_after: float
    std_before: float  # of the sample, with N - 1
    std_after: float
    std_difference: float
    difference: PairedT  # of the accuracies, after minus before
    equivalence_p: float  # of the two one-sided t tests that their mean is smaller than MARGIN


def summarise_seeds(seeds: Sequence[int], before: ArrayLike, after: ArrayLike) -> Seeds:
    """Summarise the accuracies of training runs with several seeds.

    Parameters
    ----------
    seeds : sequence of int, at least two
    before, after : array_like of float of shape (N,)
        Test accuracies, by seed.

    Returns
    -------
    Seeds

    Raises
    ------
    TypeError, ValueError
        If the accuracies are not shares, the three differ in their lengths, or there are fewer than
        two.
    """
    before, after = (
        as_shares(values, name).astype(np.float64, copy=False)
        for values, name in ((before, "before"), (after, "after"))
    )
    check_lengths({"seeds": seeds, "before": before, "after": after})
    # accuracies are shares of the samples; rounding keeps equal differences equal
    differences = np.round(after - before, 12)
    difference = paired_t(differences)
    return Seeds(
        runs=[SeedRun(*run) for run in zip(seeds, before.tolist(), after.tolist(), strict=True)],
        mean_before=float(before.mean()),
        mean_after=float(after.mean()),
        std_before=float(before.std(ddof=1)),
        std_after=float(after.std(ddof=1)),
        std_difference=float(differences.std(ddof=1)),
        difference=difference,
        equivalence_p=paired_t_equivalence(differences, MARGIN),
    )


def seed_accuracies(revisions: Sequence[Revision], seeds: Sequence[int]) -> list[list[float]]:
    """Test accuracy of each revision's parameters with each seed.

    Parameters
    ----------
    revisions : sequence of Revision
    seeds : sequence of int

    Returns
    -------
    list of float by seed, for each revision

    Raises
    ------
    UserError
        If a training diverges, or if this code cannot train a revision's parameters, or if the
        revisions differ in their data.
    """
    *_, last = revisions
    if any(revision.raw != last.raw for revision in revisions):
        raise UserError(
            "the data sets differ, and networks of several seeds are compared on one alone; leave "
            "SEEDS out, or name revisions with the same data"
        )
    trials = [revision.trial(seed=seed) for revision in revisions for seed in seeds]
    with only_one_trains(), data_of_files(last.raw) as data:
        accuracies = [result.test_accuracy for result in run_trials(trials, data)]
    return [accuracies[first : first + len(seeds)] for first in range(0, len(trials), len(seeds))]
