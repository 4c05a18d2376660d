"""The section `repeat`."""

from typing import Annotated

from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from stages.params.sections import Section

MOST_SEEDS = 100  # more would tell no more of the mean


class Repeat(Section):
    """How often the training is repeated."""

    seeds: Annotated[int, Field(ge=0, le=MOST_SEEDS)]

    @field_validator("seeds")
    @classmethod
    def _there_is_a_spread(cls, seeds: int) -> int:
        if seeds == 1:
            raise PydanticCustomError("no_spread", "Input should be 0, or at least 2 for a spread")
        return seeds
