"""Pictures in folders by class: which there are, and what is in them."""

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from nnlib.base.errors import UserError
from nnlib.base.progress import progress
from nnlib.importing.arrays import ALL, PARTS, TEST, TRAIN, VALIDATION
from nnlib.importing.notes import Notes, counted, examples
from nnlib.importing.pixels import (
    BYTES,
    DEFAULT,
    Extremes,
    Size,
    border_means,
    common_range,
    common_size,
    resized_text,
    sizes_text,
)
from nnlib.pictures.opening import SUFFIXES, WIDE, UnreadableError, opened, pixels_of
from nnlib.pictures.preparation import brightness, is_dark_on_nothing, is_transparent, scaled

ORIENTATION = 0x0112  # the EXIF tag
ROTATED = range(5, 9)  # its values that swap height and width


class Picture(NamedTuple):
    """A file and its class."""

    path: Path
    label: str


class Converted(NamedTuple):
    """One part of a data set, from pictures."""

    images: NDArray[np.uint8]  # (N, H, W)
    labels: list[str]
    files: list[str]  # relative to the source's folder
    borders: NDArray[np.float64]  # (N,): the mean of the pixels at the border of each picture


def is_picture(name: str) -> bool:
    """Whether a file is a picture by its name."""
    return Path(name).suffix.lower() in SUFFIXES


def sort_pictures(
    folder: Path, names: Sequence[tuple[str, ...]], notes: Notes
) -> dict[str, list[Picture]]:
    """Sort pictures by the part of the data set and by the class, which are folders.

    Parameters
    ----------
    folder : Path
    names : sequence of tuple of str
        The pictures in it, each as its folders and its name, in their order.
    notes : Notes

    Returns
    -------
    dict of lists of pictures, by the part: train, and maybe validation and test; or all

    Raises
    ------
    UserError
        If there are no folders of classes.
    """
    tops = {top: _part(top) for top, *rest in names if rest}
    parts = {top: part for top, part in tops.items() if part != ALL}
    train = [top for top, part in parts.items() if part == TRAIN]
    is_split = len(parts) > 1 and any(
        all(len(name) > 2 for name in names if name[0] == top) for top in train
    )
    if len(parts) == len(tops) > 1 and not is_split:
        if not train:
            raise UserError(f"{folder} has {examples(list(parts))}, but no folder train")
        raise _no_classes(folder / train[0], [name[1:] for name in names if name[0] == train[0]])
    if is_split and len(set(parts.values())) < len(parts):
        raise UserError(
            f"{folder}: two of the folders {examples(list(parts))} hold the same part: leave one "
            "training, one test and one validation set"
        )
    found: dict[str, list[Picture]] = {}
    outside, beside, nested = [], [], []
    for name in names:
        part, *rest = (parts.get(name[0], ALL), *name[1:]) if is_split else (ALL, *name)
        if is_split and part == ALL:
            beside.append("/".join(name))
        elif len(rest) < 2:
            outside.append("/".join(name))
        else:
            if len(rest) > 2:
                nested.append("/".join(name))
            found.setdefault(part, []).append(Picture(folder.joinpath(*name), rest[0]))
    notes.add_some(
        "left out", outside, "picture outside of class folders", "pictures outside of class folders"
    )
    notes.add_some(
        *("left out", beside, "picture outside of the training and the test set"),
        "pictures outside of the training and the test set",
    )
    notes.add_some(
        *("changed", nested, "picture in a nested folder counts for the class above"),
        "pictures in nested folders count for the class above",
    )
    if not found:
        raise _no_classes(folder, names)
    return {part: found[part] for part in (TRAIN, VALIDATION, TEST, ALL) if part in found}


def _no_classes(folder: Path, names: Sequence[tuple[str, ...]]) -> UserError:
    return UserError(
        f"{folder} holds pictures ({examples(['/'.join(name) for name in names])}) but no class "
        "folders: put those of each class into a folder of its name, as in cat/1.png"
    )


def _part(folder: str) -> str:
    return PARTS.get(folder.casefold(), ALL)


