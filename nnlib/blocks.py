"""Large arrays a block of rows at a time: memory then does not grow with the data."""

from collections.abc import Iterator

BLOCK = 1000  # rows: images of 28 x 28 pixels as float32 take 3 MB


def blocks(n: int) -> Iterator[slice]:
    """The rows 0 ... n - 1 as slices of `BLOCK` rows, the last of what is left."""
    for start in range(0, n, BLOCK):
        yield slice(start, min(start + BLOCK, n))
