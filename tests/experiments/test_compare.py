"""The comparison of revisions, in a real repository of three commits and an experiment."""

import dataclasses
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from types import MethodType, SimpleNamespace
from unittest.mock import Mock

import numpy as np
import pytest
import yaml
from dvc.repo import Repo

from experiments.compare.__main__ import compare_revisions, explored, is_explorer_of, main
from experiments.compare.seeds import seed_accuracies
from experiments.revisions import Revision, Trained, open_revision
from nnlib.analysis.predictions import Predictions
from nnlib.base.errors import UserError
from nnlib.data.corrections import APPLIED, NO_ROWS
from nnlib.data.datasets import DESCRIPTION, MNIST, SYNTHETIC, TEST, TRAIN
from nnlib.data.idx import write_idx
from nnlib.report.explorer import explorer
from stages.common import NORMALIZED, RAW
from stages.params import read_params
from tests.conftest import explorer_parts
from tests.markdown import table
from tools.checkouts import Checkout

# of a library that DVC uses
pytestmark = pytest.mark.filterwarnings("ignore:_NoneStep:DeprecationWarning")


@pytest.fixture(scope="module")
def history(rebuilt, tmp_path_factory):
    """The tags slow, fast and renamed, a commit each, and the experiment faster."""
    checkout = rebuilt.copy_to(tmp_path_factory.mktemp("history") / "checkout")
    run = checkout.run
    run("git", "tag", "slow")
    checkout.set_params({"train.learning_rate": 0.3})
    run("dvc", "repro", "evaluate")  # the predictions are all that is compared
    run("git", "commit", "--quiet", "--all", "--message", "Learn <b>faster</b> | ![more](more.png)")
    run("git", "tag", "fast")
    run("dvc", "exp", "run", "-S", "train.learning_rate=0.6", "--name", "faster", "evaluate")
    run("git", "reset", "--hard", "fast")
    run("dvc", "checkout", "--force")
    (checkout.path / "LICENSE").write_text("another\n")
    run("git", "commit", "--quiet", "--all", "--message", "Change the licence")
    run("git", "commit", "--quiet", "--allow-empty", "--allow-empty-message", "--message", "")
    run("git", "tag", "renamed")
    return checkout


read_of = Revision.read


def workspace(history):
    """What Git says of the workspace, and the files in data, except results of training runs."""
    files = {
        path: path.stat().st_mtime_ns
        for path in (history.path / "data").rglob("*.*")
        if "trials" not in path.parts
    }
    return history.run("git", "status", "--porcelain"), files


@contextmanager
def branch(history, name, base="fast"):
    """A branch to commit to: the commit at the end is what the context leaves, and comes back."""
    history.run("git", "checkout", "--quiet", "-b", name, base)
    yield
    history.run("git", "commit", "--quiet", "--all", "--message", name)
    history.run("git", "checkout", "--quiet", "-")
    history.run("dvc", "checkout", "--force")


@pytest.fixture
def compare(history, monkeypatch, capsys):
    monkeypatch.chdir(history.path)
    monkeypatch.setenv("HOME", str(history.home))
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)  # of the job that runs the tests

    def run(*arguments, ok=True):
        shutil.rmtree(history.path / "reports/compare", ignore_errors=True)
        for path in history.path.glob("reports/compare*"):
            path.unlink()
        before = workspace(history)
        monkeypatch.setattr("sys.argv", ["compare", *arguments])
        error = ""
        if ok:
            main()
        else:
            with pytest.raises(SystemExit) as caught:
                main()
            error = str(caught.value.code)  # a text, which Python prints, and exits with 1
        assert workspace(history) == before
        written = sorted(path.name for path in history.path.glob("reports/compare*"))
        assert written == (["compare", "compare.html", "compare.md"] if ok else [])
        captured = capsys.readouterr()
        return captured.out + captured.err + error

    return run


def accuracy(history, rev):
    metrics = json.loads(history.run("git", "show", f"{rev}:reports/evaluate.json"))
    return metrics["test"]["accuracy"]


def fixed_and_broken(output):
    return [int(n) for n in re.search(r"(\d+) fixed, (\d+) broken", output).groups()]


