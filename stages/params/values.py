"""The values of a parameter file, each under the name that DVC gives it: `train.learning_rate`."""

from collections.abc import Iterator, Mapping
from typing import Any


def set_values(params: dict[str, Any], values: Mapping[str, Any]) -> None:
    """Set values in nested sections, in place."""
    for key, value in values.items():
        *sections, name = key.split(".")
        section = params
        for part in sections:
            section = section[part]
        section[name] = value


def leaves(params: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Each key with its value, in the order of the file."""
    for key, value in params.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
