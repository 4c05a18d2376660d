"""Whether as many labels are wrong as the judges expect: of errors that are planted on purpose.

A label is judged by networks and neighbours that have not seen it. So errors can be planted after
the training, and cost none: only the votes of the neighbours change.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from experiments.labels.judges import Neighbours
from experiments.labels.noise import judge
from experiments.labels.planted import KINDS, Kind, most_confused, plant
from experiments.labels.suspects import FIRST, Expected, expect
from nnlib.base.arrays import Floats

SHARES = (0.001, 0.01)  # of the labels
SEED = 1


class Check(NamedTuple):
    """What was planted, found and expected."""

    kind: Kind
    share: float
    planted: int
    expected: Expected  # wrong labels
    # of the first suspects, by how many: the planted ones among them, and the expected wrong labels
    first: dict[int, tuple[int, float]]


def check_expectations(
    networks: Floats, neighbours: Neighbours, labels: NDArray[np.uint8]
) -> list[Check]:
    """Plant each share of each kind of errors in a training set, if it is one at least, and judge.

    Parameters
    ----------
    networks : ndarray of shape (N, C)
        Their opinion.
    neighbours : Neighbours
    labels : ndarray of uint8 of shape (N,)
    """
    classes = networks.shape[1]
    partners = most_confused(networks, labels)
    checks = []
    for share in SHARES:
        for kind in KINDS:
            changed, is_wrong = plant(labels, partners, share, kind, SEED)
            if not is_wrong.any():  # so small a share of so few
                continue
            opinions = [networks, neighbours.opinions(changed, classes).train]
            judgement = judge(opinions, changed)
            order = np.argsort(-judgement.score, kind="stable")
            first = {
                most: (int(is_wrong[order[:most]].sum()), judgement.wrong[order[:most]].sum())
                for most in FIRST
            }
            expected = expect(judgement.wrong)
            checks.append(Check(kind, share, int(is_wrong.sum()), expected, first))
    return checks
