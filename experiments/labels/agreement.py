"""How far people agree who sort samples into categories: Fleiss' kappa."""

import numpy as np
from numpy.typing import ArrayLike

from nnlib.base.checks import as_counts
from nnlib.stats.intervals import Z_95


def fleiss_kappa(counts: ArrayLike) -> float | None:
    """Fleiss' kappa: the agreement beyond that by chance, as a share of the most there could be.

    Fleiss (1971), "Measuring nominal scale agreement among many raters", Psychological Bulletin 76,
    378-382, https://doi.org/10.1037/h0031619. Where samples differ in their number of votes, as in
    Gwet (2014), "Handbook of Inter-Rater Reliability", 4th edition, and in the R package irrCAC:
    the agreement is the mean over the samples with two votes or more, and the chance of a category
    the mean over all samples of its share of a sample's votes.

    Parameters
    ----------
    counts : array_like of int >= 0 of shape (N, K)
        How many votes put each of N samples into each of K categories.

    Returns
    -------
    float in [-1, 1], 1 for complete agreement, 0 for as much as by chance; None if it is not
    defined, as no sample has two votes, or all votes are for one category

    Raises
    ------
    TypeError, ValueError
        If these are not counts of shape (N, K).
    """
    n = as_counts(counts, "counts")  # (N, K)
    if n.ndim != 2:
        raise ValueError(f"counts must have the shape (N, K), not {n.shape}")
    n = n[n.sum(axis=1) > 0]
    several = n[n.sum(axis=1) > 1]
    if len(several) == 0 or (n.sum(axis=0) > 0).sum() == 1:
        return None
    votes = several.sum(axis=1)
    pairs_that_agree = (several * (several - 1)).sum(axis=1)
    agreement = (pairs_that_agree / (votes * (votes - 1))).mean()
    shares = (n / n.sum(axis=1, keepdims=True)).mean(axis=0)  # (K,)
    by_chance = (shares**2).sum()
    return float((agreement - by_chance) / (1 - by_chance))


def kappa_interval(counts: ArrayLike) -> tuple[float, float] | None:
    """A 95% interval of Fleiss' kappa, for other samples like these.

    By the jackknife, which leaves out each sample once: Efron and Stein (1981), "The jackknife
    estimate of variance", Annals of Statistics 9, 586-596,
    https://doi.org/10.1214/aos/1176345462.

    Parameters
    ----------
    counts : array_like of int >= 0 of shape (N, K)
        As for `fleiss_kappa`.

    Returns
    -------
    low, high : floats in [-1, 1]; None in their place if kappa, or that without one of the samples,
        is not defined
    """
    n = as_counts(counts, "counts")
    n = n[n.sum(axis=1) > 0]
    kappa = fleiss_kappa(n)
    others = [fleiss_kappa(np.delete(n, row, axis=0)) for row in range(len(n))]
    if kappa is None or None in others:
        return None
    half = Z_95 * float(np.sqrt((len(n) - 1) * np.array(others, float).var()))
    return max(kappa - half, -1.0), min(kappa + half, 1.0)
