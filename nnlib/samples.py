"""A set of samples, ready for the network, as a pair of `.npy` files."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from nnlib.errors import ANEW, UserError
from nnlib.files import BROKEN_ARRAYS, whole_file


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
        If a file is missing or broken, holds another kind of array or no finite numbers, or the two
        differ in the number of samples.
    """
    x = _load(folder / f"x_{name}.npy", np.float32, ndim=2)
    t = _load(folder / f"t_{name}.npy", np.uint8, ndim=1)
    if len(x) != len(t) or len(x) == 0:
        raise UserError(
            f"{folder}: x_{name}.npy has {len(x)} samples, t_{name}.npy {len(t)}; {ANEW}"
        )
    if not np.isfinite([x.min(), x.max()]).all():
        raise UserError(f"{folder}/x_{name}.npy holds what is no finite number; {ANEW}")
    return Samples(x, t)


def _load(path: Path, dtype: DTypeLike, ndim: int) -> NDArray[Any]:
    try:
        array = np.load(path, allow_pickle=False)
    except BROKEN_ARRAYS as error:
        raise UserError(f"{path} cannot be read: {error}; {ANEW}") from error
    if not isinstance(array, np.ndarray) or array.dtype != dtype or array.ndim != ndim:
        found = f"{array.dtype} of shape {array.shape}" if hasattr(array, "dtype") else "archive"
        raise UserError(
            f"{path}: expected an array of {np.dtype(dtype)} with {ndim} dimensions, "
            f"found an {found}; {ANEW}"
        )
    return array
