"""What all stages share: where their files lie, how they start and end, how they write metrics."""

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from nnlib.errors import UserError
from nnlib.files import write_text
from stages.params import Params, load_params

Value = TypeVar("Value")

PARAMS = Path("params.yaml")

# The same paths as in dvc.yaml, which tests/test_pipeline.py checks.
RAW = Path("data/raw")
NORMALIZED = Path("data/normalized")
MODELS = Path("data/models")
TRAINING = Path("data/training")
PREDICTIONS = Path("data/predictions")
PLOTS = Path("data/plots")
REPORTS = Path("reports")
FIGURES = Path("reports/figures")


def run(stage: Callable[[Params], None]) -> None:
    """Run a stage on the checked parameters."""
    with exit_on_user_error():
        stage(load_params(PARAMS))


@contextmanager
def exit_on_user_error() -> Iterator[None]:
    """End with the message of what the user can mend and the exit code 1; a bug has a traceback."""
    try:
        yield
    except UserError as error:
        sys.exit(f"error: {error}")
    except MemoryError as error:
        sys.exit(f"error: too little memory: {error}; smaller sizes in {PARAMS} take less")


def write_metrics(name: str, params: Params, metrics: dict[str, Any]) -> None:
    """Write a stage's metrics to `reports/NAME.json`, led by the data set that they are about.

    Parameters
    ----------
    name : str
        The stage.
    params : Params
    metrics : dict
        Numbers, None where there is none, and dicts of them: DVC drops lists.

    Raises
    ------
    UserError
        If a number is not finite, which JSON cannot hold.
    """
    path = REPORTS / f"{name}.json"
    try:
        text = json.dumps({"data": params.data.source, **metrics}, indent=2, allow_nan=False)
    except ValueError as error:
        raise UserError(
            f"{path} cannot hold what is not finite: {metrics}; a smaller train.learning_rate "
            "or train.weight_init_std may help"
        ) from error
    write_text(path, text + "\n")


def by_digit(values: Iterable[Value]) -> dict[str, Value]:
    """Values of the digits 0, 1, ... as metrics under stable names."""
    return {f"digit_{digit}": value for digit, value in enumerate(values)}
