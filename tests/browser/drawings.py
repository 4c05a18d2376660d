"""Digits as a person draws them: strokes through places in pixels of the image, 28 x 28."""

import numpy as np


def arc(x, y, width, height, *angles):
    """Places on an ellipse around (x, y) between angles in degrees, clockwise from the right."""
    start, end = angles
    angles = np.radians(np.linspace(start, end, abs(end - start) // 15))
    places = [x + width / 2 * np.cos(angles), y + height / 2 * np.sin(angles)]
    return np.transpose(places).tolist()


ZERO = [arc(14, 14, 12, 19, -90, 270)]
ONE = [[(15, 4), (14, 14), (13, 24)]]
ONE_WITH_A_FLAG = [[(10, 8), (14.5, 4), (14.5, 24)]]
TWO = [[*arc(14, 9, 11, 10, -170, 40), (8, 23.5), (20.5, 23.5)]]
TWO_WITH_A_LOOP = [[*arc(14, 9, 10, 10, -160, 50), (11, 20), *arc(10, 21, 5, 4, 60, 300), (21, 24)]]
THREE = [[*arc(13.5, 9, 10, 9, -150, 80), *arc(13.5, 18.5, 12, 10, -80, 150)]]
FOUR = [[(9, 4), (7.5, 14), (20, 14)], [(18, 6), (16.5, 24)]]
FOUR_CLOSED = [[(16, 24), (16, 4), (7, 17), (21, 17)]]
FIVE = [[(19, 4.5), (10, 4.5), (9, 12.5), *arc(13, 18, 11, 11, -110, 140)]]
SIX = [[(17, 4), (11, 11), *arc(14, 18.5, 10, 11, -180, 180)]]
SEVEN = [[(7.5, 5), (20, 5), (15, 14), (12, 24)]]
EIGHT = [
    [
        *arc(14, 9, 9, 9, -60, -270),
        *arc(14, 18.8, 11, 10.5, -90, 270),
        *arc(14, 9, 9, 9, 90, -60),
    ]
]
NINE = [[*arc(13.5, 10, 10, 10, -20, -360), (18.5, 9), (17, 24)]]

DRAWINGS = {
    "0": (0, ZERO),
    "1": (1, ONE),
    "1 with a flag": (1, ONE_WITH_A_FLAG),
    "2": (2, TWO),
    "2 with a loop": (2, TWO_WITH_A_LOOP),
    "3": (3, THREE),
    "4": (4, FOUR),
    "4 closed": (4, FOUR_CLOSED),
    "5": (5, FIVE),
    "6": (6, SIX),
    "7": (7, SEVEN),
    "8": (8, EIGHT),
    "9": (9, NINE),
}


def strokes_at(strokes, size, middle=(14, 14), dots=10):
    """The strokes at a share of their size, in whole dots, as a mouse's places are."""
    places = [np.array(stroke) for stroke in strokes]
    return [np.rint(((each - 14) * size + middle) * dots).tolist() for each in places]
