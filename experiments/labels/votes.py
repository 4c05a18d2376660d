"""Votes of people on labels that may be wrong: read from the page's files, and merged."""

import csv
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from experiments.labels.published import Labels
from nnlib.base.errors import UserError, shown
from nnlib.base.tables import FORMULA, check_rows
from nnlib.data.corrections import DROPPED, PARTS
from nnlib.data.datasets import Dataset
from nnlib.report.templating import with_article

COLUMNS = ["reviewer", "set", "index", "given", "vote"]
SAMPLE = ["set", "index", "given"]
MERGED = [*SAMPLE, "votes", "for_given", "cannot_tell", "majority", "for_majority", "outcome"]
CANNOT_TELL = ""  # as a vote; no class has this name
# What becomes of a label: people chose another one, this one, or none, or did not agree.
CORRECTED, CONFIRMED, CANNOT, OPEN = "corrected", "confirmed", "cannot tell", "open"
# The page puts an apostrophe before what a spreadsheet would run, as `write_report_csv` does, and
# before what would then look the same.
WITH_APOSTROPHE = re.compile(f"^'(?='*[{re.escape(''.join(FORMULA))}])")


def read_votes(paths: Sequence[str | Path], dataset: Dataset, labels: Labels) -> pd.DataFrame:
    """Read the files that the voting page exports.

    Parameters
    ----------
    paths : sequence of str or Path
        One or more; a file may hold the votes of several reviewers.
    dataset : Dataset
    labels : Labels
        Whose published ones `given` becomes, where it is the corrected one.

    Returns
    -------
    DataFrame with the columns of `COLUMNS`, a row for each vote: `reviewer` in small letters, as a
    name in others is the same one; `index` int; `vote` a class, or `CANNOT_TELL`

    Raises
    ------
    UserError
        If a file is not of such votes, if they are not on samples of this data set, or if a
        reviewer has different votes on a sample, or votes in two files.
    """
    tables = []
    files: dict[str, str | Path] = {}  # by reviewer
    for path in paths:
        table = _read_file(path, dataset, labels)
        for reviewer in table["reviewer"].unique():
            rule = f"a reviewer's votes must be in one file, but {files.get(reviewer)} has some too"
            is_other = (table["reviewer"] != reviewer) | (reviewer not in files)
            check_rows(path, table, is_other, rule, ["reviewer"])
            files[reviewer] = path
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def _read_file(path: str | Path, dataset: Dataset, labels: Labels) -> pd.DataFrame:
    table = _texts(path)

    def check(holds: ArrayLike, rule: str, *columns: str) -> None:
        check_rows(path, table, holds, rule, list(columns))

    for column in ("reviewer", "given", "vote"):
        table[column] = table[column].str.replace(WITH_APOSTROPHE, "", n=1, regex=True)
    table["reviewer"] = table["reviewer"].str.strip().str.casefold()
    check(table["reviewer"] != "", "a vote must have a reviewer", "reviewer")
    check(table["set"].isin(PARTS), f"set must be {' or '.join(PARTS)}", "set")
    is_whole = table["index"].str.fullmatch(r"[0-9]{1,18}")
    check(is_whole, "index must be a whole number from 0 on", "index")
    table["index"] = table["index"].astype(np.int64)
    sizes = table["set"].map({part: len(of_part) for part, of_part in labels.published.items()})
    check(table["index"] < sizes, "there is no such sample", "set", "index")
    names = dataset.class_names
    published, in_force = (
        [names[of[part][index]] for part, index in zip(table["set"], table["index"], strict=True)]
        for of in (labels.published, labels.in_force)
    )
    check(
        (table["given"] == published) | (table["given"] == in_force),
        f"given must be the sample's label in {shown(dataset.name)}; these are votes on other data",
        *("set", "index", "given"),
    )
    table["given"] = published
    check(
        table["vote"].isin([*names, CANNOT_TELL]),
        f"vote must be {with_article(dataset.class_noun)} of {shown(dataset.name)}, or empty",
        "vote",
    )
    first = table.groupby(["reviewer", "set", "index"])["vote"].transform("first")
    rule = "a reviewer has one vote on a sample, but an earlier line has another one"
    check(table["vote"] == first, rule, "reviewer", "set", "index", "vote")
    return table.drop_duplicates(["reviewer", "set", "index"])


def _texts(path: str | Path) -> pd.DataFrame:
    """The columns of a file of votes; its index counts the lines of the file, as `check_rows` does.

    Raises
    ------
    UserError
        If it cannot be read as CSV, lacks a column, or has no votes.
    """
    try:
        with Path(path).open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            columns = reader.fieldnames or []
            rows = [(reader.line_num, row) for row in reader]
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}", file=path) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{path} cannot be read as CSV in UTF-8: {error}", file=path) from error
    missing = [column for column in COLUMNS if column not in columns]
    if missing:
        raise UserError(
            f"{path}, line 1: no column {', '.join(missing)}; found "
            f"{shown(', '.join(columns)) if columns else 'nothing'}. A file of votes is what the "
            "voting page exports, with commas between its columns",
            file=path,
        )
    for line, row in rows:
        if None in row or None in row.values():
            raise UserError(
                f"{path}, line {line}: expected {len(columns)} values, as there are columns",
                file=path,
            )
    if not rows:
        raise UserError(f"{path} has no votes: export them once some are cast", file=path)
    table = pd.DataFrame([row for _, row in rows], index=[line - 2 for line, _ in rows])
    return table[COLUMNS]


