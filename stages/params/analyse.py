"""The section `analyse`."""

from typing import Annotated

from pydantic import Field

from stages.params.sections import Count, Section


class Analyse(Section):
    """What the report shows."""

    samples: Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1)]
    pairs: Count
