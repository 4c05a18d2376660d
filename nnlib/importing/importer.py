"""Makes a data set of a user's own labelled images."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nnlib.base.errors import UserError
from nnlib.base.tables import FORMULA, write_mixed_csv
from nnlib.data.datasets import TEST as TEST_FILES
from nnlib.data.datasets import TRAIN as TRAIN_FILES
from nnlib.data.datasets import Dataset, write_dataset
from nnlib.data.idx import write_idx
from nnlib.importing.arrays import ALL, TEST, TRAIN, VALIDATION, Labelled, Samples
from nnlib.importing.csv_files import read_csv_files
from nnlib.importing.duplicates import note_duplicates
from nnlib.importing.idx_files import read_idx_folder
from nnlib.importing.names import number_classes
from nnlib.importing.notes import Notes, counted
from nnlib.importing.numpy_files import read_numpy_files
from nnlib.importing.pictures import Converted, read_pictures, sort_pictures
from nnlib.importing.pixels import (
    BYTES,
    Extremes,
    Size,
    border_means,
    common_range,
    common_size,
    convert_arrays,
    resized_text,
    sizes_text,
)
from nnlib.importing.sources import Source, find_source
from nnlib.importing.splits import split_by_class

SAMPLES = "samples.csv"  # where each sample is from
SHARE = 1 / 6  # of all samples in the test set, as in a split of MNIST's 60,000
# The mean of the borders from which on the background is light: more than that of noise, and less
# than that of paper, of which some lies in shadow.
LIGHT = 160


@dataclass(frozen=True)
class Options:
    """What the user may choose.

    Attributes
    ----------
    size : (int, int), optional
        Height and width to which images are brought; found if left out.
    shape : (int, int), optional
        Height and width of images that are given as rows of pixels; square if left out.
    label : str, optional
        The name of a CSV file's column of labels, or "first" or "last"; found if left out.
    invert : bool
        Whether the images are of dark ink on a light background.
    skip_broken : bool
        Whether to leave out pictures that cannot be read.
    share : float
        Of each class, the share that becomes the test set if there is none.
    seed : int
        Of that split, and of the order of the training set.
    """

    size: Size | None = None
    shape: Size | None = None
    label: str | None = None
    invert: bool = False
    skip_broken: bool = False
    share: float = SHARE
    seed: int = 1


class Imported(NamedTuple):
    """A data set of the user's."""

    class_names: tuple[str, ...]
    train: Samples
    test: Samples
    notes: Notes
    before: Dataset | None = None  # what was said of it, if it is an earlier import

    @property
    def image_shape(self) -> Size:
        """Height and width of the images."""
        _, height, width = self.train.images.shape
        return height, width


def import_images(path: Path, options: Options) -> Imported:
    """Read a data set in whatever format it is.

    Parameters
    ----------
    path : Path
        A folder, or a file.
    options : Options

    Raises
    ------
    UserError
        If there is none, or it is broken, or it is not clear what it is.
    """
    notes = Notes()
    source = find_source(path, notes)
    parts = _read(source, options, notes)
    names, labels = number_classes(
        {part: converted.labels for part, converted in parts.items()},
        *(source.class_names, notes),
        from_0=source.before is not None,
    )
    samples = {
        part: Samples(converted.images, labels[part], converted.files)
        for part, converted in parts.items()
    }
    train, test = _arrange(samples, options, notes)
    border = np.concatenate([converted.borders for converted in parts.values()]).mean()
    _look(names, train, test, options, notes, border=border)
    return Imported(names, train, test, notes, source.before)


def _read(source: Source, options: Options, notes: Notes) -> dict[str, Converted]:
    """The parts of the data, with images of one size."""
    if source.kind == "pictures":
        pictures = sort_pictures(source.folder, source.files, notes)
        return read_pictures(
            *(pictures, source.folder, options.size, notes),
            invert=options.invert,
            skip_broken=options.skip_broken,
        )
    paths = [source.folder.joinpath(*name) for name in source.files]
    if source.kind == "idx":
        names = [path.name for path in paths]
        parts = read_idx_folder(source.folder, names, options.shape, notes)
    elif source.kind == "numpy":
        parts = read_numpy_files(paths, options.shape, notes)
    else:
        parts = read_csv_files(paths, options.label, options.shape, notes)
    return _convert(parts, options, notes)


def _convert(parts: dict[str, Labelled], options: Options, notes: Notes) -> dict[str, Converted]:
    """Bring arrays to bytes and to one size, all in the same way."""
    sizes: Counter[Size] = Counter()
    seen: dict[str, Extremes] = {}
    for labelled in parts.values():
        n, height, width = labelled.images.shape
        sizes[height, width] += n
        seen[labelled.where] = Extremes.of(labelled.images, labelled.where)
    pixels = common_range(seen)
    size = common_size(sizes, options.size)
    notes.add("found", f"arrays: {', '.join(labelled.where for labelled in parts.values())}")
    notes.add("found", sizes_text(sizes))
    if pixels != BYTES:
        notes.add("changed", pixels.text)
    if set(sizes) != {size}:
        notes.add("changed", resized_text(size, is_chosen=options.size is not None))
    converted = {}
    for part, labelled in parts.items():
        images = convert_arrays(labelled.images, pixels, size, invert=options.invert)
        borders = border_means(images, labelled.images.shape[1:])
        converted[part] = Converted(images, list(labelled.labels), labelled.origins(), borders)
    return converted


