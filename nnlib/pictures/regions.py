"""What ink hangs together in a picture, and which of it are ruled lines."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import find_objects, label, maximum_filter1d

Mask = NDArray[np.bool_]

# Parts of one thing: with at most so much of the largest part's ink, and as near as these shares of
# its longer side above or below, and beside.
JOINED = ((0.35, 0.35, 0.2), (0.6, 0.25, 0.15), (1.0, 0.2, 0.0))
SPECK = 0.02  # of the largest part's ink; what has less belongs to nothing
ROUNDS = 4  # in which parts are joined
ANOTHER = 0.2  # of the largest part's ink makes another thing
MARKED = 0.08  # of a frame's or a line's ink has what it is around or under, at least
BESIDE = 0.8  # of each side of a thing has a frame beside it, at least
# A line under a thing: its height and its distance at most, in its width, which is larger than the
# thing's so many times.
FLAT, UNDER, WIDER = 0.25, 0.3, 1.2
ALONG = 0.35  # of a picture's shorter side; what lies along more of the border is no stroke
SLOPE = 0.18  # of a ruled line, at most: 10 degrees
LINE = 0.6  # of a picture's width at least is a line long
PARTLY = 0.03  # of it at least, if the line leaves the picture above or below
THIN = 0.08  # of a picture's width at most is a line thick


class Box(NamedTuple):
    """A rectangle of pixels; right and bottom are outside of it."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def side(self) -> float:
        """The longer side."""
        return max(self.right - self.left, self.bottom - self.top)

    @property
    def area(self) -> float:
        """Its area."""
        return (self.right - self.left) * (self.bottom - self.top)


