"""Keeps trials that the report cites, of the committed sweep: `python -m tools.trials`.

Those are kept that change one of the default settings, and the one with the fewest errors. To be
run after the default settings have changed, and the sweep has been made anew.
"""

import sys
from pathlib import Path
from typing import Any

import pandas as pd

from nnlib.analysis.trials import Trial, Trials
from nnlib.base.validation import write_json
from nnlib.data.datasets import MNIST
from stages.analyse import TRIALS, settings_of_trials
from stages.common import PARAMS
from stages.params import Params, read_params

SWEEP = Path("reports/sweeps/size-and-rate/sweep.csv")
SAMPLES = 5000  # that the sweep held out


def trials_of_sweep() -> Trials:
    """Read the sweep, which was made on MNIST with the parameters of params.yaml."""
    params = read_params(Params, PARAMS)
    train = params.train
    swept = pd.read_csv(SWEEP)
    names = [name for name in swept.columns if name.startswith("train.")]
    defaults = {name: getattr(train, name.removeprefix("train.")) for name in names}
    swept["errors"] = (SAMPLES * (1 - swept["validation_accuracy"])).round().astype(int)
    tried = []
    for values, rows in swept.groupby(names, sort=False):
        settings: dict[str, Any] = dict(zip(names, values, strict=True))
        changes = {name: settings[name] for name in names if settings[name] != defaults[name]}
        tried.append(Trial(changes=changes, errors=tuple(rows.sort_values("seed")["errors"])))
    (default,) = (trial for trial in tried if not trial.changes)
    best = min(tried, key=lambda trial: sum(trial.errors))
    return Trials(
        data=MNIST.name,
        settings=settings_of_trials(train, params.normalize.scaling),
        samples=SAMPLES,
        errors=default.errors,
        trials=tuple(trial for trial in tried if len(trial.changes) == 1 or trial is best),
    )


def main() -> None:
    """Write the file that the stage reads."""
    if not SWEEP.exists():
        sys.exit(f"error: {SWEEP} is missing; `git checkout {SWEEP}` brings it back")
    write_json(TRIALS, trials_of_sweep())


if __name__ == "__main__":
    main()
