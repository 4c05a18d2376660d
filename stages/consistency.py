"""Whether the files of earlier stages belong together: one may be cut, or of another run."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nnlib.analysis.predictions import Predictions
from nnlib.base.blocks import blocks
from nnlib.base.errors import UserError, shown
from nnlib.data.encoding import Encoding
from nnlib.data.samples import Samples
from nnlib.network import TwoLayerNet
from nnlib.network.evaluation import predict
from nnlib.training.fit import Settings
from nnlib.training.history import Snapshot
from nnlib.training.recording import SHOWN_EPOCHS
from stages.common import MODELS, NORMALIZED, PREDICTIONS, RAW, TRAINING


def check_course(
    settings: Settings,
    samples: int,
    loss: pd.DataFrame,
    history: pd.DataFrame,
    snapshots: list[Snapshot],
) -> None:
    """Raise a UserError if what was recorded is not the whole course of this training."""
    n = samples - settings.validation
    iterations, epochs = settings.iterations_on(n), settings.measured_epochs(n)
    at = {epoch: epoch * settings.iterations_per_epoch(n) for epoch in epochs}
    shown_at = sorted({at[epoch] for epoch in SHOWN_EPOCHS if epoch in at} | {iterations})
    for name, what, found, expected in (
        ("loss.csv", "a last iteration", len(loss), iterations),
        ("history.csv", "the epochs", history["epoch"].tolist(), epochs),
        ("history.csv", "the iterations", history["iteration"].tolist(), [*at.values()]),
        ("weights.npz", "the iterations", [each.iteration for each in snapshots], shown_at),
    ):
        if found != expected:
            path = TRAINING / name
            raise UserError(
                f"{path}: expected {what} {shown(expected)}, found {shown(found)}", file=path
            )


def check_last_weights(snapshots: list[Snapshot], network: TwoLayerNet) -> None:
    """Raise a UserError if the last weights recorded are not those of the network."""
    last = snapshots[-1].W1
    if not np.array_equal(last, network.params["W1"][:, : last.shape[1]]):
        path = TRAINING / "weights.npz"
        raise UserError(f"{path} is not of the network in {MODELS / 'trained.npz'}", file=path)


def check_test_set(
    test_set: Samples, images: NDArray[np.uint8], labels: NDArray[np.uint8], encoding: Encoding
) -> None:
    """Raise a UserError if the normalized test set is not of these images and labels."""
    is_same = len(test_set.x) == len(images) and all(
        np.array_equal(test_set.x[rows], encoding.inputs(images[rows]))
        for rows in blocks(len(images))
    )
    for name, holds in (("x_test", is_same), ("t_test", np.array_equal(test_set.t, labels))):
        if not holds:
            path = NORMALIZED / f"{name}.npy"
            raise UserError(f"{path} is not of the test set in {RAW}", file=path)


def check_predictions(
    name: str, predictions: Predictions, network: TwoLayerNet, x: NDArray[np.floating]
) -> None:
    """Raise a UserError if a file of predictions is not of this network."""
    # far more than another CPU rounds differently, and less than another network differs
    if not np.allclose(predict(network, x), predictions.y, rtol=0, atol=0.01):
        path = PREDICTIONS / f"{name}.csv"
        raise UserError(f"{path} holds the predictions of another network", file=path)
