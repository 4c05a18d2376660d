"""The record: the count of errors, against one by hand, and the command, on drawn digits."""

import json
import math
import signal
import sys

import numpy as np
import pandas as pd
import psutil
import pytest
import yaml

from experiments.record.__main__ import last_seconds, main
from experiments.record.recipe import RECIPE, recipe_for
from experiments.record.report import MOST_SHOWN, record_report
from experiments.record.summary import summarise_record
from nnlib.data.datasets import MNIST
from tests.conftest import read_until
from tests.markdown import table

T = np.array([0, 1, 2, 3])
SEARCH = pd.DataFrame({"hidden_size": [64], "epochs": [2], "changes": ["none"], "errors": [30]})


def predicting(*digits):
    """Logits of samples that are classified as these digits."""
    y = np.full((len(digits), 10), 0.02)
    y[range(len(digits)), digits] = 0.82
    return np.log(y)


# The first network misclassifies sample 3; the second 1, 2 and 3; the third 3. Together, 1 and 3.
THREE = [predicting(0, 1, 2, 5), predicting(0, 7, 7, 8), predicting(0, 1, 2, 5)]
TOGETHER = predicting(0, 7, 2, 8)


def test_the_errors_of_three_networks():
    record = summarise_record([4, 5, 6], THREE, TOGETHER, T)
    assert {seed: errors.wrong for seed, errors in record.errors.items()} == {4: 1, 5: 3, 6: 1}
    assert record.mean == pytest.approx(5 / 12)
    assert record.std == pytest.approx(math.sqrt(1 / 12))  # deviations -1/6, 1/3 and -1/6
    # Student's 97.5% quantile for two degrees of freedom is 4.3027
    assert record.over_seeds.high - record.mean == pytest.approx(
        4.3027 * record.std / math.sqrt(3), 1e-4
    )
    assert record.joint.wrong == 2
    assert record.any_errors == 3
    assert record.remaining[["index", "actual", "predicted"]].to_numpy().tolist() == [[3, 3, 8]]


def test_the_samples_left_are_those_that_every_network_misclassifies():
    record = summarise_record(
        [1, 2], [predicting(1, 0, 2, 3), predicting(0, 0, 2, 3)], predicting(1, 0, 2, 3), T
    )
    assert record.remaining["index"].tolist() == [1]  # not 0, which one classifies correctly


def test_the_samples_left_are_in_the_order_of_the_loss():
    a2 = np.log([[0.6, 0.4], [0.9, 0.1], [0.7, 0.3], [0.9, 0.1]])
    record = summarise_record([1, 2], [a2, a2], a2, np.ones(4, int))
    assert record.remaining["index"].tolist() == [1, 3, 2, 0]  # of equal ones, the first


def test_one_network_has_no_spread():
    record = summarise_record([1], THREE[:1], THREE[0], T)
    assert (record.over_seeds, record.std, record.errors[1].wrong) == (None, None, 1)


def make_report(record, validation_accuracy=None, dataset=MNIST, seconds=100):
    return record_report(
        record,
        dataset=dataset,
        parameters=[("train.hidden_size", "50", "64")],
        search=SEARCH,
        search_samples=3000,
        validation_accuracy=validation_accuracy,
        validation_samples=500,
        seconds=seconds,
    )


def test_the_report_says_what_was_counted():
    report = make_report(summarise_record([4, 5, 6], THREE, TOGETHER, T), 467 / 500)
    assert "misclassify 41.67% of 4 test digits on average" in report
    assert "over seeds: -30.04 to 113.38%)".replace(" ", "\N{NO-BREAK SPACE}") in report.replace(
        " ", "\N{NO-BREAK SPACE}"
    )
    assert [row[:2] for row in table("| seed |", report)] == [
        *(["4", "1"], ["5", "3"], ["6", "1"]),
        ["mean of the logits of all", "2"],
    ]
    assert "3 digits are misclassified by one network or more, 1 by every one." in report
    assert table("| index |", report) == [["3", "3", "8", "82.00%"]]
    assert "misclassifies 33 of them: 6.60%" in report  # though 1 - 467 / 500 rounds below it
    (tried,) = table("| hidden units |", report)
    assert tried[:4] == ["64", "2", "none", "30"]
    assert tried[4].startswith("1.00%")
    assert "took 2 minutes" in report


def test_the_report_on_one_network_speaks_of_no_seeds():
    report = make_report(summarise_record([1], THREE[:1], THREE[0], T))
    assert "A network of one hidden layer misclassifies 25.00" in report
    for words in ("mean of", "on average", "every one", "held out training", "Trained by"):
        assert words not in report.partition("## Beside")[0]


