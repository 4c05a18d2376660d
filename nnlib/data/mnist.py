"""The MNIST data set: its four files, and what is in them."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnlib.data.idx import IdxFile, read_idx
from nnlib.errors import ANEW, UserError

TRAIN_IMAGES = "train-images-idx3-ubyte.gz"
TRAIN_LABELS = "train-labels-idx1-ubyte.gz"
TEST_IMAGES = "t10k-images-idx3-ubyte.gz"
TEST_LABELS = "t10k-labels-idx1-ubyte.gz"
FILES = (TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS)

IMAGE_SHAPE = (28, 28)
CLASSES = 10


def open_images(path: str | Path) -> IdxFile:
    """Open a file of images, to read it whole or block by block.

    Returns
    -------
    IdxFile of shape (N, 28, 28), 0 for the background and 255 for full ink

    Raises
    ------
    UserError
        If the file is no IDX file of images of that size.
    """
    images = IdxFile(path)
    if images.shape[1:] != IMAGE_SHAPE or images.shape[0] == 0:
        raise UserError(
            f"{path}: expected images of shape (N, 28, 28), found {images.shape}; {ANEW}"
        )
    return images


def read_labels(path: str | Path) -> NDArray[np.uint8]:
    """Read a file of labels.

    Returns
    -------
    ndarray of uint8 of shape (N,), each in 0 ... 9

    Raises
    ------
    UserError
        If the file is no whole IDX file of labels.
    """
    labels = read_idx(path)
    if labels.ndim != 1:
        raise UserError(f"{path}: expected labels of shape (N,), found {labels.shape}; {ANEW}")
    check_labels(path, labels)
    return labels


def check_labels(path: str | Path, labels: NDArray[np.uint8]) -> None:
    """Raise a UserError that names the file if a label in it is no digit."""
    if labels.max(initial=0) >= CLASSES:
        index = int(np.argmax(labels >= CLASSES))
        raise UserError(
            f"{path}: label {index} is {labels[index]}, where digits are 0 to 9; {ANEW}"
        )


def open_set(folder: str | Path, images: str, labels: str) -> tuple[IdxFile, NDArray[np.uint8]]:
    """Open the images and read the labels of one set, training or test.

    Parameters
    ----------
    folder : path
        Where the files lie.
    images, labels : str
        Names of the files, two of `FILES`.

    Returns
    -------
    images : IdxFile of shape (N, 28, 28)
    labels : ndarray of uint8 of shape (N,)

    Raises
    ------
    UserError
        If a file is broken, or the two differ in the number of samples.
    """
    folder = Path(folder)
    x, t = open_images(folder / images), read_labels(folder / labels)
    if x.shape[0] != len(t):
        raise UserError(
            f"{folder}: {images} holds {x.shape[0]} images, {labels} {len(t)} labels; {ANEW}"
        )
    return x, t


def load_mnist(
    normalize: bool = True,
    flatten: bool = True,
    one_hot_label: bool = False,
    folder: str | Path = "data/raw",
) -> tuple[tuple[NDArray[Any], NDArray[Any]], tuple[NDArray[Any], NDArray[Any]]]:
    """Load the data set as the notebook does.

    Parameters
    ----------
    normalize : bool
        Pixels as float32 in [0, 1]; otherwise uint8 in 0 ... 255.
    flatten : bool
        Images of shape (N, 784); otherwise (N, 1, 28, 28).
    one_hot_label : bool
        Labels one-hot, float64 of shape (N, 10); otherwise uint8 of shape (N,).
    folder : path
        Where the four files lie; the pipeline puts them into `data/raw`.

    Returns
    -------
    (x_train, t_train), (x_test, t_test)

    Raises
    ------
    UserError
        If a file is missing or broken.
    """

    def load(images: str, labels: str) -> tuple[NDArray[Any], NDArray[Any]]:
        x: NDArray[Any]
        t: NDArray[Any]
        file, t = open_set(folder, images, labels)
        x = file.read()
        x = x.reshape(len(x), -1) if flatten else x[:, np.newaxis]
        if normalize:
            x = x / np.float32(255)
        if one_hot_label:
            t = np.eye(CLASSES)[t]
        return x, t

    return load(TRAIN_IMAGES, TRAIN_LABELS), load(TEST_IMAGES, TEST_LABELS)
