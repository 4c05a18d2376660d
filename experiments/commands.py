"""What the commands beside the stages share: their seeds, and how they end."""

import argparse
import multiprocessing
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from experiments.revisions import errors_of_dvc
from nnlib.base.errors import UserError
from stages.common import PARAMS, exit_on_user_error
from stages.lock import only_one
from stages.params import MOST_SEED, MOST_SEEDS, Params


def parse_with_seeds(parser: argparse.ArgumentParser, help_text: str) -> argparse.Namespace:
    """Read the command line, with an option --seeds: None if left out, or two or more."""
    parser.add_argument("--seeds", type=int, metavar="N", help=help_text)
    arguments = parser.parse_args()
    if arguments.seeds is not None and not 2 <= arguments.seeds <= MOST_SEEDS:
        parser.error(f"--seeds: at least 2, to show a spread, and at most {MOST_SEEDS}")
    return arguments


def seeds_from(params: Params, number: int) -> range:
    """The seed of the training, and those after it.

    Raises
    ------
    UserError
        If one would be too large.
    """
    seeds = range(params.train.seed, params.train.seed + number)
    if seeds[-1] > MOST_SEED:
        raise UserError(
            f"{PARAMS}: train.seed: {number} seeds from {seeds[0]} on would exceed the largest "
            f"one, {MOST_SEED}; set a smaller one"
        )
    return seeds


@contextmanager
def exit_of_command(what: str) -> Iterator[None]:
    """Exit with the user error, or upon a signal once temporary files are removed.

    Parameters
    ----------
    what : str
        What it works on, as no other process in this folder may at the same time.
    """
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):  # Windows has no SIGHUP, and nohup ignores it
        number = getattr(signal, name, signal.SIGTERM)
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _end)
    with exit_on_user_error(), only_one(what), errors_of_dvc():
        yield


def _end(number: int, _frame: FrameType | None) -> None:
    """End with the worker processes, which otherwise would first do what they have begun."""
    for child in multiprocessing.active_children():
        child.terminate()
    sys.exit(128 + number)
