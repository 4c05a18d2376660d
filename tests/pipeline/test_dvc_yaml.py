"""dvc.yaml against the code: what a stage imports, and that no parameter is left over."""

import ast
from pathlib import Path

import pytest
import yaml

from stages.params import leaves
from tools.checkouts import ROOT
from tools.checkouts import STAGES as NAMES

DVC_YAML = yaml.safe_load((ROOT / "dvc.yaml").read_text())
CORRECTIONS = "${data.corrections}"  # which DVC replaces by the value of the parameter
PARAMS = yaml.safe_load((ROOT / "params.yaml").read_text())
STAGES = DVC_YAML["stages"]


def imported_files(module):
    """Files of this repository that a module imports, itself included, directly or not."""
    found = set()
    queue = [module]
    while queue:
        name = queue.pop()
        path = ROOT / name.replace(".", "/")
        path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        if not path.exists() or path in found:  # a name inside a module, or one seen before
            continue
        found.add(path)
        parents = name.split(".")
        queue += [".".join(parents[:i]) for i in range(1, len(parents))]
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                queue += [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{path}: a relative import"
                queue += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return {path.relative_to(ROOT) for path in found}


def declared_code(stage):
    """The files and folders of code that a stage depends on."""
    deps = (
        Path(dep) for dep in STAGES[stage]["deps"] if not dep.startswith(("data/", CORRECTIONS))
    )
    return [dep for dep in deps if dep.suffix != ".json"]


def test_there_is_a_stage_for_each_module_that_runs():
    modules = {
        path.stem
        for path in (ROOT / "stages").glob("*.py")
        if '__name__ == "__main__"' in path.read_text()
    }
    assert set(STAGES) == modules - {"importing"}  # which writes what the pipeline starts from
    assert tuple(STAGES) == ("check", *NAMES)


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_declares_what_it_imports_and_no_folder_that_it_does_not_use(name):
    assert STAGES[name]["cmd"] == f"exec python -m stages.{name}"
    imported = imported_files(f"stages.{name}")
    declared = declared_code(name)
    undeclared = {file for file in imported if not any(map(file.is_relative_to, declared))}
    assert undeclared == set()
    unused = {dep for dep in declared if not any(file.is_relative_to(dep) for file in imported)}
    assert unused == set()
    assert Path("nnlib") not in declared  # but its rooms, each for itself
    assert Path("stages") not in declared


def test_a_stage_depends_on_no_prose():
    # .dvcignore is of no help: DVC does not follow it where it reads a commit
    templates = ROOT / "nnlib/report/templates"
    for folder in {ROOT / dep for name in STAGES for dep in declared_code(name)}:
        others = {
            path
            for path in folder.rglob("*")
            if path.is_file() and path.suffix not in {".py", ".pyc"}
        }
        assert all(path.is_relative_to(templates) for path in others)


def test_only_the_report_depends_on_figures_and_templates():
    assert {name for name in STAGES if Path("nnlib/report") in declared_code(name)} == {"analyse"}


@pytest.mark.parametrize("name", STAGES)
def test_deps_and_params_are_in_order(name):
    for key in ("deps", "params"):
        declared = STAGES[name].get(key, [])
        assert declared == sorted(declared)


def test_every_parameter_is_declared_by_a_stage_beside_the_one_that_checks_all():
    assert STAGES["check"]["params"] == [{"params.yaml": None}]
    declared = {param for name in NAMES for param in STAGES[name].get("params", [])}
    left_over = [
        key for key, _ in leaves(PARAMS) if not any(f"{key}.".startswith(f"{d}.") for d in declared)
    ]
    assert left_over == []


@pytest.mark.parametrize("name", NAMES)
def test_every_stage_is_described_and_writes_its_metrics_to_git(name):
    assert STAGES[name]["desc"]
    assert STAGES[name]["metrics"] == [{f"reports/{name}.json": {"cache": False}}]


def test_only_analyse_gives_up_the_run_cache():
    uncached = {
        name for name in NAMES if not all(isinstance(out, str) for out in STAGES[name]["outs"])
    }
    assert uncached == {"analyse"}


def test_the_file_fits_on_a_few_screens():
    assert len((ROOT / "dvc.yaml").read_text().splitlines()) <= 230
