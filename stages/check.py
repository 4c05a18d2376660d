"""Stage 0: check parameters and corrections, before DVC removes what another stage has made."""

from nnlib.base.errors import UserError
from nnlib.base.files import write_text
from nnlib.data.corrections import count_corrections, read_corrections, read_published_labels
from nnlib.data.sources import PUBLISHED
from stages.common import CHECKED, IMPORTED, PARAMS, run
from stages.download import described
from stages.params import Data, Params


def check(params: Params) -> None:
    """Write a file that is always the same, so that no stage runs again for it."""
    if params.data.source != "imported" or IMPORTED.exists():
        check_sizes(params, *sizes(params.data))
    write_text(
        CHECKED, "The parameters are those that the stages know, with values that they take.\n"
    )


def sizes(data: Data) -> tuple[int | None, int]:
    """How many samples the training and the test set will have; None if that is not known yet.

    Raises
    ------
    UserError
        If the corrections are wrong, as far as that is known.
    """
    dataset = described(data)
    published, train = None, None
    if data.source == "imported":
        published = read_published_labels(IMPORTED, dataset)
        train, test = len(published["train"]), len(published["test"])
    elif data.source == "synthetic":
        train, test = data.synthetic.train, data.synthetic.test
    else:
        test = PUBLISHED[data.source].test_samples
    corrections = read_corrections(data.corrections, dataset.class_names, published)
    if train is not None:
        train -= count_corrections(corrections, "train").dropped
    return train, test - count_corrections(corrections, "test").dropped


def check_sizes(params: Params, train: int | None, test: int) -> None:
    """Raise a UserError unless the sets are as large as the parameters need them."""
    what = "imported " if params.data.source == "imported" else ""
    largest = max(params.analyse.samples)
    problems = []
    if train is not None and params.train.validation >= train:
        problems.append(
            f"train.validation: it holds {params.train.validation} samples out, but the {what}"
            f"training set has {train}"
        )
    if largest >= test:
        problems.append(
            f"analyse: samples: {largest} lies outside the {what}test set, whose last index is "
            f"{test - 1}"
        )
    if problems:
        raise UserError("\n  ".join([f"{PARAMS}:", *problems]), file=PARAMS)


if __name__ == "__main__":
    run(check)
