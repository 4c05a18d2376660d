"""Pixels of any kind as bytes: 0 for the background, 255 for full ink, at one size."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from nnlib.base.blocks import blocks
from nnlib.base.errors import UserError
from nnlib.importing.notes import counted
from nnlib.pictures.preparation import fitted

Size = tuple[int, int]  # height and width
LARGEST: Size = (64, 64)  # images of one size up to this keep it
DEFAULT: Size = (28, 28)  # MNIST's, for all others
LUMA = np.array([299, 587, 114]) / 1000  # of red, green and blue: ITU-R 601, as Pillow has it


class Range(NamedTuple):
    """The values of the pixels of a whole set: what stands for no ink, and what for full ink."""

    low: float
    high: float

    @property
    def text(self) -> str:
        """As the table says it."""
        return f"pixels {self.low:g} to {self.high:g} became 0 to 255"

    def to_bytes(self, values: NDArray[Any]) -> NDArray[np.uint8]:
        """Map pixels linearly to 0 ... 255, rounded."""
        if self == BYTES and values.dtype == np.uint8:
            return values
        shares = (values.astype(np.float64) - self.low) / (self.high - self.low)
        return np.rint(255 * shares).astype(np.uint8)


BYTES = Range(0, 255)
# The first that holds all values is taken. 16: scikit-learn's digits, for one.
WHOLE = (
    *(Range(0, 1), Range(0, 16), BYTES, Range(-1, 1), Range(-128, 127)),
    *(Range(0, 1023), Range(0, 4095), Range(0, 65535)),
)
FRACTIONS = (
    *(Range(0, 1), Range(-0.5, 0.5), Range(-1, 1)),
    *(Range(0, 16), BYTES, Range(0, 65535)),
)


FAINT = 1 / 8  # of the range of a set, below which a part of it would be all but black


class Extremes(NamedTuple):
    """What is known about the pixels of images that have been seen."""

    low: float
    high: float
    is_whole: bool  # whether all are whole numbers

    def joined(self, other: Self) -> Self:
        """Those of both."""
        return type(self)(
            min(self.low, other.low), max(self.high, other.high), self.is_whole and other.is_whole
        )

    @classmethod
    def of(cls, values: NDArray[Any], where: str) -> Self:
        """Those of an array that is not empty.

        Raises
        ------
        UserError
            If one of them is not finite.
        """
        low, high = float(values.min()), float(values.max())
        if not np.isfinite([low, high]).all():
            raise UserError(f"{where} has pixels that are not finite numbers")
        is_float = values.dtype.kind == "f"
        whole = not is_float or all(
            bool((values[rows] == np.floor(values[rows])).all()) for rows in blocks(len(values))
        )
        return cls(low, high, whole)


def range_of(seen: Extremes) -> Range:
    """The range that the pixels of a set are in: a usual one, or from the least to the greatest.

    Raises
    ------
    UserError
        If it is no usual one, and all pixels are the same.
    """
    for usual in WHOLE if seen.is_whole else FRACTIONS:
        if usual.low <= seen.low and seen.high <= usual.high:
            return usual
    if seen.low == seen.high:
        raise UserError(f"all pixels are {seen.low:g}, so there is nothing to learn from")
    return Range(seen.low, seen.high)


def common_range(seen: Mapping[str, Extremes]) -> Range:
    """The range of the pixels of all parts of a set.

    Parameters
    ----------
    seen : mapping of str to Extremes
        By what it is of, as the message is to call it; not empty.

    Raises
    ------
    UserError
        If a part has another range than all together, of which it would fill next to nothing, or
        but the upper half: so its images would be black, or without a background.
    """
    first, *others = seen.values()
    both = first
    for other in others:
        both = both.joined(other)
    common = range_of(both)
    extent = both.high - both.low
    for part in seen.values():
        is_black = part.high - both.low <= extent * FAINT
        has_no_background = part.low >= both.low + extent / 2
        if part.low < part.high and (is_black or has_no_background) and range_of(part) != common:
            ranges = [f"{of.low:g} to {of.high:g} in {what}" for what, of in seen.items()]
            raise UserError(
                f"the pixels have different ranges, {', '.join(ranges)}: bring all to one of them"
            )
    return common


def common_size(sizes: Counter[Size], wanted: Size | None) -> Size:
    """The size that all images are brought to.

    Parameters
    ----------
    sizes : Counter of (int, int)
        How many images have which height and width.
    wanted : (int, int), optional
        By the user.
    """
    if wanted is not None:
        return wanted
    first = next(iter(sizes))
    is_small = first[0] <= LARGEST[0] and first[1] <= LARGEST[1]
    return first if len(sizes) == 1 and is_small and min(first) > 1 else DEFAULT


def sizes_text(sizes: Counter[Size]) -> str:
    """The sizes of images as the table says them."""
    if len(sizes) == 1:
        (size,) = sizes
        return f"all images are {size_text(size)} pixels (height x width)"
    (size, n), *_ = sizes.most_common(1)
    heights, widths = zip(*sizes, strict=True)
    return (
        f"{len(sizes):,} sizes, {_between('height', heights)} and {_between('width', widths)} "
        f"pixels; {counted(n, 'image')} of {size_text(size)} (height x width)"
    )


def _between(what: str, values: Sequence[int]) -> str:
    """The least and the greatest of them: "heights 7 to 9", or "height 8"."""
    low, high = min(values), max(values)
    return f"{what} {low:,}" if low == high else f"{what}s {low:,} to {high:,}"


def size_text(size: Size) -> str:
    """Height x width."""
    return f"{size[0]} x {size[1]}"


def resized_text(size: Size, *, is_chosen: bool) -> str:
    """What was done to images of other sizes, as the table says it."""
    advice = "" if is_chosen else "; SIZE=32x32 would bring them to another size"
    return f"images brought to {size_text(size)} (height x width), keeping proportions{advice}"


def grey_arrays(images: NDArray[Any], where: str, shape: Size | None) -> NDArray[Any]:
    """Images as an array of their grey values.

    Parameters
    ----------
    images : ndarray of shape (N, H, W), (N, D), (N, H, W, 1 or 3), or (N, 1 or 3, H, W)
        Numbers; three colours are red, green and blue.
    where : str
        The file or array that holds them, for the messages.
    shape : (int, int), optional
        Height and width of images that are given as rows of pixels; square if left out.

    Returns
    -------
    ndarray of shape (N, H, W)

    Raises
    ------
    UserError
        If they are not such an array, or none.
    """
    if images.dtype.kind not in "iubf":
        raise UserError(f"{where} has pixels of type {images.dtype}; expected numbers")
    if images.size == 0:
        raise UserError(f"{where} of shape {images.shape} holds no images")
    if images.dtype == bool:
        images = images.astype(np.uint8)
    if images.ndim == 2:
        images = _of_rows(images, where, shape)
    if images.ndim == 4 and images.shape[-1] not in {1, 3} and images.shape[1] in {1, 3}:
        images = np.moveaxis(images, 1, -1)
    if images.ndim == 4 and images.shape[-1] == 1:
        images = images[..., 0]
    elif images.ndim == 4 and images.shape[-1] == 3:
        images = _of_colours(images)
    if images.ndim != 3:
        raise UserError(f"{where} has the shape {images.shape}, which images do not have")
    return images


def _of_rows(images: NDArray[Any], where: str, shape: Size | None) -> NDArray[Any]:
    """Images of rows of pixels, (N, D)."""
    pixels = images.shape[1]
    height, width = shape or (math.isqrt(pixels),) * 2
    if height * width != pixels:
        expected = f"{size_text(shape)}, as given" if shape else "a square"
        raise UserError(
            f"{where} has rows of {counted(pixels, 'pixel')}, which are not {expected}: give their "
            "height and width, as in SHAPE=40x24"
        )
    return images.reshape(-1, height, width)


def _of_colours(images: NDArray[Any]) -> NDArray[np.float32]:
    """The grey values of colours, (N, H, W, 3); as for pictures, whole numbers stay so."""
    grey = np.empty(images.shape[:3], np.float32)
    for rows in blocks(len(images)):
        grey[rows] = images[rows] @ LUMA
    return grey if images.dtype.kind == "f" else np.rint(grey)


def convert_arrays(
    images: NDArray[Any], pixels: Range, size: Size, *, invert: bool
) -> NDArray[np.uint8]:
    """Bring arrays of grey values to bytes and to one size.

    Parameters
    ----------
    images : ndarray of shape (N, H, W)
    pixels : Range
    size : (int, int)
        Height and width.
    invert : bool
        Whether the greatest value is the background.

    Returns
    -------
    ndarray of uint8 of shape (N, *size)
    """
    converted = np.empty((len(images), *size), np.uint8)
    for rows in blocks(len(images)):
        block = pixels.to_bytes(images[rows])
        if invert:
            block = 255 - block
        converted[rows] = [fitted(image, size) for image in block]
    return converted


def border_means(images: NDArray[np.uint8], size: Size) -> NDArray[np.float64]:
    """Mean of the pixels at the border of each picture, without what was put around it.

    Parameters
    ----------
    images : ndarray of uint8 of shape (N, H, W)
    size : (int, int)
        Height and width that the pictures had before they were fitted into these images.

    Returns
    -------
    ndarray of float64 of shape (N,)
    """
    step = max(size[i] / images.shape[1 + i] for i in (0, 1))
    top, left = (
        min(math.ceil((length - size[i] / step) / 2 - 1e-9), (length - 1) // 2)
        for i, length in enumerate(images.shape[1:])
    )
    pictures = images[:, top : images.shape[1] - top, left : images.shape[2] - left]
    mask = np.zeros(pictures.shape[1:], bool)
    mask[[0, -1]] = mask[:, [0, -1]] = True
    return pictures[:, mask].mean(axis=1)
