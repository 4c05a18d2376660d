"""What the section `train` says, as the training takes it."""

from nnlib.data.datasets import Dataset
from nnlib.data.distortion import Amounts, Distortion
from nnlib.training.fit import Settings
from stages.params import Train


def settings_of(train: Train) -> Settings:
    """The hyperparameters, but for the augmentation."""
    return Settings(**train.model_dump(exclude={"augmentation"}))


def augmentation_of(train: Train, dataset: Dataset) -> Distortion | None:
    """What distorts the images of each batch; None if the amounts are all 0."""
    amounts = Amounts(**train.model_dump()["augmentation"])
    return Distortion(amounts, dataset.image_shape) if any(amounts) else None
