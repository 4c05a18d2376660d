"""What speaks for one class against another: exact parts of the difference of two logits.

With the logits a2 = f(x W1 + b1) W2 + b2, the evidence for class c against class k is how far an
image moves a2[c] - a2[k] from what it is for the blank image x0. It is a sum over hidden units:

    (f(s[h] + a0[h]) - f(a0[h])) (W2[h, c] - W2[h, k]),  with s  = (x - x0) W1
                                                         and  a0 = x0 W1 + b1

Along the straight line from x0 to x, unit h sees only how much of s[h] there is. So the mean of f'
along it is (f(s[h] + a0[h]) - f(a0[h])) / s[h], and the evidence is also a sum over pixels:

    (x[p] - x0[p]) sum_h W1[p, h] (W2[h, c] - W2[h, k]) (f(s[h] + a0[h]) - f(a0[h])) / s[h]

These are the integrated gradients of Sundararajan, Taly and Yan 2017, "Axiomatic attribution for
deep networks" (https://arxiv.org/abs/1703.01365), without numerical integration. With one hidden
layer, the rescale rule of DeepLIFT (Shrikumar, Greenside and Kundaje 2017,
https://arxiv.org/abs/1704.02685) gives the same.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nnlib.analysis.predictions import Predictions
from nnlib.base.arrays import Floats
from nnlib.base.blocks import blocks
from nnlib.network.functions import ACTIVATIONS
from nnlib.network.two_layer_net import TwoLayerNet

Classes = int | NDArray[np.intp]

STRONGEST = 3  # hidden units of a pair


def pixel_evidence(network: TwoLayerNet, x: Floats, c: Classes, k: Classes) -> Floats:
    """The part of each pixel in the evidence for class c against class k.

    Parameters
    ----------
    network : TwoLayerNet
    x : ndarray of shape (N, D)
        Inputs, as the network's encoding makes them.
    c, k : int, or ndarray of int of shape (N,)
        The same two classes for all samples, or two for each.

    Returns
    -------
    ndarray of float64 of shape (N, D), in nats, as logits are. A row sums to a2[c] - a2[k] minus
    the same for the blank image, whose inputs are 0 if the network has no encoding. Where an input
    is that of the blank image, the part is 0.
    """
    ink, s, a0, v = _terms(network, x, c, k)
    W1 = network.params["W1"].astype(np.float64)
    slope = _mean_slope(network, s, a0)  # (N, H)
    return ink * np.dot(slope * v, W1.T)


def unit_evidence(network: TwoLayerNet, x: Floats, c: Classes, k: Classes) -> Floats:
    """The part of each hidden unit in the evidence for class c against class k.

    Parameters: as for `pixel_evidence`.

    Returns
    -------
    ndarray of float64 of shape (N, H), in nats. A row sums to the same as one of `pixel_evidence`.
    """
    _, s, a0, v = _terms(network, x, c, k)
    f = ACTIVATIONS[network.activation].function
    return (f(s + a0) - f(a0)) * v


def _terms(
    network: TwoLayerNet, x: Floats, c: Classes, k: Classes
) -> tuple[Floats, Floats, Floats, Floats]:
    """What the evidence is computed from, in float64.

    Returns
    -------
    ink : ndarray of shape (N, D)
        x - x0.
    s : ndarray of shape (N, H)
    a0 : ndarray of shape (H,)
    v : ndarray of shape (H,) or (N, H)
        W2[:, c] - W2[:, k], of all samples or of each.
    """
    W1, b1, W2 = (network.params[key].astype(np.float64) for key in ("W1", "b1", "W2"))
    D = len(W1)
    x0 = np.zeros(D)
    if network.encoding is not None:
        x0 = network.encoding.inputs(np.zeros((1, D), np.uint8))[0].astype(np.float64)
    ink = x.astype(np.float64) - x0
    v = W2.T[c] - W2.T[k]
    return ink, np.dot(ink, W1), np.dot(x0, W1) + b1, v


def _mean_slope(network: TwoLayerNet, s: Floats, a0: Floats) -> Floats:
    """Mean of the activation's derivative between a0 and s + a0, of shape (N, H)."""
    f, derivative, _ = ACTIVATIONS[network.activation]
    rise = f(s + a0) - f(a0)
    # The smaller s, the fewer digits rise / s has, and the closer is the derivative halfway. It is
    # taken where it explains the rise to within what rounding does to that.
    slope = derivative(f(s / 2 + a0))
    size = np.abs(f(a0)) + np.abs(rise) + np.abs(slope) * (np.abs(a0) + np.abs(s))
    is_off = np.abs(slope * s - rise) > 8 * np.finfo(np.float64).eps * size
    return np.divide(rise, s, out=slope, where=is_off)