def bounds(mask: Mask) -> Box:
    """The smallest box around a mask that is not empty."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return Box(int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)


def enlarged(box: Box, margin: float, limits: Box) -> Box:
    """A box of whole pixels, with a margin as far as there are any."""
    return Box(
        max(limits.left, float(np.floor(box.left - margin))),
        max(limits.top, float(np.floor(box.top - margin))),
        min(limits.right, float(np.ceil(box.right + margin))),
        min(limits.bottom, float(np.ceil(box.bottom + margin))),
    )


def rectangle(shape: tuple[int, ...], box: Box, around: Box, scale: float) -> Mask:
    """Where a box lies, with a pixel around it, in an enlarged part of a picture."""
    y, x = np.arange(shape[0])[:, np.newaxis] + 0.5, np.arange(shape[1]) + 0.5
    left, right = scale * (box.left - around.left) - 1, scale * (box.right - around.left) + 1
    top, bottom = scale * (box.top - around.top) - 1, scale * (box.bottom - around.top) + 1
    return (x >= left) & (x <= right) & (y >= top) & (y <= bottom)


def grown(mask: Mask, down: int, across: int) -> Mask:
    """A mask and what lies within a window around its pixels, so many pixels to each side."""
    reach = maximum_filter1d(mask.view(np.uint8), 2 * down + 1, 0, mode="constant")
    return maximum_filter1d(reach, 2 * across + 1, 1, mode="constant").view(np.bool_)


class Thing(NamedTuple):
    """The largest thing in a picture."""

    mask: Mask
    others: int  # how many other things there are


def largest(mask: Mask, ink: NDArray[np.float64]) -> Thing | None:
    """The connected part of a mask with most ink, with small parts that are near.

    Pixels are connected by a side or a corner. A small part that is near belongs to it, as the bar
    of a 5, and so does any part closely above or below: digits that are written together are beside
    each other. A frame around something, as a form's field or a ring, is another thing, and so is a
    line under something.

    Parameters
    ----------
    mask : ndarray of bool of shape (height, width)
    ink : ndarray of float64 of shape (height, width)
        How much of it there is in each pixel.

    Returns
    -------
    Thing, or None if there is no ink in the mask
    """
    labels, count = label(mask, np.ones((3, 3)))
    masses = np.bincount(labels.ravel(), np.where(mask, ink, 0).ravel(), count + 2)[: count + 1]
    if count == 0:
        return None
    is_mark = _marks(labels, masses)
    main = int(np.where(is_mark, 0, masses)[1:].argmax()) + 1
    if masses[main] <= 0:
        return None
    share = masses / masses[main]
    share[0] = 0
    belongs = np.arange(count + 1) == main
    for _ in range(ROUNDS):
        found = belongs[labels]
        side = bounds(found).side
        is_near = belongs.copy()
        for most, down, across in JOINED:
            reached = labels[grown(found, int(down * side + 0.5), int(across * side + 0.5))]
            is_near[reached] |= share[reached] <= most
        is_near &= (share >= SPECK) & ~is_mark
        if (is_near == belongs).all():
            break
        belongs = is_near
    return Thing(belongs[labels], int((~belongs & (share >= ANOTHER)).sum()))


def _marks(labels: NDArray[Any], masses: NDArray[Any]) -> Mask:
    """Which of the numbered parts are around or under another one that is no speck."""
    is_mark = np.zeros(len(masses), np.bool_)
    down, across = zip(*find_objects(labels), strict=True)
    top, bottom = np.array([(each.start, each.stop) for each in down]).T
    left, right = np.array([(each.start, each.stop) for each in across]).T
    height, width = bottom - top, right - left
    for part in np.flatnonzero(masses[1:] >= SPECK * masses[1:].max()):
        is_marked = masses[1:] >= MARKED * masses[part + 1]
        is_within = (left > left[part]) & (right < right[part]) & is_marked
        lower = top[part] - bottom
        is_over = (lower >= -height[part]) & (lower <= UNDER * width[part])
        is_over &= is_within & (width[part] > WIDER * width)
        is_within &= (top > top[part]) & (bottom < bottom[part])
        is_mark[part + 1] = (height[part] <= FLAT * width[part] and is_over.any()) or any(
            _is_around(labels == part + 1, down[inner], across[inner])
            for inner in np.flatnonzero(is_within)
        )
    return is_mark


def _is_around(frame: Mask, rows: slice, columns: slice) -> bool:
    """Whether a part is left and right, above and below of a box."""
    sides = (
        frame[rows, : columns.start].any(axis=1),
        frame[rows, columns.stop :].any(axis=1),
        frame[: rows.start, columns].any(axis=0),
        frame[rows.stop :, columns].any(axis=0),
    )
    return all(side.mean() >= BESIDE for side in sides)


def without_surroundings(mask: Mask) -> Mask:
    """Leave out parts that lie along the picture's border, as a table beside the paper does.

    Parameters
    ----------
    mask : ndarray of bool of shape (height, width)
    """
    labels, count = label(mask, np.ones((3, 3)))
    border = np.concatenate([labels[0], labels[-1], labels[1:-1, 0], labels[1:-1, -1]])
    is_around = np.bincount(border, minlength=count + 1) > ALONG * min(mask.shape)
    return mask & ~is_around[labels]


class Lines(NamedTuple):
    """Which ruled lines there are in a picture."""

    across: bool
    down: bool


def without_lines(mask: Mask, expected: Lines | None = None) -> tuple[Mask, Lines]:
    """Leave ruled lines out, except where a stroke crosses them.

    The ruled lines of a paper are parallel, nearly straight across the picture or down, and go from
    one end of it to the other. A column of pixels through a stroke holds more ink than the line is
    thick; there the line stays. A lone line down is none: it may be a 1.

    Parameters
    ----------
    mask : ndarray of bool of shape (height, width)
    expected : Lines, optional
        For a part of a picture: the lines that there are in the whole.
    """
    across, count = _lines(mask)
    if expected is None or expected.across:
        mask = mask & ~across  # before those down, whose crossings would hide from either
    down, count_down = _lines(mask.T)
    if expected is None:
        expected = Lines(count > 0, count_down > (0 if count > 1 else 1))
    return (mask & ~down.T if expected.down else mask), expected


def _lines(mask: Mask) -> tuple[Mask, int]:
    """The pixels of lines across, and how many lines there are."""
    height, width = mask.shape
    y, x = np.nonzero(mask)
    # A pixel's row, counted along a line of some slope. Between one slope and the next, a line's
    # ends move by a pixel.
    reach = int(SLOPE * width / 2) + 1
    best, most, counts = 0, 0, np.zeros(height + 2 * reach, np.intp)
    for step in range(1 - reach, reach):
        rows = y - _drop(step, width)[x] + reach
        here = np.bincount(rows, minlength=len(counts))
        in_lines = int((here[here >= LINE * width] ** 2).sum())
        if in_lines > most:
            best, most, counts = step, in_lines, here
    drop = _drop(best, width)
    rows = np.arange(len(counts))[:, np.newaxis] - reach + drop
    in_picture = (rows >= 0) & (rows < height)
    lengths = in_picture.sum(axis=1)
    is_line = counts >= LINE * np.maximum(lengths, PARTLY * width)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], is_line, [False]]).astype(int)))
    runs = _runs_down(mask)
    found = np.zeros_like(mask)
    number = 0
    for start, end in edges.reshape(-1, 2):
        thickness = end - start
        middle = (start + end - 1) / 2 - reach + drop
        off = np.abs(np.arange(height)[:, np.newaxis] - middle)
        is_inked = (mask & (off <= thickness / 2)).any(axis=0)
        # A line that leaves the picture above or below ends where its middle does.
        is_inked = is_inked[(middle >= 0) & (middle <= height - 1)]
        if not is_inked.size:
            continue
        tenth = -(-len(is_inked) // 10)
        goes_through = min(is_inked[:tenth].mean(), is_inked[-tenth:].mean()) >= 0.5
        if thickness <= max(2, THIN * width) and goes_through:
            number += int(lengths[start:end].max() == width)
            found |= mask & (off <= thickness / 2 + 2) & (runs <= 1.5 * thickness + 3)
    return (found, number) if number else (np.zeros_like(mask), 0)


def _drop(step: int, width: int) -> NDArray[np.intp]:
    """How far a line lies below its middle in each column, if its ends are 2 `step` apart."""
    return np.floor(step * (2 * np.arange(width) + 1 - width) / width + 0.5).astype(np.intp)


def _runs_down(mask: Mask) -> NDArray[np.intp]:
    """How many pixels of the mask follow each other down the column through each one."""
    height = len(mask)
    rows = np.arange(height)[:, np.newaxis]
    before = np.maximum.accumulate(np.where(mask, -1, rows), axis=0)  # the last gap above
    after = np.minimum.accumulate(np.where(mask, height, rows)[::-1], axis=0)[::-1]
    return np.where(mask, after - before - 1, 0)
