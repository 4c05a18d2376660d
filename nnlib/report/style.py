"""How all figures look, and how they are saved."""

import math
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter
from numpy.typing import NDArray

from nnlib.base.files import whole_file
from nnlib.data.datasets import Dataset

DPI = 150  # dots per inch
# From "default", so that a user's matplotlibrc changes nothing. A "$" in a name is no formula.
STYLE: list[str | dict[str, Any]] = [
    "default",
    {"figure.dpi": DPI, "font.size": 10, "axes.spines.top": False, "axes.spines.right": False},
    {"text.parse_math": False},
]
# Two colours of Okabe and Ito's palette, which colour-blind readers tell apart:
# https://jfly.uni-koeln.de/color
BLUE, ORANGE = "#0072B2", "#E69F00"
# The colours of weights, whose pictures are beside those of evidence: purple below 0, green above.
# The map is ColorBrewer's (https://colorbrewer2.org), for colour-blind readers too; bars have two
# of its colours.
WEIGHTS, PURPLE, GREEN = "PRGn", "#762A83", "#1B7837"

# The cells of a confusion matrix: the colour map of the errors, the share of its range from which
# white text is more legible than black, and the grey of the diagonal.
ERRORS, DARK, DIAGONAL = "OrRd", 0.74, "0.85"


def shades(dataset: Dataset) -> str:
    """The colour map of images: strokes are dark on white, as on paper; others stay as they are."""
    return "gray_r" if dataset.has_strokes else "gray"


def as_shown(image: NDArray[np.uint8], dataset: Dataset) -> NDArray[np.uint8]:
    """The greys that `shades` shows an image in."""
    return 255 - image if dataset.has_strokes else image


def set_log_scale(axes: Axes) -> None:
    """Make the y axis logarithmic if it can be, with a number at 1, 2 and 5 of each power of ten.

    To be called after the drawing: without a number above 0 there, the axis stays as it is.
    """
    if math.isfinite(axes.dataLim.minposy):
        axes.set_yscale("log", nonpositive="mask")
        set_log_ticks(axes)


def set_log_ticks(axes: Axes) -> None:
    """Put a number at 1, 2 and 5 of each power of ten on a y axis that is logarithmic."""
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter(NullFormatter())


def legend_above(axes: Axes, columns: int = 1) -> None:
    """Explain what is drawn above the axes, from the left."""
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=columns, frameon=False)


def save(figure: Figure, path: str | Path) -> None:
    """Write a figure as a PNG file."""
    with whole_file(path) as part:
        # savefig would draw everything twice, first for the layout that drawing does anyway
        FigureCanvasAgg(figure).print_png(part)
