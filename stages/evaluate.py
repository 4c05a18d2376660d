"""Stage 4: predict every sample, with the network as it was before and after training."""

from nnlib.analysis.predictions import write_predictions
from nnlib.network import TwoLayerNet
from nnlib.network.evaluation import predict, score
from nnlib.samples import load_samples
from stages.common import MODELS, NORMALIZED, PREDICTIONS, run, write_metrics
from stages.params.data import Data
from stages.params.sections import Sections


class Params(Sections):
    """What this stage reads."""

    data: Data


def evaluate(params: Params) -> None:
    """Write the predictions, and the loss and accuracy of both networks on both sets."""
    trained = TwoLayerNet.load(MODELS / "trained.npz")
    untrained = TwoLayerNet.load(MODELS / "untrained.npz")
    classes = trained.params["b2"].size
    train_set = load_samples(NORMALIZED, "train", classes)
    test_set = load_samples(NORMALIZED, "test", classes)

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
    run(evaluate, Params)
