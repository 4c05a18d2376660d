"""What the sections of `params.yaml` are made of, and how they are read."""

import re
from collections.abc import Hashable
from pathlib import Path
from typing import Annotated, Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from nnlib.errors import UserError, shown
from nnlib.validation import problems

# The upper bounds are far above what is useful, and still within what a computer can do: they stop
# a slip of the keyboard before a stage runs for hours or out of memory.
Count = Annotated[int, Field(gt=0, le=10_000_000)]
Number = Annotated[int, Field(ge=0, le=10_000_000)]
Index = Annotated[int, Field(ge=0, lt=10_000_000)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]
Share = Annotated[float, Field(ge=0, lt=1)]
Positive = Annotated[float, Field(gt=0, le=1e6, allow_inf_nan=False)]

MOST_PROBLEMS = 20  # that a message lists
NULL = "tag:yaml.org,2002:null"


class Section(BaseModel):
    """A section, with the parameters that it may and must have."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Sections(BaseModel):
    """The sections that a stage reads, out of all in the file."""

    model_config = ConfigDict(extra="ignore", frozen=True)


Model = TypeVar("Model", bound=BaseModel)


class _Loader(yaml.BaseLoader):
    """Keeps each scalar but null a string, and its field decides what it means.

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
        raise UserError(f"{path}: cannot be read as YAML: {error}") from error
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
        raise UserError(f"{path}: cannot be read as YAML: {_reason(error)}") from error
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
        raise UserError("\n".join([f"{path}:", *lines])) from error


def _reason(error: yaml.YAMLError | RecursionError) -> str:
    """Why a text is no YAML, in one line."""
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark:
        problem = ", ".join(filter(None, (error.context, error.problem)))
        return f"line {error.problem_mark.line + 1}: {shown(problem)}"
    return " ".join(str(error).split())
