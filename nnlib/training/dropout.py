"""Dropout: hidden units left out at random during the training."""

import numpy as np

from nnlib.base.arrays import Floats


def dropout_mask(shape: tuple[int, int], dropout: float, rng: np.random.Generator) -> Floats:
    """What the hidden activations of a batch are multiplied by.

    Each activation is 0 with the probability `dropout`, and otherwise divided by 1 - `dropout`, so
    that its expectation stays and nothing is left to do at the test: Srivastava et al., "Dropout: a
    simple way to prevent neural networks from overfitting" (2014), section 10,
    https://jmlr.org/papers/v15/srivastava14a.html.

    Parameters
    ----------
    shape : tuple of int
        (N, H).
    dropout : float
        In [0, 1).
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of float32 of that shape
    """
    return (rng.random(shape, dtype=np.float32) >= dropout) * np.float32(1 / (1 - dropout))
