"""Trainings that are done once and kept."""

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
    Trial,
    data_in,
    kept_network,
    read_result,
    run_trials,
    trial_digest,
)
from nnlib.base.errors import UserError
from nnlib.data.datasets import SYNTHETIC
from nnlib.data.samples import Samples, load_samples
from nnlib.network.evaluation import evaluate
from nnlib.network.two_layer_net import TwoLayerNet
from stages import PINNED
from stages.common import MODELS, NORMALIZED, PARAMS, RAW, TRAINING
from stages.params import read_params
from tools.checkouts import ROOT


def test_experiments_pin_numpy_before_they_import_it():
    code = (
        "import sys, experiments; sys.exit('numpy' in sys.modules or 'stages' not in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


@pytest.mark.slow
def test_trials_train_as_the_stage_does_and_keep_the_networks(checkout, monkeypatch):
    monkeypatch.chdir(checkout.path)
    params = read_params(Trained, PARAMS)
    held_out = params.train.model_copy(update={"validation": 100})
    trials = [Trial(params.normalize.scaling, train) for train in (params.train, held_out)]
    data = data_in(RAW, SYNTHETIC)

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


def test_what_diverges_is_known_the_next_time(checkout, monkeypatch):
    monkeypatch.chdir(checkout.path)
    params = read_params(Trained, PARAMS)
    trial = Trial(
        params.normalize.scaling,
        params.train.model_copy(update={"learning_rate": 1e6, "seed": 3}),
    )
    data = data_in(RAW, SYNTHETIC)
    with pytest.raises(
        UserError, match=r"with seed 3 the training diverges: .*learning rate below"
    ):
        run_trials([trial], data)
    kept = read_result(trial_digest(trial, data))
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
    raw = {name: (RAW / name).read_bytes() for name in SYNTHETIC.files}
    data = data_in(RAW, SYNTHETIC)
    with data_of_files(SYNTHETIC, raw) as same_data:
        assert same_data.digest == data.digest
    with data_of_files(SYNTHETIC, raw | {SYNTHETIC.test.labels: b"other"}) as other_data:
        pass
    digests = [
        trial_digest(trial, data),
        trial_digest(trial._replace(scaling="standard"), data),
        trial_digest(Trial("unit", params.train.model_copy(update={"seed": 2})), data),
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
