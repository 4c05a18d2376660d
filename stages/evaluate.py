"""Stage 4: predict every sample, with the network as it was before and after training."""

from nnlib.analysis.predictions import Predictions, write_predictions
from nnlib.base.validation import read_json
from nnlib.data.datasets import read_dataset
from nnlib.data.encoding import Encoding
from nnlib.data.samples import load_sets
from nnlib.network import TwoLayerNet
from nnlib.network.evaluation import logits
from stages.common import ENCODING, MODELS, NORMALIZED, PREDICTIONS, run, write_metrics
from stages.params import Params


def evaluate(_params: Params) -> None:
    """Write the predictions, and the loss and accuracy of both networks on both sets."""
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
    write_metrics("evaluate", dataset, metrics)


if __name__ == "__main__":
    run(evaluate)
