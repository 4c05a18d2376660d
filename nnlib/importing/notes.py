"""What is to be said of a source: what was found, changed and left out, and what to look at."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Literal

from nnlib.base.errors import shown

Kind = Literal["found", "changed", "left out", "look at"]
EXAMPLES = 3  # that a note names


class Notes:
    """Sentences by kind, in the order in which they were added."""

    def __init__(self) -> None:
        self._texts: dict[Kind, list[str]] = defaultdict(list)

    def add(self, kind: Kind, text: str) -> None:
        """Add a sentence."""
        self._texts[kind].append(text)

    def add_some(self, kind: Kind, names: Sequence[str], one: str, many: str | None = None) -> None:
        """Add how many there are and the first of them, if there are any."""
        if names:
            self.add(kind, f"{counted(len(names), one, many)}: {examples(names)}")

    def rows(self) -> list[tuple[Kind, str]]:
        """All of them, those of a kind together."""
        return [(kind, text) for kind, texts in self._texts.items() for text in texts]


def examples(names: Sequence[str]) -> str:
    """The first names, and how many more there are."""
    text = ", ".join(shown(name) for name in names[:EXAMPLES])
    more = len(names) - EXAMPLES
    return f"{text} and {more:,} more" if more > 0 else text


def counted(n: int, one: str, many: str | None = None) -> str:
    """A number and what there is of it: "1 picture", "1,797 pictures"."""
    return f"{n:,} {one if n == 1 else many or f'{one}s'}"
