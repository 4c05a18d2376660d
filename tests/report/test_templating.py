"""Texts in Markdown, read back by a parser of it."""

import pytest
from markdown_it import MarkdownIt

from nnlib.report.templating import anchor, literal, with_article
from tests.markdown import EVIL

PLACES = {
    "a line": "{}\n",
    "a line below another": "text\n{}\n",
    "an item": "- {}\n",
    "the begin of an item": "- {} classified as {}: 1 of 2\n",
    "a heading": "# Report: {}, test set\n",
    "a table": "| a | b |\n| ---: | --- |\n| {} | **{}** |\n",
}
# The tags of each place, and no others.
TAGS = {
    "a line": {"p"},
    "a line below another": {"p", "br"},
    "an item": {"ul", "li", "p"},
    "the begin of an item": {"ul", "li", "p"},
    "a heading": {"h1"},
    "a table": {"table", "thead", "tbody", "tr", "th", "td", "strong"},
}
LEADING = ("#", "-", "1.", "12) a", "+ a", "=", "***", "~~~", "<!-- a")


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", [*EVIL, *LEADING])
def test_a_name_is_shown_as_it_stands(place, name):
    text = PLACES[place].replace("{}", literal(name))
    blocks = MarkdownIt("js-default", {"html": True}).parse(text)
    tokens = [token for block in blocks for token in (block, *(block.children or ()))]
    assert {token.tag for token in tokens if token.tag} == TAGS[place]
    assert not any(token.type in {"html_inline", "html_block", "image"} for token in tokens)
    assert sum(token.type == "td_open" for token in tokens) == 2 * (place == "a table")
    assert name in "".join(token.content for token in tokens if token.type == "text")


def test_a_name_is_no_formula_on_github():
    assert literal("$x^2$ and $") == r"\$x^2\$ and \$"


def test_a_name_without_marks_stays_as_it_is():
    for name in ("0", "0.1", "-1", "T-shirt/top", "a #1 = b", "1.5 (mean)", "日本語"):
        assert literal(name) == name


def test_an_article():
    nouns = ["digit", "item", "Ape"]
    assert [with_article(noun) for noun in nouns] == ["a digit", "an item", "an Ape"]


def test_an_anchor_is_githubs():
    assert anchor("Traffic sign by traffic sign") == "traffic-sign-by-traffic-sign"
    assert anchor("Fisher's exact test") == "fishers-exact-test"
