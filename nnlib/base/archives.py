"""Arrays in files: `.npy`, and uncompressed `.npz` archives of them."""

import io
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nnlib.base.errors import UserError
from nnlib.base.files import BROKEN_ARRAYS, whole_file


def write_array(path: str | Path, array: NDArray[Any]) -> None:
    """Write one array as `.npy`."""
    with whole_file(path) as part:
        np.save(part, array)


def write_arrays(path: str | Path, arrays: Mapping[str, ArrayLike]) -> None:
    """Write arrays by their names, with the same bytes on every system."""
    # Not by numpy.savez: it writes without knowing the sizes beforehand, and how Python notes that
    # in the headers depends on its version.
    with whole_file(path) as part, zipfile.ZipFile(part, "w") as archive:
        for key, value in arrays.items():
            content = io.BytesIO()
            np.lib.format.write_array(content, np.asarray(value), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{key}.npy"), content.getvalue())


def read_arrays(path: str | Path, keys: Sequence[str], what: str) -> dict[str, NDArray[Any]]:
    """Read arrays that `write_arrays` wrote.

    Parameters
    ----------
    path : str or Path
    keys : sequence of str
        The names of the arrays.
    what : str
        What the file should be, for the message.

    Raises
    ------
    UserError
        If the file is not an `.npz`, or lacks one of the arrays.
    """
    try:
        with Path(path).open("rb") as file:
            archive = np.load(file, allow_pickle=False)
            if not isinstance(archive, np.lib.npyio.NpzFile):
                raise UserError(f"{path} is not an archive of arrays", file=path)
            missing = [key for key in keys if key not in archive]
            if missing:
                raise UserError(f"{path} lacks {', '.join(missing)}", file=path)
            return {key: archive[key] for key in keys}
    except BROKEN_ARRAYS as error:
        raise UserError(f"{path} is not {what}: {error}", file=path) from error
