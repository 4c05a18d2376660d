"""What others get through a remote of DVC: a clone of the project, and other projects.

That a clone without one rebuilds everything is for tests/pipeline/test_verify.py.
"""

import hashlib

import pytest
import yaml

from tools.checkouts import Checkout

pytestmark = pytest.mark.slow

MODEL = "data/models/trained.npz"


@pytest.fixture(scope="module")
def published(rebuilt, tmp_path_factory):
    """Where a pushed checkout is cloned from: bare, so that the data can come from nowhere else."""
    folder = tmp_path_factory.mktemp("published")
    pushed = clone(rebuilt, rebuilt.path, folder / "pushed")
    introduce(pushed)
    pushed.run("dvc", "cache", "dir", "--local", str(rebuilt.path / ".dvc/cache"))
    pushed.run("dvc", "remote", "add", "--default", "storage", str(folder / "remote"))
    pushed.run("git", "commit", "--quiet", "--all", "--message", "with a remote")
    pushed.run("dvc", "push")
    pushed.run("git", "tag", "two-layer-net@v0.9.0")  # not annotated
    pushed.run("git", "tag", "two-layer-net@v1.0.0", "--message", "the first release")
    pushed.run("git", "clone", "--quiet", "--bare", ".", str(folder / "project.git"))
    return folder / "project.git"


@pytest.fixture
def outside(rebuilt, tmp_path):
    """A folder outside of any repository."""
    return Checkout(tmp_path, rebuilt.home)


def clone(rebuilt, source, target):
    """A clone, with a cache of its own that is empty."""
    target.mkdir()
    checkout = Checkout(target, rebuilt.home)
    checkout.run("git", "clone", "--quiet", str(source), ".")
    return checkout


def introduce(checkout):
    """Tell Git who commits and tags there."""
    checkout.run("git", "config", "user.name", "Test")
    checkout.run("git", "config", "user.email", "test@example.com")


def outputs(checkout):
    """The outputs of all stages in dvc.yaml: those that DVC keeps, and those that Git does."""
    stages = yaml.safe_load((checkout.path / "dvc.yaml").read_text())["stages"].values()
    listed = {}
    for out in (out for stage in stages for out in stage["outs"] + stage.get("metrics", [])):
        listed |= {out: {}} if isinstance(out, str) else out
    in_git = {name for name, options in listed.items() if options.get("cache") is False}
    return listed.keys() - in_git, in_git


def files(checkout):
    """The bytes of every file in the folders that stages write to."""
    paths = [path for name in ("data", "reports") for path in (checkout.path / name).rglob("*")]
    return {
        path.relative_to(checkout.path).as_posix(): path.read_bytes()
        for path in paths
        if path.is_file()
    }


def files_of(checkout, outs):
    """The files that outputs are, or hold."""
    return {
        path
        for path in files(checkout)
        if any(path == out or path.startswith(f"{out}/") for out in outs)
    }


def test_without_a_remote_a_clone_cannot_pull(rebuilt, tmp_path):
    cloned = clone(rebuilt, rebuilt.path, tmp_path / "clone")
    in_dvc, _ = outputs(cloned)
    output = cloned.run("dvc", "pull", ok=False)
    assert "No remote provided and no default remote set." in output
    assert "failed to pull data from the cloud" in output
    assert in_dvc <= set(output.splitlines())  # each is named as missing
    assert files_of(cloned, in_dvc) == set()


def test_without_a_remote_there_is_nowhere_to_push_to(checkout):
    assert "no remote specified" in checkout.run("dvc", "push", ok=False)


def test_a_clone_pulls_every_file_and_has_nothing_left_to_run(rebuilt, published, tmp_path):
    cloned = clone(rebuilt, published, tmp_path / "clone")
    in_dvc, in_git = outputs(cloned)
    assert files_of(cloned, in_dvc) == set()
    assert all((cloned.path / name).exists() for name in in_git)
    assert f"{len(files_of(rebuilt, in_dvc))} files added" in cloned.run("dvc", "pull")
    assert files(cloned) == files(rebuilt)
    assert cloned.run("dvc", "status") == "Data and pipelines are up to date.\n"
    output = cloned.run("dvc", "repro")
    assert "Running stage" not in output
    assert "Data and pipelines are up to date." in output
    assert cloned.run("git", "status", "--porcelain") == ""


