"""The explorer: every prediction of a test set in one HTML file that needs nothing else."""

import base64
import zlib
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import numpy as np
from jinja2.utils import htmlsafe_json_dumps
from matplotlib import colormaps
from matplotlib.colors import to_hex
from numpy.typing import ArrayLike, DTypeLike, NDArray

from nnlib.analysis.analysis import Analysis
from nnlib.analysis.confusion import shares_of_actual, without_diagonal
from nnlib.analysis.labels import normalized_margin
from nnlib.analysis.neighbours import SPACES
from nnlib.analysis.predictions import Predictions
from nnlib.analysis.units import Units
from nnlib.base.arrays import Floats
from nnlib.data.datasets import BOX, Dataset
from nnlib.network import TwoLayerNet
from nnlib.report.neighbours import Neighbours
from nnlib.report.style import DARK, DIAGONAL, ERRORS
from nnlib.report.templating import columns_of, render

# Bytes of a page with the network's first layer as float32; with it as float16. What makes the page
# larger is left out: first the neighbours of the mistakes with the lowest loss, then the network.
MOST, MOST_ROUNDED = 6_000_000, 12_000_000
MOST_MISTAKES = 5000  # whose neighbours are held at once; their pictures alone could fill a page
SECOND = "<!-- second network -->"  # where that goes in a page
FEW = 10  # classes, that the page shows all at once
MOST_PAIRS = 10  # of confused classes, listed above a matrix of more than a few


@dataclass(frozen=True)
class Published:
    """What the samples of a test set were when it was published, before it was corrected."""

    index: NDArray[np.integer]  # (N,)
    t: NDArray[np.integer]  # (N,)


def explorer(
    analysis: Analysis,
    images: NDArray[np.uint8],
    dataset: Dataset,
    network: TwoLayerNet,
    *,
    units: Units,
    neighbours: Neighbours,
    unlike: float,
    published: Published,
) -> str:
    """Write the explorer.

    Parameters
    ----------
    analysis : Analysis
    images : ndarray of uint8 of shape (N, height, width)
        The test set, in the order of the predictions.
    dataset : Dataset
    network : TwoLayerNet
        The trained one, with its encoding.
    units : Units
        Of the network's hidden units.
    neighbours : Neighbours
        Of the first `MOST_MISTAKES` of the analysis, or of all if there are fewer.
    unlike : float
        The distance to the nearest of `images`, in grey levels, beyond which the page calls a
        picture unlike all of them; infinite if it never does.
    published : Published
        What the samples were before labels were corrected.

    Returns
    -------
    str, HTML with the styles, the scripts, the images, all predictions, and the network and the
    neighbours in it if the page stays small enough

    Raises
    ------
    ValueError
        If the network has no encoding.
    """
    trained, untrained = analysis.trained, analysis.untrained
    box = BOX if dataset.prepared_as_mnist else None
    names = dataset.class_names
    words = {
        "noun": dataset.class_noun,
        "nouns": dataset.class_nouns,
        "item": dataset.image_noun,
        "items": dataset.image_nouns,
    }
    # Distances between images are the roots of whole numbers.
    square = round(unlike**2) if np.isfinite(unlike) else None
    payload: dict[str, Any] = {
        "samples": len(trained),
        "names": names,
        "few": FEW,
        **words,
        "width": images.shape[2],
        "height": images.shape[1],
        "box": box,
        "inverted": dataset.inverted,
        "unlike": square,
        "images": deflated(images),
        "actual": packed(trained.t, np.uint8),
        "predicted": packed(trained.predicted, np.uint8),
        "confidence": packed(trained.confidence, "<f4"),
        "loss": packed(trained.loss, "<f4"),
        "margin": packed(normalized_margin(trained), "<f4"),
        "untrainedPredicted": packed(untrained.predicted, np.uint8),
        "trained": packed_probabilities(trained.y),
        "untrained": packed_probabilities(untrained.y),
    }
    if (published.t != trained.t).any():
        payload["given"] = packed(published.t, np.uint8)
    if len(trained) <= published.index[-1]:
        payload["publishedIndex"] = packed(published.index, "<u4")
    context: dict[str, Any] = {
        "dataset": dataset,
        "names": names,
        "few": FEW,
        "columns": max(map(columns_of, names)),
        **words,
        "samples": len(trained),
        "errors": len(analysis.mistakes),
        "accuracy": trained.accuracy,
        "confusion": analysis.confusion.tolist(),
        "count_width": len(str(analysis.confusion.max())),
        "colours": _cell_colours(analysis.confusion),
        "warns_of_unlike": square is not None,
        "pairs": _listed_pairs(analysis) if len(names) > FEW else [],
        "most_megabytes": MOST_ROUNDED // 1_000_000,
        "box": box,
        "payload_json": htmlsafe_json_dumps(payload),  # once, however often the page is tried
    }
    page = ""
    mistakes = analysis.mistakes["index"].to_numpy()[:MOST_MISTAKES]
    for network_part, held, most in _choices(network, len(mistakes)):
        page = render(
            "explorer.html",
            network=network_part,
            units=_pack_units(units),
            neighbours=_pack_neighbours(neighbours.of(mistakes[:held])) if held else None,
            held=held,
            **context,
        )
        if len(page.encode()) <= most:
            break
    return page


