"""The parameters of the pipeline: what `params.yaml` may hold, and the check that it does."""

from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_core import PydanticCustomError

from nnlib.errors import UserError

Count = Annotated[int, Field(gt=0)]
Seed = Annotated[int, Field(ge=0)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]

MNIST_TEST_SAMPLES = 10_000


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Synthetic(_Section):
    """How many digits to draw."""

    train: Count
    test: Count
    seed: Seed


class Data(_Section):
    """Where the digits come from."""

    source: Literal["mnist", "synthetic"]
    synthetic: Synthetic

    @property
    def name(self) -> str:
        """What people call the data set."""
        return {"mnist": "MNIST", "synthetic": "synthetic digits"}[self.source]

    @property
    def test_samples(self) -> int:
        """Number of samples in the test set."""
        return MNIST_TEST_SAMPLES if self.source == "mnist" else self.synthetic.test


class Normalize(_Section):
    """How pixels become inputs."""

    scaling: Literal["unit", "standard"]


class Train(_Section):
    """The network and its training."""

    hidden_size: Count
    weight_init_std: Positive
    iterations: Count
    batch_size: Count
    learning_rate: Positive
    seed: Seed


class Analyse(_Section):
    """What the report shows."""

    samples: Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1)]
    pairs: Count


class Params(_Section):
    """The whole file, a section a stage."""

    data: Data
    normalize: Normalize
    train: Train
    analyse: Analyse

    @field_validator("analyse")
    @classmethod
    def _samples_are_in_the_test_set(cls, analyse: Analyse, info: ValidationInfo) -> Analyse:
        data = info.data.get("data")  # None if it has errors of its own
        if data is not None and max(analyse.samples) >= data.test_samples:
            raise PydanticCustomError(
                "outside_test_set",
                "samples: {largest} lies outside the test set, whose last index is {last}",
                {"largest": max(analyse.samples), "last": data.test_samples - 1},
            )
        return analyse


def load_params(path: str | Path) -> Params:
    """Read and check a parameter file.

    Raises
    ------
    UserError
        With every error of the file, each with its key.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read as YAML: {error}") from error
    return parse_params(text, path)


def parse_params(text: str, path: str | Path) -> Params:
    """Check the text of a parameter file; `path` is what the errors call it.

    Raises
    ------
    UserError
        With every error of the text, each with its key.
    """
    try:
        # BaseLoader leaves each scalar a string, and its field decides what it means. So a number
        # is the one that DVC reads, even where YAML 1.1 (PyYAML) and 1.2 (DVC) differ, as in 1e-3.
        content = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506 - it builds only strings
    except yaml.YAMLError as error:
        raise UserError(f"{path}: cannot be read as YAML: {error}") from error
    try:
        return Params.model_validate(content)
    except ValidationError as error:
        lines = [f"{path}:"]
        for problem in error.errors():
            key = ".".join(map(str, problem["loc"]))
            is_scalar = isinstance(problem["input"], str)  # as BaseLoader leaves them
            value = f" (is {problem['input']})" if is_scalar else ""
            lines.append(f"  {key}: {problem['msg']}{value}")
        raise UserError("\n".join(lines)) from error