@pytest.mark.slow
@pytest.mark.parametrize(("base", "rev"), [("slow", "fast"), ("fast", "faster")])
def test_the_one_way_mirrors_the_other(history, compare, base, rev):
    there = compare(base, rev)
    report = (history.path / "reports/compare.md").read_text()
    fixed, broken = fixed_and_broken(there)
    if rev != "faster":  # whose results are not on any branch
        net = round(500 * (accuracy(history, rev) - accuracy(history, base)))
        assert fixed - broken == net
    assert "train.learning_rate: " in there
    rows = table("| digit |", report)
    assert sum(int(row[4]) for row in rows) == fixed
    assert sum(int(row[5]) for row in rows) == broken
    assert fixed_and_broken(compare(rev, base)) == [broken, fixed]
    back = (history.path / "reports/compare.md").read_text()
    for text, shown in (
        (report, "before"),
        (back, "after"),
    ):  # the explorer was made at the tag slow
        assert (f"which shows the network {shown} the change" in text) == (base == "slow")
        assert ("(explorer.html#actual=" in text) == (base == "slow")


def test_a_revision_with_itself(history, compare):
    output = compare("fast", "fast")
    assert "Nothing changed: all 500 predictions are the same as before." in output
    report = (history.path / "reports/compare.md").read_text()
    assert "No parameter differs." in report
    assert "Both are at the same commit: what differs, if anything, is not committed." in report


@pytest.mark.slow
def test_code_alone_is_named_by_its_commit(history, compare):
    assert "Nothing changed" in compare("fast", "renamed")
    report = (history.path / "reports/compare.md").read_text()
    assert "No parameter differs." in report
    assert re.search(r"^- after: \w{7,} Change the licence$", report, flags=re.MULTILINE)


def test_the_workspace_is_the_default_and_is_labelled(history, compare):
    assert "After:  the workspace, as committed" in compare("HEAD~2")
    licence = history.path / "LICENSE"
    licence.write_text("changed\n")
    try:
        assert "After:  the workspace, with uncommitted changes" in compare("HEAD~2")
    finally:
        history.run("git", "checkout", "--quiet", "LICENSE")


def test_results_that_are_not_those_of_the_parameters_are_not_compared(history, compare):
    params = history.path / "params.yaml"
    before = params.read_text()
    history.set_params({"train.learning_rate": 0.4})
    try:
        assert "run `dvc repro` first" in compare("slow", ok=False)
    finally:
        params.write_text(before)


@pytest.mark.slow
def test_the_page_holds_all_that_it_shows(history, compare):
    compare("slow", "fast")
    text = (history.path / "reports/compare.html").read_text()
    assert "Learn &lt;b&gt;faster&lt;/b&gt; | ![more](more.png)" in text
    sources = re.findall(r'src="([^"]{0,40})', text)
    report = (history.path / "reports/compare.md").read_text()
    assert len(sources) == len(re.findall(r"\(compare/[\w-]+\.png\)", report)) > 10
    assert all(source.startswith("data:image/png;base64,") for source in sources)


@pytest.fixture
def summary(tmp_path, monkeypatch):
    """The summary of a job, to which another step has written."""
    path = tmp_path / "summary.md"
    path.write_text("Of another step.\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(path))
    return path


JOB = {
    "GITHUB_SERVER_URL": "https://github.com",
    "GITHUB_REPOSITORY": "someone/digits",
    "GITHUB_RUN_ID": "1234",
}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("job", "address"),
    [
        (JOB, "https://github.com/someone/digits/actions/runs/1234#artifacts"),
        ({}, "reports/compare.html"),  # tried on a machine of one's own
    ],
)
def test_a_job_on_github_has_a_summary(compare, summary, monkeypatch, job, address):
    for name in JOB:
        monkeypatch.delenv(name, raising=False)
    for name, value in job.items():
        monkeypatch.setenv(name, value)
    output = compare("slow", "fast")
    text, report = summary.read_text(), Path("reports/compare.md").read_text()
    assert text.startswith("Of another step.\n# What changed: synthetic digits, test set\n")
    (verdict,) = re.findall(r"^\d+ fixed, .*", output, re.MULTILINE)
    assert f"**{verdict}**" in text
    for head in ("| parameter |", "| | before | after |", "| | right after |"):
        assert table(head, text) == table(head, report)
    assert "<summary>1 commit in only one of the two</summary>" in text
    assert re.findall(r"\]\((.*?)\)", text.replace("\\]", "")) == [address]
    assert text.endswith(" samples have the same prediction.\n\n")


