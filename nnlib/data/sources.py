"""The published data sets: where their files are, and how MNIST's four files are made of them."""

import shutil
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from string import ascii_uppercase
from typing import NamedTuple

import numpy as np

from nnlib.base.files import whole_file
from nnlib.data.datasets import FILES, MNIST, TEST, TRAIN, Dataset
from nnlib.data.idx import IdxFile, read_any_idx, read_idx, write_idx, write_idx_blocks


class File(NamedTuple):
    """A file as it is published."""

    size: int  # bytes
    sha256: str


@dataclass(frozen=True)
class Source:
    """A published data set. Its files are MNIST's in name and format, unless a subclass says else.

    Attributes
    ----------
    dataset : Dataset
    files : mapping of str to File
        The published files by their names.
    mirrors : tuple of str
        URLs of the folders that hold them.
    test_samples : int
    """

    dataset: Dataset
    files: Mapping[str, File]
    mirrors: tuple[str, ...]
    test_samples: int

    def write(self, folder: Path, paths: Mapping[str, Path]) -> None:
        """Write the four files of a data set.

        Parameters
        ----------
        folder : Path
            Where to.
        paths : mapping of str to Path
            Where the published files lie, by their names.
        """
        for name in FILES:
            _copy(paths[name], folder / name)


class Qmnist(Source):
    """QMNIST, whose labels also say who wrote a digit, in eight columns.

    https://github.com/facebookresearch/qmnist describes the files.
    """

    def write(self, folder: Path, paths: Mapping[str, Path]) -> None:
        """Write the four files of a data set: the images as they are, the labels as MNIST's."""
        for split, files in (("train", TRAIN), ("test", TEST)):
            _copy(paths[f"qmnist-{split}-images-idx3-ubyte.gz"], folder / files.images)
            columns = read_any_idx(paths[f"qmnist-{split}-labels-idx2-int.gz"])
            write_idx(folder / files.labels, columns[:, 0].astype(np.uint8))


@dataclass(frozen=True)
class Emnist(Source):
    """One of the data sets in EMNIST's archive, where all images are transposed.

    Attributes
    ----------
    split : str
        Which, as in the names of its files.
    first_label : int
        The label of the first class.
    """

    split: str
    first_label: int = 0

    def write(self, folder: Path, paths: Mapping[str, Path]) -> None:
        """Write the four files of a data set: images upright, labels from 0."""
        folder.mkdir(parents=True, exist_ok=True)
        with (
            zipfile.ZipFile(paths["gzip.zip"]) as archive,
            tempfile.TemporaryDirectory(dir=folder) as extracted,
        ):
            for part, files in (("train", TRAIN), ("test", TEST)):
                member = f"gzip/emnist-{self.split}-{part}"
                images = IdxFile(archive.extract(f"{member}-images-idx3-ubyte.gz", extracted))
                n, width, height = images.shape
                upright = (block.transpose(0, 2, 1) for block in images)
                write_idx_blocks(folder / files.images, (n, height, width), upright)
                labels = read_idx(archive.extract(f"{member}-labels-idx1-ubyte.gz", extracted))
                write_idx(folder / files.labels, labels - np.uint8(self.first_label))


def _copy(source: Path, target: Path) -> None:
    with whole_file(target) as part:
        shutil.copyfile(source, part)


EMNIST_ARCHIVE = {
    "gzip.zip": File(
        561_753_746, "fb9bb67e33772a9cc0b895e4ecf36d2cf35be8b709693c3564cea2a019fcda8e"
    )
}
EMNIST_FOLDERS = ("https://biometrics.nist.gov/cs_links/EMNIST/",)

