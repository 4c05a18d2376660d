"""The section `data`."""

from typing import Literal

from stages.params.sections import Samples, Section, Seed


class Synthetic(Section):
    """How many digits to draw."""

    train: Samples
    test: Samples
    seed: Seed


class Data(Section):
    """Where the digits come from."""

    source: Literal["mnist", "synthetic"]
    synthetic: Synthetic
