"""Numbers as the report, its figures and the explorer write them."""

import math


def percent(share: float, digits: int = 2) -> str:
    """A share in per cent; what only rounds to 0 or 100 becomes "< 0.01%" or "> 99.99%".

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
    return f"{text}%"


def three_digits(share: float) -> str:
    """A share in per cent with three significant digits; what only rounds to 100 is "> 99.9%".

    Parameters
    ----------
    share : float in [0, 1]
    """
    before_point = math.floor(math.log10(100 * share)) + 1 if share > 0 else 1
    return percent(share, 3 - before_point)


def bare_percent(share: float, missing: str = "") -> str:
    """A share in per cent without the sign, for a column with the sign in its head.

    Parameters
    ----------
    share : float
    missing : str
        What stands for NaN.
    """
    return missing if math.isnan(share) else f"{100 * share:.2f}"


def count(number: int) -> str:
    """A count with a separator of thousands: 10,000."""
    return f"{number:,}"


def unbroken(text: str) -> str:
    """A text that stays on one line, as its spaces are no-break spaces."""
    return text.replace(" ", "\N{NO-BREAK SPACE}")


def odds(nats: float) -> str:
    """The odds whose logarithm is given, to two significant digits: 0.14, 1.4, 14, 1,400.

    Above a million they are only said to be so.
    """
    if nats > math.log(1e6):
        return "more than a million"
    rounded = float(f"{math.exp(nats):.2g}")
    digits = max(0, 1 - math.floor(math.log10(rounded))) if rounded else 1
    return f"{rounded:,.{digits}f}"


def p_value(p: float) -> str:
    """A p value to two significant digits: 0.037, or < 0.0001."""
    return f"{p:.2g}" if p >= 0.0001 else "< 0.0001"
