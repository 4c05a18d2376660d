"""How large the initial weights are."""

import math
from typing import Literal

WeightInit = float | Literal["xavier", "he"]


def weight_std(weight_init: WeightInit, fan_in: int, fan_out: int) -> float:
    """Standard deviation of a layer's initial weights.

    Parameters
    ----------
    weight_init : float or str
        The standard deviation itself, or a rule that keeps the size of what passes through the
        layer: "xavier" for the sigmoid and tanh, sqrt(2 / (fan_in + fan_out)), Glorot and Bengio,
        "Understanding the difficulty of training deep feedforward neural networks" (2010),
        equation 12, https://proceedings.mlr.press/v9/glorot10a.html; "he" for the ReLU,
        sqrt(2 / fan_in), He et al., "Delving deep into rectifiers" (2015), equation 10,
        https://arxiv.org/abs/1502.01852.
    fan_in, fan_out : int
        The layer's inputs and outputs.

    Raises
    ------
    ValueError
        If the rule has another name.
    """
    if isinstance(weight_init, str):
        rules = {"xavier": 2 / (fan_in + fan_out), "he": 2 / fan_in}
        if weight_init not in rules:
            raise ValueError(f"weight_init must be a number, xavier or he, not {weight_init}")
        return math.sqrt(rules[weight_init])
    return weight_init
