"""All of `params.yaml`, and what one section demands of another."""

from pydantic import ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from nnlib.data.datasets import DATASETS
from stages.params.analyse import Analyse
from stages.params.data import Data
from stages.params.normalize import Normalize
from stages.params.repeat import Repeat
from stages.params.sections import Section
from stages.params.train import Train


class Params(Section):
    """The whole file, section by section."""

    data: Data
    normalize: Normalize
    train: Train
    repeat: Repeat
    analyse: Analyse

    @field_validator("analyse")
    @classmethod
    def _samples_are_in_the_test_set(cls, analyse: Analyse, info: ValidationInfo) -> Analyse:
        data = info.data.get("data")  # None if it has errors of its own
        if data is not None:
            last = (DATASETS[data.source].test_samples or data.synthetic.test) - 1
            if max(analyse.samples) > last:
                raise PydanticCustomError(
                    "outside_test_set",
                    "samples: {largest} lies outside the test set, whose last index is {last}",
                    {"largest": max(analyse.samples), "last": last},
                )
        return analyse
