"""The two-layer network, its gradient and its training."""
