"""What figures call classes: in characters that the font has, and in the room that there is."""

import pytest
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.figure import Figure

from nnlib.data.datasets import MNIST
from nnlib.report.names import fits, fitted, words_of


def words(*names, noun="thing", name="things"):
    update = {"class_names": names, "class_noun": noun, "name": name}
    return words_of(MNIST.model_copy(update=update))


def test_short_names_stay_as_they_are():
    assert words_of(MNIST) == ("MNIST", "digit", list("0123456789"))
    assert words("T-shirt/top", "$x^2$", "a|b", "éß").names == ["T-shirt/top", "$x^2$", "a|b", "éß"]


def test_a_long_name_keeps_both_ends():
    left, right = "annotated_version_2_of_the_left_side", "annotated_version_2_of_the_right_side"
    found = words(left, right, "x" * 24, "y" * 25)
    assert found.names == [
        "annotated_ve…e_left_side",
        "annotated_ve…_right_side",
        "x" * 24,
        "y" * 12 + "…" + "y" * 11,
    ]
    assert max(map(len, found.names)) == 24


def test_names_that_would_look_alike_are_numbers():
    middle = "{}".join(["a" * 30, "b" * 30])
    found = words("short", middle.format(1), middle.format(2))
    assert found.names == ["short", "label 1", "label 2"]


@pytest.mark.parametrize("name", ["お", "日本", "a\N{RIGHT-TO-LEFT OVERRIDE}b", "tab\there", "한a"])
def test_a_name_that_the_font_lacks_is_a_number(name):
    assert words("a", name).names == ["a", "label 1"]


def test_the_words_of_the_data_set_can_be_drawn():
    found = words("a", "b", noun="文字", name="くずし字 49, " + "long " * 10)
    assert found.noun == "class"
    assert found.title == "???? 49, long long l…ong long long long "


@pytest.mark.parametrize("text", ["4 classified as 9", "WWWW", "iiii", "p(é) 97.31%", "…"])
@pytest.mark.parametrize("size", [7, 10])
def test_what_fits_is_as_wide_as_matplotlib_draws_it(text, size):
    drawn = Figure(dpi=150).text(0, 0, text, fontsize=size)
    width = drawn.get_window_extent(RendererAgg(1000, 100, 150)).width * 72 / 150  # points
    assert fits(text, width + 0.5, size)
    assert not fits(text, width - 0.5, size)


def test_a_text_is_cut_until_it_fits():
    name = "Supercalifragilistic"
    assert fitted(name, 1000, 9) == name
    cut = fitted(name, 60, 9)
    assert fits(cut, 60, 9)
    head, tail = cut.split("…")
    assert name.startswith(head)
    assert name.endswith(tail)
    assert 0 <= len(head) - len(tail) <= 1
    longer = name[: len(head) + 1] + "…" + tail
    assert not fits(longer, 60, 9)
    assert fitted(name, 0, 9) == "S…"