def test_the_summary_says_why_nothing_was_compared(compare, summary):
    error = compare("slow", "now_*here*", ok=False)
    text = summary.read_text().removeprefix("Of another step.\n")
    assert text.startswith("# Not compared\n\nerror: now\\_\\*here\\* is neither a commit")
    assert text.replace("\\", "") == f"# Not compared\n\n{error}\n"


def test_whose_predictions_an_explorer_shows(analysis, explain):
    images, (network, _) = np.zeros((1500, 28, 28), np.uint8), explain(analysis)
    page = explorer(analysis, images, MNIST, network, **explorer_parts(analysis, network))
    assert is_explorer_of(page, analysis.trained)
    assert not is_explorer_of(page, analysis.untrained)
    others = dataclasses.replace(analysis.trained, t=np.zeros(1500, np.intp))
    assert not is_explorer_of(page, others)
    assert not is_explorer_of("", analysis.trained)


def test_no_explorer_is_needed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert explored(Mock(), Mock()) is None


@pytest.mark.slow
def test_seeds_are_trained_once_unless_the_result_is_broken(history, compare):
    output = compare("slow", "fast", "--seeds", "2")
    assert "Over 2 seeds, the mean accuracy goes from " in output
    results = sorted((history.path / "data/trials").iterdir())
    assert len(results) == 4
    times = [path.stat().st_mtime_ns for path in results]
    report = (history.path / "reports/compare.md").read_text()
    (_, slow, fast, _), *_ = table("| seed |", report)
    assert slow == f"{100 * accuracy(history, 'slow'):.2f}%"  # train.seed is 1
    assert fast == f"{100 * accuracy(history, 'fast'):.2f}%"

    broken = dict.fromkeys(results[:2], "") | {results[2]: "{}"}
    for path, content in broken.items():
        path.write_text(content)
    mirrored = compare("fast", "slow", "--seeds", "3")
    assert "Over 3 seeds" in mirrored
    assert len(list((history.path / "data/trials").iterdir())) == 6
    assert results[3].stat().st_mtime_ns == times[3]  # the others are trained again
    assert sorted(json.loads(path.read_text())["params"]["seed"] for path in results) == [
        1,
        1,
        2,
        2,
    ]
    (_, fast_again, slow_again, _), *_ = table(
        "| seed |", (history.path / "reports/compare.md").read_text()
    )
    assert (slow_again, fast_again) == (slow, fast)


def as_in(history, **changes):
    """A revision with the data of the workspace, and other parameters of the training."""
    params = read_params(Trained, history.path / "params.yaml").model_dump()
    for section, values in changes.items():
        params[section] |= values
    raw = {path.name: path.read_bytes() for path in (history.path / RAW).iterdir()}
    revision = SimpleNamespace(dataset=SYNTHETIC, raw=raw, trained=Trained.model_validate(params))
    revision.trial = MethodType(Revision.trial, revision)
    return revision


@pytest.mark.slow
def test_seeds_are_trained_with_the_scaling_of_their_revision(history, monkeypatch):
    monkeypatch.chdir(history.path)
    standard = as_in(history, normalize={"scaling": "standard"})
    (as_fast, *_), (as_standard, *_) = seed_accuracies(as_in(history), standard, None, [1, 2])
    assert as_fast == accuracy(history, "fast")
    assert as_standard != as_fast


@pytest.mark.slow
def test_ctrl_c_leaves_no_copy_of_the_data(history):
    process = history.start(
        sys.executable, "-m", "experiments.compare", "slow", "fast", "--seeds", "9"
    )
    folder = history.path / "data/trials"
    while process.poll() is None and not any(folder.glob("*/*")):
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)
    output, _ = process.communicate()
    assert process.returncode == 130
    assert "Traceback" not in output
    assert not any(path.is_dir() for path in folder.glob("*"))


def test_one_seed_is_refused(compare):
    assert "at least 2" in compare("slow", "fast", "--seeds", "1", ok=False)


def test_too_many_seeds_are_refused(compare):
    assert "at most 100" in compare("slow", "fast", "--seeds", "101", ok=False)


def test_a_name_of_several_experiments_is_refused(history, compare):
    commit = history.run("git", "rev-parse", "fast").strip()
    for baseline in ("slow", "fast"):  # neither is HEAD, whose experiments come first
        sha = history.run("git", "rev-parse", f"{baseline}~0").strip()
        history.run("git", "update-ref", f"refs/exps/{sha[:2]}/{sha[2:]}/twice", commit)
    assert "twice is the name of several experiments" in compare("slow", "twice", ok=False)


