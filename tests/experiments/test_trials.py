"""Trainings that are done once and kept."""

import json
import math
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from experiments import trials as trials_module
from experiments.data import data_of_files
from experiments.revisions import Trained
from experiments.trials import (
    CACHE,
    Fold,
    Success,
    Trial,
    data_in,
    held_out,
    kept_network,
    load_once,
    network_path,
    read_result,
    result_path,
    run_trials,
    trial_digest,
    write_result,
)
from nnlib.base.errors import UserError
from nnlib.data.datasets import SYNTHETIC, TEST
from nnlib.data.samples import Samples, load_samples
from nnlib.network.evaluation import evaluate
from nnlib.network.two_layer_net import TwoLayerNet
from nnlib.training.fit import fit
from stages import PINNED
from stages.common import MODELS, NORMALIZED, PARAMS, RAW, TRAINING
from stages.params import read_params
from stages.train import settings_of
from tools.checkouts import ROOT


def test_experiments_pin_numpy_before_they_import_it():
    code = (
        "import sys, experiments; sys.exit('numpy' in sys.modules or 'stages' not in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_without_a_cluster_nothing_of_dask_is_imported():
    code = "import sys, experiments.trials; sys.exit('distributed' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def dealt(t, folds, seed):
    """The samples of each fold, dealt one by one."""
    rng, hands, turn = np.random.default_rng([seed, folds]), [[] for _ in range(folds)], 0
    for label in range(10):
        for sample in rng.permutation([i for i, each in enumerate(t) if each == label]):
            hands[turn % folds].append(sample)
            turn += 1
    return hands


@pytest.mark.parametrize(("n", "folds"), [(1000, 5), (1003, 10), (7, 7), (40, 3)])
def test_folds_are_dealt_class_by_class(n, folds):
    t = np.random.default_rng(n).integers(10, size=n, dtype=np.uint8)
    t[0], t[t == 9] = 9, 8  # a class of one sample at most
    found = [held_out(t, Fold(number, folds), seed=3) for number in range(folds)]
    assert [rows.tolist() for rows in found] == [sorted(map(int, d)) for d in dealt(t, folds, 3)]
    assert sorted(np.concatenate(found)) == list(range(n))
    for label in range(10):
        parts = [np.count_nonzero(t[rows] == label) for rows in found]
        assert max(parts) - min(parts) <= 1
    sizes = [len(rows) for rows in found]
    assert max(sizes) - min(sizes) <= 1
    if n > 7:
        other = held_out(t, Fold(0, folds), seed=4)
        assert other.tolist() != found[0].tolist()


def test_folds_that_cannot_be_are_refused():
    t = np.zeros(5, np.uint8)
    for fold in (Fold(-1, 3), Fold(3, 3), Fold(0, 1), Fold(0, 0)):
        with pytest.raises(ValueError, match="there is no Fold"):
            held_out(t, fold, seed=1)
    with pytest.raises(UserError, match="5 samples, too few for 6 folds"):
        held_out(t, Fold(0, 6), seed=1)


@pytest.mark.slow
def test_a_trial_can_hold_a_fold_out_and_leave_a_sample_out(checkout, monkeypatch):
    monkeypatch.chdir(checkout.path)
    params = read_params(Trained, PARAMS).train.model_copy(
        update={"iterations": 60, "validation": 100}
    )
    trials = [
        Trial("unit", params, fold=Fold(2, 5)),
        Trial("unit", params, fold=Fold(2, 5), left_out=7),
        Trial("unit", params, left_out=7),
        Trial("unit", params),
    ]
    data = data_in(RAW)
    of_fold, *_, of_all = run_trials(trials, data, keep_networks=True)
    encoding, train_set, _ = load_once(data.sets("unit"))
    rows = held_out(train_set.t, Fold(2, 5), params.seed)
    assert 7 not in rows
    rest = np.setdiff1d(np.arange(len(train_set.t)), rows)
    settings = settings_of(params)
    expected = [
        fit(
            settings._replace(validation=0), Samples(train_set.x[rest], train_set.t[rest]), encoding
        ),
        fit(settings, train_set, encoding, held_out=rows, left_out=7),
        fit(settings, train_set, encoding, left_out=7),
        fit(settings, train_set, encoding),
    ]
    for trial, fitted in zip(trials, expected, strict=True):
        for key, value in kept_network(trial, data).params.items():
            np.testing.assert_array_equal(value, fitted.trained.params[key], strict=True)
    held = evaluate(expected[0].trained, train_set, rows)
    assert of_fold.validation_accuracy == held.accuracy
    assert len(of_fold.losses) == math.ceil(60 / 16)  # an epoch is 1,600 samples
    assert of_all.validation_accuracy == expected[3].validation.accuracy


@pytest.mark.slow
def test_trials_train_as_the_stage_does_and_keep_the_networks(checkout, monkeypatch):
    monkeypatch.chdir(checkout.path)
    params = read_params(Trained, PARAMS)
    validated = params.train.model_copy(update={"validation": 100})
    trials = [Trial(params.normalize.scaling, train) for train in (params.train, validated)]
    data = data_in(RAW)

    alone = run_trials(trials, data)
    assert not list(CACHE.glob("*.npz"))
    of_all, of_part = run_trials(trials, data, keep_networks=True)

    trained = TwoLayerNet.load(MODELS / "trained.npz")
    for key, value in trained.params.items():
        kept = kept_network(trials[0], data).params[key]
        np.testing.assert_array_equal(kept, value, strict=True)
    test_set = load_samples(NORMALIZED, "test", SYNTHETIC.classes)
    assert of_all.test_accuracy == evaluate(trained, test_set).accuracy
    assert of_all.validation_accuracy is None
    train_set = load_samples(NORMALIZED, "train", SYNTHETIC.classes)
    last = Samples(np.array(train_set.x[-100:]), train_set.t[-100:])
    network = kept_network(trials[1], data)
    assert of_part.validation_accuracy == evaluate(network, last).accuracy
    losses = pd.read_csv(TRAINING / "loss.csv")["loss"]  # 20 batches are an epoch of 2,000
    means = losses.groupby(losses.index // 20).mean()
    assert list(of_all.losses) == pytest.approx(means.tolist(), abs=1e-5)
    assert len(of_part.losses) == math.ceil(600 / 19)

    # what is there is taken, with or without its network, and what is broken is made again
    kept = {path: path.stat().st_mtime_ns for path in CACHE.glob("*.*")}
    assert len(kept) == 4
    taken = run_trials(trials, data)
    same = {"exclude": {"seconds"}}
    assert [each.model_dump(**same) for each in taken] == [
        each.model_dump(**same) for each in alone
    ]
    first, second = sorted(CACHE.glob("*.npz"))
    content = first.read_bytes()
    first.write_bytes(content[:1000])
    run_trials(trials, data, keep_networks=True)
    assert first.read_bytes() == content
    assert second.stat().st_mtime_ns == kept[second]


@pytest.fixture
def trial(tmp_path, monkeypatch):
    """A trial, in a folder without any result."""
    monkeypatch.chdir(tmp_path)
    params = read_params(Trained, ROOT / PARAMS)
    return Trial(params.normalize.scaling, params.train)


DIGEST = "0" * 64
RESULT = {
    "test_accuracy": 0.94,
    "validation_accuracy": None,
    "losses": [0.7, 0.5],
    "seconds": 1.5,
    "failure": "",
}


@pytest.mark.parametrize(
    "change",
    [
        *({"test_accuracy": value} for value in (5.0, -0.1, math.nan, True, "0.94", None, [0.94])),
        *({"seconds": value} for value in (-1, math.inf, "1", None)),
        *({"losses": value} for value in ([], [-1.0], [math.nan], ["0.7"], None)),
        *({"validation_accuracy": value} for value in (0.9, 1.1, math.nan)),  # of none held out
        {"failure": "the training diverges"},
        {"failure": None},
        {"test_accuracy": None, "losses": [], "seconds": None},
        {"other": 1},
    ],
)
def test_a_result_that_cannot_be_is_as_none(trial, change):
    write_result(DIGEST, trial, Success.model_validate_json(json.dumps(RESULT)))
    kept = json.loads(result_path(DIGEST).read_text())
    assert kept["result"] == RESULT
    assert read_result(DIGEST, trial) is not None
    kept["result"] |= change
    result_path(DIGEST).write_text(json.dumps(kept))
    assert read_result(DIGEST, trial) is None


def test_a_result_of_other_parameters_is_as_none(trial):
    validated = trial._replace(params=trial.params.model_copy(update={"validation": 100}))
    of_fold = trial._replace(fold=Fold(0, 3))
    result = Success.model_validate_json(json.dumps(RESULT))
    for other in (
        trial._replace(scaling="standard"),
        trial._replace(params=trial.params.model_copy(update={"seed": 2})),
        trial._replace(left_out=0),
        validated,
        of_fold,
    ):
        write_result(DIGEST, other, result)
        assert read_result(DIGEST, trial) is None
        lacks_accuracy = other in (validated, of_fold)
        assert (read_result(DIGEST, other) is None) == lacks_accuracy
    write_result(DIGEST, of_fold, result.model_copy(update={"validation_accuracy": 0.9}))
    assert read_result(DIGEST, of_fold).validation_accuracy == 0.9
    assert read_result(DIGEST, of_fold._replace(fold=Fold(1, 3))) is None


def test_what_is_no_result_is_as_none(trial):
    path = result_path(DIGEST)
    path.parent.mkdir(parents=True)
    for content in ("", "[" * 200_000, "9" * 400, "{}", json.dumps(RESULT)):
        path.write_text(content)
        assert read_result(DIGEST, trial) is None
    path.unlink()
    path.mkdir()
    assert read_result(DIGEST, trial) is None


@pytest.mark.slow
def test_the_network_of_another_trial_is_made_again(checkout, monkeypatch):
    monkeypatch.chdir(checkout.path)
    params, data = read_params(Trained, PARAMS), data_in(RAW)
    trials = [
        Trial("unit", params.train.model_copy(update={"iterations": 20, **changes}))
        for changes in ({}, {"seed": 2}, {"hidden_size": 9})
    ]
    run_trials(trials, data, keep_networks=True)
    path, *others = (network_path(trial_digest(each, data)) for each in trials)
    content = path.read_bytes()
    for other in others:
        path.write_bytes(other.read_bytes())
        run_trials(trials, data, keep_networks=True)
        assert path.read_bytes() == content


def test_what_diverges_is_known_the_next_time(checkout, monkeypatch):
    monkeypatch.chdir(checkout.path)
    params = read_params(Trained, PARAMS)
    trial = Trial(
        params.normalize.scaling,
        params.train.model_copy(update={"learning_rate": 1e6, "weight_decay": 1e6, "seed": 3}),
    )
    data = data_in(RAW)
    with pytest.raises(
        UserError, match=r"with seed 3 the training diverges: .*learning rate below"
    ):
        run_trials([trial], data)
    kept = read_result(trial_digest(trial, data), trial)
    assert kept.failure

    def fail(*_, **__):
        pytest.fail("trained again")

    monkeypatch.setattr(trials_module, "fit", fail)
    with pytest.raises(UserError, match=re.escape(kept.failure)):
        run_trials([trial], data)


@pytest.mark.filterwarnings("ignore:_NoneStep:DeprecationWarning")  # of a library that DVC uses
def test_the_digest_tells_apart_whatever_a_result_depends_on(checkout, monkeypatch):
    monkeypatch.chdir(checkout.path)
    params = read_params(Trained, PARAMS)
    trial = Trial(params.normalize.scaling, params.train)
    raw = {path.name: path.read_bytes() for path in RAW.iterdir()}
    data = data_in(RAW)
    with data_of_files(raw) as same_data:
        assert same_data.digest == data.digest
    with data_of_files(raw | {TEST.labels: b"other"}) as other_data:
        pass
    digests = [
        trial_digest(trial, data),
        trial_digest(trial._replace(scaling="standard"), data),
        trial_digest(Trial("unit", params.train.model_copy(update={"seed": 2})), data),
        *(trial_digest(trial._replace(fold=Fold(*of)), data) for of in ((0, 2), (1, 2), (0, 3))),
        *(trial_digest(trial._replace(left_out=row), data) for row in (0, 1)),
        trial_digest(trial, other_data),
        trial_digest(trial, data, pinned=not PINNED),
    ]
    for name in (
        "nnlib/network/optimizers.py",
        "experiments/trials.py",
        "experiments/sweep/worker.py",
        "requirements.txt",
    ):
        changed = Path(name)
        changed.write_text(changed.read_text() + "#\n")
        trials_module.code_digest.cache_clear()
        digests.append(trial_digest(trial, data))
    trials_module.code_digest.cache_clear()
    assert len(set(digests)) == len(digests)
