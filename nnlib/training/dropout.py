"""Dropout: hidden units left out at random during the training."""

import numpy as np

from nnlib.base.arrays import Floats


class Dropout:
    """Draws what the hidden activations of each batch are multiplied by.

    Each activation is 0 with the probability `share`, and otherwise divided by 1 - `share`, so that
    its expectation stays and nothing is left to do at the test: Srivastava et al., "Dropout: a
    simple way to prevent neural networks from overfitting" (2014), section 10,
    https://jmlr.org/papers/v15/srivastava14a.html.

    Parameters
    ----------
    hidden_size : int
        H.
    share : float
        In [0, 1).
    rng : numpy.random.Generator
    """

    def __init__(self, hidden_size: int, share: float, rng: np.random.Generator) -> None:
        self.hidden_size = hidden_size
        self.share = share
        self.rng = rng

    def mask(self, N: int) -> Floats:
        """A mask for a batch, float32 of shape (N, H)."""
        drawn = self.rng.random((N, self.hidden_size), dtype=np.float32)
        return (drawn >= self.share) * np.float32(1 / (1 - self.share))