def read_pictures(
    parts: dict[str, list[Picture]],
    folder: Path,
    size: Size | None,
    notes: Notes,
    *,
    invert: bool,
    skip_broken: bool,
) -> dict[str, Converted]:
    """Read pictures, as grey images of one size.

    Parameters
    ----------
    parts : dict of lists of Picture
    folder : Path
        To which the names of files are relative.
    size : (int, int), optional
        Height and width; found if left out.
    notes : Notes
    invert : bool
        Whether the pictures are of dark ink on a light background.
    skip_broken : bool
        Whether to leave out pictures that cannot be read.

    Raises
    ------
    UserError
        If pictures cannot be read, and are not to be left out.
    """
    reader = _Reader(invert=invert)
    converted = reader.read(parts, folder, size)
    if reader.broken:
        n = sum(map(len, parts.values()))
        broken = [
            f"{path.relative_to(folder).as_posix()} ({reason})"
            for path, reason in reader.broken.items()
        ]
        if len(broken) == n:
            raise UserError(
                f"none of the {counted(n, 'picture')} of {folder} can be read: {examples(broken)}"
            )
        if not skip_broken:
            raise UserError(
                f"{counted(len(broken), 'picture')} of {folder} cannot be read: {examples(broken)}"
                "; mend or remove them, or leave them out: BROKEN=skip"
            )
        notes.add_some("left out", broken, "broken picture")
        whole = {
            part: [picture for picture in pictures if picture.path not in reader.broken]
            for part, pictures in parts.items()
        }
        reader = _Reader(invert=invert)  # nothing of the others depends on those left out
        converted = reader.read({part: kept for part, kept in whole.items() if kept}, folder, size)
    reader.say(notes)
    return converted


