"""Without a terminal, a line now and then says how far something is."""

import pytest

from nnlib.base import progress as module
from nnlib.base.progress import progress


@pytest.fixture
def clock(monkeypatch):
    """Goes on only if it is told to."""
    now = [0.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    return now


def test_there_is_a_line_every_ten_seconds_at_most(capsys, clock):
    for each in progress(iter("abcdef"), "letters", 1006, done=1000):
        clock[0] += 4
        assert each in "abcdef"
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "letters: 1,003 of 1,006\nletters: 1,006 of 1,006\n"


def test_what_takes_no_time_says_nothing(capsys, clock):
    assert list(progress(range(5), "numbers", 5)) == [0, 1, 2, 3, 4]
    assert capsys.readouterr() == ("", "")


def test_a_note_is_of_the_items_so_far(capsys, clock):
    failed = []
    trainings = progress(
        ["fine", "bad", "bad"], "trainings", 3, note=lambda: f"{len(failed)} failed"
    )
    for each in trainings:
        clock[0] += 10
        failed += ["bad"] * (each == "bad")
    assert capsys.readouterr().err.splitlines() == [
        "trainings: 1 of 3, 0 failed",
        "trainings: 2 of 3, 1 failed",
        "trainings: 3 of 3, 2 failed",
    ]


def test_on_a_terminal_there_is_a_bar_and_no_line(capsys, clock, monkeypatch):
    monkeypatch.setattr(module.sys.stderr, "isatty", lambda: True)
    for _ in progress(range(3), "numbers", 3):
        clock[0] += 10
    err = capsys.readouterr().err
    assert "numbers:   0%" in err
    assert "numbers: 1 of" not in err
