"""A data set: images and labels in four IDX files, and a fifth that says what they are."""

import re
import unicodedata
from collections import Counter
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, PositiveInt, field_validator
from pydantic_core import PydanticCustomError

from nnlib.base.errors import UserError, shown
from nnlib.base.validation import read_json, write_json
from nnlib.data.idx import IdxFile, read_idx
from nnlib.data.samples import check_labels

Part = Literal["train", "test"]


class Files(NamedTuple):
    """Names of the two files of a training or test set."""

    images: str
    labels: str


# The names of MNIST's files, whatever they hold.
TRAIN = Files("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz")
TEST = Files("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz")
FILES = (*TRAIN, *TEST)
DESCRIPTION = "dataset.json"  # the file of a Dataset, beside them
BOX = 20  # pixels of the side of the box that MNIST's digits were scaled to
CLASSES = range(2, 101)  # how many a data set may have
# Plurals that no rule gives: roofs, but leaves; humans, but women.
IRREGULAR = {
    "aircraft": "aircraft",
    "calf": "calves",
    "child": "children",
    "deer": "deer",
    "foot": "feet",
    "goose": "geese",
    "knife": "knives",
    "leaf": "leaves",
    "loaf": "loaves",
    "man": "men",
    "mouse": "mice",
    "person": "people",
    "series": "series",
    "sheep": "sheep",
    "shelf": "shelves",
    "species": "species",
    "tooth": "teeth",
    "wolf": "wolves",
    "woman": "women",
}


class Dataset(BaseModel):
    """What is known about a set of labelled grey-scale images.

    Attributes
    ----------
    name : str
        As people call it.
    class_names : tuple of str
        Of the labels 0 ... C - 1.
    class_noun : str
        As people call a class, and an image of it: "digit". Of letters, spaces and hyphens.
    image_shape : (int, int)
        Height and width, in pixels.
    has_strokes : bool
        Whether the images are of strokes of a pen, which have a thickness and a slant.
    prepared_as_mnist : bool
        Whether the strokes were scaled into a box, and that was centred by its mass, as in MNIST.
    inverted : bool
        Whether the images are of pictures whose dark became light, as that of others has to.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1)
    class_names: tuple[Annotated[str, Field(min_length=1)], ...] = Field(
        min_length=CLASSES[0], max_length=CLASSES[-1]
    )
    class_noun: str
    image_shape: tuple[PositiveInt, PositiveInt]
    has_strokes: bool
    prepared_as_mnist: bool
    inverted: bool = False

    @field_validator("class_names")
    @classmethod
    def _each_name_can_be_shown_and_is_of_one_class(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name, count in Counter(names).items():
            if any(unicodedata.category(character) == "Cc" for character in name):
                raise PydanticCustomError(
                    "control_character", "{name} holds a control character", {"name": shown(name)}
                )
            if count > 1:
                raise PydanticCustomError(
                    "not_unique", "{name} occurs twice", {"name": shown(name)}
                )
        return names

    @field_validator("class_noun")
    @classmethod
    def _is_a_word(cls, noun: str) -> str:
        if not is_noun(noun):
            raise PydanticCustomError(
                "no_noun", "{noun} is not of letters, spaces and hyphens", {"noun": shown(noun)}
            )
        return noun

    @property
    def classes(self) -> int:
        """Number of classes, C."""
        return len(self.class_names)

    @property
    def image_noun(self) -> str:
        """What an image is called, as its class is: a digit. But no image is a class."""
        return "image" if self.class_noun == "class" else self.class_noun

    @property
    def image_nouns(self) -> str:
        """The plural of `image_noun`."""
        return "images" if self.class_noun == "class" else self.class_nouns

    @property
    def class_nouns(self) -> str:
        """The plural of `class_noun`."""
        noun = self.class_noun
        last = re.split("[ -]", noun)[-1]
        if last in IRREGULAR:
            return f"{noun.removesuffix(last)}{IRREGULAR[last]}"
        if noun.endswith(("s", "x", "z", "ch", "sh")):
            return f"{noun}es"
        if noun.endswith("y") and not noun.endswith(("ay", "ey", "oy", "uy")):
            return f"{noun[:-1]}ies"
        return f"{noun}s"


def is_noun(text: str) -> bool:
    """Whether a text can be a data set's noun: letters, spaces and hyphens, a letter first."""
    return text[:1].isalpha() and all(each.isalpha() or each in " -" for each in text)


MNIST = Dataset(
    name="MNIST",
    class_names=tuple("0123456789"),
    class_noun="digit",
    image_shape=(28, 28),
    has_strokes=True,
    prepared_as_mnist=True,
)
# Drawn by nnlib.data.synthetic.
SYNTHETIC = MNIST.model_copy(update={"name": "synthetic digits"})


def read_dataset(folder: str | Path) -> Dataset:
    """Read what is known about the data set in a folder.

    Raises
    ------
    UserError
        If the file that says it is missing or broken.
    """
    return read_json(Path(folder) / DESCRIPTION, Dataset)


def write_dataset(folder: str | Path, dataset: Dataset) -> None:
    """Write what is known about a data set beside its files."""
    write_json(Path(folder) / DESCRIPTION, dataset)


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
    files = TRAIN if part == "train" else TEST
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
