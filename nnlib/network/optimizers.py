"""How the gradients change the parameters.

Those of "Deep Learning from Scratch", chapter 6, each after its paper. All work elementwise, so a
formula is that of a single number.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from nnlib.base.arrays import Floats

WEIGHTS = ("W1", "W2")  # the others are biases


@dataclass
class Optimizer:
    """What they have in common: params -= step, where each makes a step of the gradient.

    Parameters
    ----------
    learning_rate : float
        It may change between updates.
    weight_decay : float
        Times the learning rate, the share of itself that each weight loses at each update, beside
        the step; biases lose nothing. This is decoupled weight decay: Loshchilov and Hutter,
        "Decoupled weight decay regularization" (2019), algorithm 2,
        https://arxiv.org/abs/1711.05101. Under plain SGD it is the gradient of the L2 penalty
        weight_decay / 2 * (sum of W1^2 + sum of W2^2).

    Attributes
    ----------
    states : dict of list of ndarray
        What is remembered of the gradients of each parameter so far, in its shape, from 0 on.
    updates : int
        How many there were.
    """

    STATES: ClassVar[int] = 1

    learning_rate: float
    weight_decay: float = field(default=0.0, kw_only=True)
    states: dict[str, list[Floats]] = field(default_factory=dict, init=False, repr=False)
    updates: int = field(default=0, init=False)

    @property
    def gradient_scale(self) -> float:
        """What the loss must be multiplied by before its gradient is taken."""
        return 1.0

    def update(self, params: Mapping[str, Floats], grads: Mapping[str, Floats]) -> None:
        """Change the parameters in place, and the gradients into the steps.

        Parameters
        ----------
        params : mapping of str to ndarray
        grads : mapping of str to ndarray
            Gradients of `gradient_scale` times the loss, with the keys and shapes of `params`.
        """
        self.updates += 1
        for key, grad in grads.items():
            if key not in self.states:
                self.states[key] = [np.zeros_like(grad) for _ in range(self.STATES)]
            self.make_step(grad, *self.states[key])
            self._decay(key, params[key])
            np.subtract(params[key], grad, out=params[key])

    def _decay(self, key: str, param: Floats) -> None:
        if self.weight_decay and key in WEIGHTS:
            np.multiply(param, 1 - self.learning_rate * self.weight_decay, out=param)

    def make_step(self, grad: Floats, *states: Floats) -> None:
        """Change a gradient, and what is remembered of it, in place."""
        raise NotImplementedError


@dataclass
class SGD(Optimizer):
    """Plain stochastic gradient descent: step = learning_rate * gradient.

    The gradient of learning_rate times the loss is the step itself. Asking for it, by
    `gradient_scale`, costs nothing. Multiplying the gradient of W1 (D, H), the largest array of
    all, would take a pass over memory at each update.
    """

    @property
    def gradient_scale(self) -> float:
        """The learning rate."""
        return self.learning_rate

    def update(self, params: Mapping[str, Floats], grads: Mapping[str, Floats]) -> None:
        """As for `Optimizer`, in one pass over each array: the gradients are the steps."""
        for key, step in grads.items():
            self._decay(key, params[key])
            np.subtract(params[key], step, out=params[key])


@dataclass
class Momentum(Optimizer):
    """v = momentum * v + learning_rate * gradient; step = v.

    Polyak, "Some methods of speeding up the convergence of iteration methods" (1964), in the form
    of Sutskever et al., "On the importance of initialization and momentum in deep learning" (2013),
    equations 1 and 2, https://proceedings.mlr.press/v28/sutskever13.html.

    Parameters
    ----------
    learning_rate : float
    momentum : float
        In [0, 1).
    """

    momentum: float = 0.9

    @property
    def gradient_scale(self) -> float:
        """The learning rate."""
        return self.learning_rate

    def make_step(self, grad: Floats, *states: Floats) -> None:
        """As for `Optimizer`."""
        (v,) = states
        v *= self.momentum
        v += grad
        grad[...] = v


@dataclass
class Nesterov(Momentum):
    """v = momentum * v + learning_rate * gradient; step = momentum * v + learning_rate * gradient.

    Nesterov's accelerated gradient (1983), with its gradient taken where the parameters are:
    Bengio, Boulanger-Lewandowski and Pascanu, "Advances in optimizing recurrent networks" (2012),
    equation 7, https://arxiv.org/abs/1212.0901.
    """

    def make_step(self, grad: Floats, *states: Floats) -> None:
        """As for `Optimizer`."""
        (v,) = states
        v *= self.momentum
        v += grad
        grad += self.momentum * v


@dataclass
class AdaGrad(Optimizer):
    """h = h + gradient^2; step = learning_rate * gradient / (sqrt(h) + epsilon).

    Duchi, Hazan and Singer, "Adaptive subgradient methods for online learning and stochastic
    optimization" (2011), https://jmlr.org/papers/v12/duchi11a.html.

    Parameters
    ----------
    learning_rate : float
    epsilon : float
        So that nothing is divided by 0.
    """

    epsilon: float = 1e-7

    def make_step(self, grad: Floats, *states: Floats) -> None:
        """As for `Optimizer`."""
        (h,) = states
        h += grad * grad
        grad /= np.sqrt(h) + self.epsilon
        grad *= self.learning_rate


@dataclass
class RMSprop(Optimizer):
    """h = decay * h + (1 - decay) * gradient^2; the step is that of AdaGrad.

    Tieleman and Hinton, "Neural networks for machine learning" (2012), lecture 6.5,
    https://www.cs.toronto.edu/~tijmen/csc321/slides/lecture_slides_lec6.pdf.

    Parameters
    ----------
    learning_rate : float
    decay : float
        In [0, 1).
    epsilon : float
        So that nothing is divided by 0.
    """

    decay: float = 0.9
    epsilon: float = 1e-7

    def make_step(self, grad: Floats, *states: Floats) -> None:
        """As for `Optimizer`."""
        (h,) = states
        h *= self.decay
        h += (1 - self.decay) * (grad * grad)
        grad /= np.sqrt(h) + self.epsilon
        grad *= self.learning_rate


@dataclass
class Adam(Optimizer):
    """Momentum over RMSprop, both corrected for beginning at 0.

    m = beta1 * m + (1 - beta1) * gradient; v = beta2 * v + (1 - beta2) * gradient^2; at update n
    step = learning_rate * m / (1 - beta1^n) / (sqrt(v / (1 - beta2^n)) + epsilon). Kingma and Ba,
    "Adam: a method for stochastic optimization" (2015), algorithm 1,
    https://arxiv.org/abs/1412.6980.

    Parameters
    ----------
    learning_rate : float
    beta1, beta2 : float
        In [0, 1).
    epsilon : float
        So that nothing is divided by 0.
    """

    STATES: ClassVar[int] = 2

    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8

    def make_step(self, grad: Floats, *states: Floats) -> None:
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
        grad *= self.learning_rate * (1 - self.beta1) / (1 - self.beta1**self.updates) / root_v


OPTIMIZERS: dict[str, type[Optimizer]] = {
    "sgd": SGD,
    "momentum": Momentum,
    "nesterov": Nesterov,
    "adagrad": AdaGrad,
    "rmsprop": RMSprop,
    "adam": Adam,
}


def make_optimizer(learning_rate: float, name: str, **options: float) -> Optimizer:
    """The optimizer of that name, a key of `OPTIMIZERS`, with what it takes besides."""
    return OPTIMIZERS[name](learning_rate, **options)
