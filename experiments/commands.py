"""What the commands beside the stages share: their option --seeds, and how they end."""

import argparse
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from experiments.revisions import errors_of_dvc
from stages.common import exit_on_user_error
from stages.params import MOST_SEEDS


def parse_with_seeds(parser: argparse.ArgumentParser, help_text: str) -> argparse.Namespace:
    """Read the command line, with an option --seeds: None if left out, or two or more."""
    parser.add_argument("--seeds", type=int, metavar="N", help=help_text)
    arguments = parser.parse_args()
    if arguments.seeds is not None and not 2 <= arguments.seeds <= MOST_SEEDS:
        parser.error(f"--seeds: at least 2, to show a spread, and at most {MOST_SEEDS}")
    return arguments


@contextmanager
def exit_of_command() -> Iterator[None]:
    """Exit with the user error, or upon Ctrl-C once temporary files are removed."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with exit_on_user_error(), errors_of_dvc():
            yield
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
