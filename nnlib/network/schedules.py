"""How the learning rate changes in the course of a training."""

import math
from collections.abc import Iterator

from nnlib.base.errors import UserError


def learning_rates(
    peak: float,
    iterations: int,
    *,
    name: str,
    warmup: int = 0,
    every: int = 1,
    factor: float = 1.0,
) -> Iterator[float]:
    """The learning rate of each update.

    Parameters
    ----------
    peak : float
        The largest.
    iterations : int
        Number of updates.
    name : str
        What follows the warm-up: "constant"; "step", which multiplies the rate by `factor` after
        `every` so many updates; or "cosine", which lets it fall to 0 along half a wave: Loshchilov
        and Hutter, "SGDR: stochastic gradient descent with warm restarts" (2017), equation 5,
        without restarts, https://arxiv.org/abs/1608.03983.
    warmup : int
        Number of updates in which the rate rises to its peak, in equal steps: Goyal et al.,
        "Accurate, large minibatch SGD" (2017), section 2.2, https://arxiv.org/abs/1706.02677.
    every, factor : int, float
        Of the steps.

    Yields
    ------
    float, `iterations` times

    Raises
    ------
    UserError
        If a factor above 1 makes the rate larger than a float can be.
    """
    for iteration in range(min(warmup, iterations)):
        yield peak * (iteration + 1) / warmup
    rest = iterations - warmup
    for iteration in range(rest):
        if name == "step":
            try:
                yield peak * factor ** (iteration // every)
            except OverflowError as error:
                raise UserError(
                    f"the learning rate overflows after {warmup + iteration} updates, as every "
                    f"{every} of them multiply it by {factor:g}; take a smaller factor"
                ) from error
        elif name == "cosine":
            yield peak * (1 + math.cos(math.pi * iteration / rest)) / 2
        else:
            yield peak
