"""The data sets: images and labels in four IDX files, and what is known about them."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nnlib.base.errors import UserError
from nnlib.data.idx import IdxFile, read_idx
from nnlib.data.samples import check_labels

Part = Literal["train", "test"]


class Files(NamedTuple):
    """Names of the two files of a training or test set."""

    images: str
    labels: str


@dataclass(frozen=True)
class Dataset:
    """A data set of labelled grey-scale images."""

    name: str  # as people call it
    class_names: tuple[str, ...]  # of the labels 0 ... C - 1
    class_noun: str  # as people call a class
    image_shape: tuple[int, int]  # height and width
    train: Files
    test: Files
    sha256: dict[str, str] = field(default_factory=dict)  # of each file, if published
    mirrors: tuple[str, ...] = ()  # URLs of the folders that hold the files
    test_samples: int | None = None  # if their number is fixed

    @property
    def classes(self) -> int:
        """Number of classes, C."""
        return len(self.class_names)

    @property
    def files(self) -> tuple[str, ...]:
        """Names of all four files."""
        return (*self.train, *self.test)


MNIST = Dataset(
    name="MNIST",
    class_names=tuple("0123456789"),
    class_noun="digit",
    image_shape=(28, 28),
    train=Files("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"),
    test=Files("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"),
    # As LeCun, Cortes and Burges published them.
    sha256={
        "train-images-idx3-ubyte.gz": (
            "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"
        ),
        "train-labels-idx1-ubyte.gz": (
            "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"
        ),
        "t10k-images-idx3-ubyte.gz": (
            "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"
        ),
        "t10k-labels-idx1-ubyte.gz": (
            "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"
        ),
    },
    # https://github.com/pytorch/vision/blob/main/torchvision/datasets/mnist.py names the same two.
    mirrors=(
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
    ),
    test_samples=10_000,
)
# Drawn by nnlib.data.synthetic, in the same shape and the same files.
SYNTHETIC = replace(MNIST, name="synthetic digits", sha256={}, mirrors=(), test_samples=None)

# By their short names.
DATASETS = {"mnist": MNIST, "synthetic": SYNTHETIC}


def open_images(path: str | Path, shape: tuple[int, int]) -> IdxFile:
    """Open a file of images, to read it whole or block by block.

    Parameters
    ----------
    path : str or Path
    shape : tuple of int
        Height and width that the images must have.

    Returns
    -------
    IdxFile of shape (N, height, width), 0 for the background and 255 for full ink

    Raises
    ------
    UserError
        If the file is not an IDX file of images of that size.
    """
    images = IdxFile(path)
    if images.shape[1:] != shape or images.shape[0] == 0:
        expected = ", ".join(map(str, ("N", *shape)))
        raise UserError(
            f"{path}: expected images of shape ({expected}), found {images.shape}", file=path
        )
    return images


def read_labels(path: str | Path, classes: int) -> NDArray[np.uint8]:
    """Read a file of labels.

    Parameters
    ----------
    path : str or Path
    classes : int
        C.

    Returns
    -------
    ndarray of uint8 of shape (N,), each in 0 ... C - 1

    Raises
    ------
    UserError
        If the file is not a whole IDX file of such labels.
    """
    labels = read_idx(path)
    if labels.ndim != 1:
        raise UserError(f"{path}: expected labels of shape (N,), found {labels.shape}", file=path)
    check_labels(path, labels, classes)
    return labels


def open_set(folder: str | Path, dataset: Dataset, part: Part) -> tuple[IdxFile, NDArray[np.uint8]]:
    """Open the images and read the labels of one set, training or test.

    Parameters
    ----------
    folder : str or Path
        Where the files lie.
    dataset : Dataset
    part : str
        "train" or "test".

    Returns
    -------
    images : IdxFile of shape (N, height, width)
    labels : ndarray of uint8 of shape (N,)

    Raises
    ------
    UserError
        If a file is broken, or if the two differ in the number of samples.
    """
    folder = Path(folder)
    files = dataset.train if part == "train" else dataset.test
    images = open_images(folder / files.images, dataset.image_shape)
    labels = read_labels(folder / files.labels, dataset.classes)
    if images.shape[0] != len(labels):
        raise UserError(
            f"{folder}: {files.images} holds {images.shape[0]} images, "
            f"{files.labels} {len(labels)} labels",
            file=folder / files.images,
        )
    return images, labels


def load_mnist(
    normalize: bool = True,
    flatten: bool = True,
    one_hot_label: bool = False,
    folder: str | Path = "data/raw",
) -> tuple[tuple[NDArray[Any], NDArray[Any]], tuple[NDArray[Any], NDArray[Any]]]:
    """Load MNIST, or the digits drawn in its place, as the notebook does.

    Parameters
    ----------
    normalize : bool
        Pixels as float32 in [0, 1]; otherwise uint8 in 0 ... 255.
    flatten : bool
        Images of shape (N, 784); otherwise (N, 1, 28, 28).
    one_hot_label : bool
        Labels one-hot, float64 of shape (N, 10); otherwise uint8 of shape (N,).
    folder : str or Path
        Where the four files lie; the pipeline puts them into `data/raw`.

    Returns
    -------
    (x_train, t_train), (x_test, t_test)

    Raises
    ------
    TypeError
        If a choice is not a bool: for example, a folder given as the first argument.
    UserError
        If a file is missing or broken.
    """
    choices = {"normalize": normalize, "flatten": flatten, "one_hot_label": one_hot_label}
    for name, choice in choices.items():
        if choice not in (True, False):
            raise TypeError(
                f"{name} must be True or False, not {choice!r}; a folder is given as folder=..."
            )

    def load(part: Part) -> tuple[NDArray[Any], NDArray[Any]]:
        x: NDArray[Any]
        t: NDArray[Any]
        file, t = open_set(folder, MNIST, part)
        x = file.read()
        x = x.reshape(len(x), -1) if flatten else x[:, np.newaxis]
        if normalize:
            x = x / np.float32(255)
        if one_hot_label:
            t = np.eye(MNIST.classes)[t]
        return x, t

    return load("train"), load("test")
