"""dvc.yaml against the code: what a stage imports, and that no parameter is left over."""

import ast
import sys
from pathlib import Path

import pytest
import yaml

from stages.params.values import leaves

ROOT = Path(__file__).parents[1]
DVC_YAML = yaml.safe_load((ROOT / "dvc.yaml").read_text())
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
    return {path.relative_to(ROOT).as_posix() for path in found}


def with_templates(files):
    """Files, the templates that they name in quotes, and those that these name in turn."""
    templates = ROOT / "nnlib/report/templates"
    named = {
        path.relative_to(ROOT).as_posix()
        for path in templates.rglob("*.*")
        if any(f'"{path.relative_to(templates)}"' in (ROOT / file).read_text() for file in files)
    }
    return files if named <= files else with_templates(files | named)


def test_there_is_a_stage_for_each_module():
    modules = {path.stem for path in (ROOT / "stages").glob("*.py")} - {
        *(
            "__init__",
            "commands",
            "common",
            "cpu",
            "params",
            "revisions",
            "training",
            "trials",
            "workers",
        ),
    }
    assert set(STAGES) == modules
    assert list(STAGES) == ["download", "normalize", "train", "evaluate", "repeat", "analyse"]


@pytest.mark.parametrize("name", STAGES)
def test_every_module_that_a_stage_imports_is_a_dep(name):
    assert STAGES[name]["cmd"] == f"python -m stages.{name}"
    expected = with_templates(imported_files(f"stages.{name}"))
    declared = {dep for dep in STAGES[name]["deps"] if not dep.startswith("data/")}
    assert declared == expected


def test_make_deps_has_nothing_to_change(checkout):
    before = (checkout.path / "dvc.yaml").read_bytes()
    checkout.run(sys.executable, "-m", "tools.deps")
    assert (checkout.path / "dvc.yaml").read_bytes() == before


def test_make_deps_follows_the_imports_and_leaves_the_rest(checkout):
    path = checkout.path / "dvc.yaml"
    before = path.read_text().replace("    desc: ", f"    desc: {'long ' * 30}", 1)
    text = before.replace("      - nnlib/network/optimizers.py\n", "")
    path.write_text(text.replace("      - nnlib/errors.py\n", "      - nnlib/gone.py\n"))
    checkout.run(sys.executable, "-m", "tools.deps")
    assert path.read_text() == before

    (checkout.path / "nnlib/new").mkdir()
    (checkout.path / "nnlib/new/__init__.py").write_text("NEW = 1\n")
    importing = checkout.path / "stages/train.py"
    importing.write_text(f"{importing.read_text()}\nimport nnlib.new\n")
    checkout.run(sys.executable, "-m", "tools.deps")
    lines = path.read_text().splitlines()
    assert lines.count("      - nnlib/new/__init__.py") == 1
    lines.remove("      - nnlib/new/__init__.py")
    assert lines == before.splitlines()
    deps = yaml.safe_load(path.read_text())["stages"]["train"]["deps"]
    assert "nnlib/new/__init__.py" in deps
    assert deps == sorted(deps)


def test_every_parameter_is_declared_by_a_stage():
    # of the first two, the name says what else there is; the third is taken as a whole
    sections = ("train.optimizer", "train.schedule", "train.augmentation")
    declared = {param for stage in STAGES.values() for param in stage["params"]}
    keys = {key for key, _ in leaves(PARAMS)}
    inside = {key for key in keys if key.startswith(sections)}
    assert declared == keys - inside | {*sections}


@pytest.mark.parametrize("name", STAGES)
def test_every_stage_is_described_and_writes_its_metrics_to_git(name):
    assert STAGES[name]["desc"]
    assert STAGES[name]["metrics"] == [{f"reports/{name}.json": {"cache": False}}]


def test_only_analyse_gives_up_the_run_cache():
    uncached = {
        name
        for name, stage in STAGES.items()
        if not all(isinstance(out, str) for out in stage["outs"])
    }
    assert uncached == {"analyse"}
