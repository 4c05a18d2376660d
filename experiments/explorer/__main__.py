"""Writes an explorer that holds two networks: `python -m experiments.explorer "REV OTHER"`."""

import argparse
import math
from pathlib import Path

import numpy as np

from experiments.commands import exit_of_command
from experiments.revisions import Revision, open_revision
from nnlib.base.errors import UserError
from nnlib.base.files import write_text
from nnlib.network import TwoLayerNet
from nnlib.report.explorer import SECOND, packed_probabilities, with_second
from stages.common import MODELS, REPORTS

EXPLORER, PAGE = REPORTS / "explorer.html", REPORTS / "explorer-two.html"
NETWORK = MODELS / "trained.npz"
MOST = 8_000_000  # bytes of the page


def main() -> None:
    """Read the command line and write the page."""
    parser = argparse.ArgumentParser(prog="python -m experiments.explorer", description=__doc__)
    parser.add_argument(
        "revisions", help="two commits, tags, branches or experiments; the page is the first one's"
    )
    names = parser.parse_args().revisions.split()
    if len(names) != 2:
        parser.error('name two revisions, for example: "HEAD record"')
    with (
        exit_of_command("explorer"),
        open_revision(names[0]) as first,
        open_revision(names[1]) as second,
    ):
        write_text(PAGE, page_of(first, second))
        print(f"Page: {PAGE.as_posix()}, of {first.label} and {second.label}")


def page_of(first: Revision, second: Revision) -> str:
    """The explorer of a revision, with the network of another one.

    Raises
    ------
    UserError
        If a file is missing or broken, if their test sets differ, or if the page is of other
        predictions, has no place for another network, or would be too large.
    """
    check_test_sets(first, second)
    page = first.load(EXPLORER, lambda path: path.read_text(encoding="utf-8", errors="replace"))
    if packed_probabilities(first.predictions.y) not in page:
        raise UserError(
            f"{EXPLORER.as_posix()} of {first.name} is not of its predictions: run `dvc repro` "
            "there and commit"
        )
    if SECOND not in page:
        raise UserError(
            f"{EXPLORER.as_posix()} of {first.name} has no place for a second network: it is older "
            "than this command, or too large to hold its own network"
        )
    inputs, names = math.prod(second.dataset.image_shape), second.dataset.class_names

    def read_network(path: Path) -> TwoLayerNet:
        return TwoLayerNet.load(path, input_size=inputs, class_names=names)

    network = second.load(NETWORK, read_network)
    page = with_second(page, second.name, network, second.predictions)
    size = len(page.encode())
    if size > MOST:
        raise UserError(
            f"the page would have {size / 1e6:.1f} MB, and may have {MOST / 1e6:.0f}: name a "
            f"revision whose network is smaller than that of {second.name}"
        )
    return page


def check_test_sets(first: Revision, second: Revision) -> None:
    """Raise a UserError if two revisions have other test images, labels or classes."""
    alike = (
        first.dataset.class_names == second.dataset.class_names
        and np.array_equal(first.test_images, second.test_images)
        and np.array_equal(first.predictions.t, second.predictions.t)
    )
    if not alike:
        raise UserError(
            f"the test sets of {first.name} and {second.name} differ: name revisions with the same "
            "data"
        )


if __name__ == "__main__":
    main()
