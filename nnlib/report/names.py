"""What the figures call a data set and its classes: in the characters of their font, and short."""

from collections import Counter
from functools import cache
from pathlib import Path
from typing import NamedTuple

import matplotlib as mpl
from matplotlib.font_manager import get_font
from matplotlib.ft2font import FT2Font, LoadFlags

from nnlib.data.datasets import Dataset
from nnlib.report.style import DPI

FONT = Path(mpl.get_data_path()) / "fonts/ttf/DejaVuSans.ttf"  # comes with matplotlib
MOST = 24  # characters of a class's name
MOST_OF_TITLE = 40  # of the data set's
ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"


class Words(NamedTuple):
    """The words of a figure."""

    title: str  # of the data set
    noun: str  # of a class
    names: list[str]  # of the classes


def words_of(dataset: Dataset) -> Words:
    """What figures call a data set and its classes.

    A class is called "label 7", by its number, if the font lacks a character of its name, or if its
    name is cut to the same as another's. In the name of the data set, "?" stands for the character.
    """
    names = [_cut(name, MOST) for name in dataset.class_names]
    times = Counter(names)
    return Words(
        title=_cut("".join(map(_drawn, dataset.name)), MOST_OF_TITLE),
        noun=dataset.class_noun if _can_be_drawn(dataset.class_noun) else "class",
        names=[
            name if _can_be_drawn(name) and times[name] == 1 else f"label {label}"
            for label, name in enumerate(names)
        ],
    )


def fitted(text: str, width: float, size: float) -> str:
    """A text, cut in the middle if it is wider than some room.

    Parameters
    ----------
    text : str
    width : float
        Of the room, in points.
    size : float
        Of the text, in points.
    """
    most, cut = len(text), text
    while not fits(cut, width, size) and most > 2:
        most -= 1
        cut = _cut(text, most)
    return cut


def fits(text: str, width: float, size: float) -> bool:
    """Whether a line of text of a size fits into some room, both in points."""
    font = _font()
    font.set_size(size, DPI)
    font.set_text(text, flags=LoadFlags.DEFAULT)  # the hints that "default" draws with
    dots = font.get_width_height()[0] / 64  # FreeType counts in 64ths
    return bool(72 * dots / DPI <= width)


def _cut(text: str, most: int) -> str:
    """A text of at most so many characters: both ends tell more than one."""
    if len(text) <= most:
        return text
    end = (most - 1) // 2
    return text[: most - 1 - end] + ELLIPSIS + text[len(text) - end :]


def _can_be_drawn(text: str) -> bool:
    """Whether the font has all characters, so that no other one of this machine is asked."""
    return "".join(map(_drawn, text)) == text


def _drawn(character: str) -> str:
    """A character, or a question mark if the font lacks it, or it is none that is seen."""
    return character if ord(character) in _characters() and character.isprintable() else "?"


def _font() -> FT2Font:
    return get_font(FONT)


@cache
def _characters() -> frozenset[int]:
    return frozenset(_font().get_charmap())
