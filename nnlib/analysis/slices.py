"""In which slices of the data errors are more frequent: quintiles of properties of the samples."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nnlib.analysis.predictions import Predictions
from nnlib.base.arrays import Floats
from nnlib.stats.intervals import wilson_interval
from nnlib.stats.significance import compare_parts

QUINTILES = 5
ALL = -1  # in place of a class
COLUMNS = [
    *("property", "label", "fifth", "least", "most", "samples"),
    *("errors", "other_samples", "other_errors", "rate", "low", "high"),
    *("other_rate", "other_low", "other_high", "excess", "p", "sign", "finding"),
]
SHARED = 0.5  # of a slice's errors: if so many are those of another slice, it tells nothing new


def quintiles(values: Floats) -> NDArray[np.int64]:
    """The quintile of the values that each lies in, from the lowest, 0, to the highest, 4.

    Equal values are in the same quintile, that of the middle one of their ranks. So where many are
    equal, the quintiles differ in size, and some are empty.

    Parameters
    ----------
    values : ndarray of shape (N,)

    Returns
    -------
    ndarray of int64 of shape (N,); -1 for NaN
    """
    is_known = ~np.isnan(values)
    known = values[is_known]
    # of the ranks of equal values, from 0 to 2 N
    first, end = (np.searchsorted(np.sort(known), known, side) for side in ("left", "right"))
    twice_the_middle = first + end
    found = np.full(len(values), -1)
    found[is_known] = QUINTILES * twice_the_middle // (2 * max(len(known), 1))
    return found


def compare_quintiles(
    properties: pd.DataFrame, predictions: Predictions, repeats: NDArray[np.integer]
) -> pd.DataFrame:
    """Error rates by quintiles of each property, of all samples and of those of each class.

    Each quintile is compared with all other samples, or all others of that class, for which the
    property is known, as `nnlib.stats.significance.compare_parts` does. The p values are adjusted
    for all of these comparisons together. The quintiles of a class are those of its own samples.

    Parameters
    ----------
    properties : DataFrame of N rows
        One column of floats a property; NaN where a sample does not have it.
    predictions : Predictions
    repeats : ndarray of int of shape (S, N)
        What networks trained with S other seeds predict.

    Returns
    -------
    DataFrame with these `COLUMNS`, and a row for each property, then each of all samples and the
    classes, then each quintile

    `property` : str, `label`, `fifth` : int
        The label is `ALL` for all samples, the fifth is the quintile, 0 ... 4.
    `least`, `most` : float
        The values in the quintile; NaN if it is empty.
    `samples`, `errors`, `other_samples`, `other_errors` : int
        In the quintile, and outside it.
    `rate`, `low`, `high`, `other_rate`, `other_low`, `other_high` : float
        Shares of errors, with their 95% Wilson intervals; NaN without samples.
    `excess` : float
        How many more errors there are than if they were as frequent as in the others.
    `p` : float, `sign` : int
        1 where errors are significantly more frequent than in the others, -1 where less frequent.
    `finding` : int
        The same number, from 0, where these say the same: `number_findings`; -1 where the sign is
        not 1.
    """
    t = predictions.t
    is_wrong = np.array([predictions.predicted, *repeats]) != t  # (1 + S, N)
    groups = [(ALL, np.arange(len(t)))]
    groups += [(label, np.flatnonzero(t == label)) for label in range(predictions.classes)]
    rows, errors, mistakes = [], [], []  # of each property and group; of each row
    for name in properties.columns:
        values = properties[name].to_numpy()
        for label, members in groups:
            quintile = quintiles(values[members])
            parts = [members[quintile == i] for i in range(QUINTILES)]
            errors.append([is_wrong[:, part].sum(axis=1) for part in parts])
            mistakes += [set(part[is_wrong[0, part]].tolist()) for part in parts]
            rows += [
                {
                    "property": name,
                    "label": label,
                    "fifth": i,  # the name that reports/slices.csv has always had
                    "least": values[part].min() if len(part) else np.nan,
                    "most": values[part].max() if len(part) else np.nan,
                    "samples": len(part),
                }
                for i, part in enumerate(parts)
            ]
    table = pd.DataFrame(rows)
    wrong = np.moveaxis(np.array(errors), 2, 0)  # (1 + S, groups, QUINTILES)
    samples = table["samples"].to_numpy().reshape(-1, QUINTILES)
    differences = compare_parts(wrong, np.broadcast_to(samples, wrong.shape))
    table["errors"] = wrong[0].ravel()
    table["other_samples"] = (samples.sum(axis=1, keepdims=True) - samples).ravel()
    table["other_errors"] = (wrong[0].sum(axis=1, keepdims=True) - wrong[0]).ravel()
    for prefix in ("", "other_"):
        count, of = table[f"{prefix}errors"], table[f"{prefix}samples"]
        low, high = wilson_interval(count, of)
        table[f"{prefix}rate"] = count / of.where(of > 0)
        table[f"{prefix}low"], table[f"{prefix}high"] = low, high
    table["excess"] = table["errors"] - table["samples"] * table["other_rate"]
    table = table.assign(p=differences.p.ravel(), sign=differences.sign.ravel())
    return table.assign(finding=number_findings(table, mistakes))[COLUMNS]


def number_findings(slices: pd.DataFrame, mistakes: Sequence[set[int]]) -> NDArray[np.int64]:
    """Give slices with significantly more errors the same number where they say the same.

    They do if they are of the same property, or if `SHARED` of the errors of the one with the
    smaller excess are errors of the other. The finding with the largest excess has the number 0.

    Parameters
    ----------
    slices : DataFrame
        With the columns `property`, `excess` and `sign` of `compare_quintiles`.
    mistakes : sequence of set of int
        The indices of the misclassified samples of each slice.

    Returns
    -------
    ndarray of int64, a number for each slice; -1 where the sign is not 1
    """
    numbers = np.full(len(slices), -1)
    names, excess = slices["property"].tolist(), slices["excess"].to_numpy()
    more = np.flatnonzero(slices["sign"] == 1)
    firsts: list[int] = []  # of each finding, the slice with the largest excess
    for i in more[np.argsort(-excess[more], kind="stable")].tolist():
        alike = (
            number
            for number, first in enumerate(firsts)
            if names[i] == names[first]
            or len(mistakes[i] & mistakes[first]) >= SHARED * len(mistakes[i])
        )
        numbers[i] = next(alike, len(firsts))
        if numbers[i] == len(firsts):
            firsts.append(i)
    return numbers
