"""Arrays of images and of labels, found by the names that they usually have."""

import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nnlib.base.errors import UserError, shown
from nnlib.importing.names import label_texts
from nnlib.importing.notes import Notes, counted, examples
from nnlib.importing.pixels import Size, grey_arrays

# Parts of a data set, in this order.
TRAIN, VALIDATION, TEST, ALL = "train", "validation", "test", "all"
# What they are called: a folder, or a part of a name of a file or of an array.
PARTS = {
    **dict.fromkeys(("train", "training"), TRAIN),
    **dict.fromkeys(("val", "valid", "validation"), VALIDATION),
    **dict.fromkeys(("test", "testing", "t10k"), TEST),
}
IMAGES = {"x", "img", "imgs", "image", "images", "data", "pixels"}
LABELS = {"y", "t", "label", "labels", "target", "targets"}


class Labelled(NamedTuple):
    """One part of a data set, as it was read."""

    images: NDArray[Any]  # (N, H, W), grey values
    labels: Sequence[str]
    where: str  # they are from: the file, and the array in it

    def origins(self) -> list[str]:
        """Where each sample is from."""
        return [f"{self.where}[{row}]" for row in range(len(self.labels))]


class Samples(NamedTuple):
    """The training or the test set."""

    images: NDArray[np.uint8]  # (N, H, W)
    labels: NDArray[np.uint8]  # (N,)
    origins: list[str]  # the file of each, or the row of an array


def part_in(name: str) -> str:
    """The part that a name speaks of: the last one, or all."""
    for word in reversed(_words(name)):
        part = PARTS.get(word) or PARTS.get(re.sub("[0-9]+k?$", "", word))  # QMNIST's test10k
        if part:
            return part
    return ALL


def _kind_in(name: str) -> str:
    """Whether a name speaks of images or of labels; empty if of neither."""
    for word in reversed(_words(name)):
        if word in IMAGES:
            return "images"
        if word in LABELS:
            return "labels"
    return ""


def _words(name: str) -> list[str]:
    return re.split("[^a-z0-9]+", name.lower())


def pair_names(names: Sequence[str], where: str, notes: Notes) -> dict[str, tuple[str, str]]:
    """Find the images and the labels of each part by their names.

    Parameters
    ----------
    names : sequence of str
        Of files or arrays.
    where : str
        What holds them, for the messages.
    notes : Notes
        Gets those that are left out.

    Returns
    -------
    dict of the names of the images and of the labels, by the part

    Raises
    ------
    UserError
        If there are no training images with labels, or two of a kind.
    """
    found: dict[tuple[str, str], str] = {}
    for name in names:
        key = (part_in(name), _kind_in(name))
        if key in found:
            raise UserError(
                f"{where}: {shown(found[key])} and {shown(name)} both seem to hold {key[1]} of the "
                f"{key[0]} set: put each data set into a folder of its own"
            )
        if key[1]:
            found[key] = name
    parts = (TRAIN, VALIDATION, TEST) if (TRAIN, "images") in found else (ALL,)
    pairs = {
        part: (found[part, "images"], found[part, "labels"])
        for part in parts
        if (part, "images") in found and (part, "labels") in found
    }
    if parts[0] not in pairs:
        raise UserError(
            f"{where} has {examples(names) if names else 'nothing'}, but training images and their "
            "labels are needed, named as in train-images-idx3-ubyte and train-labels-idx1-ubyte, "
            "or x_train and y_train"
        )
    used = {name for pair in pairs.values() for name in pair}
    for part in parts:
        if (part, "images") in found and part not in pairs:
            name = found[part, "images"]
            notes.add("left out", f"{shown(name)}, whose labels are missing")
            used.add(name)
    notes.add_some("left out", [name for name in names if name not in used], "other array")
    return pairs


def read_pairs(
    names: Sequence[str],
    read: Callable[[str], NDArray[Any]],
    where: str,
    *,
    shape: Size | None,
    notes: Notes,
) -> dict[str, Labelled]:
    """Read the images and the labels of each part.

    Parameters
    ----------
    names, where, notes
        As for `pair_names`.
    read : callable
        Gives the array of a name.
    shape : (int, int), optional
        Height and width of images that are given as rows of pixels.

    Raises
    ------
    UserError
        If one is broken, or images lack labels.
    """
    parts = {}
    for part, (images_name, labels_name) in pair_names(names, where, notes).items():
        images = grey_arrays(read(images_name), images_name, shape)
        labels = label_texts(read(labels_name), labels_name, notes)
        if len(images) != len(labels):
            raise UserError(
                f"{images_name} holds {counted(len(images), 'image')}, but {labels_name} "
                f"{counted(len(labels), 'label')}: there must be one for each"
            )
        parts[part] = Labelled(images, labels, images_name)
    return parts
