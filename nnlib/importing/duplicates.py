"""Images that are the same pixel by pixel: within a set, in both sets, or with two labels."""

import hashlib
from collections import defaultdict

import numpy as np
from numpy.typing import NDArray

from nnlib.base.errors import shown
from nnlib.importing.notes import EXAMPLES, Notes, counted


def note_duplicates(
    images: dict[str, NDArray[np.uint8]],
    labels: dict[str, NDArray[np.uint8]],
    origins: dict[str, list[str]],
    notes: Notes,
) -> None:
    """Note how many samples are the same as another one, and the first of them.

    Parameters
    ----------
    images : dict of ndarray of uint8 of shape (N, H, W)
        Of the training and of the test set, "train" and "test".
    labels : dict of ndarray of uint8 of shape (N,)
    origins : dict of lists of str
        Where each sample is from.
    notes : Notes
    """
    same: dict[bytes, list[tuple[str, int]]] = defaultdict(list)
    for part, of_part in images.items():
        for row, image in enumerate(of_part):
            same[hashlib.blake2b(image.tobytes(), digest_size=16).digest()].append((part, row))
    groups = [group for group in same.values() if len(group) > 1]
    for part, called in (("train", "training"), ("test", "test")):
        pairs = []
        for group in groups:
            within = [sample for sample in group if sample[0] == part]
            pairs += [(other, within[0]) for other in within[1:]]
        one, many = "sample of the {} set repeats another", "samples of the {} set repeat others"
        _note(pairs, one.format(called), many.format(called), origins, notes)
    pairs = [
        (sample, group[0])
        for group in groups
        for sample in group
        if sample[0] == "test" and group[0][0] == "train"
    ]
    one, many = "is in the training set too", "are in the training set too"
    _note(pairs, f"sample of the test set {one}", f"samples of the test set {many}", origins, notes)
    pairs = []
    for group in groups:
        (part, row), *others = group
        for other in others:
            if labels[other[0]][other[1]] != labels[part][row]:
                pairs.append((other, group[0]))
                break
    _note(pairs, "image has several labels", "images have several labels", origins, notes)


def _note(
    pairs: list[tuple[tuple[str, int], tuple[str, int]]],
    one: str,
    many: str,
    origins: dict[str, list[str]],
    notes: Notes,
) -> None:
    """Note pairs of samples, the latter of which comes first."""
    if not pairs:
        return
    named = [
        " = ".join(shown(origins[part][row]) for part, row in pair) for pair in pairs[:EXAMPLES]
    ]
    more = len(pairs) - len(named)
    text = ", ".join(named) + (f" and {more:,} more" if more else "")
    notes.add("look at", f"{counted(len(pairs), one, many)}: {text}")
