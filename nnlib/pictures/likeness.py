"""Whether an image is like any of the training samples: otherwise the answer is worth little."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from nnlib.analysis.neighbours import nearest
from nnlib.base.arrays import Floats

HELD_OUT = 2000  # samples that are enough for a threshold: more take longer and hardly change it
UNLIKE = 0.01  # of the samples that are as the training samples are warned of, at most


def distances(x: Floats, training: Iterable[Floats]) -> NDArray[np.float64]:
    """Distance of each input to the nearest training sample.

    Parameters
    ----------
    x : ndarray of shape (N, D)
    training : iterable of ndarray of shape (n, D)
        The training samples in blocks.

    Returns
    -------
    ndarray of float64 of shape (N,), Euclidean, in the unit of `x`
    """
    return nearest(x, training, 1).distances[:, 0]


def threshold(held_out: Floats, training: Iterable[Floats], share: float = UNLIKE) -> float:
    """The distance above which an input is unlike all training samples.

    It is the smallest one of held-out samples for which a further sample of the same kind lies
    above it with a probability of `share` at most, as split conformal prediction chooses it:
    Laxhammar and Falkman 2010, "Conformal prediction for distribution-independent anomaly detection
    in streaming vessel data" (https://doi.org/10.1145/1833280.1833281).

    Parameters
    ----------
    held_out : ndarray of shape (N, D)
        Samples like the training samples, but not among them.
    training : iterable of ndarray of shape (n, D)
        The training samples in blocks.
    share : float
        Above 0 and below 1.

    Returns
    -------
    float, infinite if there are fewer than 1 / share - 1 held-out samples
    """
    found = np.sort(distances(held_out, training))
    rank = int(np.ceil((1 - share) * (len(found) + 1) - 1e-9))  # from 1; less what rounding adds
    return float(found[rank - 1]) if rank <= len(found) else float("inf")
