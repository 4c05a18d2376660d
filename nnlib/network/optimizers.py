"""How the gradients change the parameters.

Those of "Deep Learning from Scratch", chapter 6, each after its paper. All work elementwise, so a
formula is that of a single number.
"""

import math
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from nnlib.base.arrays import Floats

WEIGHTS = ("W1", "W2")  # the others are biases

Params = dict[str, Floats]  # what there is of each parameter, under its name: itself, its gradient


@dataclass
class Optimizer:
    """What they have in common: params -= step, where each makes a step of the gradient.

    Parameters
    ----------
    weight_decay : float
        Times the learning rate, the share of itself that each weight loses at each update, beside
        the step; biases lose nothing. This is decoupled weight decay: Loshchilov and Hutter,
        "Decoupled weight decay regularization" (2019), algorithm 2,
        https://arxiv.org/abs/1711.05101. Under plain SGD it is the gradient of the L2 penalty
        weight_decay / 2 * (sum of W1^2 + sum of W2^2).

    Attributes
    ----------
    is_linear : bool
        Whether the step is linear in the gradient.
    states : dict of list of ndarray
        What is remembered of the gradients of each parameter so far, in its shape, from 0 on.
    updates : int
        How many there were.
    """

    is_linear: ClassVar[bool] = False
    STATES: ClassVar[int] = 1

    weight_decay: float = field(default=0.0, kw_only=True)
    states: dict[str, list[Floats]] = field(default_factory=dict, init=False, repr=False)
    updates: int = field(default=0, init=False)

    def step(self, params: Params, grads: Params, rate: float, *, scale: float = 1.0) -> Params:
        """Change the parameters in place, and the gradients into the steps, which are returned.

        Parameters
        ----------
        params : dict of str to ndarray
        grads : dict of str to ndarray
            Gradients of `scale` times the loss, with the keys and shapes of `params`.
        rate : float
            The learning rate.
        scale : float
            Other than 1 only where `is_linear`.
        """
        self.updates += 1
        for key, grad in grads.items():
            if key not in self.states:
                self.states[key] = [np.zeros_like(grad) for _ in range(self.STATES)]
            if self.is_linear and rate != scale:
                np.multiply(grad, rate / scale, out=grad)
            self.make_step(grad, rate, *self.states[key])
            if self.weight_decay and key in WEIGHTS:
                params[key] *= 1 - rate * self.weight_decay
            params[key] -= grad
        return grads

    def make_step(self, grad: Floats, rate: float, *states: Floats) -> None:
        """Change a gradient into the step, and what is remembered of it, in place.

        Where the step is linear in the gradient, `grad` is `rate` times the gradient already.
        """
        raise NotImplementedError

    def averaged(self, params: Params) -> Params:
        """What to use in place of the last parameters: these themselves, as no average is kept."""
        return params


@dataclass
class SGD(Optimizer):
    """Plain stochastic gradient descent: step = rate * gradient."""

    is_linear: ClassVar[bool] = True
    STATES: ClassVar[int] = 0

    def make_step(self, grad: Floats, rate: float, *states: Floats) -> None:
        """As for `Optimizer`: nothing is left to do."""


@dataclass
class Momentum(Optimizer):
    """v = momentum * v + rate * gradient; step = v.

    Polyak, "Some methods of speeding up the convergence of iteration methods" (1964), in the form
    of Sutskever et al., "On the importance of initialization and momentum in deep learning" (2013),
    equations 1 and 2, https://proceedings.mlr.press/v28/sutskever13.html. PyTorch has another:
    v = momentum * v + gradient; step = rate * v. The two differ after the rate has changed: here a
    new rate applies to new gradients alone, and there to all that v remembers.

    Parameters
    ----------
    momentum : float
        In [0, 1).
    """

    is_linear: ClassVar[bool] = True

    momentum: float = 0.9

    def make_step(self, grad: Floats, rate: float, *states: Floats) -> None:  # noqa: ARG002
        """As for `Optimizer`."""
        (v,) = states
        v *= self.momentum
        v += grad
        grad[...] = v


