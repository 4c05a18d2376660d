"""The explorer: every prediction of a test set in one HTML file that needs nothing else."""

import base64
import io
import math
import zlib

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray
from PIL import Image

from nnlib.analysis.analysis import Analysis
from nnlib.analysis.label_quality import normalized_margin
from nnlib.analysis.metrics import shares_of_actual, without_diagonal
from nnlib.analysis.predictions import probabilities
from nnlib.data.datasets import Dataset
from nnlib.report.templating import render


def explorer(analysis: Analysis, images: NDArray[np.uint8], dataset: Dataset) -> str:
    """Write the explorer.

    Parameters
    ----------
    analysis : Analysis
    images : ndarray of uint8 of shape (N, height, width)
        The test set, in the order of the predictions.
    dataset : Dataset

    Returns
    -------
    str, HTML with the styles, the script, the images and all predictions in it
    """
    trained, untrained = analysis.trained, analysis.untrained
    y = probabilities(trained)
    shares = without_diagonal(shares_of_actual(analysis.confusion))
    sheet = contact_sheet(images)
    return render(
        "explorer.html",
        dataset=dataset,
        names=dataset.class_names,
        noun=dataset.class_noun,
        samples=len(trained),
        errors=len(analysis.mistakes),
        accuracy=analysis.accuracy,
        confusion=analysis.confusion.tolist(),
        shade=(shares / max(shares.max(), 0.01)).round(3).tolist(),  # 1 for the darkest cell
        payload={
            "samples": len(trained),
            "names": dataset.class_names,
            "noun": dataset.class_noun,
            "width": images.shape[2],
            "height": images.shape[1],
            "columns": sheet.shape[1] // images.shape[2],
            "sheet": "data:image/png;base64," + _base64(_png(sheet)),
            "actual": _array(trained["actual"], np.uint8),
            "predicted": _array(trained["predicted"], np.uint8),
            "confidence": _array(trained["confidence"], "<f4"),
            "loss": _array(trained["loss"], "<f4"),
            "margin": _array(normalized_margin(y, trained["actual"].to_numpy()), "<f4"),
            "untrainedPredicted": _array(untrained["predicted"], np.uint8),
            "trained": _array(y, "<f4"),
            "untrained": _array(probabilities(untrained), "<f4"),
        },
    )


def contact_sheet(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Lay images out in rows of ceil(sqrt(N)), so that the sheet is about square.

    Parameters
    ----------
    images : ndarray of uint8 of shape (N, height, width)

    Returns
    -------
    ndarray of uint8 of shape (rows * height, columns * width); 0 where there is no image
    """
    N, height, width = images.shape
    columns = math.ceil(math.sqrt(N))
    rows = math.ceil(N / columns)
    sheet = np.zeros((rows * columns, height, width), np.uint8)
    sheet[:N] = images
    sheet = sheet.reshape(rows, columns, height, width).swapaxes(1, 2)
    return sheet.reshape(rows * height, columns * width)


def _png(image: NDArray[np.uint8]) -> bytes:
    file = io.BytesIO()
    # The fastest of zlib's strategies on digits, and the one with the fewest bytes.
    Image.fromarray(image).save(file, format="PNG", compress_type=zlib.Z_RLE)
    return file.getvalue()


def _array(values: ArrayLike, dtype: DTypeLike) -> str:
    return _base64(np.asarray(values, dtype).tobytes())


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")
