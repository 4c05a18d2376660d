"""The parameters of the pipeline: what `params.yaml` may hold, and how it is read."""

import re
from collections.abc import Hashable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar, get_args

import yaml
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from nnlib.base.errors import UserError, shown
from nnlib.base.validation import problems
from nnlib.data.encoding import Scaling
from nnlib.data.sources import PUBLISHED

MOST_SEED = 2**32 - 1
MOST_SEEDS = 100  # more would hardly make the mean more exact
MOST_ACTIVATIONS = 100_000_000  # of a batch's hidden layer, 0.4 GB: the training then takes 4 GB
MOST_PROBLEMS = 20  # that a message lists
NULL = "tag:yaml.org,2002:null"


def _number(value: object) -> object:
    """What is to be a number, from a file or from Python, so that both take the same values.

    Pydantic takes Python's True for 1, but not the text "true", to which `_Loader` leaves YAML's;
    and 1e2 for a whole number, but not "1e2".
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str) and "e" in value.lower():
        with suppress(ValueError):
            return float(value)
    return value


Whole = Annotated[int, BeforeValidator(_number)]
Real = Annotated[float, BeforeValidator(_number)]

# The upper bounds are far above what is useful, and still within what a computer can do: they
# catch a typing error before a stage runs for hours or out of memory.
Count = Annotated[Whole, Field(gt=0, le=10_000_000)]
Number = Annotated[Whole, Field(ge=0, le=10_000_000)]
Index = Annotated[Whole, Field(ge=0, lt=10_000_000)]
Seed = Annotated[Whole, Field(ge=0, le=MOST_SEED)]
Share = Annotated[Real, Field(ge=0, lt=1)]
Positive = Annotated[Real, Field(gt=0, le=1e6, allow_inf_nan=False)]
Epsilon = Annotated[Positive, Field(ge=1e-20)]  # 1e-46 is 0 in float32
SourceName = Literal[
    "mnist",
    "fashion",
    "kmnist",
    "qmnist",
    "emnist-balanced",
    "emnist-letters",
    "emnist-digits",
    "synthetic",
    "imported",
]


class Section(BaseModel):
    """A section, with the parameters that it may and must have."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Synthetic(Section):
    """How many digits to draw."""

    train: Count
    test: Annotated[Count, Field(le=1_000_000)]  # analyse takes 5 GB for a million
    seed: Seed


class Data(Section):
    """Where the images come from."""

    source: SourceName
    synthetic: Synthetic
    corrections: Annotated[str, Field(min_length=1)]  # the path of a file


class Normalize(Section):
    """How pixels become inputs."""

    scaling: Scaling


# The optimizers' own parameters have the defaults of `nnlib.network.optimizers`, as a test says.
class Sgd(Section):
    """Plain stochastic gradient descent, which has no parameters."""

    name: Literal["sgd"]


class Momentum(Section):
    """SGD with momentum, or with Nesterov's."""

    name: Literal["momentum", "nesterov"]
    momentum: Share = 0.9


class AdaGrad(Section):
    """Steps scaled by all gradients so far."""

    name: Literal["adagrad"]
    epsilon: Epsilon = 1e-7


class RMSprop(Section):
    """Steps scaled by a moving average of the squared gradients."""

    name: Literal["rmsprop"]
    decay: Share = 0.9
    epsilon: Epsilon = 1e-7


class Adam(Section):
    """Momentum, and steps scaled as by RMSprop."""

    name: Literal["adam"]
    beta1: Share = 0.9
    beta2: Share = 0.999
    epsilon: Epsilon = 1e-8


class Schedule(Section):
    """A constant or a cosine schedule, after the warm-up."""

    name: Literal["constant", "cosine"]
    warmup: Number = 0


class Step(Section):
    """A step schedule, after the warm-up."""

    name: Literal["step"]
    every: Count
    factor: Positive = 0.1
    warmup: Number = 0


class Augmentation(Section):
    """How much each image is distorted at random, each time that it is trained on."""

    rotation: Annotated[Real, Field(ge=0, le=180, allow_inf_nan=False)]
    shear: Annotated[Real, Field(ge=0, le=80, allow_inf_nan=False)]
    scale: Share
    shift: Annotated[Real, Field(ge=0, le=100, allow_inf_nan=False)]
    elastic: Annotated[Real, Field(ge=0, le=100, allow_inf_nan=False)]


class Train(Section):
    """The network and its training."""

    hidden_size: Annotated[Count, Field(le=100_000)]
    activation: Literal["sigmoid", "relu", "tanh"]
    weight_init: Positive | Literal["xavier", "he"]
    iterations: Count
    epochs: Annotated[Number, Field(le=10_000)]
    batch_size: Annotated[Count, Field(le=100_000)]
    learning_rate: Positive
    optimizer: Annotated[Sgd | Momentum | AdaGrad | RMSprop | Adam, Field(discriminator="name")]
    schedule: Annotated[Schedule | Step, Field(discriminator="name")]
    weight_decay: Annotated[Real, Field(ge=0, le=1e6, allow_inf_nan=False)]
    label_smoothing: Share
    dropout: Share
    augmentation: Augmentation
    sampling: Literal["replacement", "shuffled"]
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


