"""The website of the reports."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tools.checkouts import ROOT


@pytest.fixture(scope="module")
def site(rebuilt, tmp_path_factory):
    """The site of a checkout with a report of each kind, one of which Git ignores."""
    checkout = rebuilt.copy_to(tmp_path_factory.mktemp("site") / "checkout")
    reports = checkout.path / "reports"
    (reports / "card.md").write_text(
        "---\nlicense: mit\n---\n# Card of *this*\n\nIt is right\nin 90.5% of "
        "[cases](record.md#the-recipe). And `wrong` in others, with [a table]"
        "(https://example.com/x.md).\n"
    )
    (reports / "compare.md").write_text("# Only here\n\nText.\n")
    before = checkout.run("git", "status", "--porcelain")
    checkout.run("python", "-m", "tools.site")
    (checkout.path / "site/old.html").touch()
    checkout.run("python", "-m", "tools.site")  # over the last one
    assert checkout.run("git", "status", "--porcelain") == before
    return checkout.path / "site"


def links_of(path):
    """Where the links of a page lead, but for those to other sites, and what is embedded."""
    html = path.read_text(encoding="utf-8")
    return re.findall(r' (?:href|src)="(?!https?:|data:)([^"]+)"', html)


def test_every_link_of_the_site_resolves(site):
    for page in set(site.rglob("*.html")) - {site / "explorer.html"}:
        html = page.read_text(encoding="utf-8")
        for link in links_of(page):
            path, _, fragment = link.partition("#")
            target = page.parent / path if path else page
            assert target.exists(), link
            if fragment and target.name != "explorer.html":  # which reads it itself
                assert f' id="{fragment}"' in target.read_text(encoding="utf-8")
        assert "not in Git" not in html.partition("<h2")[0]


def test_the_pages_are_those_of_the_reports_in_git_and_link_to_the_index(site):
    tracked = (ROOT / "reports").rglob("*.md")
    tracked = {path.relative_to(ROOT / "reports").with_suffix(".html") for path in tracked}
    pages = {path.relative_to(site) for path in site.rglob("*.html")}
    written = {Path("card.html"), Path("explorer.html"), Path("index.html")}
    assert pages >= written | {Path("confusion.html"), Path("sweeps/size-and-rate/sweep.html")}
    assert pages - written <= tracked  # here there may be some that Git ignores
    for page in pages - {Path("index.html")}:
        (back,) = re.findall(r'<a href="([^"]*)">All reports</a>', (site / page).read_text())
        assert ((site / page).parent / back).resolve() == (site / "index.html").resolve()
        assert page.as_posix() in links_of(site / "index.html")
    assert 'href="explorer.html"' in (site / "confusion.html").read_text()
    for file in ("notebook.ipynb", "confusion_matrix.csv", "sweeps/size-and-rate/sweep.csv"):
        assert (site / file).read_bytes() == (ROOT / "reports" / file).read_bytes() or (
            file == "confusion_matrix.csv"
        )
    assert "notebook.ipynb" in links_of(site / "index.html")


def test_the_index_says_what_each_page_concludes(rebuilt, site):
    index = (site / "index.html").read_text()
    assert '<h1 id="the-two-layer-network-on-synthetic-digits">' in index
    assert index.count("<img ") == 1
    card = '<a href="card.html">Card of this</a>. It is right in 90.5% of cases.</li>'
    assert card in index
    metrics = json.loads((rebuilt.path / "reports/evaluate.json").read_text())
    accuracy = f"{100 * metrics['test']['accuracy']:.2f}%"
    (of_confusion,) = re.findall(r'<a href="confusion.html">(.*)</li>', index)
    assert f"a test accuracy of {accuracy} (95% " in of_confusion
    assert of_confusion.endswith(" errors.")
    assert "A page of" not in index
    (of_training,) = re.findall(r'<a href="training.html">(.*)</li>', index)
    assert "Training raised the test accuracy from" in of_training
    assert of_training.endswith(f" to {accuracy}.")


def test_a_page_has_neither_the_metadata_nor_the_paths_of_its_file(site):
    card = (site / "card.html").read_text()
    assert "license" not in card
    assert '<h1 id="card-of-this">' in card
    assert links_of(site / "card.html") == ["index.html", "record.html#the-recipe"]
    assert 'href="https://example.com/x.md"' in card


def test_without_reports_there_is_no_site(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "tools.site"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr == "error: reports/explorer.html is missing; `make repro` writes it\n"
    assert list(tmp_path.iterdir()) == []


def test_the_workflows_run_targets_of_the_makefile():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for path in (ROOT / ".github/workflows").glob("*.yml"):
        jobs = yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"].values()
        commands = [step["run"] for job in jobs for step in job["steps"] if "run" in step]
        assert commands
        for command in commands:
            target = command.removeprefix("make ").split()[0]
            assert re.search(rf"^{target}:", makefile, re.MULTILINE), command