# By their short names. nnlib/data.md says from where their checksums are, and the licences.
PUBLISHED: dict[str, Source] = {
    "mnist": Source(
        MNIST,
        files={
            "train-images-idx3-ubyte.gz": File(
                9_912_422, "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"
            ),
            "train-labels-idx1-ubyte.gz": File(
                28_881, "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"
            ),
            "t10k-images-idx3-ubyte.gz": File(
                1_648_877, "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"
            ),
            "t10k-labels-idx1-ubyte.gz": File(
                4_542, "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"
            ),
        },
        # https://github.com/pytorch/vision/blob/main/torchvision/datasets/mnist.py names the two.
        mirrors=(
            "https://ossci-datasets.s3.amazonaws.com/mnist/",
            "https://storage.googleapis.com/cvdf-datasets/mnist/",
        ),
        test_samples=10_000,
    ),
    "fashion": Source(
        Dataset(
            name="Fashion-MNIST",
            class_names=(
                *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
                *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
            ),
            class_noun="item",
            image_shape=(28, 28),
            has_strokes=False,
            prepared_as_mnist=False,
        ),
        files={
            "train-images-idx3-ubyte.gz": File(
                26_421_880, "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"
            ),
            "train-labels-idx1-ubyte.gz": File(
                29_515, "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"
            ),
            "t10k-images-idx3-ubyte.gz": File(
                4_422_102, "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"
            ),
            "t10k-labels-idx1-ubyte.gz": File(
                5_148, "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"
            ),
        },
        # The publisher's two, and Keras's.
        mirrors=(
            "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
            "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
            "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
        ),
        test_samples=10_000,
    ),
    "kmnist": Source(
        Dataset(
            name="KMNIST",
            class_names=("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"),
            class_noun="character",
            image_shape=(28, 28),
            has_strokes=True,
            prepared_as_mnist=False,
        ),
        files={
            "train-images-idx3-ubyte.gz": File(
                18_165_135, "51467d22d8cc72929e2a028a0428f2086b092bb31cfb79c69cc0a90ce135fde4"
            ),
            "train-labels-idx1-ubyte.gz": File(
                29_497, "e38f9ebcd0f3ebcdec7fc8eabdcdaef93bb0df8ea12bee65224341c8183d8e17"
            ),
            "t10k-images-idx3-ubyte.gz": File(
                3_041_136, "edd7a857845ad6bb1d0ba43fe7e794d164fe2dce499a1694695a792adfac43c5"
            ),
            "t10k-labels-idx1-ubyte.gz": File(
                5_120, "20bb9a0ef54c7db3efc55a92eef5582c109615df22683c380526788f98e42a1c"
            ),
        },
        mirrors=(
            "https://codh.rois.ac.jp/kmnist/dataset/kmnist/",
            "http://codh.rois.ac.jp/kmnist/dataset/kmnist/",
        ),
        test_samples=10_000,
    ),
    "qmnist": Qmnist(
        MNIST.model_copy(update={"name": "QMNIST"}),
        files={
            "qmnist-train-images-idx3-ubyte.gz": File(
                9_704_059, "9e26a7bf1683614e065d7b76460ccd52807165b3f22561fb782bd9f38c52b51d"
            ),
            "qmnist-train-labels-idx2-int.gz": File(
                463_024, "2c05dc77f6b916b38e455e97ab129a42a444f3dbef09b278a366f82904e0dd9f"
            ),
            "qmnist-test-images-idx3-ubyte.gz": File(
                9_742_279, "43fc22bf7498b8fc98de98369d72f752d0deabc280a43a7bcc364ab19e57b375"
            ),
            "qmnist-test-labels-idx2-int.gz": File(
                526_800, "9fbcbe594c3766fdf4f0b15c5165dc0d1e57ac604e01422608bb72c906030d06"
            ),
        },
        mirrors=("https://raw.githubusercontent.com/facebookresearch/qmnist/master/",),
        test_samples=60_000,
    ),
    "emnist-balanced": Emnist(
        Dataset(
            name="EMNIST Balanced",
            # as emnist-balanced-mapping.txt in the archive: the other small letters are with the
            # capitals, which they are like
            class_names=tuple("0123456789" + ascii_uppercase + "abdefghnqrt"),
            class_noun="character",
            image_shape=(28, 28),
            has_strokes=True,
            prepared_as_mnist=False,
        ),
        files=EMNIST_ARCHIVE,
        mirrors=EMNIST_FOLDERS,
        test_samples=18_800,
        split="balanced",
    ),
    "emnist-letters": Emnist(
        Dataset(
            name="EMNIST Letters",
            class_names=tuple(ascii_uppercase),
            class_noun="letter",
            image_shape=(28, 28),
            has_strokes=True,
            prepared_as_mnist=False,
        ),
        files=EMNIST_ARCHIVE,
        mirrors=EMNIST_FOLDERS,
        test_samples=20_800,
        split="letters",
        first_label=1,
    ),
    "emnist-digits": Emnist(
        MNIST.model_copy(update={"name": "EMNIST Digits", "prepared_as_mnist": False}),
        files=EMNIST_ARCHIVE,
        mirrors=EMNIST_FOLDERS,
        test_samples=40_000,
        split="digits",
    ),
}
