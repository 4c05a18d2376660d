"""Opening picture files of any kind: the only module here that knows of files."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from nnlib.base.errors import UserError, shown

SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".gif", ".webp"}
FORMATS = ("PNG", "JPEG", "BMP", "DIB", "TIFF", "GIF", "WEBP")  # that Pillow may take them for
WIDE = {"I", "F", "I;16", "I;16B", "I;16L", "I;16N"}  # modes of more than 8 bits, all of them grey
ENOUGH = 256  # pixels of a side that are enough to be scaled to an image of 64 or less
HEIC = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1"}  # brands of ISO 23008-12
# What Pillow raises for a picture that is broken.
BROKEN = (OSError, ValueError, SyntaxError, EOFError, IndexError, TypeError, OverflowError)
TOO_LARGE = (Image.DecompressionBombWarning, Image.DecompressionBombError, MemoryError)


class UnreadableError(UserError):
    """A picture that cannot be read.

    Attributes
    ----------
    reason : str
        Why not.
    advice : str
        What to do; empty if nothing is known.
    """

    def __init__(self, path: Path, reason: str, advice: str = "") -> None:
        self.reason, self.advice = reason, advice
        super().__init__(f"{path} cannot be read: {self.text}", file=path)

    @property
    def text(self) -> str:
        """The reason and the advice."""
        return f"{self.reason}: {self.advice}" if self.advice else self.reason


@contextmanager
def opened(path: Path) -> Iterator[Image.Image]:
    """Open a picture, which is decoded when its pixels are asked for.

    Raises
    ------
    UnreadableError
        If it cannot be read, is no picture, or has more than 89 megapixels, here or while it is
        decoded.
    """
    if path.exists() and not path.is_file():  # to open a pipe would wait for ever
        raise UnreadableError(path, "no ordinary file")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of broken metadata
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            with Image.open(path, formats=FORMATS) as image:
                yield image
        except UnidentifiedImageError as error:
            raise UnreadableError(path, *_what_it_is(path)) from error
        except TOO_LARGE as error:
            most = (Image.MAX_IMAGE_PIXELS or 0) // 1_000_000
            raise UnreadableError(
                path, f"more than {most} megapixels", "save it smaller"
            ) from error
        except BROKEN as error:
            reason = getattr(error, "strerror", None) or " ".join(str(error).split())
            raise UnreadableError(path, shown(reason or type(error).__name__)) from error


def open_picture(path: str | Path, *, only_scaled: bool = False) -> NDArray[np.uint8]:
    """Read the pixels of a picture, upright.

    Of more frames, the first is taken. Pixels of more than 8 bits are brought to 0 ... 255 from the
    darkest to the lightest. A picture that is too large is refused before it is decoded.

    Parameters
    ----------
    path : str or Path
    only_scaled : bool
        As for `pixels_of`.

    Returns
    -------
    ndarray of uint8 of shape (height, width), (height, width, 3), or (height, width, 4) with how
    opaque each pixel is

    Raises
    ------
    UnreadableError
        As for `opened`.
    """
    with opened(Path(path)) as image:
        pixels = pixels_of(image, only_scaled=only_scaled)
        return pixels if pixels.dtype == np.uint8 else _stretched(pixels.astype(np.float64))


def pixels_of(image: Image.Image, *, only_scaled: bool) -> NDArray[Any]:
    """Decode the pixels of an open picture, upright.

    Parameters
    ----------
    image : PIL.Image.Image
    only_scaled : bool
        Whether the picture is only scaled to an image, so that details are not needed: a large JPEG
        is then decoded at a lower resolution, which is faster.

    Returns
    -------
    ndarray, of uint8 as from `open_picture`, but with more than 8 bits as they are
    """
    if only_scaled and image.format == "JPEG":
        image.draft(None, (ENOUGH, ENOUGH))
    image.load()
    image = ImageOps.exif_transpose(image)
    if image.mode in WIDE:
        return np.asarray(image)
    if image.has_transparency_data:
        return np.asarray(image.convert("RGBA"))
    if image.mode in {"1", "L"}:
        return np.asarray(image.convert("L"))
    return np.asarray(image.convert("RGB"))


def _stretched(values: NDArray[np.float64]) -> NDArray[np.uint8]:
    low, high = float(values.min()), float(values.max())
    if not np.isfinite([low, high]).all():
        raise ValueError("it holds pixels that are not finite numbers")
    if high == low:
        return np.zeros(values.shape, np.uint8)
    return np.floor(255 * (values - low) / (high - low) + 0.5).astype(np.uint8)


def _what_it_is(path: Path) -> tuple[str, str]:
    """What is wrong with a file that is no picture that can be read here, and what to do."""
    with path.open("rb") as file:
        start = file.read(12)
    if start[4:8] == b"ftyp" and start[8:12] in HEIC:
        return (
            "a HEIC picture",
            "save or share it as JPEG (on an iPhone: Settings, Camera, Formats, Most Compatible)",
        )
    return "no picture that is known here", "save it as JPEG or PNG"