class MeanEvidence(NamedTuple):
    """Means over samples: of their images, and of the evidence for one class against another."""

    samples: int
    image: Floats  # (height, width), from 0 to 255
    pixels: Floats  # (height, width), in nats
    units: Floats  # (H,), in nats, with the same sum


@dataclass(frozen=True)
class PairEvidence:
    """Why samples of one class are classified as another: evidence for that against their own."""

    actual: int
    predicted: int
    blank: float  # a2[predicted] - a2[actual] of the blank image, which the evidence adds to
    confused: MeanEvidence  # of the samples that are classified so
    right: MeanEvidence | None  # of those of the actual class that are classified right, if any

    @property
    def shares(self) -> Floats:
        """Each hidden unit's share of all that speaks for the predicted class, of shape (H,).

        It is 0 for the units that speak against it, in the mean over the confused samples.
        """
        units_for = np.maximum(self.confused.units, 0)
        return units_for / (units_for.sum() or 1)

    @property
    def strongest(self) -> list[int]:
        """The hidden units that speak most for the predicted class, at most `STRONGEST`."""
        order = np.argsort(-self.shares, kind="stable")[:STRONGEST]
        return [int(unit) for unit in order if self.shares[unit] > 0]


def explain_pairs(
    network: TwoLayerNet, images: NDArray[np.uint8], predictions: Predictions, pairs: pd.DataFrame
) -> list[PairEvidence]:
    """Explain confused pairs of classes, in their order.

    Parameters
    ----------
    network : TwoLayerNet
        With its encoding.
    images : ndarray of uint8 of shape (N, height, width)
    predictions : Predictions
        The network's for these images.
    pairs : DataFrame
        As `nnlib.analysis.pairs.confused_pairs` makes it of these predictions.

    Raises
    ------
    ValueError
        If the network has no encoding.
    """
    actual, predicted = predictions.t, predictions.predicted
    explained = []
    for k, c in zip(pairs["actual"].tolist(), pairs["predicted"].tolist(), strict=True):
        confused = np.flatnonzero((actual == k) & (predicted == c))
        right = np.flatnonzero((actual == k) & (predicted == k))
        explained.append(
            PairEvidence(
                actual=k,
                predicted=c,
                blank=_blank_difference(network, c, k),
                confused=_mean_evidence(network, images, confused, c, k),
                right=_mean_evidence(network, images, right, c, k) if len(right) else None,
            )
        )
    return explained


def _blank_difference(network: TwoLayerNet, c: int, k: int) -> float:
    """a2[c] - a2[k] of the blank image."""
    _, _, a0, v = _terms(network, np.zeros((1, len(network.params["W1"]))), c, k)
    b2 = network.params["b2"].astype(np.float64)
    z0 = ACTIVATIONS[network.activation].function(a0)
    return float(np.dot(z0, v) + b2[c] - b2[k])


def _mean_evidence(
    network: TwoLayerNet, images: NDArray[np.uint8], indices: NDArray[np.intp], c: int, k: int
) -> MeanEvidence:
    """The means over some of the images, at least one."""
    encoding = network.given_encoding()
    N, (D, H) = len(indices), network.params["W1"].shape
    image, pixels, units = np.zeros(D), np.zeros(D), np.zeros(H)
    for block in blocks(N):
        some = images[indices[block]]
        x = encoding.inputs(some)
        image += some.reshape(len(x), D).sum(axis=0)
        pixels += pixel_evidence(network, x, c, k).sum(axis=0)
        units += unit_evidence(network, x, c, k).sum(axis=0)
    shape = images.shape[1:]
    return MeanEvidence(N, image.reshape(shape) / N, pixels.reshape(shape) / N, units / N)


def sum_by_thirds(pixels: Floats) -> Floats:
    """Sums over nine parts of a picture, whose height and width are divided by three.

    Of two pixels none is in the middle, and a single one is.

    Parameters
    ----------
    pixels : ndarray of shape (height, width)

    Returns
    -------
    ndarray of shape (3, 3); NaN for a part without pixels
    """
    rows, columns = map(_thirds, pixels.shape)
    return np.array(
        [
            [part.sum() if part.size else np.nan for part in np.split(band, columns, axis=1)]
            for band in np.split(pixels, rows)
        ]
    )


def _thirds(n: int) -> tuple[int, int]:
    """Where the second and the last third of n pixels begin."""
    return (n // 2, (n + 1) // 2) if n < 3 else (-(-n // 3), n - n // 3)
