"""How all figures look."""

from typing import Any

# From "default", so that a user's matplotlibrc changes nothing.
STYLE: list[str | dict[str, Any]] = [
    "default",
    {"figure.dpi": 150, "font.size": 10, "axes.spines.top": False, "axes.spines.right": False},
]
# Two colours of Okabe and Ito's palette, which colour-blind readers tell apart:
# https://jfly.uni-koeln.de/color
BLUE, ORANGE = "#0072B2", "#E69F00"
