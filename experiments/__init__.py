"""Experiments on the pipeline: comparisons of revisions, sweeps over settings, and the record."""

import stages  # noqa: F401 - pins NumPy, before anything here imports it
