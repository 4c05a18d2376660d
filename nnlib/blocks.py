"""Large arrays, one block of rows at a time, so that memory does not grow with the data."""

from collections.abc import Iterator

BLOCK = 1000  # rows: images of 28 x 28 pixels as float32 take 3 MB


def blocks(n: int) -> Iterator[slice]:
    """The rows 0 ... n - 1 as slices of `BLOCK` rows; the last one may be shorter."""
    for start in range(0, n, BLOCK):
        yield slice(start, min(start + BLOCK, n))
