"""The two-layer network of "Deep Learning from Scratch", its data, its training and its analysis.

One idea per module, in seven packages. Imports point down:

report      the confusion report and the explorer, with their figures and templates
analysis    what can be said of predictions: numbers in, numbers out
training    the loop, and what is recorded along the way
network     the network, its gradient, its optimizers and its file; beside it `stats`, intervals and
            tests of significance
data        what a data set is, where it comes from, and how it is read, drawn and encoded
base        arrays, checks, errors, files and tables, of no domain

It knows no paths, no parameters and no DVC.
"""
