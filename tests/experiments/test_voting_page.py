"""What the voting page is made of; test_voting.py uses it."""

import numpy as np
import pandas as pd
import pytest

from experiments.labels.page import list_digest, voting_page
from nnlib.data.datasets import MNIST

PETS = MNIST.model_copy(update={"class_names": ("cat", "dog"), "class_noun": "pet"})
SUSPECTS = pd.DataFrame(
    {"rank": [1, 2], "set": "test", "index": [1, 2], "label": ["cat", "dog"], "suggested": "dog"}
)
IMAGES = np.zeros((2, 28, 28), np.uint8)


def test_the_digest_is_of_what_is_voted_on():
    digest = list_digest(SUSPECTS, IMAGES, PETS)
    assert digest == list_digest(SUSPECTS.assign(suggested="cat", score=1), IMAGES, PETS)
    others = (
        (SUSPECTS.iloc[::-1], IMAGES, PETS),
        (SUSPECTS.assign(set="train"), IMAGES, PETS),
        (SUSPECTS.assign(index=[1, 3]), IMAGES, PETS),
        (SUSPECTS.assign(label="cat"), IMAGES, PETS),
        (SUSPECTS, IMAGES + 1, PETS),
        (SUSPECTS, IMAGES.reshape(2, 14, 56), PETS),
        (SUSPECTS, IMAGES, PETS.model_copy(update={"name": "Others"})),
        (SUSPECTS, IMAGES, PETS.model_copy(update={"class_names": ("dog", "cat")})),
    )
    assert len({digest, *(list_digest(*other) for other in others)}) == 1 + len(others)


def test_a_page_has_an_image_for_each_sample():
    with pytest.raises(ValueError, match="numbers of samples differ"):
        voting_page(SUSPECTS, np.zeros((3, 28, 28), np.uint8), PETS)


@pytest.mark.parametrize("column", ["label", "suggested"])
def test_a_page_has_names_of_classes(column):
    suspects = SUSPECTS.assign(**{column: [0, 1]})  # as pandas reads a file of numerals
    with pytest.raises(ValueError, match="no names of classes"):
        voting_page(suspects, IMAGES, PETS)
