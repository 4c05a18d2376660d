"""Numbers as the report, its figures and the explorer write them."""


def percent(share: float, digits: int = 2) -> str:
    """A share in per cent; what is not quite none or all does not read so: "< 0.01 %".

    Parameters
    ----------
    share : float in [0, 1]
    digits : int
        Digits after the point.
    """
    text = f"{100 * share:.{digits}f}"
    least = 10.0**-digits
    if share > 0 and float(text) == 0:
        text = f"< {least:.{digits}f}"
    elif share < 1 and float(text) == 100:
        text = f"> {100 - least:.{digits}f}"
    return f"{text} %"


def count(number: int) -> str:
    """A number of things, its thousands separated: 10,000."""
    return f"{number:,}"
