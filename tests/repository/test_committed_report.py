"""The committed report on MNIST: short, and in the order in which people need it."""

import re

import pytest

from tools.checkouts import ROOT


@pytest.fixture
def report(committed_params):
    return (ROOT / "reports/confusion.md").read_text(encoding="utf-8")


def test_what_is_not_folded_is_short(report):
    seen = re.sub(r"<details>.*?</details>", "", report, flags=re.DOTALL)
    assert len(seen.split()) <= 2200


def test_the_first_page_has_five_to_seven_findings(report):
    assert 5 <= len(re.findall(r"^1\. \*\*", report, re.MULTILINE)) <= 7


def test_the_sections_are_in_the_order_in_which_people_need_them(report):
    assert re.findall(r"^## (.*)$", report, re.MULTILINE) == [
        "What it found, and what follows",
        "What is where",
        "Confusion matrix",
        "Most-confused pairs",
        "Why they are confused",
        "The mistakes with the highest loss",
        "Most doubtful labels",
        "Digit by digit",
        "Confidence",
        "Second choices",
    ]