class Repeat(Section):
    """How often the training is repeated."""

    seeds: Annotated[Whole, Field(ge=0, le=MOST_SEEDS)]

    @field_validator("seeds")
    @classmethod
    def _there_is_a_spread(cls, seeds: int) -> int:
        if seeds == 1:
            raise PydanticCustomError("no_spread", "Input should be 0, or at least 2 for a spread")
        return seeds


class Analyse(Section):
    """What the report shows."""

    samples: Annotated[list[Index], Field(min_length=1, max_length=100)]  # 10 s for 100 cards
    pairs: Annotated[Count, Field(le=100)]  # more would hardly fit a figure
    strokes: Literal["auto"] | bool


class Params(Section):
    """The whole file, section by section."""

    data: Data
    normalize: Normalize
    train: Train
    repeat: Repeat
    analyse: Analyse

    @field_validator("analyse")
    @classmethod
    def _samples_are_in_the_test_set(cls, analyse: Analyse, info: ValidationInfo) -> Analyse:
        data = info.data.get("data")  # None if it has errors of its own
        if data is not None and data.source != "imported":  # the stage `check` knows its size
            is_drawn = data.source == "synthetic"
            size = data.synthetic.test if is_drawn else PUBLISHED[data.source].test_samples
            if max(analyse.samples) >= size:
                raise PydanticCustomError(
                    "outside_test_set",
                    "samples: {largest} lies outside the test set, whose last index is {last}",
                    {"largest": max(analyse.samples), "last": size - 1},
                )
        return analyse


Model = TypeVar("Model", bound=BaseModel)


class _Loader(yaml.BaseLoader):
    """Reads each scalar but null as a string, and its field decides what it means.

    So a number is read as DVC reads it, even where YAML 1.1 (PyYAML) and 1.2 (DVC) differ, as in
    1e-3. A key that occurs twice is an error, as it is for DVC.
    """

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        names = set()
        for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
            if key.value in names:
                problem = f"the key {shown(key.value)} occurs twice"
                raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
            names.add(key.value)
        return super().construct_mapping(node, deep)


_Loader.add_implicit_resolver(NULL, re.compile(r"(~|null|Null|NULL)?$"), ["~", "n", "N", ""])
_Loader.add_constructor(NULL, lambda *_: None)


def read_params(model: type[Model], path: str | Path) -> Model:
    """Read and check a parameter file, or the sections of it that a model has.

    Raises
    ------
    UserError
        With the errors of the file, each with its key.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read as YAML: {error}", file=path) from error
    return parse_params(model, text, path)


def parse_params(model: type[Model], text: str, path: str | Path) -> Model:
    """Check the text of a parameter file; `path` is what the errors call it.

    Raises
    ------
    UserError
        With the errors of the text, each with its key.
    """
    try:
        content = yaml.load(text, _Loader)  # noqa: S506 - it builds only strings and null
    except (yaml.YAMLError, RecursionError) as error:
        raise UserError(f"{path}: cannot be read as YAML: {_reason(error)}", file=path) from error
    return check_params(model, content, path)


def check_params(model: type[Model], content: object, path: str | Path) -> Model:
    """Check the values of a parameter file; `path` is what the errors call it.

    Raises
    ------
    UserError
        With the errors of the values, each with its key.
    """
    try:
        return model.model_validate(content)
    except ValidationError as error:
        found = problems(error, content)
        lines = [f"  {problem}" for problem in found[:MOST_PROBLEMS]]
        if len(found) > len(lines):
            lines.append(f"  and {len(found) - len(lines)} more")
        raise UserError("\n".join([f"{path}:", *lines]), file=path) from error


def _reason(error: yaml.YAMLError | RecursionError) -> str:
    """Why a text is no YAML, in one line."""
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark:
        problem = ", ".join(filter(None, (error.context, error.problem)))
        return f"line {error.problem_mark.line + 1}: {shown(problem)}"
    return " ".join(str(error).split())


def is_whole(key: str) -> bool:
    """Whether the parameter of that name, such as `train.schedule.every`, is a whole number."""
    types: list[Any] = [Params]
    for name in key.split("."):
        fields = [getattr(each, "model_fields", {}).get(name) for each in types]
        types = [
            each
            for field in fields
            if field
            for each in get_args(field.annotation) or [field.annotation]
        ]
    return int in types


def leaves(params: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Each key with its value, in the order of the file."""
    for key, value in params.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
