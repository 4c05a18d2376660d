"""The two-layer network of "Deep Learning from Scratch", its data, its training and its analysis.

One idea a module, in four wings over the small modules of this folder. Imports point down: `report`
knows `analysis`, which knows `network` and `data`, which do not know each other. Paths, parameters
and DVC are for `stages` to know.
"""