def with_second(page: str, name: str, network: TwoLayerNet, predictions: Predictions) -> str:
    """Put another network into an explorer, whose answers stand beside those of the page's own.

    Parameters
    ----------
    page : str
        What `explorer` wrote, with a network in it.
    name : str
        What the page calls the other network.
    network : TwoLayerNet
        With its encoding.
    predictions : Predictions
        Of that network, for the page's images.

    Returns
    -------
    str
        Its weights from the pixels are rounded to 255 steps for each hidden unit, so that the page
        stays small; the predictions are not affected.

    Raises
    ------
    ValueError
        If the page has no place for another network, or the network has no encoding.
    """
    if page.count(SECOND) != 1:
        raise ValueError("page has no place for another network")
    W1 = network.params["W1"]
    scales = (np.abs(W1).max(axis=0) / 127).astype(np.float32)
    scales[scales == 0] = 1  # of a unit that sees nothing
    held = {
        **_pack_all_but_first_weights(network),
        "W1": packed(np.rint(W1 / scales), np.int8),
        "scales": packed(scales, "<f4"),
        "name": name,
        "predicted": packed(predictions.predicted, np.uint8),
        "y": packed(np.rint(predictions.y * 65535), "<u2"),
    }
    element = f'<script type="application/json" id="second">{htmlsafe_json_dumps(held)}</script>'
    return page.replace(SECOND, element)


def address(
    actual: str | None = None, predicted: str | None = None, index: int | None = None
) -> str:
    """Address of the explorer, from the folder that it is in, where it shows a choice of samples.

    Parameters
    ----------
    actual, predicted : str, optional
        Names of classes.
    index : int, optional
        Of the sample to open.
    """
    choice = {"actual": actual, "predicted": predicted, "index": index}
    chosen = {name: value for name, value in choice.items() if value is not None}
    return "explorer.html#" + urlencode(chosen, quote_via=quote, safe="")


def _listed_pairs(analysis: Analysis) -> list[dict[Hashable, Any]]:
    """The most confused pairs of classes, with the number of samples of the actual one."""
    pairs = analysis.pairs.head(MOST_PAIRS)
    support = analysis.confusion.sum(axis=1)[pairs["actual"]]
    return pairs[["actual", "predicted", "count"]].assign(support=support).to_dict("records")


def _choices(
    network: TwoLayerNet, mistakes: int
) -> Iterator[tuple[dict[str, Any] | None, int, int]]:
    """The network in the page, the mistakes whose neighbours it holds, and the most bytes of it.

    The best choice comes first.
    """
    largest = np.abs(network.params["W1"]).max()
    fewer = [mistakes >> halvings for halvings in range(mistakes.bit_length() + 1)]
    if largest <= np.finfo(np.float32).max:
        yield _pack(network, np.float32), mistakes, MOST
    if largest <= np.finfo(np.float16).max:
        packed = _pack(network, np.float16)
        yield from ((packed, held, MOST_ROUNDED) for held in fewer)
    yield from ((None, held, MOST_ROUNDED) for held in fewer)


