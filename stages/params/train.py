"""The section `train`."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from nnlib.network import optimizers
from nnlib.network.batches import Sampling
from nnlib.network.functions import ActivationName
from stages.params.sections import Count, Number, Positive, Section, Seed, Share

MOST_ACTIVATIONS = 100_000_000  # of a batch's hidden layer, 0.4 GB: the training then takes 4 GB


class Sgd(Section):
    """Plain stochastic gradient descent, which takes nothing besides."""

    name: Literal["sgd"]


class Momentum(Section):
    """See `nnlib.network.optimizers`, as for what follows."""

    name: Literal["momentum", "nesterov"]
    momentum: Share = optimizers.Momentum.momentum


class AdaGrad(Section):
    """Steps that shrink with the gradients so far."""

    name: Literal["adagrad"]
    epsilon: Positive = optimizers.AdaGrad.epsilon


class RMSprop(Section):
    """Steps by the size of the last gradients."""

    name: Literal["rmsprop"]
    decay: Share = optimizers.RMSprop.decay
    epsilon: Positive = optimizers.RMSprop.epsilon


class Adam(Section):
    """Momentum, and steps by the size of the last gradients."""

    name: Literal["adam"]
    beta1: Share = optimizers.Adam.beta1
    beta2: Share = optimizers.Adam.beta2
    epsilon: Positive = optimizers.Adam.epsilon


class Schedule(Section):
    """A learning rate that stays, or falls to 0, once it has risen."""

    name: Literal["constant", "cosine"]
    warmup: Number = 0


class Step(Section):
    """A learning rate that falls in steps, once it has risen."""

    name: Literal["step"]
    every: Count
    factor: Positive = 0.1
    warmup: Number = 0


class Augmentation(Section):
    """How much each image is distorted at random, each time that it is trained on."""

    rotation: Annotated[float, Field(ge=0, le=180, allow_inf_nan=False)]
    shear: Annotated[float, Field(ge=0, le=80, allow_inf_nan=False)]
    scale: Share
    shift: Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]
    elastic: Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]


class Train(Section):
    """The network and its training."""

    hidden_size: Annotated[Count, Field(le=100_000)]
    activation: ActivationName
    weight_init: Positive | Literal["xavier", "he"]
    iterations: Count
    epochs: Annotated[Number, Field(le=10_000)]
    batch_size: Annotated[Count, Field(le=100_000)]
    learning_rate: Positive
    optimizer: Annotated[Sgd | Momentum | AdaGrad | RMSprop | Adam, Field(discriminator="name")]
    schedule: Annotated[Schedule | Step, Field(discriminator="name")]
    weight_decay: Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)]
    label_smoothing: Share
    dropout: Share
    augmentation: Augmentation
    sampling: Sampling
    averaging: Share
    members: Annotated[Count, Field(le=100)]
    validation: Number
    evaluate_every: Count
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
