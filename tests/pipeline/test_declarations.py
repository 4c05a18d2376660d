"""Each stage reads, writes and imports what dvc.yaml declares, in a real run."""

import sys
from collections import defaultdict

import pytest
import yaml

from tools.checkouts import STAGES

# Runs a stage as `python -m` does, and notes in a file which files it and the processes that it
# forks open, which parameters it reads, and which modules it has imported at its end.
AUDIT = """
import atexit, os, runpy, sys
from pydantic import BaseModel
import stages.common
notes = os.open(sys.argv[2], os.O_WRONLY | os.O_APPEND | os.O_CREAT)

def note(kind, name):
    os.write(notes, f"{kind} {name}\\n".encode())

def audit(event, args):
    if event == "open" and not isinstance(args[0], int):
        is_written = args[2] & (os.O_WRONLY | os.O_RDWR)
        note("written" if is_written else "read", os.path.relpath(args[0]))
    if event == "os.rename":  # the .part becomes the whole file
        part, path = (os.path.relpath(name) for name in args[:2])
        note("moved", part)
        note("written", path)

class Recorder:
    def __init__(self, params, prefix=""):
        self.params, self.prefix = params, prefix
    def __getattr__(self, name):
        value = getattr(self.params, name)
        if isinstance(value, BaseModel):
            return Recorder(value, self.prefix + name + ".")
        if name in ("model_dump", "model_copy"):  # all of the section
            for field in type(self.params).model_fields:
                note("params", self.prefix + field)
        else:
            note("params", self.prefix + name)
        return value

read_params = stages.common.read_params
stages.common.read_params = lambda model, path: Recorder(read_params(model, path))
def note_modules():
    for module in list(sys.modules.values()):
        path = os.path.relpath(getattr(module, "__file__", None) or "/")
        note("imported", path)

atexit.register(note_modules)
sys.addaudithook(audit)
runpy.run_module(sys.argv[1], run_name="__main__", alter_sys=True)
"""
WATCHED = ("data/", "reports/", "nnlib/report/templates/", "stages/trials.json")


def covers(declared, path):
    """Whether a declared file, folder, parameter or section is the path, or holds it."""
    return path == declared or path.startswith((f"{declared}/", f"{declared}."))


@pytest.mark.parametrize(
    "stage",
    [
        pytest.param(stage, marks=[pytest.mark.slow] * (stage in {"analyse", "repeat"}))
        for stage in STAGES
    ],
)
def test_a_stage_touches_what_dvc_yaml_declares_and_nothing_else(checkout, tmp_path, stage):
    text = (checkout.path / "dvc.yaml").read_text()
    text = text.replace("${data.corrections}", "data/corrections.csv")  # as DVC does
    declared = yaml.safe_load(text)["stages"][stage]
    outs = {
        out if isinstance(out, str) else next(iter(out))
        for out in declared["outs"] + declared["metrics"]
    }
    notes = tmp_path / "notes"
    if stage == "repeat":  # which otherwise has nothing to do
        checkout.set_params({"repeat.seeds": 2})
        checkout.run("dvc", "repro", "repeat")
        checkout.run("git", "commit", "--quiet", "--all", "--message", "repeated")
    checkout.run(sys.executable, "-c", AUDIT, f"stages.{stage}", str(notes))
    seen = defaultdict(set)
    for line in notes.read_text().splitlines():
        kind, name = line.split(" ", 1)
        seen[kind].add(name)
    written = {path for path in seen["written"] - seen["moved"] if path.startswith(WATCHED)}
    read = {path for path in seen["read"] - written if path.startswith(WATCHED)}
    imported = {path for path in seen["imported"] if path.startswith(("nnlib/", "stages/"))}
    # the stage's own module runs as __main__; the file of the stage that checks says nothing, and
    # these data were not imported
    deps = set(declared["deps"]) - {f"stages/{stage}.py", "data/checked.txt", "data/imported"}
    for used, known in (
        ((read | imported) - {f"stages/{stage}.py"}, deps),
        (written, outs),
        (seen["params"], set(declared.get("params", []))),
    ):
        assert {each for each in used if not any(covers(name, each) for name in known)} == set()
        assert {name for name in known if not any(covers(name, each) for each in used)} == set()
    assert deps < set(declared["deps"])
    assert checkout.run("git", "status", "--porcelain") == ""  # and writes the same bytes again
