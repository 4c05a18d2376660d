"""Images as the bytes of a PNG file."""

import io
import zlib

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def enlarged(pixels: NDArray[np.uint8], most: int) -> NDArray[np.uint8]:
    """Enlarge an image so that each pixel becomes a square, as large as the room allows.

    Parameters
    ----------
    pixels : ndarray of uint8 of shape (height, width) or (height, width, 3)
    most : int
        Pixels of the longer side; an image that has more stays as it is.
    """
    side = max(most // max(pixels.shape[:2]), 1)
    return pixels.repeat(side, axis=0).repeat(side, axis=1)


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
