"""Batches of a training set, drawn at random."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnlib.checks import as_array, as_indices, check_lengths, check_not_empty
from nnlib.samples import Samples

AHEAD = 2000  # samples: 6 MB, enough to be worth handing over, and few enough for the CPU's cache


def draw_batches(
    samples: Samples,
    batch_size: int,
    rng: np.random.Generator,
    rows: NDArray[np.integer] | None = None,
) -> Iterator[Samples]:
    """Draw batches with replacement, without end.

    Samples drawn at random lie scattered over more memory than the CPU's cache holds, so copying
    them is mostly waiting. A separate thread therefore reads the next `AHEAD` samples, or the next
    batch if that is larger, while the caller works on the previous ones.

    Parameters
    ----------
    samples : Samples
    batch_size : int
        N.
    rng : numpy.random.Generator
        Used by this function alone, as it draws ahead.
    rows : ndarray of int of shape (n,), optional
        The samples to draw from; all if left out.

    Yields
    ------
    Samples of shapes (N, D) and (N,)

    Raises
    ------
    TypeError, ValueError
        If `x` and `t` differ in their number of samples, a row is not one of them, or there is
        nothing to draw from.
    """
    x, t = as_array(samples.x, "samples.x"), as_array(samples.t, "samples.t")
    check_lengths({"samples.x": x, "samples.t": t})
    if rows is None:
        check_not_empty(t, "samples.t")
    else:
        rows = as_indices(rows, len(t), "rows")
        check_not_empty(rows, "rows")
    n = len(t) if rows is None else len(rows)

    def read() -> tuple[NDArray[Any], NDArray[Any]]:
        drawn = rng.integers(n, size=(max(AHEAD // batch_size, 1), batch_size))
        picks = drawn if rows is None else rows[drawn]
        return x[picks], t[picks]  # (batches, N, D), (batches, N)

    with ThreadPoolExecutor(max_workers=1) as reader:
        ahead = reader.submit(read)
        while True:
            batches = ahead.result()
            ahead = reader.submit(read)
            for batch in zip(*batches, strict=True):
                yield Samples(*batch)
