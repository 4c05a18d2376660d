"""The page on pictures of one's own, in Markdown, with its images."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.colors import Normalize
from numpy.typing import NDArray

from experiments.predict.answers import Answers, Reasons
from experiments.predict.network import Trained
from experiments.predict.pictures import SHOWN, Seen
from nnlib.base.arrays import Floats
from nnlib.base.errors import shown
from nnlib.data.datasets import Dataset
from nnlib.report.galleries import AGAINST_AND_FOR
from nnlib.report.png import enlarged, png
from nnlib.report.style import as_shown
from nnlib.report.templating import literal, render

MOST = 100  # pictures on the page, which take about 50 kB each
MOST_CLASSES = 10  # whose probabilities are shown


def pictures_report(
    folder: Path,
    pictures: Sequence[Seen],
    table: pd.DataFrame,
    *,
    answers: Answers,
    reasons: Reasons,
    trained: Trained,
) -> str:
    """Write the page.

    Parameters
    ----------
    folder : Path
        Where the images go that the page links to, relative to it.
    pictures : sequence of Seen
        All; those beyond `MOST` are only counted.
    table : DataFrame
        As `experiments.predict.answers.table_of` makes it.
    answers : Answers
    reasons : Reasons
        Of those on the page.
    trained : Trained

    Returns
    -------
    str, Markdown
    """
    dataset = trained.dataset
    rows = {int(place): row for row, place in enumerate(answers.places)}
    images = _Images(folder, dataset)
    sections = []
    for place, seen in enumerate(pictures[:MOST]):
        section: dict[str, Any] = {
            "file": literal(shown(seen.file)),
            "warning": literal(table["warning"].iloc[place]),
            "steps": _steps(seen, images),
            "network": [],
            "classes": [],
        }
        if place in rows:
            section |= _answer(rows[place], answers, reasons, trained, images)
        sections.append(section)
    return render(
        "report.md",
        Path(__file__).parent,
        sections=sections,
        pictures=len(pictures),
        unread=sum(not seen.is_read for seen in pictures),
        warned=int((table["warning"] != "").sum()),
        label=literal(trained.label),
        name=literal(dataset.name),
        is_prepared=dataset.prepared_as_mnist,
        is_inverted=dataset.inverted,
        shape=dataset.image_shape,
        classes=dataset.classes,
    )


def _steps(seen: Seen, images: "_Images") -> list[tuple[str, str]]:
    """What is shown of the way to the network: its name and the file of its image."""
    steps = []
    if seen.steps is not None:
        steps.append(("the picture", images.save(seen.steps.picture)))
        if seen.steps.flattened is not None and seen.steps.ink is not None:
            flattened, ink = images.shades(seen.steps.flattened), images.shades(seen.steps.ink)
            steps.append(("without its background", images.save(flattened)))
            steps.append(("cut out", images.save(ink)))
    return steps


def _answer(
    row: int, answers: Answers, reasons: Reasons, trained: Trained, images: "_Images"
) -> dict[str, Any]:
    """What is shown of an answer."""
    names = [literal(name) for name in trained.dataset.class_names]
    image, y, order = answers.images[row], answers.y[row], answers.order[row]
    evidence = images.evidence(image, reasons.evidence[row])

    def of_training_set(index: int) -> tuple[str, str]:
        return names[trained.t[index]], images.save_enlarged(trained.images[index], SHOWN // 2)

    return {
        "network": [
            ("what the network sees", images.save_enlarged(image, SHOWN)),
            (f"evidence for {names[order[0]]} against {names[order[1]]}", evidence),
        ],
        "classes": [(names[label], float(y[label])) for label in order[:MOST_CLASSES]],
        "neighbours": [
            (what, [of_training_set(index) for index in reasons.neighbours[space][row]])
            for space, what in (("pixels", "by pixels"), ("activations", "by activations"))
        ],
    }


class _Images:
    """Writes images as numbered PNG files; strokes are dark on white, as in the figures."""

    def __init__(self, folder: Path, dataset: Dataset) -> None:
        self.folder = folder
        self.dataset = dataset
        self.count = 0

    def save(self, pixels: NDArray[np.uint8]) -> str:
        """Write pixels as they are, and return the name of the file."""
        self.count += 1
        name = f"{self.count}.png"
        (self.folder / name).write_bytes(png(pixels))
        return name

    def save_enlarged(self, image: NDArray[np.uint8], most: int) -> str:
        """Write an image with pixels that are squares."""
        return self.save(enlarged(self.shades(image), most))

    def shades(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The greys that an image is shown in."""
        return as_shown(image, self.dataset)

    def evidence(self, image: NDArray[np.uint8], evidence: Floats) -> str:
        """Write an image in light greys, with the evidence in colours on it, as the figures."""
        light = 128 + self.shades(image) // 2
        most = float(np.abs(evidence).max()) or 1.0
        colours = AGAINST_AND_FOR(Normalize(-most, most)(evidence))  # (height, width, 4)
        opacity = colours[..., 3:]
        mixed = opacity * colours[..., :3] * 255 + (1 - opacity) * light[..., np.newaxis]
        return self.save(enlarged(np.rint(mixed).astype(np.uint8), SHOWN))
