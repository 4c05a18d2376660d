"""What the comparison shows in pictures."""

from pathlib import Path

import numpy as np
from matplotlib import style
from numpy.typing import NDArray

from nnlib.data.datasets import Dataset
from nnlib.report.figures import heat_map
from nnlib.report.png import png
from nnlib.report.style import STYLE, save

SIDE = 3  # of the square that a pixel of a picture is enlarged to


@style.context(STYLE)
def draw_confusion_change(folder: Path, change: NDArray[np.int64], dataset: Dataset) -> None:
    """Draw the change of a confusion matrix: more in one colour, fewer in another.

    Parameters
    ----------
    folder : Path
        Of `confusion.png`.
    change : ndarray of int of shape (C, C), the actual class by row
    dataset : Dataset
    """
    texts = np.where(change == 0, "0", np.char.mod("%+d", change))
    label = "more (+) or fewer (-) samples than before"
    figure, axes = heat_map(np.ma.masked_array(change), texts, dataset, label)
    (image,) = axes.images
    _, most = image.get_clim()
    image.set(cmap="PuOr_r", clim=(-most, most))
    for text in axes.texts[:: len(change) + 1]:  # the diagonal
        text.set_fontweight("bold")
    axes.set(title="Change of the confusion matrix", xlabel=f"predicted {dataset.class_noun}")
    save(figure, folder / "confusion.png")


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