@dataclass
class Nesterov(Momentum):
    """v = momentum * v + rate * gradient; step = momentum * v + rate * gradient.

    Nesterov's accelerated gradient (1983), with its gradient taken where the parameters are:
    Bengio, Boulanger-Lewandowski and Pascanu, "Advances in optimizing recurrent networks" (2012),
    equation 7, https://arxiv.org/abs/1212.0901.
    """

    def make_step(self, grad: Floats, rate: float, *states: Floats) -> None:  # noqa: ARG002
        """As for `Optimizer`."""
        (v,) = states
        v *= self.momentum
        v += grad
        grad += self.momentum * v


@dataclass
class AdaGrad(Optimizer):
    """h = h + gradient^2; step = rate * gradient / (sqrt(h) + epsilon).

    Duchi, Hazan and Singer, "Adaptive subgradient methods for online learning and stochastic
    optimization" (2011), https://jmlr.org/papers/v12/duchi11a.html.

    Parameters
    ----------
    epsilon : float
        So that nothing is divided by 0. In float32, it is 0 itself below 1e-45.
    """

    epsilon: float = 1e-7

    def make_step(self, grad: Floats, rate: float, *states: Floats) -> None:
        """As for `Optimizer`."""
        (h,) = states
        h += grad * grad
        grad /= np.sqrt(h) + self.epsilon
        grad *= rate


@dataclass
class RMSprop(Optimizer):
    """h = decay * h + (1 - decay) * gradient^2; the step is that of AdaGrad.

    Tieleman and Hinton, "Neural networks for machine learning" (2012), lecture 6.5,
    https://www.cs.toronto.edu/~tijmen/csc321/slides/lecture_slides_lec6.pdf.

    Parameters
    ----------
    decay : float
        In [0, 1).
    epsilon : float
        So that nothing is divided by 0. In float32, it is 0 itself below 1e-45.
    """

    decay: float = 0.9
    epsilon: float = 1e-7

    def make_step(self, grad: Floats, rate: float, *states: Floats) -> None:
        """As for `Optimizer`."""
        (h,) = states
        h *= self.decay
        h += (1 - self.decay) * (grad * grad)
        grad /= np.sqrt(h) + self.epsilon
        grad *= rate


@dataclass
class Adam(Optimizer):
    """Momentum over RMSprop, both corrected for beginning at 0.

    m = beta1 * m + (1 - beta1) * gradient; v = beta2 * v + (1 - beta2) * gradient^2; at update n
    step = rate * m / (1 - beta1^n) / (sqrt(v / (1 - beta2^n)) + epsilon). Kingma and Ba,
    "Adam: a method for stochastic optimization" (2015), algorithm 1,
    https://arxiv.org/abs/1412.6980.

    Parameters
    ----------
    beta1, beta2 : float
        In [0, 1).
    epsilon : float
        So that nothing is divided by 0. In float32, it is 0 itself below 1e-45.
    """

    STATES: ClassVar[int] = 2

    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8

    def make_step(self, grad: Floats, rate: float, *states: Floats) -> None:
        """As for `Optimizer`.

        What is remembered is m / (1 - beta1) and v / (1 - beta2), which takes fewer passes.
        """
        m, v = states
        m *= self.beta1
        m += grad
        v *= self.beta2
        grad *= grad
        v += grad
        np.sqrt(v, out=grad)
        root_v = math.sqrt((1 - self.beta2) / (1 - self.beta2**self.updates))
        grad += self.epsilon / root_v
        np.divide(m, grad, out=grad)
        grad *= rate * (1 - self.beta1) / (1 - self.beta1**self.updates) / root_v


OPTIMIZERS: dict[str, type[Optimizer]] = {
    "sgd": SGD,
    "momentum": Momentum,
    "nesterov": Nesterov,
    "adagrad": AdaGrad,
    "rmsprop": RMSprop,
    "adam": Adam,
}


def make_optimizer(name: str, **options: float) -> Optimizer:
    """The optimizer of that name, a key of `OPTIMIZERS`, with what it takes."""
    return OPTIMIZERS[name](**options)
