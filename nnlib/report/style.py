"""How all figures look, and how they are saved."""

from pathlib import Path
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from nnlib.files import whole_file

# From "default", so that a user's matplotlibrc changes nothing.
STYLE: list[str | dict[str, Any]] = [
    "default",
    {"figure.dpi": 150, "font.size": 10, "axes.spines.top": False, "axes.spines.right": False},
]
# Two colours of Okabe and Ito's palette, which colour-blind readers tell apart:
# https://jfly.uni-koeln.de/color
BLUE, ORANGE = "#0072B2", "#E69F00"


def save(figure: Figure, path: str | Path) -> None:
    """Write a figure as a PNG file."""
    with whole_file(path) as part:
        # savefig would draw everything twice, first for the layout that drawing does anyway
        FigureCanvasAgg(figure).print_png(part)
