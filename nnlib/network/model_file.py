"""Saved networks: `.npz` files with all that is needed to use a network."""

from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from pydantic import ValidationError

from nnlib.base.archives import read_arrays, write_arrays
from nnlib.base.arrays import Floats
from nnlib.base.errors import UserError
from nnlib.base.validation import problems
from nnlib.data.encoding import Encoding
from nnlib.network.functions import ACTIVATIONS

SHAPES = {"W1": "DH", "b1": "H", "W2": "HC", "b2": "C"}
KEYS = (*SHAPES, "activation", *Encoding.model_fields)


class Model(NamedTuple):
    """What a model file holds."""

    params: dict[str, Floats]
    activation: str
    encoding: Encoding


def write_model(path: str | Path, model: Model) -> None:
    """Write `W1`, `b1`, `W2`, `b2`, `activation` and the fields of the encoding, uncompressed."""
    arrays: dict[str, Any] = {
        **model.params,
        "activation": model.activation,
        **model.encoding.model_dump(),
    }
    write_arrays(path, arrays)


def read_model(path: str | Path) -> Model:
    """Read what `write_model` wrote.

    Raises
    ------
    UserError
        If the file is not an `.npz` with all that `write_model` writes, in matching shapes and
        finite numbers.
    """
    arrays = read_arrays(path, KEYS, "a saved network")
    params = {key: arrays.pop(key) for key in SHAPES}
    activation = str(arrays.pop("activation"))
    try:
        encoding = Encoding.model_validate({key: value.tolist() for key, value in arrays.items()})
    except ValidationError as error:
        raise UserError(f"{path}: {problems(error)[0]}", file=path) from error
    problem = _misfit(params, encoding)
    if activation not in ACTIVATIONS:
        problem = f"activation is {activation}, not one of {', '.join(ACTIVATIONS)}"
    if problem:
        raise UserError(f"{path}: {problem}", file=path)
    return Model(params, activation, encoding)


def _misfit(params: dict[str, Floats], encoding: Encoding) -> str | None:
    """What is wrong with the parameters, if anything: which one does not fit the others."""
    for key, array in params.items():
        if array.ndim != len(SHAPES[key]):
            return f"{key} has the shape {array.shape}, not ({', '.join(SHAPES[key])})"
        if not np.issubdtype(array.dtype, np.floating) or not np.isfinite(array).all():
            return f"{key} holds a value that is not a finite number"
    sizes: dict[str, dict[str, int]] = {"H": {}, "C": {"class_names": encoding.classes}}
    for key, array in params.items():
        for letter, size in zip(SHAPES[key], array.shape, strict=True):
            sizes.setdefault(letter, {})[key] = size
    for letter, of_letter in sizes.items():
        ((usual, _),) = Counter(of_letter.values()).most_common(1)
        for key, size in of_letter.items():
            if size != usual:
                return f"{key} has {letter} = {size}, the others have {usual}"
    return None
