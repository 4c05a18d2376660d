"""What pydantic finds wrong, in words."""

from pydantic import ValidationError

from nnlib.errors import shown


def problems(error: ValidationError) -> list[str]:
    """Each problem as its key, the rule that is broken and, if it is a scalar, the value found."""
    lines = []
    for problem in error.errors():
        key, value = ".".join(map(str, problem["loc"])), problem["input"]
        is_single = value is None or isinstance(value, str | int | float)
        found = f" (is {'null' if value is None else shown(value)})" if is_single else ""
        lines.append(f"{shown(key)}: {problem['msg']}{found}" if key else problem["msg"])
    return lines
