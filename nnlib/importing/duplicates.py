"""Images that are the same pixel by pixel: within a set, in both sets, or with two labels."""

import hashlib
from collections import defaultdict
from collections.abc import Mapping

from nnlib.base.errors import shown
from nnlib.importing.arrays import Samples
from nnlib.importing.notes import EXAMPLES, Notes, counted


def note_duplicates(sets: Mapping[str, Samples], notes: Notes) -> None:
    """Note how many samples are the same as another one, and the first of them.

    Parameters
    ----------
    sets : mapping of str to Samples
        The training and the test set, "train" and "test".
    notes : Notes
    """
    same: dict[bytes, list[tuple[str, int]]] = defaultdict(list)
    for part, samples in sets.items():
        for row, image in enumerate(samples.images):
            same[hashlib.blake2b(image.tobytes(), digest_size=16).digest()].append((part, row))
    groups = [group for group in same.values() if len(group) > 1]
    for part, called in (("train", "training"), ("test", "test")):
        pairs = []
        for group in groups:
            within = [sample for sample in group if sample[0] == part]
            pairs += [(other, within[0]) for other in within[1:]]
        one, many = "sample of the {} set repeats another", "samples of the {} set repeat others"
        _note(pairs, one.format(called), many.format(called), sets, notes)
    pairs = [
        (sample, group[0])
        for group in groups
        for sample in group
        if sample[0] == "test" and group[0][0] == "train"
    ]
    one, many = "is in the training set too", "are in the training set too"
    _note(pairs, f"sample of the test set {one}", f"samples of the test set {many}", sets, notes)
    pairs = []
    for group in groups:
        (part, row), *others = group
        for other in others:
            if sets[other[0]].labels[other[1]] != sets[part].labels[row]:
                pairs.append((other, group[0]))
                break
    _note(pairs, "image has several labels", "images have several labels", sets, notes)


def _note(
    pairs: list[tuple[tuple[str, int], tuple[str, int]]],
    one: str,
    many: str,
    sets: Mapping[str, Samples],
    notes: Notes,
) -> None:
    """Note pairs of samples, the latter of which comes first."""
    if not pairs:
        return
    named = [
        " = ".join(shown(sets[part].origins[row]) for part, row in pair)
        for pair in pairs[:EXAMPLES]
    ]
    more = len(pairs) - len(named)
    text = ", ".join(named) + (f" and {more:,} more" if more else "")
    notes.add("look at", f"{counted(len(pairs), one, many)}: {text}")
