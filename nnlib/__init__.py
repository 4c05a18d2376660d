"""The two-layer network of "Deep Learning from Scratch", its data, its training and its analysis.

One idea a module. What the stages do with files is in `stages`.
"""
