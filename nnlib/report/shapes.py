"""The quintiles of `nnlib.analysis.slices`, by properties of the ink, in words."""

import math
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from nnlib.analysis.slices import ALL, QUINTILES


class Property(NamedTuple):
    """The words for a property of `nnlib.analysis.ink`."""

    name: str
    lowest: str  # of the images with the smallest values
    highest: str
    digits: str  # the format of a value
    unit: str  # of one; empty for a number
    meaning: str


PROPERTIES = {
    "thickness": Property(
        *("thickness", "thinnest", "thickest", "z.2f", "pixel"),
        "twice the ink, by the length of its outline",
    ),
    "slant": Property(
        *("slant", "most left-leaning", "most right-leaning", "z.0f", "degree"),
        "from the vertical, to the right; from the second moments of the ink",
    ),
    "width": Property(*("width", "narrowest", "widest", "g", "pixel"), "from side to side"),
    "height": Property(*("height", "shortest", "tallest", "g", "pixel"), "from top to bottom"),
    "x": Property(
        *("horizontal position", "leftmost", "rightmost", "zg", "pixel"),
        "of the middle of the width, to the right of the middle of the image",
    ),
    "y": Property(
        *("vertical position", "highest", "lowest", "zg", "pixel"),
        "of the middle of the height, below the middle of the image",
    ),
    "ink": Property(
        *("amount of ink", "least inked", "most inked", "z.0f", "pixel"), "as full pixels"
    ),
    "strokes": Property(
        *("number of strokes", "least broken", "most broken", "g", ""),
        "parts that do not touch, not even at a corner",
    ),
}


def values(name: str, least: float, most: float, to: str = " to ") -> str:
    """The range of a property in its unit: "1.09 to 1.98", or one number if both look alike."""
    if name == "slant":  # a tangent
        least, most = (math.degrees(math.atan(value)) for value in (least, most))
    low, high = (format(value, PROPERTIES[name].digits) for value in (least, most))
    return low if low == high else f"{low}{to}{high}"


def describe_slices(
    slices: pd.DataFrame, names: list[str], everything: str
) -> list[dict[str, Any]]:
    """The quintiles that hold samples, with their name and range in words.

    Parameters
    ----------
    slices : DataFrame
        As `nnlib.analysis.slices.compare_quintiles` makes it, of the properties of the ink.
    names : list of str
        Of the classes.
    everything : str
        The name of all samples.

    Returns
    -------
    list of dict, each a row of the table, with `whose`, `name`, `property_name` and `range`; with
    `of_all`, whether all samples are divided, or those of a class; with `of`, how many these are;
    and with `full`, how many of their quintiles hold any
    """
    full = slices[slices["samples"] > 0]
    ends = full.groupby(["property", "label"])["fifth"].agg(["min", "max", "size"])
    rows = full.join(ends, on=["property", "label"])
    rows = rows.assign(
        of=rows["samples"] + rows["other_samples"],
    )
    return [
        row
        | {
            "of_all": row["label"] == ALL,
            "whose": everything if row["label"] == ALL else names[row["label"]],
            "name": _name(row["property"], row["fifth"], row["min"], row["max"]),
            "property_name": PROPERTIES[row["property"]].name,
            "full": row["size"],
            "range": _range(row["property"], row["least"], row["most"]),
        }
        for row in records(rows)
    ]


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a table, each by the names of the columns."""
    return table.to_dict("records")  # type: ignore[return-value] # the columns' names are str


def _name(name: str, fifth: int, first: int, last: int) -> str:
    """The quintile's name; `first` and `last` are those that hold samples."""
    words = PROPERTIES[name]
    if fifth in (first, last):
        return f"{words.lowest if fifth < last else words.highest} quintile"
    middle = QUINTILES // 2
    if fifth == middle:
        return "middle quintile"
    return f"second {words.lowest if fifth < middle else words.highest} quintile"


def _range(name: str, least: float, most: float) -> str:
    text, unit = values(name, least, most), PROPERTIES[name].unit
    return f"{text} {unit}{'' if text == '1' else 's'}" if unit else text


def by_quintile(described: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The quintiles of all samples: a row for each property; None for an empty one."""
    found = {(row["property"], row["fifth"]): row for row in described if row["of_all"]}
    return [
        {**words._asdict(), "quintiles": [found.get((key, fifth)) for fifth in range(QUINTILES)]}
        for key, words in PROPERTIES.items()
    ]


def standing_out(described: list[dict[str, Any]], sign: int) -> list[dict[str, Any]]:
    """The quintiles with significantly more errors (1), or fewer (-1), by how many, descending.

    Where two quintiles hold all samples, fewer in the one only repeats more in the other.
    """
    found = [row for row in described if row["sign"] == sign and (sign > 0 or row["full"] > 2)]
    order = np.argsort([-sign * row["excess"] for row in found], kind="stable")
    return [found[i] for i in order]


def same_findings(described: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """The quintiles with significantly more errors, in a list for each finding, the largest first.

    In each, those with the most errors in excess come first.
    """
    more = standing_out(described, 1)
    numbers = sorted({row["finding"] for row in more})
    return [[row for row in more if row["finding"] == number] for number in numbers]
