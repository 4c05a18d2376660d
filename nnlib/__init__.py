"""The two-layer network of "Deep Learning from Scratch", its data, its training and its analysis.

One idea a module. Nothing here knows where the pipeline keeps its files.
"""