def test_the_test_images_are_read_without_the_training_images(history, monkeypatch):
    monkeypatch.chdir(history.path)
    read = []
    with open_revision("fast") as revision:
        monkeypatch.setattr(
            Revision, "read", lambda self, path: read.append(path) or read_of(self, path)
        )
        assert revision.test_images.shape == (500, 28, 28)
        assert revision.training_labels_that_differ(revision) == 0
    assert read == [
        *(RAW / DESCRIPTION, RAW / TEST.images),
        *(NORMALIZED / APPLIED, RAW / TRAIN.labels),
    ]


@pytest.mark.parametrize(
    ("other", "differing"),
    [
        (("1", [0, 1, 1], ("a", "b"), ""), 0),
        (("1", [1, 0, 0], ("b", "a"), ""), 0),  # the same labels, numbered in another way
        (("1", [1, 0, 0], ("a", "b"), ""), 3),
        (("1", [0, 1, 1], ("b", "a"), ""), 3),
        (("1", [0, 0, 1], ("a", "b"), "train,1,a,b\n"), 0),  # published so, or corrected so
        (("1", [0, 1, 1], ("a", "b"), "train,2,b,a\ntest,0,a,b\n"), 1),
        (("1", [0, 1, 1], ("a", "b"), "train,0,a,drop\ntrain,2,b,a\n"), 2),
        (("2", [0, 1, 1], ("a", "b"), ""), None),
        (("1", [0, 1], ("a", "b"), ""), None),
    ],
)
def test_training_labels_are_compared_where_the_images_are_the_same(tmp_path, other, differing):
    def revision(images, labels, names, corrections):
        write_idx(tmp_path / TRAIN.labels, np.array(labels, np.uint8))
        contents = {
            f"/data/raw/{TRAIN.labels}": (tmp_path / TRAIN.labels).read_bytes(),
            f"/data/normalized/{APPLIED}": NO_ROWS + corrections.encode(),
        }
        if not corrections:  # as before there were any
            del contents[f"/data/normalized/{APPLIED}"]
        files = SimpleNamespace(
            exists=contents.__contains__,
            read_bytes=contents.__getitem__,
            info=lambda path: {"dvc_info": {"md5": images + path}},
        )
        made = Revision(SimpleNamespace(dvcfs=files), "made", None)
        dataset = MNIST.model_copy(update={"class_names": names})
        made.__dict__["dataset"] = dataset
        return made

    first = revision("1", [0, 1, 1], ("a", "b"), "")
    second = revision(*other)
    assert first.training_labels_that_differ(second) == differing
    assert second.training_labels_that_differ(first) == differing


def test_the_workspace_can_be_named_as_dvc_does(history, monkeypatch):
    monkeypatch.chdir(history.path)
    with open_revision("workspace") as named, open_revision(None) as usual:
        assert (named.name, named.commit, named.label) == (usual.name, usual.commit, usual.label)


@pytest.mark.parametrize("name", ["--help", "it's", '"', "$(touch made)", "`touch made`", "a b"])
def test_make_takes_any_name_as_a_name(history, tmp_path, name):
    history.run(sys.executable, "-m", "venv", "--without-pip", ".venv")
    (history.path / ".venv/runtime").touch()  # as if the packages were there
    (tmp_path / "python").write_text("#!/bin/sh\nprintf '%s|' \"$@\"\n")  # says what it was given
    (tmp_path / "python").chmod(0o700)
    output = history.run("make", "compare", f"BASE={name}", f"REV={name}", f"BIN={tmp_path}")
    assert f"-m|experiments.compare|--|{name}|{name}|" in output
    assert not (history.path / "made").exists()


def test_an_option_after_two_dashes_is_a_name(compare):
    assert "error: --help is neither a commit" in compare("--", "--help", ok=False)


@pytest.mark.slow
def test_a_training_that_diverges_is_named(history, monkeypatch):
    monkeypatch.chdir(history.path)
    revision = as_in(history, train={"learning_rate": 1e6, "weight_decay": 1e6})
    with pytest.raises(
        UserError, match=r"with seed [12] the training diverges: .*learning rate below 1e\+06"
    ):
        seed_accuracies(revision, revision, None, [1, 2])


