"""The section `train`."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from nnlib.network.functions import ActivationName
from stages.params.sections import Count, Positive, Section, Seed

MOST_ACTIVATIONS = 100_000_000  # of a batch's hidden layer, 0.4 GB: the training then takes 4 GB


class Train(Section):
    """The network and its training."""

    hidden_size: Annotated[Count, Field(le=100_000)]
    activation: ActivationName
    weight_init: Positive | Literal["xavier", "he"]
    iterations: Count
    batch_size: Annotated[Count, Field(le=100_000)]
    learning_rate: Positive
    seed: Seed

    @model_validator(mode="after")
    def _a_batch_fits_into_memory(self) -> Self:
        activations = self.hidden_size * self.batch_size
        if activations > MOST_ACTIVATIONS:
            raise PydanticCustomError(
                "too_many_activations",
                "hidden_size * batch_size should be less than or equal to {most} (is {found})",
                {"most": MOST_ACTIVATIONS, "found": activations},
            )
        return self
