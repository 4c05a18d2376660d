"""What a data set is, where it comes from, and how it is read, drawn and scaled."""

from nnlib.data.datasets import load_mnist

__all__ = ["load_mnist"]
