"""What the comparison shows in pictures."""

from pathlib import Path

import numpy as np
from matplotlib import style
from numpy.typing import NDArray

from nnlib.data.datasets import Dataset
from nnlib.report.figures import heat_map
from nnlib.report.names import words_of
from nnlib.report.png import enlarged, png
from nnlib.report.style import STYLE, as_shown, save

LARGEST = 84  # pixels of a picture's longer side: three times MNIST's
MOST_CLASSES = 20  # whose numbers in a matrix can be read


@style.context(STYLE)
def draw_confusion_change(folder: Path, change: NDArray[np.int64], dataset: Dataset) -> None:
    """Draw the change of a confusion matrix: more in one colour, fewer in another.

    Of many classes, those of `most_changed`.

    Parameters
    ----------
    folder : Path
        Of `confusion.png`.
    change : ndarray of int of shape (C, C), the actual class by row
    dataset : Dataset
    """
    classes = most_changed(change)
    title = "Change of the confusion matrix"
    if len(classes) < len(change):
        title += f": the {len(classes)} classes with the largest changes"
    change = change[np.ix_(classes, classes)]
    words = words_of(dataset)  # which number the classes as the whole data set does
    names = tuple(words.names[label] for label in classes)
    dataset = dataset.model_copy(update={"class_names": names})
    texts = np.where(change == 0, "0", np.char.mod("%+d", change))
    label = "more (+) or fewer (-) samples than before"
    figure, axes = heat_map(np.ma.masked_array(change), texts, dataset, label)
    (image,) = axes.images
    _, most = image.get_clim()
    image.set(cmap="PuOr_r", clim=(-most, most))
    for text in axes.texts[:: len(change) + 1]:  # the diagonal
        text.set_fontweight("bold")
    axes.set(title=title, xlabel=f"predicted {words.noun}")
    save(figure, folder / "confusion.png")


def most_changed(change: NDArray[np.int64]) -> NDArray[np.intp]:
    """The classes whose rows and columns changed most, all if they are few, in order."""
    sizes = np.abs(change)
    order = np.argsort(-(sizes.sum(axis=0) + sizes.sum(axis=1)), kind="stable")
    return np.sort(order[:MOST_CLASSES])


def picture(image: NDArray[np.uint8], dataset: Dataset) -> bytes:
    """Write an image as PNG, enlarged; strokes are dark on white, as in the figures.

    Parameters
    ----------
    image : ndarray of uint8 of shape (height, width), 0 for the background
    dataset : Dataset

    Returns
    -------
    bytes, of a PNG file, in which pixels are squares, as large as `LARGEST` allows
    """
    return png(enlarged(as_shown(image, dataset), LARGEST))
