"""What all stages share: where their files lie, how they start and end, how they write metrics."""

import io
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from nnlib.base.errors import UserError
from nnlib.base.files import write_text
from nnlib.data.datasets import Dataset
from stages import NOT_PROMISED, UNPINNED
from stages.params import Params, read_params

PARAMS = Path("params.yaml")

GO_BACK = f"""\
Correct {PARAMS}, or go back to the last commit's parameters, and to their results:
  git checkout {PARAMS}
  dvc repro"""

# By then DVC has taken the broken files for a new version, and staged their checksum in Git.
GET_BACK = (
    "get the last commit's files back (`git checkout HEAD data/imported/files.dvc && dvc checkout "
    "--force`, or `dvc pull --force` if a remote has them), or import them again (`make import "
    "FROM=... REPLACE=1`)"
)

STDOUT = 1  # the file descriptor

# The same paths as in dvc.yaml, which tests/pipeline/test_pipeline.py checks.
CHECKED = Path("data/checked.txt")
IMPORTED = Path("data/imported/files")  # what `make import` writes, and DVC tracks as given
RAW = Path("data/raw")
NORMALIZED = Path("data/normalized")
ENCODING = NORMALIZED / "encoding.json"
CORRECTED = "corrected"  # the set of the samples that were corrected, as they were published
MODELS = Path("data/models")
TRAINING = Path("data/training")
PREDICTIONS = Path("data/predictions")
REPEATS = Path("data/repeats")
PLOTS = Path("data/plots")
NEIGHBOURS = Path("data/neighbours")
OUTPUTS = (RAW, NORMALIZED, MODELS, TRAINING, PREDICTIONS, REPEATS, PLOTS, NEIGHBOURS)
REPORTS = Path("reports")
FIGURES = Path("reports/figures")


def run(stage: Callable[[Params], None]) -> None:
    """Run a stage on the parameters."""
    with exit_on_user_error():
        params = read_params(Params, PARAMS)
        if NOT_PROMISED and not UNPINNED:
            print(f"note: the same bytes cannot be promised here: {NOT_PROMISED}", file=sys.stderr)
        stage(params)


@contextmanager
def exit_on_user_error() -> Iterator[None]:
    """Exit with code 1 and the message of a user error; a bug has a traceback."""
    if isinstance(sys.__stdout__, io.TextIOWrapper):
        # for terminals that lack characters, and for logs, which show each line when it is printed
        sys.__stdout__.reconfigure(errors="backslashreplace", line_buffering=True)
    try:
        yield
    except UserError as error:
        remedy = ""
        if error.file == PARAMS:
            remedy = f"\n{GO_BACK}"
        elif error.file is not None and error.file.parent in OUTPUTS:
            remedy = "; `dvc repro` rebuilds it"
        elif error.file is not None and error.file.parent == IMPORTED:
            remedy = f"; {GET_BACK}"
        sys.exit(f"error: {error}{remedy}")
    except BrokenPipeError:
        # The reader of the output has closed it. At its end, Python writes what is left of it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), STDOUT)
        sys.exit(128 + signal.SIGPIPE)
    except OSError as error:
        sys.exit(f"error: {error}")
    except MemoryError as error:
        sys.exit(f"error: not enough memory: {error}; smaller sizes in {PARAMS} need less")


def write_metrics(name: str, dataset: Dataset, metrics: dict[str, Any]) -> None:
    """Write a stage's metrics to `reports/NAME.json`, the name of their data set first.

    Parameters
    ----------
    name : str
        The stage.
    dataset : Dataset
    metrics : dict
        Numbers, and dicts of them: DVC drops lists.

    Raises
    ------
    UserError
        If a number is not finite, which JSON cannot hold.
    """
    path = REPORTS / f"{name}.json"
    try:
        text = json.dumps({"data": dataset.name, **metrics}, indent=2, allow_nan=False)
    except ValueError as error:
        raise UserError(
            f"{path} cannot hold numbers that are not finite: {metrics}; a smaller "
            "train.learning_rate or train.weight_init may help"
        ) from error
    write_text(path, text + "\n")
