"""The recipe of the record: the parameters that differ from the default settings."""

from pathlib import Path
from typing import Any

import yaml

from nnlib.data.datasets import MNIST

RECIPE = Path(__file__).with_name("recipe.yaml")
IN_PIXELS = ("train.augmentation.shift", "train.augmentation.elastic")


def recipe_for(image_shape: tuple[int, int]) -> dict[str, Any]:
    """The recipe, with what it says in pixels scaled from MNIST's images to others."""
    recipe = yaml.safe_load(RECIPE.read_text(encoding="utf-8"))
    scale = min(image_shape) / min(MNIST.image_shape)
    for name in recipe.keys() & IN_PIXELS:
        recipe[name] = round(recipe[name] * scale, 3)
    return dict(recipe)
