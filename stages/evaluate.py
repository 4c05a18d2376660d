"""Stage 4: predict every sample, with the network as it was before and after training."""

from collections.abc import Mapping

import pandas as pd

from nnlib.analysis.corrections import Accuracy, accuracies
from nnlib.analysis.predictions import Predictions, write_predictions
from nnlib.base.validation import read_json
from nnlib.data.corrections import PARTS
from nnlib.data.datasets import read_dataset
from nnlib.data.encoding import Encoding
from nnlib.data.samples import load_sets
from nnlib.network import TwoLayerNet
from nnlib.network.evaluation import logits
from stages.common import ENCODING, MODELS, NORMALIZED, PREDICTIONS, run, write_metrics
from stages.corrections import predict_corrected
from stages.params import Params


def evaluate(_params: Params) -> None:
    """Write the predictions, and the loss and accuracy of both networks on both sets.

    If labels were corrected, also the accuracy by those that were given, and without these samples.
    """
    dataset, encoding = read_dataset(NORMALIZED), read_json(ENCODING, Encoding)
    train_set, test_set = load_sets(NORMALIZED, encoding.classes)
    trained, untrained = (
        TwoLayerNet.load(
            MODELS / f"{name}.npz",
            input_size=train_set.x.shape[1],
            encoding=encoding,
        )
        for name in ("trained", "untrained")
    )

    predictions = {
        name: Predictions.of_logits(logits(network, samples.x), samples.t)
        for name, network, samples in (
            ("train", trained, train_set),
            ("test", trained, test_set),
            ("untrained", untrained, test_set),
            ("untrained_train", untrained, train_set),
        )
    }
    for name in ("train", "test", "untrained"):
        write_predictions(PREDICTIONS / f"{name}.csv", predictions[name])
    metrics = {
        name: {"loss": each.mean_loss, "accuracy": each.accuracy}
        for name, each in predictions.items()
    }
    corrections = predict_corrected(trained, encoding)
    if len(corrections):
        metrics |= uncorrected_metrics(predictions, corrections)
    write_metrics("evaluate", dataset, metrics)


def uncorrected_metrics(
    predictions: Mapping[str, Predictions], corrections: pd.DataFrame
) -> dict[str, dict[str, float]]:
    """The accuracy by the labels as given, and without the samples whose labels were corrected."""
    found: dict[str, dict[str, float]] = {"as_given": {}, "without_corrected": {}}
    for part in PARTS:
        right = predictions[part].right
        by_labels = accuracies(
            Accuracy(int(right.sum()), len(right)), corrections[corrections["set"] == part]
        )
        for name, metrics in found.items():
            share = getattr(by_labels, name).share
            if share is not None:
                metrics[f"{part}_accuracy"] = share
    return found


if __name__ == "__main__":
    run(evaluate)
