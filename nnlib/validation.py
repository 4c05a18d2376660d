"""What pydantic finds wrong, in words."""

from pydantic import ValidationError

LONGEST = 40  # characters of a value that are shown


def problems(error: ValidationError) -> list[str]:
    """Each problem as its key, the rule that is broken and, if it is a scalar, the value found."""
    lines = []
    for problem in error.errors():
        key = ".".join(map(str, problem["loc"]))
        lines.append(
            f"{key}: {problem['msg']}{_found(problem['input'])}" if key else problem["msg"]
        )
    return lines


def _found(value: object) -> str:
    """The value, if it is a scalar; a long one is cut."""
    if value is None or value in ("", "~"):  # as YAML has it
        return " (is null)"
    if not isinstance(value, str | int | float):
        return ""
    text = str(value)
    return f" (is {text})" if len(text) <= LONGEST else f" (is {text[:LONGEST]}...)"
