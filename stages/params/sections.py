"""What the sections of `params.yaml` are made of, and how they are read."""

from pathlib import Path
from typing import Annotated, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from nnlib.errors import UserError
from nnlib.validation import problems

# Far more than makes sense, but so that a slip is found before it fills a memory or a disk.
Samples = Annotated[int, Field(gt=0, le=10_000_000)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]
Positive = Annotated[float, Field(gt=0, le=1e6, allow_inf_nan=False)]


class Section(BaseModel):
    """A section, with the parameters that it may and must have."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Sections(BaseModel):
    """The sections that a stage reads, out of all in the file."""

    model_config = ConfigDict(extra="ignore", frozen=True)


Model = TypeVar("Model", bound=BaseModel)


def read_params(model: type[Model], path: str | Path) -> Model:
    """Read and check a parameter file, or the sections of it that a model has.

    Raises
    ------
    UserError
        With every error of the file, each with its key.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read as YAML: {error}") from error
    return parse_params(model, text, path)


def parse_params(model: type[Model], text: str, path: str | Path) -> Model:
    """Check the text of a parameter file; `path` is what the errors call it.

    Raises
    ------
    UserError
        With every error of the text, each with its key.
    """
    try:
        # BaseLoader keeps each scalar a string, and its field decides what it means. So a number is
        # read as DVC reads it, even where YAML 1.1 (PyYAML) and 1.2 (DVC) differ, as in 1e-3.
        content = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506 - it builds only strings
    except yaml.YAMLError as error:
        reason = " ".join(str(error).split())
        raise UserError(f"{path}: cannot be read as YAML: {reason}") from error
    except RecursionError as error:
        raise UserError(f"{path}: cannot be read as YAML: it is nested too deeply") from error
    try:
        return model.model_validate(content)
    except ValidationError as error:
        lines = (f"  {problem}" for problem in problems(error))
        raise UserError("\n".join([f"{path}:", *lines])) from error
