"""What each hidden unit is good for: what leaving it out costs, and which images excite it most.

Leaving a unit out means to hold its activation at its mean over the samples. So the logits lose
what the unit tells one sample from another by, and nothing else. Held at 0, as a unit that is
taken out of the sum, it would also shift the logits of all samples alike: the activation of a
sigmoid is 1/2 where its input is 0, and one that is nearly always 1 says nothing, though the biases
of the second layer count on it. The mean is over the same samples as the cost, as these are what
the unit could tell apart. It uses no labels, so it does not fit the accuracy to them.

Morcos et al. 2018, "On the importance of single directions for generalization"
(https://arxiv.org/abs/1803.06959), leave out units both ways.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nnlib.base.arrays import Floats
from nnlib.base.blocks import blocks
from nnlib.network.functions import ACTIVATIONS
from nnlib.network.two_layer_net import TwoLayerNet
from nnlib.stats.paired import mcnemar_exact
from nnlib.stats.proportions import holm
from nnlib.stats.significance import ALPHA

EXAMPLES = 5  # of what excites a unit
MOST_UNITS = 12  # that the report shows


@dataclass(frozen=True)
class Units:
    """The hidden units of a network, as `leave_out_units` measures them."""

    table: pd.DataFrame  # one row per unit, in their order
    examples: NDArray[np.intp]  # (H, EXAMPLES): the samples that excite each most, by index

    @property
    def shown(self) -> pd.DataFrame:
        """The units that the report shows: at most `MOST_UNITS`, the highest cost first."""
        return self.table.sort_values("cost", ascending=False, kind="stable").head(MOST_UNITS)

    @property
    def needed(self) -> int:
        """Without how many units, one at a time, the accuracy is significantly lower."""
        return int(((self.table["p"] < ALPHA) & (self.table["cost"] > 0)).sum())


def leave_out_units(network: TwoLayerNet, x: Floats, t: NDArray[np.integer]) -> Units:
    """Measure what leaving out each hidden unit costs, one unit at a time.

    Parameters
    ----------
    network : TwoLayerNet
    x : ndarray of shape (N, D)
        Inputs.
    t : ndarray of int of shape (N,)
        Targets.

    Returns
    -------
    Units
        Its `table` has the columns `unit`, `mean` and `std` (of the activation), `cost` (accuracy
        with the unit minus accuracy without it), `fixed` and `broken` (samples that are predicted
        right only without the unit, or only with it), `p` (of the exact McNemar test of these,
        adjusted by Holm's method for the number of units), `changed` (the share of the predictions
        that change), `class` (the one that loses most of its recall; of several, the first) and
        `class_cost` (how much, which is 0 or less if none loses any). Accuracies, recalls and
        shares are in [0, 1]. There are fewer than `EXAMPLES` examples if N is below that.
    """
    mean, std, examples = _activity(network, x)
    fixed, broken, changed, lost = _effects(network, x, t, mean)

    N, H = len(x), len(mean)
    support = np.bincount(t, minlength=lost.shape[1])
    recall_lost = np.where(support > 0, lost / np.maximum(support, 1), -np.inf)
    suffers = recall_lost.argmax(axis=1)
    pairs = zip(fixed.tolist(), broken.tolist(), strict=True)
    table = pd.DataFrame(
        {
            "unit": np.arange(H),
            "mean": mean,
            "std": std,
            "cost": (broken - fixed) / N,
            "fixed": fixed,
            "broken": broken,
            "p": holm([mcnemar_exact(*pair) for pair in pairs]),
            "changed": changed / N,
            "class": suffers,
            "class_cost": recall_lost[np.arange(H), suffers],
        }
    )
    return Units(table, examples)


def _activity(
    network: TwoLayerNet, x: Floats
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.intp]]:
    """Mean and standard deviation of each activation, (H,), and what excites the unit most."""
    N, H = len(x), network.params["W1"].shape[1]
    f = ACTIVATIONS[network.activation].function
    total, squares = np.zeros(H), np.zeros(H)
    highest, examples = np.empty((H, 0)), np.empty((H, 0), np.intp)
    for rows in blocks(N):
        a1 = _inputs_of_units(network, x[rows])
        z1 = f(a1).astype(np.float64) - 0.5  # so that squares leave digits where it is near 1
        total += z1.sum(axis=0)
        squares += np.square(z1).sum(axis=0)
        # An activation rises with its input, which still differs where the activation rounds to 1.
        inputs = np.hstack([highest, a1.T])  # (H, k + n)
        indices = np.hstack([examples, np.tile(np.arange(N)[rows], (H, 1))])
        first = np.argsort(-inputs, axis=1, kind="stable")[:, :EXAMPLES]  # of equal ones, the first
        highest = np.take_along_axis(inputs, first, axis=1)
        examples = np.take_along_axis(indices, first, axis=1)
    mean = total / N
    variance = np.maximum(squares / N - np.square(mean), 0)
    return mean + 0.5, np.sqrt(variance), examples


def _inputs_of_units(network: TwoLayerNet, x: Floats) -> Floats:
    """What the network's activation is applied to, (N, H)."""
    return np.dot(x, network.params["W1"]) + network.params["b1"]


def _effects(
    network: TwoLayerNet, x: Floats, t: NDArray[np.integer], mean: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Samples fixed, broken and changed without each unit, (H,); lost of each class, (H, C)."""
    W2, b2 = network.params["W2"], network.params["b2"]
    H, C = W2.shape
    f = ACTIVATIONS[network.activation].function
    fixed, broken, changed = (np.zeros(H, np.int64) for _ in range(3))
    lost = np.zeros((H, C), np.int64)
    for rows in blocks(len(x)):
        z1 = f(_inputs_of_units(network, x[rows]))
        a2 = np.dot(z1, W2) + b2  # (n, C)
        predicted = a2.argmax(axis=1)
        says = z1 - mean.astype(z1.dtype)  # (n, H): what each unit tells apart
        without = np.empty((H, len(a2)), np.intp)
        for unit in range(H):
            without[unit] = (a2 - np.outer(says[:, unit], W2[unit])).argmax(axis=1)
        right, right_without = predicted == t[rows], without == t[rows]
        is_broken, is_fixed = right & ~right_without, ~right & right_without  # (H, n)
        fixed += is_fixed.sum(axis=1)
        broken += is_broken.sum(axis=1)
        changed += (without != predicted).sum(axis=1)
        for label in range(C):
            of_class = t[rows] == label
            lost[:, label] += is_broken[:, of_class].sum(axis=1)
            lost[:, label] -= is_fixed[:, of_class].sum(axis=1)
    return fixed, broken, changed, lost
