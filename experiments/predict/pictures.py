"""Which pictures the user names, and what the network sees of each."""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from nnlib.base.errors import UserError
from nnlib.data.datasets import BOX, MNIST, Dataset
from nnlib.importing.sources import files_below
from nnlib.pictures.opening import SUFFIXES, UnreadableError, open_picture
from nnlib.pictures.preparation import NOTHING, Preparation, prepare, scaled
from nnlib.pictures.regions import Box
from nnlib.report.style import ORANGE

# With those that a phone may leave in a folder: what to do with these is said.
NAMED_SO = SUFFIXES | {".heic", ".heif"}
SHOWN = 112  # pixels of the longer side of what the page shows


class Steps(NamedTuple):
    """What the page shows of a picture on its way to the network."""

    picture: NDArray[np.uint8]  # (height, width, 3), with a frame around what was found
    flattened: NDArray[np.uint8] | None  # (height, width); None if the picture is only scaled
    ink: NDArray[np.uint8] | None  # the same


class Seen(NamedTuple):
    """What was seen of a file."""

    file: str
    is_read: bool
    image: NDArray[np.uint8] | None  # of the data set's shape; None if there is nothing to classify
    warnings: tuple[str, ...]
    steps: Steps | None  # None if it cannot be read, or is not shown


def find_pictures(arguments: Sequence[str]) -> list[Path]:
    """Find the pictures in what the user names.

    Parameters
    ----------
    arguments : sequence of str
        Each a file or a folder, or several in one text: those with spaces in their names are in
        quotes, as in a shell. Of a folder, all that are called pictures are taken, those in its
        folders too, in natural order.

    Raises
    ------
    UserError
        If none is named, one does not exist, or there is no picture in a folder.
    """
    paths: list[Path] = []
    for name in (name for argument in arguments for name in _names(argument)):
        path = Path(name).expanduser()
        if not path.exists():
            raise UserError(
                f"{path} does not exist; a name with spaces needs quotes, as in "
                """PICTURES="'my photo.jpg' folder/\""""
            )
        if not path.is_dir():
            paths.append(path)
            continue
        inside = [path.joinpath(*names) for names in files_below(path)]
        inside = [each for each in inside if each.suffix.lower() in NAMED_SO]
        if not inside:
            raise UserError(f"{path} holds no picture: expected {', '.join(sorted(NAMED_SO))}")
        paths += inside
    if not paths:
        raise UserError("no picture is named; for example: make predict PICTURES=photo.jpg")
    return paths


def _names(argument: str) -> list[str]:
    """The files and folders in a text: it is one itself, or they are as in a shell's command."""
    if Path(argument).expanduser().exists():
        return [argument]
    try:
        return shlex.split(argument)
    except ValueError as error:  # a quote that is not closed
        raise UserError(f"{argument} does not exist, nor can it be split: {error}") from error


def look_at(path: Path, dataset: Dataset, *, with_steps: bool) -> Seen:
    """Read a picture, and prepare it as the images of a data set were.

    Parameters
    ----------
    path : Path
    dataset : Dataset
    with_steps : bool
        Whether to keep what the page shows.
    """
    file = str(path).encode("utf-8", "backslashreplace").decode("utf-8")  # names need not be UTF-8
    only_scaled = not dataset.prepared_as_mnist
    try:
        pixels = open_picture(path, only_scaled=only_scaled)
    except UnreadableError as error:
        return Seen(file, is_read=False, image=None, warnings=(error.text,), steps=None)
    shape = dataset.image_shape
    if only_scaled:
        steps = Steps(_framed(pixels, None), None, None) if with_steps else None
        return Seen(file, True, scaled(pixels, shape, inverted=dataset.inverted), (), steps)
    # a box in proportion to the image, as MNIST's is
    box = max(round(BOX * min(shape) / min(MNIST.image_shape)), 1)
    prepared = prepare(pixels, shape, box)
    image = None if NOTHING in prepared.warnings else prepared.image
    return Seen(
        file, True, image, prepared.warnings, _steps(pixels, prepared) if with_steps else None
    )


def _steps(pixels: NDArray[np.uint8], prepared: Preparation) -> Steps:
    picture = _framed(pixels, prepared.box)
    if prepared.box is None:
        return Steps(picture, None, None)
    return Steps(picture, _small(prepared.flattened), _small(prepared.ink))


def _small(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(_fitted(Image.fromarray(image)))


def _fitted(image: Image.Image) -> Image.Image:
    """Shrunk to `SHOWN` pixels, or enlarged by a whole number."""
    longer = max(image.size)
    if 2 * longer <= SHOWN:
        times = SHOWN // longer
        return image.resize((times * image.width, times * image.height), Image.Resampling.NEAREST)
    image = image.copy()
    image.thumbnail((SHOWN, SHOWN))
    return image


def _framed(pixels: NDArray[np.uint8], box: Box | None) -> NDArray[np.uint8]:
    """A picture in colours, on white, with a frame around what was found."""
    image = _fitted(Image.fromarray(pixels)).convert("RGBA")
    image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    if box is not None:
        scale = image.width / pixels.shape[1]
        left, top, right, bottom = (round(scale * side) for side in box)
        frame = (left - 1, top - 1, max(right, left), max(bottom, top))
        ImageDraw.Draw(image).rectangle(frame, outline=ORANGE)
    return np.asarray(image)
