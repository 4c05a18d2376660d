"""The website of the reports."""

import re
import subprocess
import sys

import yaml

from tools.checkouts import ROOT


def test_every_link_of_the_site_resolves(checkout):
    checkout.run("python", "-m", "tools.site")
    checkout.run("python", "-m", "tools.site")  # over the last one
    assert checkout.run("git", "status", "--porcelain") == ""
    site = checkout.path / "site"
    assert "The two-layer network on synthetic digits" in (site / "index.html").read_text()
    pages = {"index.html", "confusion.html", "record.html", "sweep.html", "benchmark.html"}
    assert {path.name for path in site.glob("*.html")} == {*pages, "explorer.html"}
    linked = set()
    for name in pages:
        html = (site / name).read_text(encoding="utf-8")
        links = re.findall(r' (?:href|src)="(?!https:|data:)([^"]+)"', html)
        linked.update(link for link in links if not link.startswith("#"))
        for link in links:
            path, _, fragment = link.partition("#")
            assert (site / path).exists(), link
            assert path or f' id="{fragment}"' in html
    assert linked >= {
        "confusion.html",
        "record.html",
        "explorer.html",
        "sweep.html",
        "sweep.csv",
        "benchmark.html",
        "confusion_matrix.csv",
    }


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