@pytest.mark.parametrize(
    ("seconds", "time"),
    [(944, "16 minutes"), (90, "2 minutes"), (89, "about a minute"), (14, "less than a minute")],
)
def test_the_report_says_how_long_it_took(seconds, time):
    report = make_report(summarise_record([1], THREE[:1], THREE[0], T), seconds=seconds)
    assert f"with all its reports, took {time} on the machine" in report


def test_only_what_the_recipe_says_in_pixels_is_scaled_to_the_images():
    recipe = yaml.safe_load(RECIPE.read_text())
    assert recipe_for((28, 28)) == recipe
    for shape, shift in (((8, 8), 0.429), ((40, 24), 1.286), ((24, 40), 1.286), ((64, 64), 3.429)):
        scaled = recipe_for(shape)
        changed = {name for name in recipe if scaled[name] != recipe[name]}
        assert changed == {"train.augmentation.shift", "train.augmentation.elastic"}
        assert scaled["train.augmentation.shift"] == shift  # 1.5 of 28 pixels


EVIL = ("<b>boot</b> =1", "![sneaker](x.png)", *(f"shoe {number}" for number in range(8)))


def test_the_report_on_another_data_set_compares_with_nothing_that_was_published():
    names = {"name": "my *shoes*", "class_names": EVIL, "class_noun": "shoe <i>"}
    dataset = MNIST.model_copy(update=names)
    record = summarise_record([4, 5, 6], THREE, TOGETHER, T)
    report = make_report(record, 467 / 500, dataset)
    assert report.startswith("# The record: my \\*shoes\\*, test set\n")
    assert "misclassify 41.67% of 4 test shoe \\<i\\>s on average" in report
    assert "found on MNIST, as said here, and nothing was searched for on my \\*shoes\\*" in report
    for words in ("digit", "Beside published", "Published test errors", "LeCun"):
        assert words not in report
    assert "Published test errors on MNIST" in make_report(record)
    assert "nothing was searched for" not in make_report(record)
    everything = [predicting(*[1, 0] * 100)]
    many = summarise_record([1], everything, everything[0], [0, 1] * 100)
    report = make_report(many, dataset=dataset)
    rows = table("| index |", report)
    assert len(rows) == MOST_SHOWN == 100
    assert rows[0][1:3] == [r"\<b\>boot\</b\> =1", r"!\[sneaker\](x.png)"]
    assert report.endswith("</details>\n")
    assert (
        "They are shown here, the highest loss first and only the 100 with the highest:" in report
    )


@pytest.mark.parametrize("classes", [2, 100])
def test_the_report_on_few_or_many_classes(classes):
    names = tuple(f"kind {label}" for label in range(classes))
    dataset = MNIST.model_copy(update={"class_names": names, "class_noun": "kind"})
    y = np.full((4, classes), 0.1 / (classes - 1))
    y[:, -1] = 0.9
    report = make_report(summarise_record([1], [np.log(y)], np.log(y), [0] * 4), dataset=dataset)
    assert table("| index |", report)[0] == ["0", "kind 0", f"kind {classes - 1}", "90.00%"]


@pytest.fixture
def record(checkout):
    """Runs the command, with a small recipe."""
    recipe = {"train.optimizer.name": "adam", "+train.optimizer.beta2": 0.99}
    recipe |= {"train.learning_rate": 0.01, "train.iterations": 100}
    folder = checkout.path / "experiments/record"
    (folder / "recipe.yaml").write_text(yaml.safe_dump(recipe))
    SEARCH.to_csv(folder / "search.csv", index=False)
    checkout.run("git", "commit", "--quiet", "--all", "--message", "another recipe")

    def record(*arguments):
        said = checkout.run(sys.executable, "-m", "experiments.record", *arguments)
        result = json.loads((checkout.path / "reports/record.json").read_text())
        assert f"Test error: {result['mean']:.2f}%" in said
        assert result["recipe"] == recipe
        return result

    return record


@pytest.mark.slow
def test_the_command(checkout, record):
    two = record("--seeds", "2")
    changed = checkout.run("git", "status", "--porcelain").split()[1::2]
    assert changed == [f"reports/record.{suffix}" for suffix in ("json", "md", "png")]
    assert two["seeds"] == [1, 2]
    metrics = checkout.run("dvc", "metrics", "diff", "HEAD", "record", "--json", "--all")
    accuracy = json.loads(metrics)["reports/evaluate.json"]["test.accuracy"]["new"]
    assert two["test_errors"]["1"] == pytest.approx(100 - 100 * accuracy)
    assert two["mean"] == pytest.approx(np.mean(list(two["test_errors"].values())), abs=1e-3)
    assert 0 < two["validation_error"] < 60
    assert 0 < two["members_error"] < 60
    assert "train.optimizer.beta2" in (checkout.path / "reports/record.md").read_text()


