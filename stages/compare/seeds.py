"""Training runs of several revisions' parameters, with several seeds."""

from collections.abc import Sequence

from nnlib.errors import UserError
from stages.revisions import Revision
from stages.trials.processes import run_trials
from stages.trials.trial import data_of


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
        If a training diverges, or if this code cannot train a revision's parameters, or not on the
        same data.
    """
    *_, last = revisions
    if any(revision.raw != last.raw for revision in revisions):
        raise UserError(
            "the training sets differ, so the seeds would not show what the other changes do; "
            "leave SEEDS out, or name revisions with the same data"
        )
    trials = [revision.trial(seed=seed) for revision in revisions for seed in seeds]
    with data_of(last.dataset, last.raw) as data:
        accuracies = [outcome.test_accuracy for outcome in run_trials(trials, data)]
    return [accuracies[first : first + len(seeds)] for first in range(0, len(trials), len(seeds))]
