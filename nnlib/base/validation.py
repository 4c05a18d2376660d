"""Models of pydantic: in JSON files, and their validation errors as messages."""

from itertools import groupby
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from nnlib.base.errors import UserError, shown
from nnlib.base.files import write_text

Model = TypeVar("Model", bound=BaseModel)


def write_json(path: str | Path, model: BaseModel) -> None:
    """Write a model as JSON."""
    write_text(path, model.model_dump_json(indent=2) + "\n")


def read_json(path: str | Path, model: type[Model]) -> Model:
    """Read what `write_json` wrote.

    Raises
    ------
    UserError
        If the file is missing, or is not such a model.
    """
    try:
        return model.model_validate_json(Path(path).read_bytes())
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}", file=path) from error
    except ValidationError as error:
        raise UserError(f"{path}: {problems(error)[0]}", file=path) from error


def problems(error: ValidationError, content: object = None) -> list[str]:
    """Each problem as its key, the rule that is broken and, if it is a scalar, the value found.

    Parameters
    ----------
    error : ValidationError
    content : optional
        What was validated. If one of several models or types was to match, pydantic names it
        among the keys; with the content these names are left out.
    """
    found = []
    for problem in error.errors():
        loc, message, value = [*problem["loc"]], problem["msg"], problem["input"]
        if content is not None:
            loc = _keys(loc, content, is_missing=problem["type"] == "missing")
        if problem["type"] in {"union_tag_invalid", "union_tag_not_found"}:
            name = problem["ctx"]["discriminator"].strip("'")
            loc, value = [*loc, name], value.get(name, value)
            expected = problem["ctx"].get("expected_tags")
            message = f"Input should be one of {expected}" if expected else "Field required"
        key = ".".join(map(str, loc))
        is_single = value is None or isinstance(value, str | int | float)
        shown_value = f" (is {'null' if value is None else shown(value)})" if is_single else ""
        found.append((key, message, shown_value))
    lines = []
    for (key, value), same in groupby(found, key=lambda each: each[::2]):
        messages = ", or: ".join(message for _, message, _ in same)
        lines.append(f"{shown(key)}: {messages}{value}" if key else messages)
    return lines


def _keys(loc: list[int | str], content: object, *, is_missing: bool) -> list[int | str]:
    """The parts of a location that lead through the content, and the last if that is missing."""
    keys: list[int | str] = []
    for part in loc[:-1] if is_missing else loc:
        try:
            content = content[part]  # type: ignore[index]
        except (LookupError, TypeError):  # the name of a model or type
            continue
        keys.append(part)
    return [*keys, loc[-1]] if is_missing else keys
