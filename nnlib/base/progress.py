"""How far something is: a bar on a terminal, and elsewhere a line now and then."""

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from tqdm import tqdm

EVERY = 10  # seconds between two lines at least

Item = TypeVar("Item")


def progress(
    items: Iterable[Item],
    what: str,
    total: int,
    *,
    done: int = 0,
    note: Callable[[], str] | None = None,
) -> Iterator[Item]:
    """Show on stderr how many of the items have been worked on.

    Parameters
    ----------
    items : iterable
    what : str
        What they are, in the plural.
    total : int
        How many there are, with those that were done before.
    done : int
        How many were done before.
    note : callable, optional
        Gives what else is to be said, after each item.

    Yields
    ------
    The items
    """
    said = time.monotonic()
    with tqdm(desc=what, total=total, initial=done, leave=False, disable=None) as bar:
        for item in items:
            yield item
            done += 1
            text = note() if note else ""
            bar.set_postfix_str(text, refresh=False)
            bar.update()
            if bar.disable and time.monotonic() - said >= EVERY:
                of_note = f", {text}" if text else ""
                print(f"{what}: {done:,} of {total:,}{of_note}", file=sys.stderr, flush=True)
                said = time.monotonic()
