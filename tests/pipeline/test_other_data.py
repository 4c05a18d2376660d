"""A user's own images: scikit-learn's 8 x 8 digits, through the pipeline and the experiments."""

import json
import re
import shutil
import sys
import warnings

import numpy as np
import pytest
import yaml
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

from nnlib.data.datasets import TEST, TRAIN, Dataset, write_dataset
from nnlib.data.idx import write_idx
from tests.markdown import table
from tools.checkouts import copy_project

pytestmark = pytest.mark.slow

NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
HIDDEN, EPOCHS, BATCH, RATE, SEEDS = 50, 40, 100, 0.2, 5
# As scikit-learn trains, as far as it can be told to: its Glorot weights are uniform.
PARAMS = {
    "data.source": "imported",
    "train.hidden_size": HIDDEN,
    "train.activation": "relu",
    "train.weight_init": "xavier",
    "train.epochs": EPOCHS,
    "train.batch_size": BATCH,
    "train.sampling": "shuffled",
    "train.learning_rate": RATE,
    "train.evaluate_every": 10,
    "repeat.seeds": SEEDS,
    "analyse.samples": [45, 11],
    "analyse.pairs": 2,
}


def split():
    """The images and labels, of which the 1,400 to train on make whole batches."""
    digits = load_digits()
    images = np.round(digits.images * 255 / 16).astype(np.uint8)
    return train_test_split(
        images,
        digits.target.astype(np.uint8),
        test_size=397,
        stratify=digits.target,
        random_state=0,
    )


def import_digits(checkout, images, labels, class_names):
    """Write them as an import does, and let DVC track them."""
    folder = checkout.path / "data/imported/files"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for files, x, t in zip((TRAIN, TEST), images, labels, strict=True):
        write_idx(folder / files.images, x)
        write_idx(folder / files.labels, t)
    dataset = Dataset(
        name="scikit-learn's digits",
        class_names=class_names,
        class_noun="digit",
        image_shape=(8, 8),
        has_strokes=True,
        prepared_as_mnist=False,
    )
    write_dataset(folder, dataset)
    checkout.run("dvc", "add", "--quiet", "data/imported/files")


def commit(checkout, tag):
    checkout.run("git", "add", "--all")
    checkout.run("git", "commit", "--quiet", "--message", tag)
    checkout.run("git", "tag", tag)


@pytest.fixture(scope="module")
def first(make_once):
    """A checkout whose pipeline has run on these digits, everything committed."""

    def make(checkout):
        copy_project(checkout.path)
        checkout.set_params(PARAMS)
        checkout.run("git", "init", "--quiet")
        checkout.run("git", "config", "user.name", "Test")
        checkout.run("git", "config", "user.email", "test@example.com")
        x_train, x_test, t_train, t_test = split()
        import_digits(checkout, (x_train, x_test), (t_train, t_test), NAMES)
        recipe = {"train.hidden_size": 20, "train.epochs": 2, "repeat.seeds": 0}
        recipe |= {"train.augmentation.shift": 1.5, "train.augmentation.elastic": 0.85}
        (checkout.path / "experiments/record/recipe.yaml").write_text(yaml.safe_dump(recipe))
        checkout.run("dvc", "repro")
        commit(checkout, "first")

    return make_once("own-data", make)


def test_the_pipeline_is_up_to_date_and_names_the_data(first):
    assert "up to date" in first.run("dvc", "status")
    for path in (first.path / "reports").glob("*.json"):
        if path.name != "record.json":
            assert json.loads(path.read_text())["data"] == "scikit-learn's digits", path.name


def test_what_is_said_of_a_lost_file_brings_it_back(first, tmp_path):
    checkout = first.copy_to(tmp_path / "checkout")
    path = checkout.path / "data/imported/files" / TEST.labels
    content = path.read_bytes()
    path.unlink()
    said = checkout.run("dvc", "repro", ok=False)
    (commands,) = re.findall("`(git checkout .*?)`", " ".join(said.split()))
    checkout.run("sh", "-c", commands)
    assert path.read_bytes() == content
    assert "up to date" in checkout.run("dvc", "repro")
    assert checkout.run("git", "status", "--porcelain") == ""


