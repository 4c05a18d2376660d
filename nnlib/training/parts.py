"""A network as the sum of parts: networks of some of its hidden units each.

Hidden units meet in the logits alone, a2 = z1 W2 + b2, which is a sum over them. So networks whose
logits are added up are one network, with the hidden units of all.
"""

from collections.abc import Sequence

import numpy as np

from nnlib.network.two_layer_net import TwoLayerNet

HIDDEN_AXES = {"W1": 1, "b1": 0, "W2": 0}  # which axis of a parameter is that of the hidden units


def split(network: TwoLayerNet, size: int) -> list[TwoLayerNet]:
    """Parts of at most `size` hidden units each, in order, which add up to the network.

    Parameters
    ----------
    network : TwoLayerNet
    size : int

    Returns
    -------
    list of TwoLayerNet
        The network itself if it has no more units. Otherwise the parts have copies of its
        parameters; the first has its b2, the others zeros.
    """
    H = len(network.params["b1"])
    if size >= H:
        return [network]
    parts = []
    for first in range(0, H, size):
        units = range(first, min(first + size, H))
        params = {key: network.params[key].take(units, axis) for key, axis in HIDDEN_AXES.items()}
        params["b2"] = network.params["b2"] * (first == 0)
        parts.append(network.with_params(params))
    return parts


def join(parts: Sequence[TwoLayerNet]) -> TwoLayerNet:
    """The network whose logits are the sum of those of its parts.

    Parameters
    ----------
    parts : sequence of TwoLayerNet
        With the same inputs, classes and activation.
    """
    if len(parts) == 1:
        return parts[0]
    params = {
        key: np.concatenate([part.params[key] for part in parts], axis)
        for key, axis in HIDDEN_AXES.items()
    }
    params["b2"] = np.sum([part.params["b2"] for part in parts], axis=0)
    return parts[0].with_params(params)


def average(networks: Sequence[TwoLayerNet]) -> TwoLayerNet:
    """The network whose logits are the mean of those of the networks.

    Parameters
    ----------
    networks : sequence of TwoLayerNet
        As for `join`. One alone is returned itself.
    """
    M = len(networks)
    if M == 1:
        return networks[0]
    return join(
        [
            network.with_params(
                network.params | {key: network.params[key] / M for key in ("W2", "b2")}
            )
            for network in networks
        ]
    )