def test_an_unknown_revision(compare):
    assert "error: nowhere is neither a commit, a tag nor a branch" in compare("nowhere", ok=False)


def test_predictions_in_no_cache(history, compare):
    lock = yaml.safe_load(history.run("git", "show", "slow:dvc.lock"))
    outs = {out["path"]: out["md5"] for out in lock["stages"]["evaluate"]["outs"]}
    cache = history.path / ".dvc/cache/files/md5"

    def kept_as(md5):
        return cache / md5[:2] / md5[2:]

    listed = json.loads(kept_as(outs["data/predictions"]).read_text())
    kept = kept_as({file["relpath"]: file["md5"] for file in listed}["test.csv"])
    kept.rename(history.path / "elsewhere")
    try:
        output = compare("slow", "fast", ok=False)
    finally:
        (history.path / "elsewhere").rename(kept)
    assert "data/predictions/test.csv of slow is in no cache" in output
    assert "dvc pull" in output


def test_a_revision_from_before_the_predictions(history, compare):
    empty = history.run("git", "hash-object", "-t", "tree", "/dev/null").strip()
    commit = history.run("git", "commit-tree", empty, "-m", "the beginning").strip()
    assert "has no data/predictions/test.csv" in compare(commit, ok=False)


def revision_of(name, images, dataset=SYNTHETIC):
    """A revision whose test set has these images, and its predictions."""
    n = len(images)
    predictions = Predictions.of(np.full((n, dataset.classes), 1 / dataset.classes), [0] * n)
    images = np.array(images, np.uint8)
    return SimpleNamespace(
        name=name,
        dataset=dataset,
        predictions=predictions,
        test_images=images,
        dropped_test_images=images[:0],
    )


def test_test_sets_with_nothing_in_common():
    sets = (revision_of(f"drawn with {n}", np.full((3, 1, 1), n)) for n in (1, 2))
    message = (
        "the data sets differ: drawn with 1 has 3 samples of synthetic digits and drawn with 2 has "
        "3 samples of synthetic digits, and no image is in both test sets; only predictions"
    )
    with pytest.raises(UserError, match=message):
        compare_revisions(*sets)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"image_shape": (2, 1)}, "their images differ in size"),
        ({"class_names": ("cat", "dog")}, "no image that is in both test sets has the same label"),
    ],
)
def test_data_sets_of_another_kind(changes, reason):
    there = revision_of("there", np.ones((2, 1, 1)))
    other = revision_of("other", np.ones((2, 1, 1)), SYNTHETIC.model_copy(update=changes))
    with pytest.raises(UserError, match=f"2 samples of synthetic digits, and {reason}; only"):
        compare_revisions(there, other)


def test_a_broken_file_of_a_revision_is_named(history, monkeypatch):
    monkeypatch.chdir(history.path)
    with open_revision("fast") as revision:
        monkeypatch.setattr(
            Revision,
            "read",
            lambda self, path: read_of(self, path)[: -1 if path.suffix == ".gz" else None],
        )
        with pytest.raises(UserError, match=r"data/raw/t10k-images-.*\.gz of fast: .*gzip"):
            _ = revision.test_images


@pytest.mark.slow
def test_results_that_are_not_those_of_the_revision_are_not_compared(history, compare):
    with branch(history, "unbuilt"):
        history.set_params({"train.learning_rate": 0.4})
    with branch(history, "unbuilt-code"), (history.path / "nnlib/base/blocks.py").open("a") as file:
        file.write("# changed\n")
    with branch(history, "unbuilt-command"):
        pipeline = history.path / "dvc.yaml"
        command = "cmd: exec python -m stages.normalize"
        pipeline.write_text(pipeline.read_text().replace(command, command + " --fast"))
    with branch(history, "no-lock"):
        (history.path / "dvc.lock").unlink()
    stages = "check, download, normalize, train, evaluate"
    for name, stale in (
        ("unbuilt", "check, train"),
        ("unbuilt-code", stages),
        ("unbuilt-command", "normalize"),
        ("no-lock", stages),
    ):
        for sides in ((name, "fast"), ("fast", name)):
            error = compare(*sides, ok=False)
            assert f"the predictions of {name} are out of date: these stages have" in error
            assert f"its parameters and code: {stale}; check {name} out" in error


