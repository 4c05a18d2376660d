"""What the network predicts for the samples whose labels were corrected."""

import pandas as pd

from nnlib.data.corrections import APPLIED, read_corrections
from nnlib.data.encoding import Encoding
from nnlib.data.samples import load_samples
from nnlib.network import TwoLayerNet
from nnlib.network.evaluation import predict
from stages.common import CORRECTED, NORMALIZED


def predict_corrected(network: TwoLayerNet, encoding: Encoding) -> pd.DataFrame:
    """The corrections that were applied, with the class that a network predicts, `predicted`.

    The samples that were dropped are among them.
    """
    table = read_corrections(NORMALIZED / APPLIED, encoding.class_names)
    if table.empty:
        return table.assign(predicted=table["label"])
    samples = load_samples(NORMALIZED, CORRECTED, encoding.classes)
    return table.assign(predicted=predict(network, samples.x).argmax(axis=1))
