"""What `make` does on machines and in folders unlike ours."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tools.checkouts import Checkout, copy_project

BIN = Path(sys.executable).parent


@pytest.fixture
def unpacked(tmp_path):
    """The project as in an archive that somebody has unpacked, set up and used; without Git."""
    project = Checkout(tmp_path / "project", tmp_path)
    copy_project(project.path)
    project.run(sys.executable, "-m", "venv", "--without-pip", ".venv")
    for target in (".venv/runtime", ".dvc/plots.html"):
        (project.path / target).touch()
    return project


def files(folder):
    return {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}


def test_bare_make_lists_the_targets_and_does_nothing(unpacked):
    before = files(unpacked.path)
    said = unpacked.run("make", "--no-print-directory")
    makefile = (unpacked.path / "Makefile").read_text()
    public = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)[1].split()
    assert {"help", "repro", "test", "lint"} <= set(public)
    lines = [re.fullmatch(r"make (\S+) +(\S.+)", line) for line in said.splitlines()]
    assert [line[1] for line in lines] == public
    assert unpacked.run("make", "help") == said
    assert files(unpacked.path) == before


def lose_python(venv):
    for python in venv.glob("bin/python*"):
        python.unlink()


def grow_old(venv):
    lose_python(venv)
    (venv / "bin/python").write_text("#!/bin/sh\nexit 1\n")  # not 3.11 or later
    (venv / "bin/python").chmod(0o755)


def come_from_elsewhere(venv):
    """Be a copy of one that is still there."""
    activate = venv / "bin/activate"
    elsewhere = venv.with_name("elsewhere")
    shutil.copytree(venv, elsewhere, symlinks=True)
    activate.write_text(activate.read_text().replace(str(venv), str(elsewhere)))


def be_unfinished(venv):
    (venv / "bin/activate").unlink()


@pytest.mark.parametrize("spoil", [lose_python, grow_old, come_from_elsewhere, be_unfinished])
def test_a_venv_that_cannot_be_used_is_to_be_removed(unpacked, spoil):
    venv = unpacked.path / ".venv"
    spoil(venv)
    before = files(venv)
    said = unpacked.run("make", "repro", f"BIN={BIN}", ok=False)
    assert "The folder .venv cannot be used" in said
    assert "make clean" in said
    assert files(venv) == before
    unpacked.run("make", "clean")
    assert not venv.exists()


def test_a_venv_that_was_moved_with_the_project_is_to_be_removed(unpacked):
    moved = Checkout(unpacked.path.rename(unpacked.path.with_name("moved")), unpacked.home)
    assert "make clean" in moved.run("make", ".venv/runtime", ok=False)


def test_a_venv_may_be_shared_by_a_link(unpacked):
    venv, shared = unpacked.path / ".venv", unpacked.path.with_name("shared")
    unpacked.run(sys.executable, "-m", "venv", "--without-pip", shared)
    (shared / "runtime").touch()
    shutil.rmtree(venv)
    venv.symlink_to(shared)
    unpacked.run("make", ".venv/runtime")
    unpacked.run("git", "init", "--quiet")
    assert "?? .venv\n" not in unpacked.run("git", "status", "--porcelain")


def test_the_project_can_be_copied_without_git(unpacked):
    copy_project(unpacked.path / "expected")
    expected = files(unpacked.path / "expected")
    shutil.rmtree(unpacked.path / "expected")
    for made in ("data/raw/x.gz", ".dvc/cache/a", ".dvc/tmp/b", "demo/c", "nnlib/__pycache__/d"):
        (unpacked.path / made).parent.mkdir(parents=True, exist_ok=True)
        (unpacked.path / made).touch()
    unpacked.run(sys.executable, "-m", "tools.checkouts", "copy")
    copied = files(unpacked.path / "copy")
    assert copied - {Path(".dvc/plots.html")} == expected


@pytest.mark.slow
def test_without_git_there_is_a_way_on(unpacked):
    output = unpacked.run("make", "repro", f"BIN={BIN}", ok=False)
    assert "DVC expects a Git repository: run git init" in output
    unpacked.run(*output.split("Git: ")[1].splitlines()[0].split())  # as it says
    unpacked.set_params({"data.source": "nowhere"})  # so that it ends here
    output = unpacked.run("make", "repro", f"BIN={BIN}", ok=False)
    assert "Running stage 'check'" in output
    assert "git repository" not in output


def test_settings_for_another_python_are_left_out(unpacked):
    env = os.environ | {"PIP_USER": "1", "PYTHONPATH": "/another", "PYTHONHOME": "/another"}
    command = ["make", "--eval", "settings:; @env", "settings"]
    done = subprocess.run(
        command, cwd=unpacked.path, env=env, check=True, capture_output=True, text=True
    )
    settings = dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
    assert settings["PIP_USER"] == "0"
    assert not {"PYTHONPATH", "PYTHONHOME"} & settings.keys()


@pytest.fixture
def arguments_of(unpacked):
    """What a target gives to Python."""
    (unpacked.path / ".venv/sweep").touch()
    says = unpacked.path / "says"
    says.mkdir()
    (says / "python").write_text("#!/bin/sh\nprintf '%s|' \"$@\"\n")
    (says / "python").chmod(0o700)

    def arguments_of(target, **given):
        variables = [f"{name}={value}" for name, value in given.items()]
        return unpacked.run("make", target, f"BIN={says}", *variables).split("|")[:-1]

    return arguments_of


# What make or the shell would run, or take for something else than a name.
NASTY = [*("$(shell touch made)", "$(touch made)", "`touch made`"), "; touch made;", "'\"", "a  b"]
VARIABLES = {  # of which the value is given on
    "import": (
        *("FROM", "SIZE", "SHAPE", "LABEL", "TITLE", "NOUN", "SHARE", "SEED", "BROKEN", "STROKES"),
        *("INVERT", "REPLACE"),
    ),
    "predict": ("PICTURES", "MODEL"),
    "compare": ("BASE", "REV", "SEEDS"),
    "explorer": ("REVS",),
    "record": ("SEEDS",),
    "sweep": ("OVER", "SEEDS", "SAMPLES", "CLUSTER", "APPLY", "NAME"),
}
SWITCHES = ("YES",)  # of which 1 alone says something


@pytest.mark.parametrize("target", VARIABLES)
def test_whatever_a_variable_holds_is_a_name(unpacked, arguments_of, target):
    for value in NASTY:
        arguments = arguments_of(target, **dict.fromkeys((*VARIABLES[target], *SWITCHES), value))
        values = [re.sub("^--[a-z]+=", "", argument) for argument in arguments]
        assert values.count(value) == len(VARIABLES[target])
        assert "--yes" not in arguments
        assert not (unpacked.path / "made").exists()


def test_whatever_python_is_called_is_a_name(unpacked):
    shutil.rmtree(unpacked.path / ".venv")
    for value in NASTY:
        unpacked.run("make", ".venv/python", f"PYTHON={value}", ok=False)
        assert "--upgrade" in unpacked.run("make", "--dry-run", "lock", f"UPGRADE={value}")
        assert not (unpacked.path / "made").exists()


def test_what_is_left_out_or_empty_is_not_given(unpacked, arguments_of):
    assert arguments_of("sweep", OVER="a=1") == ["-m", "experiments.sweep", "--", "a=1"]
    assert arguments_of("sweep", OVER="a=1", YES="0", SEEDS="")[2:] == ["--", "a=1"]
    assert arguments_of("sweep", OVER="a=1", YES="1")[2:] == ["--yes", "--", "a=1"]
    assert arguments_of("import", FROM="a b")[1:] == ["stages.importing", "--", "a b"]
    given = arguments_of("import", FROM="-a", INVERT="1", REPLACE="1", SIZE="", SEED="0")
    assert given[2:] == ["--seed=0", "--invert=1", "--replace=1", "--", "-a"]
    assert "FROM=pictures" in unpacked.run("make", "import", ok=False)
    assert "--upgrade" not in unpacked.run("make", "--dry-run", "lock", "UPGRADE=")
