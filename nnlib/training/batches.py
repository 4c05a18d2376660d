"""Batches of a training set, drawn at random."""

import itertools
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nnlib.base.arrays import Floats
from nnlib.base.checks import as_array, as_indices, check_lengths, check_not_empty
from nnlib.data.samples import Samples

AHEAD = 500  # samples: 1.6 MB, enough to be worth handing over, and few enough for the CPU's cache


class Batch(NamedTuple):
    """Samples of one update."""

    x: Floats  # (N, D)
    t: NDArray[np.integer]  # (N,)
    weights: Floats | None = None  # (N,), as for `TwoLayerNet.loss_and_gradient`


def draw_batches(
    samples: Samples,
    batch_size: int,
    rng: np.random.Generator,
    rows: NDArray[np.integer] | None = None,
    sampling: str = "replacement",
    *,
    weights: Floats | None = None,
    augment: Callable[[Floats], Floats] | None = None,
    ahead: bool = True,
) -> Iterator[Batch]:
    """Draw batches, without end.

    Samples drawn at random lie scattered over more memory than the CPU's cache holds, so copying
    them is mostly waiting. A separate thread can therefore read the next `AHEAD` samples, or the
    next batch if that is larger, while the caller works on the previous ones.

    Parameters
    ----------
    samples : Samples
    batch_size : int
        N.
    rng : numpy.random.Generator
        Used by this function alone, as it draws ahead.
    rows : ndarray of int of shape (n,), optional
        The samples to draw from; all if left out.
    sampling : str
        "replacement": each sample of a batch is any of them. "shuffled": each epoch goes through
        all of them in an order of its own; those that fill no batch at its end are left out.
    weights : ndarray of shape (number of samples,), optional
        Of each sample's part of the gradient. They do not change what is drawn.
    augment : callable, optional
        Makes of a batch's inputs those that are yielded; called by what reads them.
    ahead : bool
        Whether a separate thread reads. On a core that it has to share, it costs more than it
        saves.

    Yields
    ------
    Batch of N samples; of all samples if there are fewer than N to shuffle

    Raises
    ------
    TypeError, ValueError
        If `x`, `t` and `weights` differ in their number of samples, a row is not one of them, or
        there is nothing to draw from.
    """
    x, t = as_array(samples.x, "samples.x"), as_array(samples.t, "samples.t")
    check_lengths({"samples.x": x, "samples.t": t})
    if weights is not None:
        check_lengths({"samples.t": t, "weights": weights})
    if rows is None:
        check_not_empty(t, "samples.t")
    else:
        rows = as_indices(rows, len(t), "rows")
        check_not_empty(rows, "rows")
    n = len(t) if rows is None else len(rows)
    draws = _shuffled(n, batch_size, rng) if sampling == "shuffled" else _any(n, batch_size, rng)

    at_once = max(AHEAD // batch_size, 1) if ahead else 1

    def read() -> Iterator[Batch]:
        drawn = np.stack(list(itertools.islice(draws, at_once)))
        picks = drawn if rows is None else rows[drawn]
        inputs = list(x[picks])  # (N, D) each
        if augment is not None:  # batch by batch, so that `AHEAD` decides nothing
            inputs = list(map(augment, inputs))
        of_picks = itertools.repeat(None) if weights is None else weights[picks]
        return map(Batch, inputs, t[picks], of_picks)

    if not ahead:
        while True:
            yield from read()
    with ThreadPoolExecutor(max_workers=1) as reader:
        reading = reader.submit(read)
        while True:
            batches = reading.result()
            reading = reader.submit(read)
            yield from batches


def _any(n: int, batch_size: int, rng: np.random.Generator) -> Iterator[NDArray[np.int64]]:
    while True:
        yield rng.integers(n, size=batch_size)


def _shuffled(n: int, batch_size: int, rng: np.random.Generator) -> Iterator[NDArray[np.int64]]:
    batch_size = min(batch_size, n)
    while True:
        order = rng.permutation(n)
        for first in range(0, n - batch_size + 1, batch_size):
            yield order[first : first + batch_size]
