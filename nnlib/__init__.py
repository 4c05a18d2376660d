"""The two-layer network of "Deep Learning from Scratch", its data, its training and its analysis.

One idea per module, in four packages above the small modules of this folder. Imports point down:
`report` knows `analysis`, which knows `network` and `data`, which do not know each other. `stages`
handles paths, parameters and DVC.
"""