def _pack_units(units: Units) -> dict[str, Any]:
    columns = ["mean", "std", "cost", "fixed", "broken", "p", "changed", "class", "class_cost"]
    numbers = {column: units.table[column].tolist() for column in columns}
    # SciPy's last digits are not the same on every CPU
    numbers["p"] = [float(f"{p:.6g}") for p in numbers["p"]]
    return {**numbers, "examples": units.examples.tolist()}


def _pack_neighbours(neighbours: Neighbours) -> dict[str, Any]:
    """The neighbours for the page's script: each image once, and which ones a mistake has."""
    table = neighbours.table
    train_index, first = np.unique(table["train_index"], return_index=True)
    return {
        "images": deflated(neighbours.images),
        "mistakes": packed(table["index"].unique(), "<u4"),
        "spaces": SPACES,
        "trainIndex": packed(train_index, "<u4"),
        "labels": packed(table["label"].to_numpy()[first], np.uint8),
        # among these images; as many for each space of each mistake
        "places": packed(neighbours.places, "<u4"),
        "distances": packed(table["distance"], "<f4"),
    }


def _pack(network: TwoLayerNet, dtype: type[np.floating]) -> dict[str, str | float | bool]:
    """The network for the page's script, with W1, its largest array, in the given type."""
    W1 = packed(network.params["W1"], np.dtype(dtype).newbyteorder("<"))
    return {**_pack_all_but_first_weights(network), "isHalf": dtype is np.float16, "W1": W1}


def _pack_all_but_first_weights(network: TwoLayerNet) -> dict[str, str | float | bool]:
    encoding = network.given_encoding()
    return {
        "activation": network.activation,
        "pixelMean": encoding.pixel_mean,
        "pixelStd": encoding.pixel_std,
        **{key: packed(network.params[key], "<f4") for key in ("b1", "W2", "b2")},
    }


def _cell_colours(confusion: NDArray[np.int64]) -> list[list[dict[str, Any]]]:
    """How each cell of the matrix looks: as in the figure of the report.

    In the dark, the page's styles make a colour of the shade, from 0 to 1, of an error.
    """
    shares = without_diagonal(shares_of_actual(confusion))
    shades = shares / max(shares.max(), 0.01)
    colours: list[list[dict[str, Any]]] = [
        [
            {
                "shade": round(shade, 2),
                "background": to_hex(colormaps[ERRORS](shade)),
                "text": to_hex("white" if shade > DARK else "black" if shade else "0.4"),
            }
            for shade in row
        ]
        for row in shades.tolist()
    ]
    for label, row in enumerate(colours):
        row[label] = {"shade": 0, "background": to_hex(DIAGONAL), "text": to_hex("black")}
    return colours


def packed(values: ArrayLike, dtype: DTypeLike) -> str:
    """Numbers as the page holds them: the bytes of the array, as text (Base64)."""
    return _base64(np.asarray(values, dtype).tobytes())


def deflated(images: NDArray[np.uint8]) -> str:
    """Pixels as the page holds them: the bytes of the array by DEFLATE (RFC 1951), as text.

    Parameters
    ----------
    images : ndarray of uint8 of shape (N, height, width)
    """
    return _base64(zlib.compress(images.tobytes(), wbits=-zlib.MAX_WBITS))  # without a header


def packed_probabilities(y: Floats) -> str:
    """Probabilities as the page holds them: of more than a few classes as 16-bit integers.

    These stand for 0 to 1, and tell 0.01% from 0.02%, in half of the bytes.

    Parameters
    ----------
    y : ndarray of shape (N, C)
    """
    return packed(y, "<f4") if y.shape[1] <= FEW else packed(np.rint(y * 65535), "<u2")


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")
