"""Small data sets, written in each of the formats that can be imported."""

import csv
import gzip
import struct

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
TRAINING = 1500  # of the 1,797 samples
CODES = {"u1": 0x08, "i1": 0x09, "i2": 0x0B, "i4": 0x0C, "f4": 0x0D, "f8": 0x0E}


def digits_and_labels():
    """scikit-learn's digits: images of shape (1797, 8, 8), whole numbers 0 to 16; and labels."""
    found = load_digits()
    return found.images, found.target


@pytest.fixture(scope="session")
def digits():
    """The same, to every test here."""
    return digits_and_labels()


def split(digits):
    """Images and labels of the training and of the test set."""
    images, labels = digits
    return {
        "train": (images[:TRAINING], labels[:TRAINING]),
        "test": (images[TRAINING:], labels[TRAINING:]),
    }


def as_bytes(images):
    """0 to 16 as 0 to 255."""
    return np.rint(images * 255 / 16).astype(np.uint8)


def write_picture(path, image, **options):
    """Write an array of uint8 as a picture, in the format that the name says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(image, np.uint8)).save(path, **options)
    return path


def write_folders(folder, images, labels, names=NAMES):
    """Write pictures in folders by class."""
    for number, (image, label) in enumerate(zip(images, labels, strict=True)):
        write_picture(folder / names[label] / f"{number}.png", image)


def write_idx(path, array, code="u1", *, packed=False):
    """Write an IDX file, as the format's description says."""
    array = np.asarray(array)
    header = struct.pack(f">HBB{array.ndim}I", 0, CODES[code], array.ndim, *array.shape)
    content = header + array.astype(f">{code}").tobytes()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(content, 1) if packed else content)


def write_csv(path, rows, header=None):
    """Write rows of values."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([*([header] if header else []), *rows])


def write_names(folder, names=NAMES):
    (folder / "classes.txt").write_text("\n".join(names) + "\n", encoding="utf-8")


# Each writes scikit-learn's digits in a format.


def in_folders(folder, digits):
    for part, (images, labels) in split(digits).items():
        write_folders(folder / part, as_bytes(images), labels)
    write_names(folder)  # otherwise "eight" would come first


def in_idx(folder, digits):
    for part, (images, labels) in split(digits).items():
        name = "t10k" if part == "test" else part
        write_idx(folder / f"{name}-images-idx3-ubyte", images)
        write_idx(folder / f"{name}-labels-idx1-ubyte", labels)
    write_names(folder)


def in_idx_of_floats(folder, digits):
    for part, (images, labels) in split(digits).items():
        write_idx(folder / f"{part}-images.idx3-ubyte.gz", images / 16, "f4", packed=True)
        write_idx(folder / f"{part}-labels.idx1-ubyte.gz", labels, "i4")  # not packed, all the same
    write_names(folder)


def in_keras_npz(folder, digits):
    arrays = {}
    for part, (images, labels) in split(digits).items():
        arrays |= {f"x_{part}": images, f"y_{part}": labels}
    np.savez_compressed(folder / "mnist.npz", **arrays)
    write_names(folder)


def in_four_npz(folder, digits):
    for part, (images, labels) in split(digits).items():
        np.savez_compressed(folder / f"kmnist-{part}-imgs.npz", as_bytes(images))
        np.savez_compressed(folder / f"kmnist-{part}-labels.npz", labels.astype(np.uint8))
    write_names(folder)


def in_csv(folder, digits):
    header = ["label", *(f"pixel{i}" for i in range(64))]
    for part, (images, labels) in split(digits).items():
        rows = np.column_stack([labels, images.reshape(-1, 64)]).astype(int)
        write_csv(folder / f"{part}.csv", rows.tolist(), header)
    write_names(folder)


def in_csv_of_names(folder, digits):
    for part, (images, labels) in split(digits).items():
        rows = [
            [*image, NAMES[label]]
            for image, label in zip(
                images.reshape(-1, 64).astype(int).tolist(), labels, strict=True
            )
        ]
        write_csv(folder / f"mnist_{part}.csv", rows)
    write_names(folder)


WRITERS = (
    *(in_folders, in_idx, in_idx_of_floats, in_keras_npz, in_four_npz),
    *(in_csv, in_csv_of_names),
)
