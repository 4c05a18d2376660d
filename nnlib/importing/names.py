"""Names of classes: in which order they come, which are taken, and which label is which class."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnlib.base.errors import UserError, shown
from nnlib.data.datasets import CLASSES
from nnlib.importing.notes import Notes, counted, examples

LONGEST = 100  # characters of a name
# Of Unicode's categories, those that no name has: control characters, halves of surrogate pairs (of
# a file name that is not UTF-8), separators of lines and of paragraphs.
REFUSED = {"Cc", "Cs", "Zl", "Zp"}
# Unicode's Bidi_Control: they turn the direction of the text around them.
DIRECTIONS = set("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
# As texts write numbers in ASCII; Python's float takes 1_0 and other scripts' digits too.
NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


def natural(text: str) -> tuple[tuple[str | int, ...], str]:
    """A key that sorts 2 before 10, and otherwise by code points, the same on every machine."""
    composed = unicodedata.normalize("NFC", text)
    # texts and digits alternate, so keys can be compared place by place
    parts = re.split("([0-9]+)", composed)
    return tuple(int(part) if i % 2 else part for i, part in enumerate(parts)), text


def checked_name(text: str, what: str = "class name") -> str:
    """A name without spaces around it, in Unicode's composed form (NFC).

    Parameters
    ----------
    text : str
    what : str
        What the name is of, for the message.

    Raises
    ------
    UserError
        If it is empty, too long, or has characters that no name has.
    """
    name = unicodedata.normalize("NFC", text).strip()
    if not _visible(name).strip():
        raise UserError(f"a {what} is empty: give it one or more characters")
    if len(name) > LONGEST:
        raise UserError(
            f"the {what} {shown(name)} has {len(name)} characters: shorten it to {LONGEST}"
        )
    if any(unicodedata.category(character) in REFUSED for character in name):
        raise UserError(
            f"the {what} {shown(name)} has control characters, or is not UTF-8: rename it"
        )
    if DIRECTIONS & set(name):
        raise UserError(
            f"the {what} {shown(name)} has invisible characters that turn the direction of text: "
            "rename it"
        )
    return name


def _visible(name: str) -> str:
    """A name without Unicode's format characters (Cf), as that which joins parts of an emoji."""
    return "".join(character for character in name if unicodedata.category(character) != "Cf")


def checked_names(texts: Iterable[str]) -> tuple[str, ...]:
    """The names of all classes, in their order.

    Raises
    ------
    UserError
        If there are too few or too many, if one is not a name, or if two are the same, or look so,
        or are so but for case: files with such names are the same on some systems.
    """
    names = tuple(map(checked_name, texts))
    if len(names) not in CLASSES:
        raise UserError(
            f"{len(names)} {'class was' if len(names) == 1 else 'classes were'} found"
            f"{f' ({examples(names)})' if names else ''}, but there must be {CLASSES[0]} to "
            f"{CLASSES[-1]}"
        )
    seen: dict[str, str] = {}
    for name in names:
        other = seen.setdefault(_visible(name).casefold(), name)
        if other is not name:
            but = " but for invisible characters"
            if other.casefold() == name.casefold():
                but = "" if other == name else " but for case"
            raise UserError(
                f"the classes {shown(other)} and {shown(name)} have the same name{but}: rename "
                "one, or put their samples together"
            )
    return names


