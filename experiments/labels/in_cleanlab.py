"""What cleanlab says of the same probabilities."""

from typing import Any, NamedTuple

import numpy as np
from cleanlab.filter import find_label_issues
from cleanlab.rank import get_label_quality_scores
from numpy.typing import NDArray

from nnlib.base.arrays import Floats


class Issues(NamedTuple):
    """What cleanlab finds in N labels."""

    selected: NDArray[np.bool_]  # (N,), by `find_label_issues`
    self_confidence: Floats  # (N,), the scores that it ranks by, the lowest first
    normalized_margin: Floats  # (N,)


def find_issues(probabilities: Floats, labels: NDArray[Any]) -> Issues:
    """Find label issues with cleanlab's default settings.

    Parameters
    ----------
    probabilities : ndarray of shape (N, C)
    labels : ndarray of int of shape (N,)
    """
    labels = labels.astype(np.int64)
    selected = find_label_issues(labels, probabilities, n_jobs=1)
    scores = [
        get_label_quality_scores(labels, probabilities, method=method)
        for method in ("self_confidence", "normalized_margin")
    ]
    return Issues(selected, *scores)
