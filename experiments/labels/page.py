"""The voting page: people say what they see, one image at a time, before they see its label."""

import base64
import hashlib
import json
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nnlib.base.checks import check_lengths
from nnlib.data.datasets import Dataset
from nnlib.report.png import png
from nnlib.report.templating import columns_of, render

FEW = 10  # classes, that have a digit each as a key


def voting_page(suspects: pd.DataFrame, images: NDArray[np.uint8], dataset: Dataset) -> str:
    """Write the page.

    Parameters
    ----------
    suspects : DataFrame of N rows
        The list, with the columns `rank`, `set`, `index`, `label` and `suggested` (both class
        names) and, of pictures that were imported, `file`.
    images : ndarray of uint8 of shape (N, height, width)
        In the order of the list.
    dataset : Dataset

    Returns
    -------
    str, HTML with the styles, the script and the images in it, which loads nothing

    Raises
    ------
    ValueError
        If the list and the images differ in their number, or a label or suggestion is no class.
    """
    check_lengths({"suspects": suspects, "images": images})
    labels = {name: label for label, name in enumerate(dataset.class_names)}
    shown = suspects.assign(
        label=suspects["label"].map(labels),
        suggested=suspects["suggested"].map(labels),
        image=[base64.b64encode(png(image)).decode("ascii") for image in images],
    )
    if shown[["label", "suggested"]].isna().any(axis=None):
        raise ValueError("suspects has labels or suggestions that are no names of classes")
    columns = ["rank", "set", "index", "label", "suggested", "image"]
    columns += ["file"] if "file" in suspects else []
    payload = {
        "list": list_digest(suspects, images, dataset),
        "names": dataset.class_names,
        "few": FEW,
        "item": dataset.image_noun,
        "items": dataset.image_nouns,
        "noun": dataset.class_noun,
        "samples": shown[columns].to_dict("records"),
    }
    return render(
        "vote.html",
        Path(__file__).parent,
        dataset=dataset,
        few=len(dataset.class_names) <= FEW,
        columns=max(map(columns_of, dataset.class_names)),
        payload=payload,
    )


def list_digest(suspects: pd.DataFrame, images: NDArray[np.uint8], dataset: Dataset) -> str:
    """Digest of what is voted on, by which a browser tells the votes on one list from another's.

    It does not depend on what is suggested, nor on scores, as these are not seen before a vote.
    """
    samples = suspects[["set", "index", "label"]].to_numpy().tolist()
    known = [dataset.name, dataset.class_names, images.shape, samples]
    content = json.dumps(known).encode() + images.tobytes()
    return hashlib.sha256(content).hexdigest()[:16]
