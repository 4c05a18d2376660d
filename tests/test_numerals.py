"""How numbers are written."""

import pytest

from nnlib.report.numerals import bare_percent, count, percent


@pytest.mark.parametrize(
    ("share", "digits", "text"),
    [
        (0, 2, "0.00 %"),
        (1, 2, "100.00 %"),
        (0.9452, 2, "94.52 %"),
        (0.9452, 1, "94.5 %"),
        (1e-9, 2, "< 0.01 %"),
        (0.0004, 1, "< 0.1 %"),
        (0.00006, 2, "0.01 %"),
        (0.99999, 2, "> 99.99 %"),
        (0.9996, 1, "> 99.9 %"),
    ],
)
def test_a_share_never_reads_as_none_or_all_unless_it_is(share, digits, text):
    assert percent(share, digits) == text


def test_a_share_without_its_sign():
    assert bare_percent(0.94516) == "94.52"
    assert bare_percent(float("nan")) == ""
    assert bare_percent(float("nan"), "no samples") == "no samples"


def test_thousands_are_separated():
    assert count(10000) == "10,000"