def _arrange(parts: dict[str, Samples], options: Options, notes: Notes) -> tuple[Samples, Samples]:
    """Training and test set, each in the order in which it is written."""
    rng_split, rng_order = np.random.default_rng(options.seed).spawn(2)
    held_out = parts.get(VALIDATION)
    train, test = parts.get(TRAIN, parts.get(ALL)), parts.get(TEST)
    if train is None:
        raise UserError("no training sample is left")
    if test is None and held_out is not None:
        notes.add("found", "the validation set is taken as the test set, as there is no other")
        test, held_out = held_out, None
    if test is None:
        rows, test_rows = split_by_class(train.labels, options.share, rng_split)
        if len(test_rows) == 0:
            raise UserError("no class has two samples, so there is nothing to test on")
        train, test = _take(train, rows), _take(train, test_rows)
        notes.add(
            "changed",
            f"split: {len(test_rows):,} of {len(rows) + len(test_rows):,} samples, drawn with seed "
            f"{options.seed}, became the test set: about {options.share:.3g} of each class, but at "
            "least one of those with two or more",
        )
    train = _take(train, rng_order.permutation(len(train.labels)))
    text = f"the training set is in a random order, drawn with seed {options.seed}"
    if held_out is not None:
        n = len(held_out.labels)
        train = _join(train, _take(held_out, rng_order.permutation(n)))
        text += (
            f", and the {counted(n, 'sample')} of the validation set come last, where those are "
            "that can be held out"
        )
    else:
        text += ", so that classes are mixed among the last samples, those that can be held out"
    notes.add("changed", f"{text}; the test set is in the order of its files")
    return train, test


def _take(samples: Samples, rows: NDArray[np.intp]) -> Samples:
    return Samples(
        samples.images[rows], samples.labels[rows], [samples.origins[row] for row in rows]
    )


def _join(first: Samples, second: Samples) -> Samples:
    return Samples(
        np.concatenate([first.images, second.images]),
        np.concatenate([first.labels, second.labels]),
        first.origins + second.origins,
    )


def _look(
    names: Sequence[str],
    train: Samples,
    test: Samples,
    options: Options,
    notes: Notes,
    *,
    border: float,
) -> None:
    """Note what the user should look at."""
    for samples, called in ((train, "training"), (test, "test")):
        counts = np.bincount(samples.labels, minlength=len(names))
        without = [name for name, count in zip(names, counts, strict=True) if count == 0]
        notes.add_some(
            *("look at", without),
            f"class without {called} samples",
            f"classes without {called} samples",
        )
    sets = {TRAIN: train, TEST: test}
    note_duplicates(sets, notes)
    blank = [
        origin
        for samples in sets.values()
        for image, origin in zip(samples.images, samples.origins, strict=True)
        if image.min() == image.max()
    ]
    notes.add_some("look at", blank, "blank image")
    if border >= LIGHT:
        also = "they are so after INVERT=1" if options.invert else "INVERT=1 makes it dark"
        notes.add(
            "look at",
            f"the pixels at the borders have a mean of {border:.0f} of 255, which is {LIGHT} or "
            f"more, so the background seems to be light, but MNIST's is 0: {also}",
        )


def write_imported(folder: Path, imported: Imported, dataset: Dataset) -> None:
    """Write the four files of a data set, what it is, and where each sample is from.

    Parameters
    ----------
    folder : Path
    imported : Imported
    dataset : Dataset
        Of those classes and that shape.
    """
    rows = []
    for part, files, samples in (
        (TRAIN, TRAIN_FILES, imported.train),
        (TEST, TEST_FILES, imported.test),
    ):
        write_idx(folder / files.images, samples.images)
        write_idx(folder / files.labels, samples.labels)
        rows.append(
            pd.DataFrame(
                {
                    "set": part,
                    "index": np.arange(len(samples.labels)),
                    "class": samples.labels,
                    "file": [_harmless(origin) for origin in samples.origins],
                }
            )
        )
    write_dataset(folder, dataset)
    write_mixed_csv(folder / SAMPLES, pd.concat(rows))


def _harmless(origin: str) -> str:
    """The name of a file as text that no spreadsheet takes for a formula, and UTF-8 can hold."""
    text = origin.encode(errors="backslashreplace").decode()
    return f"./{text}" if text.startswith(FORMULA) else text


def table(imported: Imported) -> str:
    """What was found, as text: the counts of each class, and the notes."""
    counts = [
        np.bincount(samples.labels, minlength=len(imported.class_names))
        for samples in (imported.train, imported.test)
    ]
    rows = [
        (f"{train:,}", f"{test:,}", name)
        for train, test, name in zip(*counts, imported.class_names, strict=True)
    ]
    classes = counted(len(rows), "class", "classes")
    head = [("training", "test", "class")]
    total = [(*(f"{of_part.sum():,}" for of_part in counts), classes)]
    lines = [f"{train:>9}{test:>8}  {name}" for train, test, name in [*head, *rows, *total]]
    lines += [f"{kind:>9}  {text}" for kind, text in imported.notes.rows()]
    return "\n".join(lines)
