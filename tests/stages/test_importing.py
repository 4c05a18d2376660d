"""The command that imports: what it writes and sets, and what it leaves alone."""

import json
import re
import shutil
import sys

import numpy as np
import pytest
from dvc.repo import Repo, lock_repo

from nnlib.data.datasets import FILES, open_set, read_dataset
from stages import importing
from tests.importing.conftest import (
    NAMES,
    TRAINING,
    digits_and_labels,
    in_folders,
    in_keras_npz,
    write_picture,
)
from tools.checkouts import ROOT, Checkout, copy_project

# of what DVC looks its outputs up in
pytestmark = pytest.mark.filterwarnings("ignore:_NoneStep:DeprecationWarning")


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    """A project of parameters alone, without Git, in which the command runs."""
    folder = tmp_path / "project"
    folder.mkdir()
    params = (ROOT / "params.yaml").read_text()
    params = re.sub(r"\bsource: \w+", "source: mnist", params)  # whatever the committed one is
    samples = "".join(f"  - {index}\n" for index in (545, 115, 247, 340))
    params = re.sub(r"(?<=  samples:\n)(  - \d+\n)+", samples, params)
    (folder / "params.yaml").write_text(params)
    (folder / ".dvc").mkdir()
    (folder / ".dvc/config").write_text("[core]\n    no_scm = true\n")
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def source(tmp_path):
    """The digits as a user may have them."""
    folder = tmp_path / "my digits"
    folder.mkdir()
    in_keras_npz(folder, digits_and_labels())
    return folder


