"""The masks of dropout."""

import numpy as np
import pytest

from nnlib.training.dropout import Dropout


@pytest.mark.parametrize("dropout", [0.2, 0.5])
def test_a_dropout_mask_keeps_the_mean(dropout):
    mask = Dropout(500, dropout, np.random.default_rng(0)).mask(400)
    assert mask.dtype == np.float32
    assert set(np.unique(mask)) == {0, np.float32(1 / (1 - dropout))}
    assert mask.mean() == pytest.approx(1, abs=0.01)
