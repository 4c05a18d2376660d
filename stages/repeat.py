"""Stage 5: train with other seeds, to tell what is the luck of one."""

import numpy as np

from nnlib.analysis.repeats import accuracies, confusions, write_repeats
from nnlib.data.datasets import DATASETS
from nnlib.network.evaluation import predict
from nnlib.samples import load_samples
from stages.common import NORMALIZED, RAW, REPEATS, run, write_metrics
from stages.params.data import Data
from stages.params.normalize import Normalize
from stages.params.repeat import Repeat
from stages.params.sections import Sections
from stages.params.train import Train
from stages.trials.processes import run_trials
from stages.trials.trial import Trial, data_in, kept_network


class Params(Sections):
    """What this stage reads."""

    data: Data
    normalize: Normalize
    train: Train
    repeat: Repeat


def repeat(params: Params) -> None:
    """Write what each network predicts, and how accurate they are."""
    dataset, scaling = DATASETS[params.data.source], params.normalize.scaling
    first = params.train.seed + 1
    seeds = range(first, first + params.repeat.seeds)
    metrics: dict[str, float] = {"seeds": len(seeds)}
    test_set = load_samples(NORMALIZED, "test", dataset.classes)
    predicted = np.empty((len(seeds), len(test_set.t)), np.uint8)
    if seeds:
        trials = [Trial(scaling, params.train.model_copy(update={"seed": seed})) for seed in seeds]
        data = data_in(RAW, dataset, {scaling: NORMALIZED})
        # with "fork", as this is the only thread
        run_trials(trials, data, keep_networks=True, start_method="fork", desc="seeds")
        for row, trial in zip(predicted, trials, strict=True):
            row[:] = predict(kept_network(trial, data), test_set.x).argmax(axis=1)
        accuracy = accuracies(confusions(predicted, test_set.t, dataset.classes))
        metrics |= {"mean": float(accuracy.mean()), "std": float(accuracy.std(ddof=1))}
    write_repeats(REPEATS / "predictions.npy", predicted)
    write_metrics("repeat", params.data.source, metrics)


if __name__ == "__main__":
    run(repeat, Params)
