"""Stage 0: check all of params.yaml, before DVC removes what another stage has made."""

from nnlib.base.files import write_text
from stages.common import CHECKED, run
from stages.params import Params


def check(_params: Params) -> None:
    """Write a file that is always the same, so that no stage runs again for it."""
    write_text(
        CHECKED, "The parameters are those that the stages know, with values that they take.\n"
    )


if __name__ == "__main__":
    run(check)
