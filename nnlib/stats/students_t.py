"""Student's t distribution, for whole degrees of freedom."""

import math
from functools import cache

from nnlib.base.checks import as_count


def students_t_two_sided(t: float, df: int) -> float:
    """P(|T| >= |t|) for T of Student's t distribution.

    Abramowitz and Stegun (1964), "Handbook of Mathematical Functions", 26.7.3 and 26.7.4.

    Parameters
    ----------
    t : float
    df : int >= 1
        Degrees of freedom; the time is proportional to them.

    Returns
    -------
    float in [0, 1], to twelve digits, however small it is

    Raises
    ------
    TypeError, ValueError
        If `df` is not such a number.
    """
    df = as_count(df, "df", least=1)
    radius = math.hypot(t, math.sqrt(df))
    sin, cos = abs(t) / radius, math.sqrt(df) / radius
    # P(|T| < |t|), with sin and cos of the angle theta = arctan(|t| / sqrt(df)), is
    #   2 / pi (theta + sin (cos + 2/3 cos^3 + 2/3 4/5 cos^5 + ...))   if df is odd
    #                   sin (1 + 1/2 cos^2 + 1/2 3/4 cos^4 + ...)      if df is even
    # up to the power df - 2.
    if df % 2:
        power, term, inside = 1, 2 / math.pi * sin * cos, 2 / math.pi * math.atan2(sin, cos)
    else:
        power, term, inside = 0, sin, 0.0
    while power < df:
        inside += term
        power += 2
        term *= (power - 1) / power * cos**2
    if abs(t) >= 1:
        # 1 - inside would cancel. The infinite series sum to 1, so their terms from the power df on
        # sum to P(|T| >= |t|); the larger t is, the fewer of them count.
        outside = 0.0
        while outside + term > outside:
            outside += term
            power += 2
            term *= (power - 1) / power * cos**2
        return outside
    return 1 - inside


def students_t_95(df: int) -> float:
    """97.5 % quantile of Student's t distribution, which |T| exceeds with probability 0.05.

    Parameters
    ----------
    df : int >= 1
        Degrees of freedom.

    Returns
    -------
    float, from 12.7 for one degree of freedom down towards `nnlib.stats.intervals.Z_95`

    Raises
    ------
    TypeError, ValueError
        If `df` is not such a number.
    """
    return _quantile(as_count(df, "df", least=1))


@cache  # a sweep asks for the same one again and again
def _quantile(df: int) -> float:
    low, high = 1.0, 13.0
    while low < (middle := (low + high) / 2) < high:
        if students_t_two_sided(middle, df) > 0.05:
            low = middle
        else:
            high = middle
    return high
