"""The page of `dvc plots diff`, opened from disk in a browser that is offline."""

import os
import re
import subprocess
import sys
from xml.etree import ElementTree as ET

import numpy as np
import pandas as pd
import pytest

from tools.checkouts import ROOT

COLOURED = """canvas => {
  const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  let coloured = 0;
  for (let i = 0; i < data.length; i += 4) coloured += Math.abs(data[i] - data[i + 2]) > 32;
  return coloured;
}"""


@pytest.fixture(scope="module")
def changed(experiment, tmp_path_factory):
    """A copy of the checkout with an experiment, and the page of what that changed."""
    checkout = experiment.copy_to(tmp_path_factory.mktemp("changed") / "checkout")
    checkout.run("python", "-m", "tools.plots_template")
    checkout.run("dvc", "plots", "diff")
    return checkout


@pytest.fixture
def page(offline_page, changed):
    offline_page.goto((changed.path / "dvc_plots/index.html").as_uri())
    return offline_page


@pytest.fixture
def tables(changed, rebuilt):
    """Reads a table of both sides, by the names that DVC gives them."""
    sides = {"workspace": changed.path, "HEAD": rebuilt.path}
    return lambda name: {side: pd.read_csv(path / name) for side, path in sides.items()}


def marks(page, plot, kind, attribute="d"):
    """What each mark of a kind stands for, and its path, in the SVG that the plot's menu saves."""
    page.locator(f"#{plot} summary").click()
    with page.expect_download() as download:
        page.locator(f"#{plot}").get_by_role("link", name="Save as SVG").click()
    for path in ET.parse(download.value.path()).iter("{http://www.w3.org/2000/svg}path"):  # noqa: S314
        if path.get("aria-roledescription") == kind:
            label = path.get("aria-label").split("; ")
            yield dict(part.split(": ") for part in label), path.get(attribute)


@pytest.mark.parametrize(
    ("plot", "table", "fields"),
    [
        ("loss", "data/training/loss.csv", [None]),
        ("accuracy", "data/training/history.csv", ["train_accuracy", "test_accuracy"]),
        ("reliability", "data/plots/reliability.csv", ["accuracy", "perfectly_calibrated"]),
    ],
)
def test_a_line_has_every_point(page, tables, plot, table, fields):
    points = {
        (label["rev"], label.get("field")): len(re.findall("[ML]", path))
        for label, path in marks(page, plot, "line mark")
    }
    rows = {side: len(values) for side, values in tables(table).items()}
    assert points == {(side, field): n for side, n in rows.items() for field in fields}


def test_each_class_has_its_bars(page, tables):
    bars = {
        (label["rev"], int(label["class"])): float(label["recall"])
        for label, _ in marks(page, "recall", "bar")
    }
    recall = {
        (side, name): value
        for side, values in tables("data/plots/recall.csv").items()
        for name, value in zip(values["class"], values["recall"], strict=True)
    }
    assert len(recall) == 20
    assert bars == pytest.approx(recall)


def test_the_matrix_has_every_cell(page, tables):
    cells = sorted(
        (int(label["actual class"]), int(label["predicted class"]), int(label["samples"]))
        for label, _ in marks(page, "confusion", "rect mark")
    )
    counts = [
        pd.crosstab(values["actual"], values["predicted"]).to_numpy()
        for values in tables("data/plots/confusion.csv").values()
    ]
    assert len(cells) == 200
    assert cells == sorted((*cell, n) for side in counts for cell, n in np.ndenumerate(side))


def test_the_errors_are_told_apart_by_colour(page):
    colours = {
        (label["actual class"] == label["predicted class"], label["share"]): colour
        for label, colour in marks(page, "confusion", "rect mark", "fill")
    }
    assert {colour for (is_right, _), colour in colours.items() if is_right} == {"#d9d9d9"}
    red = {
        float(share[:-1]): [int(each) for each in re.findall("[0-9]+", colour)]
        for (is_right, share), colour in colours.items()
        if not is_right
    }
    most, least = red[max(red)], red[min(red)]
    assert most == [179, 0, 0]
    assert np.subtract(least, most).max() > 150


def test_the_plots_are_seen(page):
    canvases = page.locator("main canvas")
    canvases.nth(4).wait_for()
    assert canvases.count() == 5
    assert min(canvases.evaluate_all(f"canvases => canvases.map({COLOURED})")) > 300


def test_elsewhere_nothing_is_made(tmp_path):
    command = [sys.executable, "-m", "tools.plots_template"]
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        command, cwd=tmp_path, env=env, check=False, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert done.stderr.startswith("error: .dvc/config is missing")
    assert list(tmp_path.iterdir()) == []


def test_without_the_template_dvc_makes_its_own_page(checkout):
    checkout.run("dvc", "plots", "show", "--out", "plots")
    assert "https://cdn." in (checkout.path / "plots/index.html").read_text(encoding="utf-8")


def test_the_setting_stays_out_of_git_and_leaves_the_others(checkout):
    checkout.run("dvc", "config", "--local", "plots.out_dir", "elsewhere")
    checkout.run("python", "-m", "tools.plots_template")
    assert checkout.run("dvc", "config", "--local", "plots.html_template") == "plots.html\n"
    assert checkout.run("dvc", "config", "--local", "plots.out_dir") == "elsewhere\n"
    assert checkout.run("git", "status", "--porcelain") == ""
