"""How numbers are written."""

import math

import pytest

from nnlib.report.numerals import (
    bare_percent,
    count,
    odds,
    p_value,
    percent,
    three_digits,
    unbroken,
)


@pytest.mark.parametrize(
    ("share", "digits", "text"),
    [
        (0, 2, "0.00%"),
        (1, 2, "100.00%"),
        (0.9452, 2, "94.52%"),
        (0.9452, 1, "94.5%"),
        (1e-9, 2, "< 0.01%"),
        (0.0004, 1, "< 0.1%"),
        (0.00006, 2, "0.01%"),
        (0.99999, 2, "> 99.99%"),
        (0.9996, 1, "> 99.9%"),
    ],
)
def test_a_share_never_reads_as_none_or_all_unless_it_is(share, digits, text):
    assert percent(share, digits) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0, "0.00%"),
        (0.0123, "1.23%"),
        (0.09, "9.00%"),
        (0.1, "10.0%"),
        (0.8761, "87.6%"),
        (0.9997, "> 99.9%"),
        (1, "100%"),
    ],
)
def test_three_digits(share, text):
    assert three_digits(share) == text


def test_a_text_on_one_line():
    assert unbroken("2.65 to 5.15%") == "2.65\u00a0to\u00a05.15%"


def test_a_share_without_its_sign():
    assert bare_percent(0.94516) == "94.52"
    assert bare_percent(float("nan")) == ""
    assert bare_percent(float("nan"), "no samples") == "no samples"


def test_thousands_are_separated():
    assert count(10000) == "10,000"


@pytest.mark.parametrize(
    ("p", "text"),
    [(1, "1"), (0.0374, "0.037"), (0.0005, "0.0005"), (0.0001, "0.0001"), (9.9e-5, "< 0.0001")],
)
def test_a_p_value(p, text):
    assert p_value(p) == text


@pytest.mark.parametrize(
    ("ratio", "text"),
    [
        (0.1449, "0.14"),
        (1, "1.0"),
        (2.718, "2.7"),
        (9.96, "10"),
        (147, "150"),
        (99_600, "100,000"),
        (1_100_000, "more than a million"),
    ],
)
def test_odds(ratio, text):
    assert odds(math.log(ratio)) == text


def test_odds_that_no_float_holds():
    assert [odds(nats) for nats in (1000, -1000)] == ["more than a million", "0.0"]
