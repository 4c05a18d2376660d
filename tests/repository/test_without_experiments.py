"""experiments/ and its tests can be deleted, and everything else works as before."""

import re
import shutil
import sys

import pytest

from tools.checkouts import ROOT, Checkout, copy_project


def take_experiments_away(checkout):
    for folder in ("experiments", "tests/experiments"):
        shutil.rmtree(checkout.path / folder)


def test_they_do_without_the_tools():
    for path in (ROOT / "experiments").rglob("*.py"):
        assert not re.search(r"^\s*(from|import) tools\b", path.read_text(), re.MULTILINE), path


def test_the_pipeline_stays_up_to_date(checkout):
    take_experiments_away(checkout)
    assert checkout.run("dvc", "status") == "Data and pipelines are up to date.\n"


@pytest.mark.slow
def test_lint_and_the_other_tests_pass(tmp_path):
    project = Checkout(tmp_path / "project", tmp_path)
    copy_project(project.path)
    take_experiments_away(project)
    project.run("git", "init", "--quiet")
    project.run("git", "add", "--all")
    identity = ("-c", "user.name=Test", "-c", "user.email=test@example.com")
    project.run("git", *identity, "commit", "--quiet", "--message", "without experiments")
    project.run("pre-commit", "run", "--all-files")  # as `make lint` does
    pytest_there = (sys.executable, "-m", "pytest", "--quiet", "-n0")
    project.run(*pytest_there, "--collect-only", "-m", "")  # nothing that is gone is imported
    quick = (
        "base",
        "pipeline/test_dvc_yaml.py",
        "repository/test_readme.py",
        "stages/test_params.py",
    )
    project.run(*pytest_there, *(f"tests/{name}" for name in quick))