def test_the_remote_holds_what_git_does_not_and_no_more(rebuilt, published):
    in_dvc, in_git = outputs(rebuilt)
    stored = {
        path.parent.name + path.name: path.read_bytes()
        for path in (published.parent / "remote/files/md5").rglob("*")
        if path.is_file()
    }
    made = files(rebuilt)
    kept_in_dvc = files_of(rebuilt, in_dvc)
    folders = {name: content for name, content in stored.items() if name.endswith(".dir")}
    assert len(folders) == sum((rebuilt.path / name).is_dir() for name in in_dvc)
    assert stored == folders | {
        hashlib.md5(made[name], usedforsecurity=False).hexdigest(): made[name]
        for name in kept_in_dvc
    }
    tracked = rebuilt.run("git", "ls-files", "data", "reports").splitlines()
    assert kept_in_dvc.isdisjoint(tracked)
    for name in in_git:
        kept = files_of(rebuilt, [name])
        assert kept
        assert kept <= set(tracked)
        assert {made[path] for path in kept}.isdisjoint(stored.values())


@pytest.mark.parametrize(
    "rev", [[], ["--rev", "two-layer-net@v1.0.0"]], ids=["newest", "by version"]
)
def test_dvc_get_brings_a_file_from_the_remote(rebuilt, published, outside, rev):
    outside.run("dvc", "get", str(published), MODEL, *rev)
    assert [path.name for path in outside.path.iterdir()] == ["trained.npz"]
    assert (outside.path / "trained.npz").read_bytes() == files(rebuilt)[MODEL]


def test_dvc_get_brings_a_file_from_git(rebuilt, published, outside):
    outside.run("dvc", "get", str(published), "reports/evaluate.json")
    evaluated = (outside.path / "evaluate.json").read_bytes()
    assert evaluated == files(rebuilt)["reports/evaluate.json"]


@pytest.mark.parametrize("rev", [[], ["--rev", "v1.0.0"]], ids=["newest", "by version"])
def test_dvc_artifacts_get_brings_the_model_of_a_release(rebuilt, published, outside, rev):
    outside.run("dvc", "artifacts", "get", str(published), "two-layer-net", *rev)
    assert [path.name for path in outside.path.iterdir()] == ["trained.npz"]
    assert (outside.path / "trained.npz").read_bytes() == files(rebuilt)[MODEL]


def test_a_release_is_an_annotated_tag_that_names_the_artifact(rebuilt, published, outside):
    for project, rev in ((published, ["--rev", "v0.9.0"]), (rebuilt.path, [])):
        command = ["dvc", "artifacts", "get", str(project), "two-layer-net", *rev]
        output = outside.run(*command, ok=False)
        assert "Unable to find artifact 'two-layer-net" in output
    assert list(outside.path.iterdir()) == []


def test_another_project_imports_the_model_and_its_clone_pulls_it(
    rebuilt, published, outside, tmp_path
):
    other = Checkout(tmp_path / "other", rebuilt.home)
    other.path.mkdir()
    other.run("git", "init", "--quiet")
    other.run("dvc", "init", "--quiet")
    other.run("dvc", "import", str(published), MODEL)
    assert (other.path / "trained.npz").read_bytes() == files(rebuilt)[MODEL]
    imported = yaml.safe_load((other.path / "trained.npz.dvc").read_text())
    revision = outside.run("git", "-C", str(published), "rev-parse", "HEAD").strip()
    (dep,) = imported["deps"]
    assert dep == {"path": MODEL, "repo": {"url": str(published), "rev_lock": revision}}

    introduce(other)
    other.run("git", "add", "--all")
    other.run("git", "commit", "--quiet", "--message", "with the model")
    cloned = clone(rebuilt, other.path, tmp_path / "clone")
    cloned.run("dvc", "pull")
    assert (cloned.path / "trained.npz").read_bytes() == files(rebuilt)[MODEL]