RECORD = (sys.executable, "-m", "experiments.record")


def copies(checkout):
    """What DVC runs an experiment in, and the experiments that are not done."""
    folders = [*(checkout.path / ".dvc/tmp/exps/standalone").glob("tmp*")]
    refs = checkout.run("git", "for-each-ref", "--format=%(refname)", "refs/exps").splitlines()
    return [*folders, *(ref for ref in refs if ref.endswith(("/stash", "-unfinished")))]


# Begins as `dvc exp run --temp` does.
PUT = """
from dvc.repo import Repo
queue = Repo().experiments.tempdir_queue
queue.put(name="record-unfinished", params={"params.yaml": ["train.iterations=100"]})
open(".dvc/tmp/repro.dat", "w").close()
"""


def started(checkout, line):
    process = checkout.start(*RECORD)
    read_until(process, line)
    return process


@pytest.mark.slow
def test_what_ends_the_command_leaves_nothing(checkout, record):
    process = started(checkout, "python -m stages.train")
    children = psutil.Process(process.pid).children(recursive=True)
    process.terminate()
    process.communicate()
    assert process.returncode == 128 + signal.SIGTERM
    assert not psutil.wait_procs(children, timeout=5)[1]
    assert copies(checkout) == []

    process = started(checkout, "python -m stages.train")
    for each in [*psutil.Process(process.pid).children(recursive=True), process]:
        each.kill()
    process.communicate()
    checkout.run(sys.executable, "-c", PUT)
    assert len(copies(checkout)) == 2
    # DVC sets the parameters in the workspace, and adds a file, for a moment
    checkout.set_params({"train.iterations": 100})
    checkout.run("git", "add", "--force", ".dvc/tmp/repro.dat")
    lock = checkout.path / ".git/refs/exps/stash.lock"
    lock.touch()
    assert f"error: {lock} is the lock of a Git that runs, or" in checkout.run(*RECORD, ok=False)
    lock.unlink()
    assert checkout.run(*RECORD, ok=False) == (
        "error: params.yaml is not as committed, and the record begins with what is: commit it, or "
        "run `git checkout HEAD params.yaml`\n"
    )
    checkout.run("git", "checkout", "HEAD", "params.yaml")
    record()
    assert copies(checkout) == []
    assert ".dvc" not in checkout.run("git", "status", "--porcelain")


@pytest.mark.slow
def test_killed_it_leaves_no_process(checkout):
    command = checkout.start(sys.executable, "-m", "experiments.record")
    read_until(command, "Running stage 'train'")
    command.kill()
    command.communicate(timeout=5)  # returns once all that share its output have ended


@pytest.mark.long
def test_the_experiment_is_replaced(checkout, record):
    first = record()
    for key in ("std", "members_error", "validation_error"):
        assert first[key] is None
    checkout.run("git", "commit", "--quiet", "--all", "--message", "a record")
    again = record()  # of another commit now; DVC does not train it again
    assert again == first
    assert again["seconds"] > 0
    refs = checkout.run("git", "for-each-ref", "--format=%(refname)", "refs/exps").splitlines()
    assert [ref.split("/")[-1] for ref in refs if "/record" in ref] == ["record"]


LAST = {"recipe": {"train.epochs": 2}, "mean": 0.5, "seconds": 944}
WRONG = [
    *("", "[" * 200_000, "null", '{"seconds": 944}'),
    *(json.dumps(LAST | {"seconds": value}) for value in (None, True, "944", -1, math.nan)),
    json.dumps(LAST).replace("944", "9" * 400),
]


def test_the_time_of_the_last_training_is_taken_if_there_is_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert last_seconds(LAST["recipe"]) is None
    path = tmp_path / "reports/record.json"
    path.parent.mkdir()
    path.write_text(json.dumps(LAST))
    assert last_seconds(LAST["recipe"]) == 944
    assert last_seconds({"train.epochs": 3}) is None
    for content in WRONG:
        path.write_text(content)
        assert last_seconds(LAST["recipe"]) is None, content[:80]


def test_one_seed_is_refused(capsys, monkeypatch):
    monkeypatch.setattr("sys.argv", ["record", "--seeds", "1"])
    with pytest.raises(SystemExit):
        main()
    assert "at least 2" in capsys.readouterr().err
