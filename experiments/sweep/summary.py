"""Many settings, each trained with the same seeds: which is best, and what each parameter does."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from pandas.api.types import is_numeric_dtype

from nnlib.base.arrays import Floats
from nnlib.base.checks import as_floats, check_lengths, check_not_empty
from nnlib.stats.paired import paired_t
from nnlib.stats.proportions import holm
from nnlib.stats.significance import ALPHA

ENOUGH = 3  # seeds for a t test to show more than the largest differences
FEW = 8  # different numbers of a parameter, more of which are taken together in quarters

Measure = Literal["validation", "test"]  # the samples on which settings are compared


class Level(NamedTuple):
    """A value of a parameter, or a quarter of its values, and the errors with it."""

    least: float | str
    most: float | str  # the same, unless it is a quarter
    settings: int  # that have it
    error: float  # mean
    low: float  # Student's 95% interval over the seeds; NaN for one seed
    high: float


@dataclass(frozen=True)
class Effect:
    """What a parameter does to the error."""

    parameter: str
    levels: list[Level]
    # Whether each level is compared on the same values of the other parameters.
    is_balanced: bool


@dataclass(frozen=True)
class Sweep:
    """The errors of settings: the shares of samples that their networks misclassify."""

    # A row for each setting whose trainings all ended, the smallest error first: `setting`, its
    # place in the sweep; `error`, its mean over the seeds; `std`, with S - 1; `low` and `high`,
    # Student's 95% interval of the mean; `difference` of the error from the best one's, and `p`,
    # of the paired t test that there is none, adjusted by Holm's method for all settings; NaN where
    # there is one seed. `cost` is as given, the mean of all trainings that do the same work.
    settings: pd.DataFrame
    failed: list[int]  # the others
    effects: list[Effect]
    # Settings than which none is both cheaper and better, the cheapest first. From three seeds on,
    # each is significantly cheaper than the next, which is significantly better.
    front: list[int]

    @property
    def as_good(self) -> pd.DataFrame:
        """The settings that are not significantly worse than the best; this one is the first."""
        p = self.settings["p"]
        return self.settings[(p >= ALPHA) | (p.index == 0)]


def summarise_sweep(
    values: pd.DataFrame,
    errors: ArrayLike,
    costs: ArrayLike,
    work: Sequence[Hashable] | None = None,
) -> Sweep:
    """Compare settings.

    Parameters
    ----------
    values : DataFrame of N rows and a column for each parameter, of numbers or of texts
        The settings.
    errors : array_like of float of shape (N, S)
        Shares of samples that are misclassified, by setting and seed; NaN where a training failed.
    costs : array_like of float of shape (N, S)
        Of each training, in any unit.
    work : sequence of N hashables, optional
        Equal for settings that do the same work, whose costs differ by noise alone. If left out, no
        two do.

    Returns
    -------
    Sweep

    Raises
    ------
    TypeError, ValueError
        If there are no settings, or the shapes differ.
    """
    errors, costs = as_floats(errors, "errors"), as_floats(costs, "costs")
    if errors.ndim != 2 or errors.shape != costs.shape:
        raise ValueError(
            f"errors and costs must have the same shape (N, S), not {errors.shape}, {costs.shape}"
        )
    check_not_empty(errors, "errors")
    numbers: dict[Hashable, int] = {}
    works = np.array(
        [numbers.setdefault(each, len(numbers)) for each in work or range(len(errors))]
    )
    check_lengths({"errors": errors, "values": values, "work": works})
    costs = pd.DataFrame(costs).groupby(works).transform("mean").to_numpy()
    is_failed = np.isnan(errors).any(axis=1)
    done = np.flatnonzero(~is_failed)
    order = done[np.argsort(errors[done].mean(axis=1), kind="stable")]
    settings = _compare(order, errors[order], costs[order])
    return Sweep(
        settings=settings,
        failed=np.flatnonzero(is_failed).tolist(),
        effects=[_effect(str(name), values.iloc[done], errors[done]) for name in values],
        front=_front(settings, errors, costs),
    )


def _compare(order: NDArray[np.intp], errors: Floats, costs: Floats) -> pd.DataFrame:
    """The table of a `Sweep`, of settings that are in the order of their errors."""
    rows = []
    p = np.full(len(order), np.nan)
    several = errors.shape[1] > 1
    for place, of_one in enumerate(errors):
        low, high = _interval(of_one)
        # errors are shares of the samples; rounding keeps equal differences equal
        differences = np.round(of_one - errors[0], 12)
        if several and place:
            found = paired_t(differences)
            p[place] = found.p if found.has_spread else 1  # nothing to test it against
        std = float(of_one.std(ddof=1)) if several else np.nan
        rows.append((float(of_one.mean()), std, low, high, float(differences.mean())))
    if several:
        p[1:] = holm(p[1:])
    table = pd.DataFrame(rows, columns=["error", "std", "low", "high", "difference"])
    table.insert(0, "setting", order)
    return table.assign(p=p, cost=costs.mean(axis=1))


def _interval(errors: Floats) -> tuple[float, float]:
    """Of the mean over the seeds, within what shares can be; NaN for one seed."""
    if len(errors) < 2:
        return np.nan, np.nan
    found = paired_t(errors)
    return max(found.low, 0.0), min(found.high, 1.0)


def _front(settings: pd.DataFrame, errors: Floats, costs: Floats) -> list[int]:
    """The settings that each cost less than all better ones, and are better than all cheaper."""
    candidates: list[int] = []  # places in the table, the smallest error first
    of = settings["setting"].to_numpy()
    for place in range(len(settings)):
        if not candidates or _is_less(costs[of[place]], costs[of[candidates[-1]]]):
            candidates.append(place)
    front = candidates[-1:]
    for place in candidates[-2::-1]:
        p = settings["p"][front[-1]] if place == 0 else None  # adjusted: the report gives it
        if _is_less(errors[of[place]], errors[of[front[-1]]], p):
            front.append(place)
    return of[front].tolist()


def _is_less(of_one: Floats, of_other: Floats, p: float | None = None) -> bool:
    """Whether a setting has less, by its mean and, if there are enough seeds, a paired t test."""
    differences = np.round(of_one - of_other, 12)
    if differences.mean() >= 0 or len(differences) < ENOUGH:
        return bool(differences.mean() < 0)
    return (paired_t(differences).p if p is None else p) < ALPHA


def _effect(name: str, table: pd.DataFrame, errors: Floats) -> Effect:
    """Marginal means: at each level of a parameter, over the other parameters' values.

    Only those combinations of the others count that occur with each level, so that what differs
    between the levels is this parameter alone. If none does, as among settings drawn at random, all
    settings of a level count.
    """
    level = _levels(table[name])
    others = [column for column in table if column != name]
    combination = table[others].astype(str).groupby(others).ngroup() if others else 0 * level
    keys = pd.DataFrame({"combination": combination, "level": level})
    levels_of = keys.groupby("combination")["level"].transform("nunique")
    is_compared = (levels_of == level.nunique()).to_numpy()
    is_balanced = bool(is_compared.any()) and not keys.duplicated().any()
    if not is_balanced:
        is_compared = np.full(len(keys), fill_value=True)
    levels = []
    for number in sorted(level.unique()):
        is_here = (level == number).to_numpy()
        found = table[name][is_here]
        ends = (found.min(), found.max()) if is_numeric_dtype(found) else (found.iloc[0],) * 2
        means = errors[is_here & is_compared].mean(axis=0)
        levels.append(Level(*ends, int(is_here.sum()), float(means.mean()), *_interval(means)))
    return Effect(name, levels, is_balanced)


def _levels(values: "pd.Series[Any]") -> "pd.Series[int]":
    """Number the values of a parameter, or the quarters of many numbers, in order."""
    if not is_numeric_dtype(values):
        return pd.Series(pd.factorize(values.astype(str))[0], index=values.index)
    ranks = values.rank(method="dense")
    return pd.qcut(ranks, 4, labels=False) if values.nunique() > FEW else ranks.astype(int)
