"""The section `data`."""

from typing import Annotated, Literal

from pydantic import Field

from stages.params.sections import Count, Section, Seed


class Synthetic(Section):
    """How many digits to draw."""

    train: Count
    test: Annotated[Count, Field(le=1_000_000)]  # analyse takes 5 GB for a million
    seed: Seed


class Data(Section):
    """Where the digits come from."""

    source: Literal["mnist", "synthetic"]
    synthetic: Synthetic
