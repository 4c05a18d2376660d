"""Images as the bytes of a PNG file."""

import io
import zlib

import numpy as np
from numpy.typing import NDArray
from PIL import Image


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
