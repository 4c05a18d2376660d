"""The section `analyse`."""

from typing import Annotated

from pydantic import Field

from stages.params.sections import Section


class Analyse(Section):
    """What the report shows."""

    samples: Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1, max_length=50)]
    pairs: Annotated[int, Field(gt=0, le=100)]