def test_an_unknown_parameter_of_the_workspace_is_named(history, compare):
    history.set_params({"trains": {"learning_rate": 0.3}})
    error = compare("fast", ok=False)
    history.run("git", "checkout", "params.yaml")
    assert error.startswith("error: params.yaml:\n  trains: Extra inputs are not permitted\n")


def test_a_lock_put_together_from_two_runs_is_not_compared(history, compare):
    """Each stage belongs to its parameters, but `evaluate` has read another network."""
    with branch(history, "mixed", "slow"):
        path = history.path / "dvc.lock"
        lock = yaml.safe_load(path.read_text())
        lock["stages"]["evaluate"] = yaml.safe_load(history.run("git", "show", "fast:dvc.lock"))[
            "stages"
        ]["evaluate"]
        path.write_text(yaml.safe_dump(lock))
    assert "its parameters and code: evaluate;" in compare("mixed", "fast", ok=False)


@pytest.mark.slow
def test_a_stash_is_compared_if_it_was_built(history, compare):
    history.set_params({"train.learning_rate": 0.6})
    history.run("git", "stash")
    assert "its parameters and code: check, train;" in compare("fast", "stash@{0}", ok=False)
    history.run("git", "stash", "drop")
    history.run("git", "checkout", "--quiet", "--detach")
    history.run("dvc", "exp", "apply", "faster")
    history.run("git", "stash")
    assert "train.learning_rate: 0.3 -> 0.6" in compare("fast", "stash@{0}")
    history.run("git", "stash", "drop")
    history.run("git", "checkout", "--quiet", "-")
    history.run("dvc", "checkout", "--force")


@pytest.fixture
def other_parameters(history):
    """A branch, built by code of its own: one parameter less, and one more."""
    with branch(history, "other-parameters"):
        for name in ("params.yaml", "dvc.yaml", "dvc.lock"):
            path = history.path / name
            text = path.read_text().replace("weight_init: 0.01", "momentum: 0.9")
            path.write_text(text.replace("train.weight_init", "train.momentum"))
    yield "other-parameters"
    history.run("git", "branch", "--quiet", "-D", "other-parameters")


@pytest.mark.slow
def test_parameters_are_shown_as_they_stand(history, compare, other_parameters):
    for sides, (momentum, deviation) in {
        ("slow", other_parameters): ("- -> 0.9", "0.01 -> -"),
        (other_parameters, "slow"): ("0.9 -> -", "- -> 0.01"),
    }.items():
        output = compare(*sides)
        assert f"  train.momentum: {momentum}\n" in output
        assert f"  train.weight_init: {deviation}\n" in output


def test_parameters_that_this_code_cannot_train_are_named(compare, other_parameters):
    error = compare("slow", other_parameters, "--seeds", "2", ok=False)
    assert "params.yaml of other-parameters, which this code cannot train" in error
    assert "train.momentum: Extra inputs are not permitted" in error
    assert "train.weight_init: Field required" in error


@pytest.mark.slow
def test_in_a_folder_of_a_larger_repository(history, tmp_path):
    root = Checkout(tmp_path / "root", history.home)
    project = history.copy_to(root.path / "some/project")
    (project.path / ".git").rename(root.path / ".git")
    for name in ("slow", "renamed"):
        root.run("git", "read-tree", "--empty")
        root.run("git", "read-tree", "--prefix=some/project/", name)
        tree = root.run("git", "write-tree").strip()
        commit = root.run("git", "commit-tree", tree, "-p", "HEAD", "-m", f"{name} there").strip()
        root.run("git", "tag", f"{name}-there", commit)
    root.run("git", "reset", "--quiet", "renamed-there")
    (root.path / "other.txt").write_text("of another project\n")
    root.run("git", "add", "other.txt")

    command = (sys.executable, "-m", "experiments.compare")
    output = project.run(*command, "slow-there")
    assert "train.learning_rate: 0.1 -> 0.3" in output
    assert "After:  the workspace, as committed" in output
    error = project.run(*command, "slow", ok=False)
    assert re.fullmatch(r"error: Commit '\w+' does not contain a DVC repo\n", error)


