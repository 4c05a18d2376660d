"""What pydantic finds wrong, in words."""

from pydantic import ValidationError


def problems(error: ValidationError) -> list[str]:
    """Each problem as its key, the rule that is broken and, if it is a scalar, the value found."""
    lines = []
    for problem in error.errors():
        key = ".".join(map(str, problem["loc"]))
        is_single = isinstance(problem["input"], str | int | float)
        found = f" (is {problem['input']})" if is_single else ""
        lines.append(f"{key}: {problem['msg']}{found}" if key else problem["msg"])
    return lines