def count_votes(votes: pd.DataFrame) -> pd.DataFrame:
    """How many votes each sample has for each class.

    Parameters
    ----------
    votes : DataFrame
        As `read_votes` returns them.

    Returns
    -------
    DataFrame of int with the index `set`, `index`, `given`, and a column for each class that has a
    vote, and for `CANNOT_TELL` if that has one
    """
    return votes.pivot_table(index=SAMPLE, columns="vote", aggfunc="size", fill_value=0)


def merge_votes(votes: pd.DataFrame) -> pd.DataFrame:
    """Merge the votes on each sample into an outcome.

    The outcome is what more than half of its votes are for: another class than its label
    (`CORRECTED`), the label (`CONFIRMED`), or that one cannot tell (`CANNOT`). Otherwise it is
    `OPEN`. One vote alone decides nothing, unless there is only one reviewer: then all outcomes are
    the opinion of one person.

    Parameters
    ----------
    votes : DataFrame
        As `read_votes` returns them.

    Returns
    -------
    DataFrame with the columns `set`, `index`, `given`, `votes`, `for_given`, `cannot_tell` (votes
    for that), `majority` (the class that the sample is by its outcome, empty if there is none),
    `for_majority` (votes for what most are for) and `outcome`
    """
    counts = count_votes(votes)
    n, most, winner = counts.sum(axis=1), counts.max(axis=1), counts.idxmax(axis=1)
    least = min(2, votes["reviewer"].nunique())
    is_open = (2 * most <= n) | (most < least)
    given = counts.index.get_level_values("given")
    outcome = np.select(
        [is_open, winner == CANNOT_TELL, winner == given], [OPEN, CANNOT, CONFIRMED], CORRECTED
    )
    is_given, is_unknown = votes["vote"] == votes["given"], votes["vote"] == CANNOT_TELL
    some = votes.assign(for_given=is_given, cannot_tell=is_unknown).groupby(SAMPLE)
    return (
        some[["for_given", "cannot_tell"]]
        .sum()
        .assign(votes=n, for_majority=most, majority=winner.mask(is_open, ""), outcome=outcome)
        .reset_index()[MERGED]
    )


def with_ranks(merged: pd.DataFrame, suspects: pd.DataFrame) -> pd.DataFrame:
    """Put the ranks and the suggested classes of a list before merged votes.

    Parameters
    ----------
    merged : DataFrame
        As `merge_votes` returns it.
    suspects : DataFrame
        The list, with the columns `rank`, `set`, `index` and `suggested`.

    Returns
    -------
    DataFrame with the columns `rank` and `suggested`, missing for samples that are not on the list,
    and then those of `merged`; by rank
    """
    listed = suspects[["rank", "suggested", "set", "index"]].astype({"rank": "Int64"})
    ranked = listed.merge(merged, on=["set", "index"], how="right")
    return ranked.sort_values("rank", kind="stable", ignore_index=True)


def corrected_further(
    corrections: pd.DataFrame, merged: pd.DataFrame, class_names: Sequence[str]
) -> pd.DataFrame:
    """Corrections, and what votes add: the outcome counts, unless someone has dropped the sample.

    Parameters
    ----------
    corrections : DataFrame
        That are in force, as `read_corrections` returns them.
    merged : DataFrame
        As `merge_votes` returns it.
    class_names : sequence of str

    Returns
    -------
    DataFrame, like `corrections`
    """
    is_dropped = corrections["label"] == DROPPED
    dropped = pd.MultiIndex.from_frame(corrections.loc[is_dropped, ["set", "index"]])
    is_left = ~pd.MultiIndex.from_frame(merged[["set", "index"]]).isin(dropped)
    decided = merged[merged["outcome"].isin([CORRECTED, CONFIRMED]) & is_left]
    known = pd.MultiIndex.from_frame(corrections[["set", "index"]])
    others = corrections[~known.isin(pd.MultiIndex.from_frame(decided[["set", "index"]]))]
    number = {name: label for label, name in enumerate(class_names)}
    changed = decided[decided["outcome"] == CORRECTED]
    added = pd.DataFrame(
        {
            "set": changed["set"],
            "index": changed["index"],
            "given": changed["given"].map(number),
            "label": changed["majority"].map(number),
        }
    ).astype(corrections.dtypes)
    table = pd.concat([others, added], ignore_index=True)
    return table.sort_values(["set", "index"], ascending=[False, True], ignore_index=True)
