"""Stage 4: predict every sample, with the network as it was before and after training."""

from nnlib.analysis.predictions import write_predictions
from nnlib.data.encoding import load_encoding
from nnlib.data.samples import load_sets
from nnlib.network import TwoLayerNet
from nnlib.network.evaluation import predict, score
from stages.common import ENCODING, MODELS, NORMALIZED, PREDICTIONS, run, write_metrics
from stages.params import Params


def evaluate(params: Params) -> None:
    """Write the predictions, and the loss and accuracy of both networks on both sets."""
    encoding = load_encoding(ENCODING)
    train_set, test_set = load_sets(NORMALIZED, encoding.classes)
    trained, untrained = (
        TwoLayerNet.load(
            MODELS / f"{name}.npz",
            input_size=train_set.x.shape[1],
            class_names=encoding.class_names,
        )
        for name in ("trained", "untrained")
    )

    metrics = {}
    for name, network, samples in (
        ("train", trained, train_set),
        ("test", trained, test_set),
        ("untrained", untrained, test_set),
    ):
        y = predict(network, samples.x)
        write_predictions(PREDICTIONS / f"{name}.csv", y, samples.t)
        metrics[name] = score(y, samples.t)._asdict()
    metrics["untrained_train"] = score(predict(untrained, train_set.x), train_set.t)._asdict()
    write_metrics("evaluate", params.data.source, metrics)


if __name__ == "__main__":
    run(evaluate)
