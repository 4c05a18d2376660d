"""Stage 0: check all of params.yaml, before DVC removes what another stage has made."""

from nnlib.base.errors import UserError
from nnlib.base.files import write_text
from nnlib.data.datasets import TEST, TRAIN, read_dataset, read_labels
from stages.common import CHECKED, IMPORTED, PARAMS, run
from stages.params import Params


def check(params: Params) -> None:
    """Write a file that is always the same, so that no stage runs again for it."""
    if params.data.source == "imported" and IMPORTED.exists():
        check_sizes(params)
    write_text(
        CHECKED, "The parameters are those that the stages know, with values that they take.\n"
    )


def check_sizes(params: Params) -> None:
    """Raise a UserError unless the imported sets are as large as the parameters need them."""
    classes = read_dataset(IMPORTED).classes
    train, test = (
        len(read_labels(IMPORTED / name, classes)) for name in (TRAIN.labels, TEST.labels)
    )
    largest = max(params.analyse.samples)
    problems = []
    if params.train.validation >= train:
        problems.append(
            f"train.validation: it holds {params.train.validation} samples out, but the imported "
            f"training set has {train}"
        )
    if largest >= test:
        problems.append(
            f"analyse: samples: {largest} lies outside the imported test set, whose last index is "
            f"{test - 1}"
        )
    if problems:
        raise UserError("\n  ".join([f"{PARAMS}:", *problems]), file=PARAMS)


if __name__ == "__main__":
    run(check)
