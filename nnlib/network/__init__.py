"""The two-layer network, its gradient and its optimizers."""

from nnlib.network.two_layer_net import TwoLayerNet

__all__ = ["TwoLayerNet"]