@pytest.mark.parametrize(
    ("parameter", "value", "says"),
    [
        ("train.validation", 1400, "train.validation: it holds 1400 samples out, but .* has 1400"),
        ("analyse.samples", [397], "analyse: samples: 397 lies outside .* last index is 396"),
    ],
)
def test_sizes_that_do_not_fit_are_refused_before_any_output_is_removed(
    first, tmp_path, parameter, value, says
):
    checkout = first.copy_to(tmp_path / "checkout")
    checkout.set_params({parameter: value})
    assert re.search(says, checkout.run("dvc", "repro", ok=False))
    checkout.run("git", "checkout", "params.yaml")
    assert "up to date" in checkout.run("dvc", "status")


def test_the_accuracy_is_within_a_point_of_scikit_learns(first):
    x_train, x_test, t_train, t_test = split()
    theirs = []
    for seed in range(SEEDS):
        network = MLPClassifier(
            (HIDDEN,),
            activation="relu",
            solver="sgd",
            alpha=0,
            batch_size=BATCH,
            learning_rate_init=RATE,
            max_iter=EPOCHS,
            n_iter_no_change=EPOCHS,
            tol=0,
            momentum=0,
            random_state=seed,
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            network.fit(x_train.reshape(-1, 64) / 255, t_train)
        theirs.append(network.score(x_test.reshape(-1, 64) / 255, t_test))
    metrics = json.loads((first.path / "reports/repeat.json").read_text())
    assert np.mean(theirs) > 0.95
    assert metrics["mean"] == pytest.approx(np.mean(theirs), abs=0.01)


@pytest.fixture(scope="module")
def second(first, tmp_path_factory):
    """A copy with another version: other test samples, labels, and order of the classes."""
    checkout = first.copy_to(tmp_path_factory.mktemp("second") / "checkout")
    x_train, x_test, t_train, t_test = split()
    names = (*sorted(NAMES), "none")
    t_train, t_test = (
        np.array([names.index(NAMES[label]) for label in t], np.uint8) for t in (t_train, t_test)
    )
    order = np.random.default_rng(0).permutation(len(t_test))[10:]  # 10 are left out
    blank = np.arange(5 * 64, dtype=np.uint8).reshape(5, 8, 8)  # and 5 are new
    x_test = np.concatenate([x_test[order], blank])
    t_test = np.concatenate([t_test[order], np.full(5, names.index("none"), np.uint8)])
    t_test[:3] = (t_test[:3] + 1) % 10
    import_digits(checkout, (x_train, x_test), (t_train, t_test), names)
    checkout.run("git", "commit", "--quiet", "--all", "--message", "not rebuilt")
    checkout.run("git", "tag", "unbuilt")
    checkout.run("dvc", "repro", "evaluate")
    commit(checkout, "second")
    return checkout


COMPARE = (sys.executable, "-m", "experiments.compare")


def test_two_versions_are_compared_on_the_samples_that_both_have(second):
    said = second.run(*COMPARE, "first", "second")
    # 397 - 10
    assert (
        "387 test samples are in both; 10 only before, 5 only after. 3 of them have another label "
        "after and are left out: compared are the 384 with the same label." in said
    )
    assert "The training sets differ" not in said  # but for the numbers of their classes
    report = (second.path / "reports/compare.md").read_text()
    # the explorer is of the earlier version, and knows the digits by their names
    assert "[zero](explorer.html#actual=zero)" in report
    report = re.sub(r"\[(\w+)\]\(explorer\.html#[^)]*\)", r"\1", report)
    rows = {row[0]: row for row in table("| digit |", report)}
    assert list(rows) == [*sorted(NAMES), "none"]
    assert sum(int(row[1]) for row in rows.values()) == 384
    assert rows["none"][1:4] == ["0", "no samples", "no samples"]
    recalls = [
        float(row[place].rstrip("%")) for row in rows.values() for place in (2, 3) if row[1] != "0"
    ]
    assert min(recalls) > 80  # as they would not be if the classes were mixed up
    assert "No parameter differs." in report


def test_seeds_of_two_versions_are_tested_on_the_samples_that_both_have(second):
    second.run(*COMPARE, "first", "second", "--seeds", "2")
    report = (second.path / "reports/compare.md").read_text()
    assert "on their own data, and tested on the same 384 samples." in " ".join(report.split())
    for _, before, after, _ in table("| seed |", report)[:2]:
        # as they would not be if the classes, which have other numbers, were mixed up
        assert min(float(before.rstrip("%")), float(after.rstrip("%"))) > 90


def test_what_cannot_be_compared_is_refused(second):
    said = second.run(*COMPARE, "first", "unbuilt", ok=False)
    assert "these stages have not been run with its parameters and code: check, download;" in said
    # without the list of the imported files, nothing can be said of the commit
    listed = yaml.safe_load(second.run("git", "show", "first:data/imported/files.dvc"))
    md5 = listed["outs"][0]["md5"]
    kept = second.path / f".dvc/cache/files/md5/{md5[:2]}/{md5[2:]}"
    kept.rename(second.path / "elsewhere")
    try:
        said = second.run(*COMPARE, "first", "second", ok=False)
    finally:
        (second.path / "elsewhere").rename(kept)
    assert "error: data/imported/files of first is in no cache: run `git checkout first`" in said


def test_a_sweep_over_settings_and_data_sets(first, tmp_path):
    pytest.importorskip("distributed", reason="Dask is not installed: `make .venv/sweep`")
    checkout = first.copy_to(tmp_path / "checkout")
    over = ("data.source=imported,synthetic", "data.synthetic.train=300", "data.synthetic.test=100")
    settings = ("train.learning_rate=0.1,0.2", "train.epochs=1")
    checkout.run(sys.executable, "-m", "experiments.sweep", *over, *settings)
    report = (checkout.path / "reports/sweeps/last/sweep.md").read_text()
    assert report.startswith(
        "# Sweep: scikit-learn's digits and synthetic digits, 4 settings, 1 seed\n"
    )
    kept = {path.name for path in (checkout.path / "data/trials").glob("*.json")}
    assert len(kept) == 4

    x_train, x_test, t_train, t_test = split()
    import_digits(checkout, (x_train[:500], x_test), (t_train[:500], t_test), NAMES)
    checkout.run(sys.executable, "-m", "experiments.sweep", *over, *settings)
    now = {path.name for path in (checkout.path / "data/trials").glob("*.json")}
    assert now > kept
    assert len(now) == 6  # the imported ones are other trials, and the drawn ones the same
    shutil.rmtree(checkout.path / "data/imported/files")
    said = checkout.run(sys.executable, "-m", "experiments.sweep", *over, *settings, ok=False)
    assert "error: data/imported/files has no data set: import one (`make import FROM=...`)" in said


def test_the_record_of_small_images(first, tmp_path):
    checkout = first.copy_to(tmp_path / "checkout")
    checkout.run(sys.executable, "-m", "experiments.record")
    result = json.loads((checkout.path / "reports/record.json").read_text())
    assert result["recipe"]["train.augmentation.shift"] == 0.429  # 1.5 of 28 pixels
    assert 0 < result["mean"] < 95
    report = (checkout.path / "reports/record.md").read_text()
    assert report.startswith("# The record: scikit-learn's digits, test set\n")
    assert re.search(r"misclassifies .* of 397 test digits\.", report)
    assert "Published test errors" not in report
