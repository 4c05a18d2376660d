"""A set of samples, ready for the network, as a pair of `.npy` files."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nnlib.errors import UserError
from nnlib.files import whole_file


class Samples(NamedTuple):
    """Inputs and targets."""

    x: NDArray[np.floating[Any]]  # (N, D)
    t: NDArray[np.integer[Any]]  # (N,)


def save_samples(folder: Path, name: str, samples: Samples) -> None:
    """Write `x_NAME.npy` and `t_NAME.npy`."""
    for array_name, array in samples._asdict().items():
        with whole_file(folder / f"{array_name}_{name}.npy") as part:
            np.save(part, array)


def load_samples(folder: Path, name: str) -> Samples:
    """Read what `save_samples` wrote.

    Raises
    ------
    UserError
        If a file is missing or broken, or the two do not belong together.
    """
    x, t = _load(folder / f"x_{name}.npy"), _load(folder / f"t_{name}.npy")
    if x.ndim != 2 or t.shape != x.shape[:1]:
        raise UserError(
            f"{folder}: x_{name} of shape {x.shape} and t_{name} of shape {t.shape} differ"
        )
    return Samples(x, t)


def _load(path: Path) -> NDArray[Any]:
    try:
        array: NDArray[Any] = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise UserError(f"{path}: cannot be read: {error}") from error
    return array
