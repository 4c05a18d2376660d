"""Trains the record and reports on it: `python -m experiments.record [--seeds N]`."""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
from dulwich.file import FileLocked
from dvc.repo import Repo
from pydantic import BaseModel, Field

from experiments.commands import exit_of_command, parse_with_seeds
from experiments.data import data_of_files, only_one_trains
from experiments.record.recipe import recipe_for
from experiments.record.report import MOST_SHOWN, record_report
from experiments.record.summary import Record, summarise_record
from experiments.revisions import (
    Revision,
    changed_parameters,
    open_revision,
)
from experiments.trials import kept_network, run_trials
from nnlib.base.errors import UserError
from nnlib.base.files import write_text
from nnlib.base.validation import read_json
from nnlib.data.samples import load_samples
from nnlib.network.evaluation import logits
from nnlib.network.two_layer_net import TwoLayerNet
from nnlib.report.galleries import draw_gallery, mistake_captions
from nnlib.report.numerals import percent
from nnlib.training.parts import average
from stages.common import MODELS, NORMALIZED, PARAMS, REPORTS
from stages.download import described
from stages.git import git
from stages.params import Params, read_params

NAME = "record"  # of the experiment
UNFINISHED = f"{NAME}-unfinished"  # as long as it runs
TRAINED = "trained.npz"
FOLDER = Path(__file__).parent
RESULT = REPORTS / "record.json"
SEARCH_SAMPLES = 30_000  # on which the errors in search.csv were counted
VALIDATION_SHARE = 1 / 12  # of the training samples, held out of one more training
# DVC's command, which ends with this process, as a stage does with DVC; then with its stage in a
# process group of its own, so that both can be interrupted.
DVC = (
    "import os; from stages import end_with_parent; end_with_parent(); os.setpgrp(); "
    "from dvc.cli import main; raise SystemExit(main())"
)


def main() -> None:
    """Read the command line, train and report."""
    parser = argparse.ArgumentParser(prog="python -m experiments.record", description=__doc__)
    arguments = parse_with_seeds(parser, "train N networks, and one for the validation")
    with exit_of_command("record"):
        dataset = described(read_params(Params, PARAMS).data)
        recipe = recipe_for(dataset.image_shape)
        seconds = run_experiment(recipe) or last_seconds(recipe)
        with open_revision("HEAD") as defaults, open_revision(NAME) as record:
            report(defaults, record, recipe, arguments.seeds or 1, seconds)


def run_experiment(recipe: Mapping[str, object]) -> float | None:
    """Run the pipeline with the recipe, in a copy, as an experiment.

    Experiments of this name that were made before, of whichever commit, are removed once this one
    is done, as a name of several is the name of none.

    Returns
    -------
    float, the seconds that it took; None if DVC had the network of another run

    Raises
    ------
    UserError
        If it fails, or if the parameters that the recipe changes are not the committed ones.
    """
    _remove_unfinished()
    if git("status", "--porcelain", "--", str(PARAMS)):
        raise UserError(
            f"{PARAMS} is not as committed, and the record begins with what is: commit it, or run "
            f"`git checkout HEAD {PARAMS}`"
        )
    changes = [f"--set-param={name}={value}" for name, value in recipe.items()]
    start = time.perf_counter()
    said = _dvc_exp("run", "--temp", "--name", UNFINISHED, *changes, show=True)
    seconds = time.perf_counter() - start
    _remove(NAME)
    _dvc_exp("rename", UNFINISHED, NAME)
    return seconds if "Running stage 'train'" in said else None


def _remove_unfinished() -> None:
    """Remove what `dvc exp run --temp` leaves if it is killed: DVC does not."""
    _remove(UNFINISHED)
    try:
        with Repo() as repo:
            repo.experiments.tempdir_queue.remove([UNFINISHED])
    except FileLocked as error:
        raise UserError(
            f"{os.fsdecode(error.lockfilename)} is the lock of a Git that runs, or was killed: if "
            "none runs, remove it"
        ) from error
    git("rm", "--cached", "--quiet", "--ignore-unmatch", "--", ".dvc/tmp/repro.dat")
    for path in Path(".dvc/tmp/exps/run").glob("*/*.run"):
        with suppress(OSError, ValueError):  # a file that is half written
            run = json.loads(path.read_bytes())
            if run["name"] == UNFINISHED:
                shutil.rmtree(run["root_dir"], ignore_errors=True)  # the copy
                shutil.rmtree(path.parent)


def _remove(name: str) -> None:
    """Remove the experiments of that name; DVC would need to be told of which commits they are."""
    for ref in git("for-each-ref", "--format=%(refname)", f"refs/exps/*/*/{name}").splitlines():
        git("update-ref", "-d", ref)


