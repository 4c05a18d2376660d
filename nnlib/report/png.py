"""Images as the bytes of a PNG file."""

import io
import zlib

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIDE = 3  # of the square that a pixel of a picture is enlarged to


def png(image: NDArray[np.uint8]) -> bytes:
    """Write an image as PNG.

    Parameters
    ----------
    image : ndarray of uint8 of shape (height, width)
    """
    file = io.BytesIO()
    # The fastest of zlib's strategies on digits, and the one with the fewest bytes.
    Image.fromarray(image).save(file, format="PNG", compress_type=zlib.Z_RLE)
    return file.getvalue()


def picture(image: NDArray[np.uint8]) -> bytes:
    """Write an image as PNG, enlarged, and dark on white, as the figures show it.

    Parameters
    ----------
    image : ndarray of uint8 of shape (height, width), 255 for ink

    Returns
    -------
    bytes, of a PNG file of `SIDE` * height by `SIDE` * width pixels
    """
    return png((255 - image).repeat(SIDE, axis=0).repeat(SIDE, axis=1))
