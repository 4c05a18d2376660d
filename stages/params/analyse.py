"""The section `analyse`."""

from typing import Annotated

from pydantic import Field

from stages.params.sections import Count, Index, Section


class Analyse(Section):
    """What the report shows."""

    samples: Annotated[list[Index], Field(min_length=1, max_length=100)]  # 10 s for 100 cards
    pairs: Annotated[Count, Field(le=90)]  # all that ten classes can make
