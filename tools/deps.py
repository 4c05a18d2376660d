"""Writes the code that each stage depends on into dvc.yaml: `make deps`.

A stage depends on its own module, on all of the project's modules that this imports, directly or
not, and on the templates that these fill in. An import counts wherever its statement stands. The
data that a stage depends on is left as it is.
"""

from pathlib import Path

import grimp
from ruamel.yaml import YAML

from nnlib.files import whole_file

DVC_YAML = Path("dvc.yaml")
TEMPLATES = Path("nnlib/report/templates")


def main() -> None:
    """Write the deps, and leave comments and all else as they are."""
    yaml = YAML()
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.width = 1000  # so that long lines stay as they are
    content = yaml.load(DVC_YAML)
    graph = grimp.build_graph("nnlib", "stages", cache_dir=None)
    for name, stage in content["stages"].items():
        data = [dep for dep in stage["deps"] if dep.startswith("data/")]
        stage["deps"][:] = sorted([*data, *code_deps(graph, f"stages.{name}")])
    with whole_file(DVC_YAML) as part:
        yaml.dump(content, part)


def code_deps(graph: grimp.ImportGraph, module: str) -> set[str]:
    """Paths of the code that a module runs, and of the templates that it names."""
    files: set[Path] = set()
    more = {path_of(name) for name in imported_modules(graph, module)}
    while more:
        files |= more
        more = named_templates(more) - files  # a template may include another one
    return {path.as_posix() for path in files}


def imported_modules(graph: grimp.ImportGraph, module: str) -> set[str]:
    """A module, those that it imports, and the packages that they lie in, which Python runs too."""
    found, queue = set[str](), {module}
    while queue:
        name = queue.pop()
        found.add(name)
        package = name.rpartition(".")[0]
        queue |= graph.find_modules_directly_imported_by(name) | ({package} - {""})
        queue -= found
    return found


def path_of(module: str) -> Path:
    """Where the code of a module or a package lies."""
    path = Path(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def named_templates(files: set[Path]) -> set[Path]:
    """The templates whose names stand in the files, in quotes."""
    texts = [file.read_text(encoding="utf-8") for file in files]
    names = {path.relative_to(TEMPLATES).as_posix(): path for path in TEMPLATES.rglob("*.*")}
    return {path for name, path in names.items() if any(f'"{name}"' in text for text in texts)}


if __name__ == "__main__":
    main()
