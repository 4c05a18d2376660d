"""What a network's inputs and outputs stand for."""

from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from nnlib.arrays import Floats
from nnlib.errors import UserError
from nnlib.files import write_text
from nnlib.validation import problems

Scaling = Literal["unit", "standard"]


class Encoding(BaseModel):
    """How images become inputs, and which class each output is: needed to use a network.

    Attributes
    ----------
    scaling : str
        The name of the scaling, "unit" or "standard".
    pixel_mean, pixel_std : float
        Its parameters, for pixels as shares of full ink: an input is
        (pixel / 255 - pixel_mean) / pixel_std.
    class_names : tuple of str
        Output c is the probability of the class `class_names[c]`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    scaling: Scaling
    pixel_mean: float
    pixel_std: float = Field(gt=0)
    class_names: tuple[str, ...] = Field(min_length=1)

    @property
    def classes(self) -> int:
        """C."""
        return len(self.class_names)

    def inputs(self, images: NDArray[np.uint8]) -> Floats:
        """Scale the pixels of images.

        Parameters
        ----------
        images : ndarray of uint8 of shape (N, ...)

        Returns
        -------
        ndarray of float32 of shape (N, D), one image per row
        """
        # the 256 possible values, computed once, in float64
        table = (np.arange(256) / 255 - self.pixel_mean) / self.pixel_std
        return table.astype(np.float32)[images.reshape(len(images), -1)]


def save_encoding(path: str | Path, encoding: Encoding) -> None:
    """Write an encoding as JSON."""
    write_text(path, encoding.model_dump_json(indent=2) + "\n")


def load_encoding(path: str | Path) -> Encoding:
    """Read an encoding that `save_encoding` wrote.

    Raises
    ------
    UserError
        If the file is missing, or is not an encoding.
    """
    try:
        return Encoding.model_validate_json(Path(path).read_bytes())
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}", file=path) from error
    except ValidationError as error:
        raise UserError(f"{path}: {problems(error)[0]}", file=path) from error
