"""The published data sets: where their files are, and how they are told from others."""

from dataclasses import dataclass

from nnlib.data.datasets import MNIST, Dataset


@dataclass(frozen=True)
class Source:
    """A published data set."""

    dataset: Dataset
    sha256: dict[str, str]  # of each file
    mirrors: tuple[str, ...]  # URLs of the folders that hold the files
    test_samples: int


# By their short names.
PUBLISHED = {
    "mnist": Source(
        MNIST,
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
        # https://github.com/pytorch/vision/blob/main/torchvision/datasets/mnist.py names the two.
        mirrors=(
            "https://ossci-datasets.s3.amazonaws.com/mnist/",
            "https://storage.googleapis.com/cvdf-datasets/mnist/",
        ),
        test_samples=10_000,
    ),
}
