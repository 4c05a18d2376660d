"""The section `train`."""

from typing import Annotated

from pydantic import Field

from stages.params.sections import Positive, Section, Seed


class Train(Section):
    """The network and its training."""

    hidden_size: Annotated[int, Field(gt=0, le=100_000)]
    weight_init_std: Positive
    iterations: Annotated[int, Field(gt=0, le=10_000_000)]
    batch_size: Annotated[int, Field(gt=0, le=100_000)]
    learning_rate: Positive
    seed: Seed
