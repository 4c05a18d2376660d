"""The two-layer network, its gradient and its training."""

from nnlib.network.two_layer_net import TwoLayerNet

__all__ = ["TwoLayerNet"]