@pytest.mark.parametrize("name", ["dvc.lock", "dvc.yaml", "params.yaml", ".dvc/config"])
def test_a_broken_file_is_named(history, compare, name):
    path = history.path / name
    before = path.read_text()
    path.write_text(f"<<<<<<< HEAD\n{before}")
    try:
        of_workspace = compare("fast", ok=False)
        if name != ".dvc/config":
            history.run("git", "commit", "--quiet", "--all", "--message", "with markers")
            of_commit = compare("HEAD", "fast", ok=False)
            assert of_commit.count("\n") == 0
            assert name in of_commit
    finally:
        history.run("git", "reset", "--quiet", "--hard", "renamed")
    assert of_workspace.startswith("error: ")
    assert len(of_workspace.splitlines()) == (4 if name == "params.yaml" else 1)
    assert Path(name).name in of_workspace


@pytest.mark.slow
def test_a_repository_that_is_locked(history, compare):
    with Repo(history.path).lock:
        assert "another DVC process is running" in compare("fast", ok=False)


def test_a_repository_that_is_somebody_elses(compare, monkeypatch):
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    assert "error: Git says: fatal: detected dubious ownership" in compare("fast", ok=False)


# A user's settings, each of which changes what some command of Git prints.
SETTINGS = {
    "log.showSignature": "true",
    "log.date": "relative",
    "log.decorate": "full",
    "format.pretty": "fuller",
    "core.abbrev": "20",
    "color.ui": "always",
    "diff.noprefix": "true",
    "status.branch": "true",
    "status.short": "true",
    "status.showStash": "true",
    "i18n.logOutputEncoding": "latin1",
}
# Signs, and says that a signature is good.
GPG = """#!/bin/sh
cat >/dev/null
echo "gpg: Good signature" >&2
echo "[GNUPG:] SIG_CREATED " >&2
echo "-----BEGIN PGP SIGNATURE-----"
echo "-----END PGP SIGNATURE-----"
"""


@pytest.mark.slow
def test_the_users_settings_of_git_change_nothing(history, compare, tmp_path, monkeypatch):
    gpg = tmp_path / "gpg"
    gpg.write_text(GPG)
    gpg.chmod(0o755)
    sign = ("-c", f"gpg.program={gpg}", "commit-tree", "--gpg-sign", "renamed^{tree}")
    signed = history.run("git", *sign, "-p", "renamed", "-m", "Größer").strip()
    report = history.path / "reports/compare.md"
    expected = compare("slow", signed), report.read_text()
    assert f"After:  {signed} ({signed[:7]}, Größer)" in expected[0]
    assert "Größer" in expected[1]

    settings = tmp_path / "settings"
    for name, value in {**SETTINGS, "gpg.program": str(gpg)}.items():
        history.run("git", "config", "--file", settings, name, value)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    history.run("git", "init", "--quiet", tmp_path / "elsewhere")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere/.git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "elsewhere/index"))
    assert (compare("slow", signed), report.read_text()) == expected


@pytest.mark.slow
def test_no_git_on_the_path(history):
    done = subprocess.run(
        [sys.executable, "-m", "experiments.compare", "fast"],
        cwd=history.path,
        env=history.env() | {"PATH": "/nowhere"},
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert done.stderr == "error: there is no `git` on the PATH: install Git\n"


def test_a_user_without_a_home(compare, monkeypatch):
    monkeypatch.setattr(Path, "home", Mock(side_effect=RuntimeError("no home directory")))
    assert compare("fast", ok=False) == "error: DVC needs a home directory: set HOME"


@pytest.mark.slow
def test_a_terminal_that_lacks_characters(history):
    tree = "renamed^{tree}"
    commit = history.run("git", "commit-tree", tree, "-p", "renamed", "-m", "0.1 → 0.3").strip()
    output = history.run(
        *(
            "env",
            "PYTHONIOENCODING=ascii",
            sys.executable,
            "-m",
            "experiments.compare",
            "fast",
            commit,
        )
    )
    assert "0.1 \\u2192 0.3" in output
    assert "0.1 → 0.3" in (history.path / "reports/compare.md").read_text()


@pytest.mark.slow
def test_a_reader_who_has_had_enough(history):
    process = history.start(sys.executable, "-m", "experiments.compare", "fast", "renamed")
    process.stdout.close()
    assert process.wait() == 128 + signal.SIGPIPE


@pytest.mark.slow
def test_without_git(history, tmp_path):
    copy = history.copy_to(tmp_path / "copy")
    shutil.rmtree(copy.path / ".git")
    output = copy.run(sys.executable, "-m", "experiments.compare", "HEAD~1", ok=False)
    assert output.startswith("error: this is not a Git repository")
    assert "Traceback" not in output
