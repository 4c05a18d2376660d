"""The trials that the report cites are those of the committed sweep."""

from nnlib.analysis.trials import Trials
from nnlib.base.validation import read_json
from stages.analyse import TRIALS
from tests.markdown import table
from tools.checkouts import ROOT
from tools.trials import trials_of_sweep


def test_they_are_of_the_committed_sweep_and_the_default_settings(committed_params, monkeypatch):
    monkeypatch.chdir(ROOT)
    kept = read_json(TRIALS, Trials)
    assert kept == trials_of_sweep()
    sweep = (ROOT / "reports/sweeps/size-and-rate/sweep.md").read_text(encoding="utf-8")
    errors = {
        (float(size), float(rate)): error.split("%")[0]
        for size, rate, error, *_ in table("| train.hidden_size | train.learning_rate |", sweep)
    }
    assert len(kept.trials) == 7
    for trial in kept.trials:
        size = trial.changes.get("train.hidden_size", 50.0)
        rate = trial.changes.get("train.learning_rate", 0.1)
        mean = 100 * sum(trial.errors) / len(trial.errors) / kept.samples
        assert f"{mean:.2f}" == errors[size, rate]