def read_names(path: Path) -> list[str]:
    """The lines of a file of class names.

    Raises
    ------
    UserError
        If the file is not UTF-8, or one of its lines is empty.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").rstrip().split("\n")
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not UTF-8: save it so") from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            raise UserError(f"{path}, line {number} is empty: write one class name a line")
    return [line.strip() for line in lines]


def label_texts(labels: NDArray[Any], where: str, notes: Notes) -> list[str]:
    """Labels of any kind as texts: whole numbers without a point, one-hot rows as their column.

    Parameters
    ----------
    labels : ndarray of shape (N,) or (N, columns)
        Numbers or texts.
    where : str
        The file or array that holds them, for the messages.
    notes : Notes

    Raises
    ------
    UserError
        If they are neither texts in UTF-8 nor whole numbers, or have another shape.
    """
    if labels.ndim == 2:
        labels = _of_columns(labels, where, notes)
    if labels.ndim != 1:
        raise UserError(f"{where} has labels of shape {labels.shape}; expected (N,)")
    if labels.dtype.kind in "iub":
        return [str(int(label)) for label in labels]
    if labels.dtype.kind == "f":
        whole = np.isfinite(labels) & (labels == np.floor(labels))
        if not whole.all():
            index = int(np.argmin(whole))
            raise UserError(
                f"{where}: label {index} is {labels[index]}, but labels are classes, so whole "
                "numbers or texts"
            )
        return [str(int(label)) for label in labels]
    if labels.dtype.kind not in "OUS":
        raise UserError(f"{where} has labels of type {labels.dtype}; expected numbers or texts")
    texts = []
    for index, label in enumerate(labels):
        try:
            texts.append(label.decode() if isinstance(label, bytes) else str(label))
        except UnicodeDecodeError as error:
            raise UserError(
                f"{where}: label {index} is {shown(label)}, which is not UTF-8: save texts instead "
                "of bytes, as by numpy.char.decode(labels, 'latin-1')"
            ) from error
    return _whole([text.strip() for text in texts])


def _whole(texts: list[str]) -> list[str]:
    """Texts as they are, unless all are whole numbers and some have a point: 5.0 becomes 5."""
    is_whole = all(NUMBER.fullmatch(text) and float(text).is_integer() for text in set(texts))
    is_written_so = all(re.fullmatch("-?[0-9]+", text) for text in set(texts))
    return [str(int(float(text))) for text in texts] if is_whole and not is_written_so else texts


def _of_columns(labels: NDArray[Any], where: str, notes: Notes) -> NDArray[Any]:
    """The classes of labels that have columns."""
    columns = labels.shape[1]
    if columns == 0:
        raise UserError(f"{where} has labels of shape {labels.shape}; expected (N,)")
    if columns == 1:
        return labels[:, 0]
    if labels.dtype.kind in "iubf":
        is_one_hot = (np.count_nonzero(labels, axis=1) == 1) & (labels.max(axis=1) == 1)
        if is_one_hot.all():
            notes.add("changed", f"{where}: one-hot labels became the numbers of their columns")
            return labels.argmax(axis=1)
    if labels.dtype.kind in "iu":
        notes.add("changed", f"{where}: of {columns} columns of labels, the first is the class")
        return labels[:, 0]
    raise UserError(f"{where}: labels of shape {labels.shape} are not one-hot; expected (N,)")


def number_classes(
    labels: Mapping[str, Sequence[str]],
    listed: Sequence[str] | None,
    notes: Notes,
    *,
    from_0: bool = False,
) -> tuple[tuple[str, ...], dict[str, NDArray[np.uint8]]]:
    """Names and numbers of the classes.

    Parameters
    ----------
    labels : mapping of str to sequence of str
        The label of each sample, for each part of the data.
    listed : sequence of str, optional
        Names from a file, in the order of the classes.
    notes : Notes
    from_0 : bool
        Whether the labels are the numbers of the listed names from 0, whatever those are.

    Returns
    -------
    names : tuple of str
        Of the classes 0 ... C - 1.
    labels : dict of str to ndarray of uint8 of shape (N,)

    Raises
    ------
    UserError
        If the classes cannot be numbered and named.
    """
    texts_found = {text for texts in labels.values() for text in texts}
    if len(texts_found) > CLASSES[-1]:
        raise UserError(
            f"{len(texts_found):,} different labels were found ({examples(sorted(texts_found))}), "
            f"but there may be {CLASSES[-1]} classes at most"
        )
    name_of = {text: checked_name(text) for text in texts_found}
    found = sorted(set(name_of.values()), key=natural)
    if all(re.fullmatch("-?[0-9]+", name) for name in found):
        found.sort(key=lambda name: (int(name), name))
    names = checked_names(found if listed is None else listed)
    order = found if listed is None else _as_listed(found, names, notes, from_0=from_0)
    number = {name: index for index, name in enumerate(order) if name is not None}
    return names, {
        part: np.array([number[name_of[text]] for text in texts], np.uint8)
        for part, texts in labels.items()
    }


def _as_listed(
    found: Sequence[str], names: tuple[str, ...], notes: Notes, *, from_0: bool
) -> Sequence[str | None]:
    """The label of each listed name, or None for one that has no samples."""
    if not from_0 and set(found) <= set(names):
        return [name if name in found else None for name in names]
    if all(re.fullmatch("[0-9]+", label) for label in found):
        by_number = {int(label): label for label in found}
        for first in (0,) if from_0 else (0, 1):
            numbers = range(first, first + len(names))
            if len(by_number) == len(found) and set(by_number) <= set(numbers):
                if first == 1:
                    notes.add("changed", f"the labels 1 to {numbers[-1]} became 0 to {numbers[-2]}")
                return [by_number.get(number) for number in numbers]
    if from_0:
        raise UserError(
            f"{counted(len(names), 'class name')} of an earlier import are listed, but the labels "
            f"are not 0 to {len(names) - 1}: {examples(found)}"
        )
    unknown = [label for label in found if label not in names]
    raise UserError(
        f"classes.txt has {counted(len(names), 'name')}, and these labels are neither among them "
        f"nor their numbers: {examples(unknown)}"
    )
