"""Trainings that are done once and kept."""

import numpy as np
import pytest

from nnlib.data.datasets import SYNTHETIC
from nnlib.network.evaluation import evaluate
from nnlib.network.two_layer_net import TwoLayerNet
from nnlib.samples import Samples, load_samples
from stages.common import MODELS, NORMALIZED, PARAMS, RAW
from stages.params.sections import read_params
from stages.revisions import Trained
from stages.trials import CACHE, Trial, run_trials


@pytest.mark.slow
def test_trials_train_as_the_stage_does_and_keep_the_networks(checkout, monkeypatch):
    monkeypatch.chdir(checkout.path)
    params = read_params(Trained, PARAMS)
    held_out = params.train.model_copy(update={"validation": 100})
    trials = [Trial(params.normalize.scaling, train) for train in (params.train, held_out)]
    raw = {name: (RAW / name).read_bytes() for name in SYNTHETIC.files}

    alone = run_trials(trials, raw, SYNTHETIC)
    assert not any(outcome.network.exists() for outcome in alone)
    of_all, of_part = run_trials(trials, raw, SYNTHETIC, keep_networks=True)

    trained = TwoLayerNet.load(MODELS / "trained.npz")
    for key, value in trained.params.items():
        kept = TwoLayerNet.load(of_all.network).params[key]
        np.testing.assert_array_equal(kept, value, strict=True)
    test_set = load_samples(NORMALIZED, "test", SYNTHETIC.classes)
    assert of_all.test_accuracy == evaluate(trained, test_set).accuracy
    assert of_all.validation_accuracy is None
    train_set = load_samples(NORMALIZED, "train", SYNTHETIC.classes)
    last = Samples(np.array(train_set.x[-100:]), train_set.t[-100:])
    assert of_part.validation_accuracy == evaluate(TwoLayerNet.load(of_part.network), last).accuracy

    # what is there is taken, with or without its network, and what is broken is made again
    kept = {path: path.stat().st_mtime_ns for path in CACHE.iterdir()}
    assert len(kept) == 4
    assert run_trials(trials, raw, SYNTHETIC) == alone
    first, second = sorted(CACHE.glob("*.npz"))
    content = first.read_bytes()
    first.write_bytes(content[:1000])
    run_trials(trials, raw, SYNTHETIC, keep_networks=True)
    assert first.read_bytes() == content
    assert second.stat().st_mtime_ns == kept[second]
