"""The comparison of revisions, in a real repository of three commits and an experiment."""

import json
import os
import re
import shutil
import signal
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from nnlib.data.datasets import MNIST
from nnlib.errors import UserError
from stages.compare.__main__ import compare_revisions, main
from tests.markdown import table
from tools.checkouts import Checkout

# of a library that DVC uses
pytestmark = pytest.mark.filterwarnings("ignore:_NoneStep:DeprecationWarning")


@pytest.fixture(scope="module")
def history(rebuilt, tmp_path_factory):
    """The tags slow, fast and renamed, a commit each, and the experiment faster."""
    checkout = Checkout(tmp_path_factory.mktemp("history") / "checkout", rebuilt.home)
    shutil.copytree(rebuilt.path, checkout.path, symlinks=True)
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


def workspace(history):
    """What Git says of the workspace, and the files in data, except results of training runs."""
    files = {
        path: path.stat().st_mtime_ns
        for path in (history.path / "data").rglob("*.*")
        if "compare" not in path.parts
    }
    return history.run("git", "status", "--porcelain"), files


def commit_parameter(history, branch, name, value):
    """Commit another value on a branch of its own, without rebuilding, and come back."""
    history.run("git", "checkout", "--quiet", "-b", branch, "fast")
    history.set_params({name: value})
    history.run("git", "commit", "--quiet", "--all", "--message", branch)
    history.run("git", "checkout", "--quiet", "-")


@pytest.fixture
def compare(history, monkeypatch, capsys):
    monkeypatch.chdir(history.path)
    monkeypatch.setenv("HOME", str(history.home))

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


def test_a_revision_with_itself(history, compare):
    output = compare("fast", "fast")
    assert "Nothing changed: all 500 samples are as right as before." in output
    report = (history.path / "reports/compare.md").read_text()
    assert "No parameter." in report
    assert "Both have the same commits." in report


def test_code_alone_is_named_by_its_commit(history, compare):
    assert "Nothing changed" in compare("fast", "renamed")
    report = (history.path / "reports/compare.md").read_text()
    assert "No parameter." in report
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


def test_the_page_holds_all_that_it_shows(history, compare):
    compare("slow", "fast")
    text = (history.path / "reports/compare.html").read_text()
    assert "Learn &lt;b&gt;faster&lt;/b&gt; | ![more](more.png)" in text
    sources = re.findall(r'src="([^"]{0,40})', text)
    assert len(sources) == 4
    assert all(source.startswith("data:image/png;base64,") for source in sources)


def test_seeds_are_trained_once(history, compare):
    output = compare("slow", "fast", "--seeds", "2")
    assert "Over 2 seeds the accuracy goes from " in output
    results = sorted((history.path / "data/compare").iterdir())
    assert len(results) == 4
    times = [path.stat().st_mtime_ns for path in results]
    report = (history.path / "reports/compare.md").read_text()
    (_, slow, fast, _), *_ = table("| seed |", report)
    assert slow == f"{100 * accuracy(history, 'slow'):.2f} %"  # train.seed is 1
    assert fast == f"{100 * accuracy(history, 'fast'):.2f} %"

    mirrored = compare("fast", "slow", "--seeds", "3")
    assert "Over 3 seeds" in mirrored
    assert len(list((history.path / "data/compare").iterdir())) == 6
    assert [path.stat().st_mtime_ns for path in results] == times


def test_seeds_are_trained_with_the_scaling_of_their_revision(history, compare):
    commit_parameter(history, "standard", "normalize.scaling", "standard")
    compare("fast", "standard", "--seeds", "2")
    report = (history.path / "reports/compare.md").read_text()
    (_, fast, standard, _), *_ = table("| seed |", report)
    assert fast == f"{100 * accuracy(history, 'fast'):.2f} %"
    assert standard != fast


def test_ctrl_c_leaves_no_copy_of_the_data(history):
    process = history.start(sys.executable, "-m", "stages.compare", "slow", "fast", "--seeds", "9")
    folder = history.path / "data/compare"
    while process.poll() is None and not any(path.is_dir() for path in folder.glob("*")):
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


def test_a_result_that_is_broken_is_trained_again(history, compare):
    first = compare("slow", "fast", "--seeds", "2")
    for content, path in zip(["", "{}"], (history.path / "data/compare").iterdir(), strict=False):
        path.write_text(content)
    assert compare("slow", "fast", "--seeds", "2") == first


def test_the_workspace_can_be_named_as_dvc_does(compare):
    assert compare("slow", "workspace") == compare("slow")


@pytest.mark.parametrize("name", ["--help", "it's", '"', "$(touch made)", "`touch made`", "a b"])
def test_make_takes_any_name_as_a_name(history, name):
    (history.path / ".venv").mkdir(exist_ok=True)
    for target in ("python", "runtime"):  # as if it had been set up
        (history.path / ".venv" / target).touch()
    bin_folder = Path(sys.executable).parent
    output = history.run("make", "compare", f"BASE={name}", f"BIN={bin_folder}", ok=False)
    assert f"error: {name} is neither a commit" in output
    assert not (history.path / "made").exists()


def test_a_training_that_diverges_is_named(history, compare):
    commit_parameter(history, "wild", "train.learning_rate", 1e6)
    output = compare("slow", "wild", "--seeds", "2", ok=False)
    assert "the training diverges" in output
    assert "learning_rate=1000000.0" in output


def test_an_unknown_revision(compare):
    assert "error: nowhere is neither a commit, a tag nor a branch" in compare("nowhere", ok=False)


def test_predictions_in_no_cache(compare):
    output = compare("slow~1", ok=False)  # whose dvc.lock is that of MNIST
    assert "data/predictions/test.csv of slow~1 is in no cache" in output
    assert "dvc pull" in output


def test_a_revision_from_before_the_predictions(history, compare):
    empty = history.run("git", "hash-object", "-t", "tree", "/dev/null").strip()
    commit = history.run("git", "commit-tree", empty, "-m", "the beginning").strip()
    assert "has no data/predictions/test.csv" in compare(commit, ok=False)


def test_another_data_set(history, compare):
    commit_parameter(history, "redrawn", "data.synthetic.seed", 2)
    output = compare("slow", "redrawn", ok=False)
    assert "the data sets differ: slow has 500 samples of synthetic digits and redrawn" in output


def test_another_number_of_samples():
    params = SimpleNamespace(data="the same")
    sets = [
        SimpleNamespace(
            name=f"of {n}",
            params=params,
            dataset=MNIST,
            predictions=pd.DataFrame({"actual": [1] * n}),
        )
        for n in (4000, 5000)
    ]
    with pytest.raises(UserError, match=r"of 4000 has 4,000 .* and of 5000 has 5,000 samples"):
        compare_revisions(*sets)


def test_without_git(history, tmp_path):
    shutil.copytree(history.path, tmp_path / "copy", symlinks=True)
    shutil.rmtree(tmp_path / "copy/.git")
    copy = Checkout(tmp_path / "copy", history.home)
    output = copy.run(sys.executable, "-m", "stages.compare", "HEAD~1", ok=False)
    assert output.startswith("error: this is not a Git repository")
    assert "Traceback" not in output
