"""Large arrays, one block of rows at a time, so that memory does not grow with the data."""

from collections.abc import Iterator

BLOCK = 1000  # rows: images of 28 x 28 pixels as float32 take 3 MB


def blocks(n: int, size: int = BLOCK) -> Iterator[slice]:
    """The rows 0 ... n - 1 as slices of `size` rows; the last one may be shorter."""
    for start in range(0, n, size):
        yield slice(start, min(start + size, n))
