"""The accuracies of training runs with several seeds."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from experiments.compare.shared import Shared, places_of
from experiments.data import data_of_files, only_one_trains
from experiments.revisions import Revision
from experiments.trials import Trial, kept_network, run_trials
from nnlib.base.checks import as_shares, check_lengths
from nnlib.network import TwoLayerNet
from nnlib.network.evaluation import predict
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


def seed_accuracies(
    before: Revision, after: Revision, shared: Shared, seeds: Sequence[int]
) -> tuple[list[float], list[float]]:
    """Test accuracy of the parameters of two revisions with each seed.

    Each is trained on its own data, and all are tested on the samples that both label alike.

    Parameters
    ----------
    before, after : Revision
    shared : Shared
        Where these samples are in the two test sets.
    seeds : sequence of int

    Returns
    -------
    two lists of float by seed

    Raises
    ------
    UserError
        If a training diverges, or if this code cannot train a revision's parameters.
    """
    of_before, of_after = ([each.trial(seed=seed) for seed in seeds] for each in (before, after))
    with only_one_trains():
        if before.raw != after.raw:
            return (
                _accuracies_on_shared(before, shared.before, shared, of_before),
                _accuracies_on_shared(after, shared.after, shared, of_after),
            )
        with data_of_files(after.raw) as data:  # of which the shared test samples are all
            results = run_trials([*of_before, *of_after], data)
    accuracies = [result.test_accuracy for result in results]
    return accuracies[: len(seeds)], accuracies[len(seeds) :]


def _accuracies_on_shared(
    revision: Revision, rows: NDArray[np.intp], shared: Shared, trials: Sequence[Trial]
) -> list[float]:
    """Accuracies of trials on a revision's data, on some rows of its test set."""
    with data_of_files(revision.raw) as data:
        run_trials(trials, data, keep_networks=True)
        networks = [kept_network(trial, data) for trial in trials]
    places = places_of(revision.dataset.class_names, shared.class_names)
    images = revision.test_images[rows]
    return [float((places[_predict(network, images)] == shared.t).mean()) for network in networks]


def _predict(network: TwoLayerNet, images: NDArray[np.uint8]) -> NDArray[np.intp]:
    return predict(network, network.given_encoding().inputs(images)).argmax(axis=1)
