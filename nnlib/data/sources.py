"""The published data sets: where their files are, and what they are."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from nnlib.base.files import whole_file
from nnlib.data.datasets import FILES, MNIST, Dataset


class File(NamedTuple):
    """A file as it is published."""

    size: int  # bytes
    sha256: str


@dataclass(frozen=True)
class Source:
    """A published data set, whose files have the names and the format of MNIST's.

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


def _copy(source: Path, target: Path) -> None:
    with whole_file(target) as part:
        shutil.copyfile(source, part)


# By their short names.
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
}