@pytest.fixture
def run(monkeypatch, capsys):
    """Runs the command: what it prints, or what it ends with."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["importing", *map(str, arguments)])
        try:
            importing.main()
        except SystemExit as end:
            if end.code == 2:  # of argparse
                return capsys.readouterr().err
            return end.code
        return capsys.readouterr().out

    return run


def contents(folder):
    """All files but those of DVC itself and the locks."""
    return {
        path.relative_to(folder): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not {".dvc", "locks"} & set(path.relative_to(folder).parts)
    }


def test_it_writes_the_data_set_and_lets_the_pipeline_run_on_it(workspace, source, run):
    before = (workspace / "params.yaml").read_text()
    said = run(source)
    files = workspace / "data/imported/files"
    assert {path.name for path in files.iterdir()} == {*FILES, "dataset.json", "samples.csv"}
    dataset = read_dataset(files)
    assert (dataset.name, dataset.class_names, dataset.class_noun) == ("my digits", NAMES, "item")
    assert dataset.image_shape == (8, 8)
    assert not dataset.has_strokes
    assert not dataset.prepared_as_mnist
    assert not dataset.inverted
    tracked = (workspace / "data/imported/files.dvc").read_text()
    assert "path: files" in tracked
    assert "nfiles: 6" in tracked
    with Repo() as repo:
        assert repo.status(["data/imported/files.dvc"]) == {}
    after = (workspace / "params.yaml").read_text()
    samples = re.findall(r"^  - (\d+)$", after, re.MULTILINE)
    # all else stays, the comments too; the first of the first four classes' test samples
    assert after == re.sub(r"- \d+", "- {}", before).format(*samples).replace(
        "source: mnist #", "source: imported #"
    )
    images, labels = (
        np.load(source / "mnist.npz")["x_test"],
        np.load(source / "mnist.npz")["y_test"],
    )
    assert [labels[int(index)] for index in samples] == [0, 1, 2, 3]
    assert all(label not in labels[: int(i)] for i, label in zip(samples, range(4), strict=True))
    assert len(images) == 1797 - TRAINING
    assert f"analyse.samples: {', '.join(samples)}, as the test set has 297 samples" in said
    assert "    1,500     297  10 classes" in said
    assert said.endswith("Next: make repro\n")


def test_samples_of_the_report_that_are_there_are_kept(workspace, source, run):
    text = (workspace / "params.yaml").read_text()
    for old, new in ((545, 296), (340, 3)):
        text = text.replace(f"- {old}\n", f"- {new}\n")
    (workspace / "params.yaml").write_text(text)
    assert "analyse.samples" not in run(source)
    expected = text.replace("source: mnist", "source: imported")
    assert (workspace / "params.yaml").read_text() == expected


def test_an_earlier_import_is_replaced_only_on_request(workspace, source, run):
    run(source)
    before = contents(workspace)
    refused = run(source, "--title", "other")
    assert refused.startswith(
        "error: data/imported/files holds what was imported before: REPLACE=1"
    )
    assert contents(workspace) == before
    run(source, "--title", "other", "--replace=1")
    assert read_dataset("data/imported/files").name == "other"
    assert "other" not in (workspace / "data/imported/files.dvc").read_text()
    run(source, "--replace=1")
    assert contents(workspace) == before  # the same bytes again


def test_an_import_may_be_imported_again(workspace, source, run):
    run(source)
    files = workspace / "data/imported/files"
    _, labels = open_set(files, read_dataset(files), "test")
    said = run(files, "--replace=1", "--size=10x10", "--title=larger")
    assert "dataset.json: what it says stays, unless TITLE or others say it anew" in said
    dataset = read_dataset(files)
    assert (dataset.name, dataset.class_names, dataset.image_shape) == ("larger", NAMES, (10, 10))
    np.testing.assert_array_equal(open_set(files, dataset, "test")[1], labels)
    (files / FILES[0]).write_bytes(b"broken")
    before = contents(workspace)
    assert run(files, "--replace=1").startswith("error: ")
    assert contents(workspace) == before


def test_what_was_said_of_an_import_stays_unless_it_is_said_anew(workspace, source, run):
    files = workspace / "data/imported/files"
    run(source, "--title=shapes", "--noun=shape", "--strokes=mnist", "--invert=1")
    before, images = read_dataset(files), open_set(files, read_dataset(files), "test")[0].read()
    assert (before.name, before.class_noun, before.inverted) == ("shapes", "shape", True)
    run(files, "--replace=1")
    assert read_dataset(files) == before
    np.testing.assert_array_equal(open_set(files, before, "test")[0].read(), images)
    run(files, "--replace=1", "--noun=form", "--strokes=1", "--invert=1")
    changes = {"class_noun": "form", "prepared_as_mnist": False, "inverted": False}
    after = before.model_copy(update=changes)
    assert read_dataset(files) == after
    np.testing.assert_array_equal(open_set(files, after, "test")[0].read(), 255 - images)
    run(files, "--replace=1", "--title=signs", "--strokes=0")
    changes = {"name": "signs", "has_strokes": False}
    assert read_dataset(files) == after.model_copy(update=changes)


def test_an_import_that_is_not_checked_out_is_not_replaced_either(workspace, source, run):
    run(source)
    shutil.rmtree(workspace / "data/imported/files")
    before = contents(workspace)
    assert "REPLACE=1" in run(source)
    assert contents(workspace) == before


def test_what_fails_changes_nothing(workspace, source, run):
    run(source)
    before = contents(workspace)
    np.savez(source / "mnist.npz", x_train=np.zeros((3, 4, 4)), y_train=[0, 1])
    assert "3 images, but" in run(source, "--replace=1")
    assert "does not exist" in run(source / "nowhere", "--replace=1")
    assert contents(workspace) == before


def test_a_full_disk_leaves_the_earlier_import(workspace, source, run, monkeypatch):
    run(source)
    before = contents(workspace)

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("nnlib.importing.importer.write_dataset", fail)
    assert "No space left on device" in run(source, "--replace=1", "--title", "other")
    assert contents(workspace) == before


def test_broken_parameters_are_found_before_anything_is_read(workspace, source, run):
    (workspace / "params.yaml").write_text("data: {source: nowhere}\n")
    assert "params.yaml" in run(source / "nowhere")
    assert not (workspace / "data/imported").exists()


def test_what_a_data_set_is_can_be_said(workspace, tmp_path, run):
    np.savez(tmp_path / "a.npz", x=np.arange(360).reshape(40, 3, 3), y=np.arange(40) % 10)
    run(tmp_path / "a.npz")
    dataset = read_dataset("data/imported/files")
    assert (dataset.name, dataset.class_noun) == ("a", "digit")
    run(tmp_path / "a.npz", "--replace=1", "--title", " Mine ", "--noun", "boot", "--strokes", "1")
    dataset = read_dataset("data/imported/files")
    assert (dataset.name, dataset.class_noun) == ("Mine", "boot")
    assert (dataset.has_strokes, dataset.prepared_as_mnist) == (True, False)
    run(tmp_path / "a.npz", "--replace=1", "--strokes", "mnist")
    dataset = read_dataset("data/imported/files")
    assert (dataset.has_strokes, dataset.prepared_as_mnist) == (True, True)


def test_every_choice_reaches_the_import(workspace, tmp_path, run):
    for name in ("cat", "dog"):
        for i in range(10):
            image = np.full((8, 8), 255)
            image[1, i % 8] = i
            write_picture(tmp_path / "in" / name / f"{i}.png", image)
    (tmp_path / "in/cat/broken.png").write_text("no picture")
    said = run(
        *(tmp_path / "in", "--size", "10x6", "--share", "0.3", "--seed", "5", "--broken", "skip"),
        "--invert=1",
    )
    assert "       14       6  2 classes" in said
    assert "drawn with seed 5" in said
    assert "1 broken picture" in said
    assert "light" not in said
    dataset = read_dataset("data/imported/files")
    assert dataset.image_shape == (10, 6)
    assert dataset.inverted
    rows = "\n".join(["1,0,0,9,0,0,7", "2,5,5,0,0,0,0"] * 4)
    (tmp_path / "a.csv").write_text(f"a,b,c,d,e,f,g\n{rows}")
    run(tmp_path / "a.csv", "--replace=1", "--shape", "2x3", "--label", "a")
    assert read_dataset("data/imported/files").image_shape == (2, 3)


@pytest.mark.parametrize(
    ("argument", "problem"),
    [
        ("--size=28", "SIZE: expected HEIGHTxWIDTH, as in 28x28, not 28"),
        ("--size=0x28", "SIZE: expected HEIGHTxWIDTH"),
        ("--size=-5x5", "SIZE: expected HEIGHTxWIDTH"),
        ("--size=1x28", "SIZE: expected from 2 x 2 to 64 x 64, not 1 x 28"),
        ("--size=28x65", "SIZE: expected from 2 x 2 to 64 x 64"),
        ("--shape=a", "SHAPE: expected HEIGHTxWIDTH"),
        ("--share=1", "SHARE: expected a number between 0 and 1, as in 0.2, not 1"),
        ("--share=nan", "SHARE: expected a number between 0 and 1"),
        ("--share=half", "SHARE: expected a number between 0 and 1, as in 0.2, not half"),
        ("--seed=-1", "SEED: expected a whole number from 0 to"),
        ("--seed=1.5", "SEED: expected a whole number from 0 to"),
        ("--broken=1", "BROKEN: expected skip, not 1"),
        ("--strokes=yes", "STROKES: expected 1 or mnist or 0, not yes"),
        ("--invert=yes", "INVERT: expected 1 or 0, not yes"),
        ("--replace=yes", "REPLACE: expected 1 or 0, not yes"),
        ("--replace= 1", "REPLACE: expected 1 or 0, not  1"),
        ("--title=a\nb", "the name of the data set .* control characters"),
        ("--noun=½", "NOUN: expected letters, spaces and hyphens, as in flower, not ½"),
        ("--noun=<b>", "NOUN: expected letters, spaces and hyphens, as in flower, not <b>"),
    ],
)
def test_wrong_choices_are_said_in_one_line(workspace, source, run, argument, problem):
    said = run(source, argument)  # what the command exits with, so its code is 1
    assert re.fullmatch(f"error: {problem}.*", said)
    assert not (workspace / "data/imported").exists()


def test_0_says_no_and_nothing_is_left_out(workspace, source, run):
    run(source, "--invert=0", "--replace=", "--size=", "--strokes=", "--title=")
    before = contents(workspace)
    assert "REPLACE=1" in run(source, "--replace=0")
    assert contents(workspace) == before


def test_without_git_there_is_a_way_on(workspace, source, run):
    (workspace / ".dvc/config").write_text("")
    assert "run git init, or, to do without Git: dvc config" in run(source)
    assert not (workspace / "data/imported").exists()


def test_while_dvc_is_at_work_nothing_is_written(workspace, source, run, monkeypatch):
    monkeypatch.setattr("dvc.lock.DEFAULT_TIMEOUT", 0)
    with Repo() as repo, lock_repo(repo):
        assert run(source).startswith("error: ")
    assert not (workspace / "data/imported").exists()


@pytest.mark.parametrize("content", ["stages: 5\n", "a: [\n"])
def test_a_broken_pipeline_is_found_before_anything_is_written(workspace, source, run, content):
    (workspace / "dvc.yaml").write_text(content)
    assert "dvc.yaml" in run(source)
    assert not (workspace / "data/imported").exists()


def test_a_folder_may_have_a_dot_in_its_name(workspace, source, run):
    run(source.rename(source.with_name("digits v1.5")))
    assert read_dataset("data/imported/files").name == "digits v1.5"


def test_parameters_that_do_not_fit_so_few_samples_are_named(workspace, tmp_path, run):
    path = workspace / "params.yaml"
    path.write_text(path.read_text().replace("validation: 0 ", "validation: 40 "))
    np.savez(tmp_path / "a.npz", x=np.arange(360).reshape(40, 3, 3), y=np.arange(40) % 2)
    said = run(tmp_path / "a.npz")
    assert "train.validation: it holds 40 samples out, but there are only 34 to train on" in said
    path.write_text(path.read_text().replace("validation: 40 ", "validation: 4 "))
    said = run(tmp_path / "a.npz", "--replace=1")
    assert "train.validation: it holds" not in said
    assert "train.evaluate_every: the training goes 10,000 times" in said
    assert "validation: 4 " in path.read_text()


def test_corrections_of_the_data_before_are_named(workspace, source, run):
    path = workspace / "data/corrections.csv"
    path.parent.mkdir()
    for text, said in (
        ("set,index,label\n", None),
        ("set,index,label\ntest,1,drop\n", "it corrects 1 label;"),
        ("set,index,label\ntest,1,drop\ntrain,2,3\n", "it corrects 2 labels;"),
        ("", None),
    ):
        path.write_text(text)
        printed = run(source, "--replace=1")
        assert ("Change data/corrections.csv, unless it is of this data set: " in printed) == bool(
            said
        )
        assert said is None or said in printed


@pytest.mark.slow
def test_the_pipeline_runs_on_what_was_imported(tmp_path):
    project = Checkout(tmp_path / "project", tmp_path)
    copy_project(project.path)
    source = tmp_path / "digits"
    source.mkdir()
    in_folders(source, digits_and_labels())
    project.run("git", "init", "--quiet")
    project.run("git", "config", "user.name", "Test")
    project.run("git", "config", "user.email", "test@example.com")
    project.run("git", "add", "--all")
    project.run("git", "commit", "--quiet", "--message", "as it is")
    project.run(sys.executable, "-m", "stages.importing", "--title", "8 x 8", source)
    assert "A  data/imported/files.dvc" in project.run("git", "status", "--porcelain")
    assert project.run("git", "status", "--porcelain", "data").count("\n") == 1
    project.run("dvc", "repro", "evaluate")
    evaluated = json.loads((project.path / "reports/evaluate.json").read_text())
    assert evaluated["data"] == "8 x 8"
    assert evaluated["test"]["accuracy"] > 0.9
    assert read_dataset(project.path / "data/raw").class_names == NAMES
    said = project.run("dvc", "repro", "evaluate")
    assert "Running stage" not in said
    # another import, and the pipeline runs again
    command = (sys.executable, "-m", "stages.importing", "--seed", "2", "--replace=1", source)
    project.run(*command)
    assert "Running stage 'train'" in project.run("dvc", "repro", "evaluate")
    # the first one, as DVC keeps it
    project.run("git", "commit", "--quiet", "--all", "--message", "seed 2")
    (project.path / "data/imported/files" / FILES[0]).unlink()
    project.run("dvc", "checkout", "--force", "data/imported/files.dvc")
    assert (project.path / "data/imported/files" / FILES[0]).exists()
