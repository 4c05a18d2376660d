"""Stage 0: check all of params.yaml, before DVC removes what another stage has made."""

from nnlib.base.errors import UserError
from nnlib.base.files import write_text
from nnlib.data.datasets import TEST, read_dataset, read_labels
from stages.common import CHECKED, IMPORTED, PARAMS, run
from stages.params import Params


def check(params: Params) -> None:
    """Write a file that is always the same, so that no stage runs again for it."""
    if params.data.source == "imported" and IMPORTED.exists():
        check_samples(params)
    write_text(
        CHECKED, "The parameters are those that the stages know, with values that they take.\n"
    )


def check_samples(params: Params) -> None:
    """Raise a UserError unless the imported test set has the samples that the report shows.

    The model of the parameters checks those of other data sets, whose sizes are known.
    """
    size = len(read_labels(IMPORTED / TEST.labels, read_dataset(IMPORTED).classes))
    largest = max(params.analyse.samples)
    if largest >= size:
        raise UserError(
            f"{PARAMS}:\n  analyse: samples: {largest} lies outside the imported test set, whose "
            f"last index is {size - 1}",
            file=PARAMS,
        )


if __name__ == "__main__":
    run(check)