class _Reader:
    """Reads pictures more than once, so that what is done to one depends on all."""

    def __init__(self, *, invert: bool) -> None:
        self.invert = invert
        self.broken: dict[Path, str] = {}
        self.size = DEFAULT
        self.is_chosen = False  # by the user
        self.sizes: Counter[Size] = Counter()
        self.formats: Counter[str] = Counter()
        self.changes: Counter[str] = Counter()
        self.parts: list[str] = []  # that of each picture
        self.wide: dict[str, Extremes] = {}  # of those with more than 8 bits, by kind and part
        self.brightest: Counter[str] = Counter()  # of those with up to 8 bits, by part
        self.ranges = (BYTES, BYTES)  # of those with up to 8 bits, and of those with more

    def read(
        self, parts: dict[str, list[Picture]], folder: Path, size: Size | None
    ) -> dict[str, Converted]:
        """Read all; the images of those that are broken are blank."""
        paths = [picture.path for pictures in parts.values() for picture in pictures]
        self.parts = [part for part, pictures in parts.items() for _ in pictures]
        self._each(paths, "pictures looked at", self._look)
        self.size = common_size(self.sizes, size) if self.sizes else DEFAULT
        self.is_chosen = size is not None
        images, borders = self._convert(paths)
        ends = np.cumsum([len(pictures) for pictures in parts.values()])
        return {
            part: Converted(
                of_part,
                [picture.label for picture in pictures],
                [picture.path.relative_to(folder).as_posix() for picture in pictures],
                borders_of_part,
            )
            for (part, pictures), of_part, borders_of_part in zip(
                parts.items(),
                np.split(images, ends[:-1]),
                np.split(borders, ends[:-1]),
                strict=True,
            )
        }

    def say(self, notes: Notes) -> None:
        """Note what was found, and what was changed."""
        formats = [f"{count:,} {name}" for name, count in self.formats.most_common()]
        notes.add("found", f"pictures: {', '.join(formats)}")
        notes.add("found", sizes_text(self.sizes))
        if set(self.sizes) != {self.size}:
            notes.add("changed", resized_text(self.size, is_chosen=self.is_chosen))
        for text, count in self.changes.items():
            notes.add("changed", f"{counted(count, 'picture')} {text}")

    def _each(
        self, paths: Sequence[Path], what: str, work: Callable[[int, Image.Image], None]
    ) -> None:
        """Open each picture that is not known to be broken, work on it, and note if it is."""
        for i, path in enumerate(progress(paths, what, len(paths))):
            if path not in self.broken:
                try:
                    with opened(path) as image:
                        work(i, image)
                except UnreadableError as error:
                    self.broken[path] = error.reason

    def _look(self, i: int, image: Image.Image) -> None:
        """Note what kind of picture it is, as far as this is known before it is decoded."""
        height, width = image.height, image.width
        if image.format != "TIFF" and _orientation(image) in ROTATED:  # Pillow turns those itself
            height, width = width, height
        self.sizes[height, width] += 1
        # MPO: a camera's JPEG of several frames
        self.formats[{"MPO": "JPEG", "DIB": "BMP"}.get(str(image.format), str(image.format))] += 1
        if image.mode in WIDE:
            values = np.asarray(image)
            if not np.isfinite(values).all():
                raise ValueError("pixels that are not finite numbers")
            seen = Extremes.of(values, "a picture")
            kind = "floats" if image.mode == "F" else "more than 8 bits"
            what = f"pictures of {kind}{_of_part(self.parts[i])}"
            self.wide[what] = self.wide[what].joined(seen) if what in self.wide else seen

    def _convert(self, paths: Sequence[Path]) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
        """Images of shape (N, *self.size), and the means at the border of the pictures."""
        images = np.zeros((len(paths), *self.size), np.uint8)
        borders = np.zeros(len(paths))

        def work(i: int, image: Image.Image) -> None:
            pixels = self._pixels(image, self.parts[i])
            images[i] = scaled(pixels, self.size, inverted=self.invert)
            borders[i] = border_means(images[i : i + 1], pixels.shape[:2])[0]

        if self.wide:
            self.ranges = (BYTES, common_range(self.wide))
        self._each(paths, "pictures read", work)
        narrow = BYTES
        if self.brightest:
            narrow = common_range(
                {
                    f"pictures{_of_part(part)}": Extremes(0, brightest, is_whole=True)
                    for part, brightest in self.brightest.items()
                }
            )
        if narrow != BYTES and len(self.broken) < len(paths):
            self.ranges = (narrow, self.ranges[1])
            self.changes.clear()
            self._each(paths, "pictures read again", work)
        return images, borders

    def _pixels(self, image: Image.Image, part: str) -> NDArray[np.uint8]:
        """A picture's pixels, in the range of those of the whole set."""
        if getattr(image, "is_animated", False):
            self.changes["of several frames: the first was taken"] += 1
        if _orientation(image) != 1:
            self.changes["turned upright by their EXIF data"] += 1
        values = pixels_of(image, only_scaled=True)
        if values.dtype != np.uint8:
            # A picture alone, as one to be classified, is instead brought from its own darkest to
            # its own lightest pixel: nothing says what the range of others of its kind is.
            pixels = self.ranges[1]
            self.changes[f"of more than 8 bits: {pixels.text}"] += 1
            return pixels.to_bytes(values)
        if is_transparent(values):
            self.brightest[part] = 255
            is_inverted = is_dark_on_nothing(values) and not self.invert
            what = "dark on" if is_inverted else "with"
            how = ": inverted" if is_inverted else ""
            self.changes[f"{what} a transparent background, which became 0{how}"] += 1
            return values
        if values.ndim == 3:
            self.changes["became grey"] += 1
        grey = brightness(values)
        self.brightest[part] = max(self.brightest[part], int(grey.max()))
        pixels = self.ranges[0]
        if pixels != BYTES:
            self.changes[f"had dark pixels: {pixels.text}"] += 1
        return pixels.to_bytes(grey)


def _orientation(image: Image.Image) -> int:
    """How a picture is to be turned, by its EXIF data; 1 for not at all."""
    if "exif" not in image.info and "xmp" not in image.info:
        return 1
    return int(image.getexif().get(ORIENTATION, 1))


def _of_part(part: str) -> str:
    return "" if part == ALL else f" of the {part} set"
