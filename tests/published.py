"""Small stand-ins for the published data sets, each in its publisher's own layout."""

import dataclasses
import gzip
import hashlib
import struct
import zipfile

import numpy as np

from nnlib.data.sources import PUBLISHED, File

SIZES = {"train": 4, "test": 3}
MNIST_NAMES = {"train": "train", "test": "t10k"}


def publish(name, folder):
    """Write the files of a data set, and return its images and labels as they should be read.

    Parameters
    ----------
    name : str
        In `PUBLISHED`.
    folder : Path
        Where its publisher's files go.

    Returns
    -------
    dict of str to (ndarray of uint8 of shape (N, 28, 28), list of int)
        By "train" and "test".
    """
    folder.mkdir()
    if name.startswith("emnist-"):
        return publish_emnist(folder)[name.removeprefix("emnist-")]
    samples = samples_of(len(PUBLISHED[name].dataset.class_names), seed=1)
    for part, (images, labels) in samples.items():
        if name == "qmnist":
            files = [f"qmnist-{part}-images-idx3-ubyte.gz", f"qmnist-{part}-labels-idx2-int.gz"]
            rows = [[label, 4, 2100 + label, 5, 30 + label, 70_000, 0, 0] for label in labels]
            contents = [idx(images), idx(rows, 0x0C, ">i4")]
        else:
            start = MNIST_NAMES[part]
            files = [f"{start}-images-idx3-ubyte.gz", f"{start}-labels-idx1-ubyte.gz"]
            contents = [idx(images), idx(labels)]
        for file, content in zip(files, contents, strict=True):
            (folder / file).write_bytes(content)
    return samples


def publish_emnist(folder):
    """Write one archive with all data sets, the images transposed, the letters from 1."""
    classes = {"balanced": 47, "byclass": 62, "bymerge": 47, "digits": 10, "letters": 26}
    splits = {split: samples_of(C, seed=C) for split, C in classes.items()}
    with zipfile.ZipFile(folder / "gzip.zip", "w") as archive:
        for split, samples in splits.items():
            first = 1 if split == "letters" else 0
            for part, (images, labels) in samples.items():
                start = f"gzip/emnist-{split}-{part}"
                columns = np.array([image.T for image in images])
                archive.writestr(f"{start}-images-idx3-ubyte.gz", idx(columns))
                numbers = [label + first for label in labels]
                archive.writestr(f"{start}-labels-idx1-ubyte.gz", idx(numbers))
            archive.writestr(f"gzip/emnist-{split}-mapping.txt", "")
    return splits


def samples_of(classes, seed):
    """Random images, with the first and the last class among the labels."""
    rng = np.random.default_rng(seed)
    return {
        part: (
            rng.integers(256, size=(n, 28, 28), dtype=np.uint8),
            [0, classes - 1, *rng.integers(classes, size=n - 2).tolist()],
        )
        for part, n in SIZES.items()
    }


def idx(values, type_code=0x08, dtype="u1"):
    """A gzip-compressed IDX file."""
    array = np.array(values, dtype)
    header = struct.pack(f">HBB{array.ndim}I", 0, type_code, array.ndim, *array.shape)
    return gzip.compress(header + array.tobytes(), mtime=0)


def expect(monkeypatch, name, folder, **changes):
    """Let the files in a folder be the ones that the data set is known by."""
    files = {
        path.name: File(path.stat().st_size, hashlib.sha256(path.read_bytes()).hexdigest())
        for path in folder.iterdir()
    }
    assert set(files) == set(PUBLISHED[name].files)  # as the publisher calls them
    monkeypatch.setitem(
        PUBLISHED, name, dataclasses.replace(PUBLISHED[name], files=files, **changes)
    )
