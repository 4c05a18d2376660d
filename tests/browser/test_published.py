"""What the explorer says of a sample whose label, or whose index, was another one before."""

import numpy as np
import pytest

from nnlib.report.explorer import Published
from tests.browser.conftest import N, write_page


@pytest.fixture(scope="module")
def address(tmp_path_factory, digits, networks):
    """A page of digits of which the third was dropped, and the fifth was published as another."""
    labels = digits[1][:N]
    given = labels.copy()
    given[4] = (labels[4] + 1) % 10
    index = np.arange(N) + (np.arange(N) >= 2)
    path = tmp_path_factory.mktemp("published") / "page.html"
    published = Published(index, given)
    page = write_page(path, networks["unit"], digits[0][:N], labels, published=published)
    return page, given[4]


def facts(page, address, index):
    page.goto(f"{address}#index={index}")
    names = page.locator("#sample-facts dt").all_inner_texts()
    return dict(zip(names, page.locator("#sample-facts dd").all_inner_texts(), strict=True))


def test_only_what_was_another_is_said(offline_page, address):
    page, given = address
    found = [facts(offline_page, page, index) for index in (1, 2, 4)]
    names = ("published as", "index in the published set")
    assert [[each.get(name) for name in names] for each in found] == [
        [None, None],
        [None, "3"],
        [str(given), "5"],
    ]