def _dvc_exp(*arguments: str, show: bool = False) -> str:
    """Run DVC's command for experiments, and return what it prints, which can be shown too."""
    command = [sys.executable, "-c", DVC, "exp", *arguments]
    lines = []
    with subprocess.Popen(  # noqa: S603
        command, stdout=subprocess.PIPE, encoding="utf-8", errors="replace"
    ) as process:
        try:
            for line in process.stdout or ():
                lines.append(line)
                if show:
                    print(line, end="", flush=True)
        except BaseException:
            try:
                os.killpg(process.pid, signal.SIGINT)  # the stage too; then DVC removes its copy
            except ProcessLookupError:  # it has only just started
                process.send_signal(signal.SIGINT)
            raise
    if process.returncode != 0:
        raise UserError(f"`dvc exp {arguments[0]}` has failed, as DVC says above")
    return "".join(lines)


class Last(BaseModel):
    """What is read of the last result."""

    recipe: dict[str, Any]
    seconds: Annotated[float, Field(strict=True, ge=0, allow_inf_nan=False)]


def last_seconds(recipe: Mapping[str, object]) -> float | None:
    """What the same recipe took when it was last trained, if that is known."""
    try:
        last = read_json(RESULT, Last)
    except UserError:
        return None
    return last.seconds if last.recipe == recipe else None


def report(
    defaults: Revision,
    record: Revision,
    recipe: Mapping[str, object],
    seeds: int,
    seconds: float | None,
) -> None:
    """Train with further seeds, if there are any, and write the report."""
    dataset = record.dataset
    first = record.trained.train.seed
    numbers = range(first, first + seeds)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        of_test = (NORMALIZED / "x_test.npy", NORMALIZED / "t_test.npy")
        for path in (MODELS / TRAINED, *of_test):
            (folder / path.name).write_bytes(record.read(path))
        networks = [TwoLayerNet.load(folder / TRAINED)]
        test_set = load_samples(folder, "test", dataset.classes)
        samples = json.loads(record.read(REPORTS / "normalize.json"))["train"]["samples"]
        validation, validation_accuracy = round(samples * VALIDATION_SHARE), None
        if seeds > 1:
            trials = [record.trial(validation=validation)]
            trials += [record.trial(seed=seed) for seed in numbers[1:]]
            with only_one_trains(), data_of_files(record.raw) as data:
                held_out, *_ = run_trials(trials, data, keep_networks=True)
                networks += [kept_network(trial, data) for trial in trials[1:]]
            validation_accuracy = held_out.validation_accuracy
        summary = summarise_record(
            numbers,
            [logits(network, test_set.x) for network in networks],
            logits(average(networks), test_set.x),
            test_set.t,
        )
    parameters = changed_parameters(defaults, record)
    text = record_report(
        summary,
        dataset=dataset,
        parameters=parameters,
        search=pd.read_csv(FOLDER / "search.csv"),
        search_samples=SEARCH_SAMPLES,
        validation_accuracy=validation_accuracy,
        validation_samples=validation,
        seconds=seconds,
    )
    title = f"{dataset.name}: the test {dataset.class_nouns} that every network misclassifies"
    remaining = summary.remaining.head(MOST_SHOWN)
    captions = mistake_captions(remaining, dataset)
    draw_gallery(
        REPORTS / "record.png", record.test_images[remaining["index"]], captions, title, dataset
    )
    write_text(REPORTS / "record.md", text)
    numbers_of = record_numbers(summary, validation_accuracy)
    result = {"recipe": dict(recipe), **numbers_of, "seconds": seconds and round(seconds)}
    write_text(RESULT, json.dumps(result, indent=2) + "\n")
    print(f"Test error: {percent(summary.mean)}")
    print("Report: reports/record.md, reports/record.json")


def record_numbers(record: Record, validation_accuracy: float | None) -> dict[str, Any]:
    """What `reports/record.json` holds of the errors, in per cent."""

    def per_cent(share: float) -> float:
        return round(100 * share, 4)  # as exact as counts of samples are

    return {
        "seeds": list(record.errors),
        "test_errors": {seed: per_cent(errors.share) for seed, errors in record.errors.items()},
        "mean": per_cent(record.mean),
        "std": None if record.std is None else per_cent(record.std),
        "members_error": None if record.over_seeds is None else per_cent(record.joint.share),
        "validation_error": (
            None if validation_accuracy is None else per_cent(1 - validation_accuracy)
        ),
    }


if __name__ == "__main__":
    main()
