"""In which slices of the data errors are more frequent: the fifths of properties of the samples."""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from nnlib.base.checks import as_array, as_count, as_floats, as_indices, check_lengths
from nnlib.stats.intervals import wilson_interval
from nnlib.stats.significance import compare_parts

FIFTHS = 5
ALL = -1  # in place of a class


def fifths(values: ArrayLike) -> NDArray[np.int64]:
    """The fifth of the values that each lies in, from the lowest, 0, to the highest, 4.

    Equal values are in the same fifth, that of the middle one of their ranks. So where many are
    equal, the fifths differ in size, and some are empty.

    Parameters
    ----------
    values : array_like of real numbers of shape (N,)

    Returns
    -------
    ndarray of int64 of shape (N,); -1 for NaN

    Raises
    ------
    TypeError, ValueError
        If they are not real numbers of that shape.
    """
    values = as_floats(values, "values")
    if values.ndim != 1:
        raise ValueError(f"values must have the shape (N,), not {values.shape}")
    is_known = ~np.isnan(values)
    _, inverse, counts = np.unique(values[is_known], return_inverse=True, return_counts=True)
    twice_the_middle = 2 * np.cumsum(counts) - counts  # of the ranks of equal values, from 0 to 2 N
    fifth = FIFTHS * twice_the_middle // (2 * max(counts.sum(), 1))
    found = np.full(len(values), -1)
    found[is_known] = fifth[inverse]
    return found


def compare_fifths(
    properties: pd.DataFrame,
    actual: ArrayLike,
    predicted: ArrayLike,
    repeats: ArrayLike,
    classes: int,
) -> pd.DataFrame:
    """Error rates by fifths of each property, of all samples and of those of each class.

    Each fifth is compared with all other samples, or all others of that class, for which the
    property is known, as `nnlib.stats.significance.compare_parts` does. The p values are adjusted
    for all of these comparisons together. The fifths of a class are those of its own samples.

    Parameters
    ----------
    properties : DataFrame of N rows
        One column of real numbers a property; NaN where a sample does not have it.
    actual, predicted : array_like of int of shape (N,)
    repeats : array_like of int of shape (S, N)
        What networks trained with S other seeds predict.
    classes : int
        C.

    Returns
    -------
    DataFrame with these columns, and a row for each property, then each of all samples and the
    classes, then each fifth

    `property` : str, `label`, `fifth` : int
        The label is `ALL` for all samples, the fifth 0 ... 4.
    `least`, `most` : float
        The values in the fifth; NaN if it is empty.
    `samples`, `errors`, `other_samples`, `other_errors` : int
        In the fifth, and outside it.
    `rate`, `low`, `high`, `other_rate`, `other_low`, `other_high` : float
        Shares of errors, with their 95 % Wilson intervals; NaN without samples.
    `p` : float, `sign` : int
        1 where errors are more frequent than in the others beyond luck, -1 where less frequent.

    Raises
    ------
    TypeError, ValueError
        If a property is no real number, a label no class, or they differ in their length.
    """
    classes = as_count(classes, "classes", least=1)
    actual = as_indices(actual, classes, "actual")
    of_networks = [as_indices(predicted, classes, "predicted")]
    of_networks += [as_indices(each, classes, "repeats") for each in as_array(repeats, "repeats")]
    check_lengths({"actual": actual, "properties": properties})
    for each in of_networks:
        check_lengths({"actual": actual, "predicted": each})
    is_wrong = np.array(of_networks) != actual  # (1 + S, N)

    groups = [(ALL, np.arange(len(actual)))]
    groups += [(label, np.flatnonzero(actual == label)) for label in range(classes)]
    rows, errors = [], []  # of each property and group
    for name in properties.columns:
        values = as_floats(properties[name], name)
        for label, members in groups:
            fifth = fifths(values[members])
            parts = [members[fifth == i] for i in range(FIFTHS)]
            errors.append([is_wrong[:, part].sum(axis=1) for part in parts])
            rows += [
                {
                    "property": name,
                    "label": label,
                    "fifth": i,
                    "least": values[part].min() if len(part) else np.nan,
                    "most": values[part].max() if len(part) else np.nan,
                    "samples": len(part),
                }
                for i, part in enumerate(parts)
            ]
    table = pd.DataFrame(rows)
    wrong = np.moveaxis(np.array(errors), 2, 0)  # (1 + S, groups, FIFTHS)
    samples = table["samples"].to_numpy().reshape(-1, FIFTHS)
    differences = compare_parts(wrong, np.broadcast_to(samples, wrong.shape))
    table["errors"] = wrong[0].ravel()
    table["other_samples"] = (samples.sum(axis=1, keepdims=True) - samples).ravel()
    table["other_errors"] = (wrong[0].sum(axis=1, keepdims=True) - wrong[0]).ravel()
    for prefix in ("", "other_"):
        count, of = table[f"{prefix}errors"], table[f"{prefix}samples"]
        low, high = wilson_interval(count, of)
        table[f"{prefix}rate"] = count / of.where(of > 0)
        table[f"{prefix}low"], table[f"{prefix}high"] = low, high
    return table.assign(p=differences.p.ravel(), sign=differences.sign.ravel())
