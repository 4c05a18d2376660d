"""What single training labels do: networks trained without one of them, and what that changes.

Leaving a sample out of the training set would change all batches that are drawn, and so the network
as much as another seed does. Here the batches stay, and only the gradient of that sample is left
out of them: what differs is its effect and nothing else, exactly.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from experiments.trials import Trial, TrialData, kept_network, load_once, run_trials
from nnlib.base.arrays import Floats
from nnlib.data.samples import Samples
from nnlib.network.evaluation import logits
from nnlib.network.functions import ACTIVATIONS, softmax, softmax_with_losses
from nnlib.network.two_layer_net import TwoLayerNet
from nnlib.stats.paired import PairedT, paired_t
from nnlib.stats.proportions import holm
from nnlib.stats.significance import ALPHA
from stages.params import Params

SUSPECTS = 100  # the first ones, which are left out
CONTROLS = 20  # samples that nobody suspects, which are left out for comparison
SEEDS = 5  # each sample is left out with
CHOOSING = 2  # the first of these seeds, on which the test samples touched most are chosen
TOUCHED = 3  # test samples


class Effects(NamedTuple):
    """What leaving each of K training samples out changes, with S seeds, for M test samples."""

    test: Floats  # (K, S, M), of each test sample's loss, in nats: without the sample minus with it
    own_with: Floats  # (K, S), the sample's own loss, of the networks that are trained on it
    own_without: Floats  # (K, S), of those from which it is left out
    products: Floats  # (K, M): see `gradient_products`, of the former, the mean over the seeds


def control_rows(
    n: int, suspected: NDArray[np.integer], number: int = CONTROLS, seed: int = 0
) -> NDArray[np.intp]:
    """Training samples that nobody suspects, drawn at random.

    Parameters
    ----------
    n : int
        How many training samples there are.
    suspected : ndarray of int
        Those that are not to be drawn.
    number : int
        How many to draw; fewer if there are no more.
    seed : int

    Returns
    -------
    ndarray of int, in ascending order
    """
    others = np.setdiff1d(np.arange(n), suspected)
    rng = np.random.default_rng(seed)
    return np.sort(rng.choice(others, size=min(number, len(others)), replace=False))


def leave_each_out(
    rows: Sequence[int] | NDArray[np.integer],
    seeds: Sequence[int],
    params: Params,
    data: TrialData,
    *,
    cluster: str | None = None,
) -> Effects:
    """Train with each seed, with all samples and without each of some.

    Parameters
    ----------
    rows : sequence of K int
        The samples to leave out, one at a time: places in the training set that `data` becomes.
    seeds : sequence of S int
    params : Params
        Of all trainings, but for the seed, and for `train.validation`: no sample is held out, as
        leaving out one that is would change nothing.
    data : TrialData
    cluster : str, optional
        As for `run_trials`.

    Raises
    ------
    UserError
        As `run_trials` does.
    """

    def trial(seed: int, left_out: int | None = None) -> Trial:
        train = params.train.model_copy(update={"seed": seed, "validation": 0})
        return Trial(params.normalize.scaling, train, left_out=left_out)

    places = [int(row) for row in rows]
    trials = [trial(seed, left_out) for seed in seeds for left_out in (None, *places)]
    run_trials(trials, data, keep_networks=True, cluster=cluster)

    _, train_set, test_set = load_once(data.sets(params.normalize.scaling))
    samples = Samples(train_set.x[places], train_set.t[places])
    K, S, M = len(places), len(seeds), len(test_set.t)
    effects = Effects(
        test=np.empty((K, S, M), np.float32),
        own_with=np.empty((K, S)),
        own_without=np.empty((K, S)),
        products=np.zeros((K, M)),
    )
    for s, seed in enumerate(seeds):
        network = kept_network(trial(seed), data)
        of_test = _losses(network, test_set)
        effects.own_with[:, s] = _losses(network, samples)
        effects.products[:] += gradient_products(network, samples, test_set) / S
        for k, left_out in enumerate(places):
            without = kept_network(trial(seed, left_out), data)
            effects.test[k, s] = _losses(without, test_set) - of_test
            effects.own_without[k, s] = _losses(without, samples)[k]
    return effects


def _losses(network: TwoLayerNet, samples: Samples) -> Floats:
    """The cross-entropy of each sample, in nats."""
    _, losses = softmax_with_losses(logits(network, samples.x), samples.t)
    return losses.astype(np.float64)


def gradient_products(network: TwoLayerNet, some: Samples, others: Samples) -> Floats:
    """Products of the gradients of the losses of some samples with those of others.

    A small step down the gradient of one sample lowers the loss of another one by the size of the
    step times their product: so without that step the other loss is higher by as much. Summed over
    the steps of a training, or some of them, this is TracIn: Pruthi, Liu, Kale and Sundararajan,
    "Estimating training data influence by tracing gradient descent" (2020),
    https://arxiv.org/abs/2002.08484.

    Parameters
    ----------
    network : TwoLayerNet
    some, others : Samples of shapes (K, D) and (M, D)

    Returns
    -------
    ndarray of float of shape (K, M)
    """
    z1, dy, da1 = _backward(network, some)
    other_z1, other_dy, other_da1 = _backward(network, others)
    # The gradient of W2 is the outer product of z1 and dy, and that of b2 is dy; so for W1 and b1.
    output = (z1 @ other_z1.T + 1) * (dy @ other_dy.T)
    return output + (some.x @ others.x.T + 1) * (da1 @ other_da1.T)


def _backward(network: TwoLayerNet, samples: Samples) -> tuple[Floats, Floats, Floats]:
    """Activations of each sample, and the gradients of its loss by the logits and by a1."""
    z1 = network.hidden(samples.x)
    dy = softmax(network.logits(z1))
    dy[np.arange(len(samples.t)), samples.t] -= 1
    da1 = ACTIVATIONS[network.activation].derivative(z1) * (dy @ network.params["W2"].T)
    return z1, dy, da1


class Influence(NamedTuple):
    """What a group of training samples does, each for itself; losses are in nats."""

    # A row for each sample that was left out, in their order: `own_with` and `own_without`, its own
    # loss, the means over the seeds; `total`, what leaving it out adds to the sum of all test
    # losses, the mean over the seeds, with Student's 95% interval `low` and `high`, and `p` of the
    # test that it is 0, adjusted by Holm's method for the samples of the group; `correlation` of
    # the changes of the test losses with the products of the gradients, over the test samples, NaN
    # where one of them does not vary.
    samples: pd.DataFrame
    # `TOUCHED` rows for each sample: `sample`, its place; `test`, the place of a test sample whose
    # loss it changes most, by the mean over the seeds for choosing, which is `chosen`; `change`,
    # the mean over the other seeds, and `same_sign`, with how many of these it has this sign.
    pairs: pd.DataFrame
    seeds: int  # the others
    total: PairedT  # the mean of the group, over the seeds

    @property
    def sign_holds(self) -> float:
        """How often the sign holds with a seed on which the test sample was not chosen."""
        return float(self.pairs["same_sign"].mean() / self.seeds)

    @property
    def touch(self) -> float:
        """Mean change on those seeds, in the direction that was found on the seeds for choosing."""
        return float((self.pairs["change"] * np.sign(self.pairs["chosen"])).mean())

    def significant(self, sign: int) -> int:
        """How many samples change the sum of the test losses significantly, up (1) or down (-1)."""
        return int(((self.samples["p"] < ALPHA) & (np.sign(self.samples["total"]) == sign)).sum())


def summarise_influence(effects: Effects) -> Influence:
    """Say what each sample changes, and which test samples it touches most.

    The largest of many changes are the largest in part by chance. So the test samples are chosen on
    the first `CHOOSING` seeds, and what is said of them is measured on the others.

    Parameters
    ----------
    effects : Effects
        Of one sample at least, with one seed more than `CHOOSING` at least.
    """
    totals = effects.test.sum(axis=2, dtype=np.float64)  # (K, S)
    tests = [paired_t(of_sample) for of_sample in totals]
    samples = pd.DataFrame(
        {
            "own_with": effects.own_with.mean(axis=1),
            "own_without": effects.own_without.mean(axis=1),
            "total": [test.mean for test in tests],
            "low": [test.low for test in tests],
            "high": [test.high for test in tests],
            "p": holm([test.p for test in tests]),
            "correlation": [
                _correlation(changes, products)
                for changes, products in zip(
                    effects.test.mean(axis=1, dtype=np.float64), effects.products, strict=True
                )
            ],
        }
    )
    chosen = effects.test[:, :CHOOSING].mean(axis=1, dtype=np.float64)  # (K, M)
    rows = []
    for sample, changes in enumerate(chosen):
        for test in np.argsort(-np.abs(changes), kind="stable")[:TOUCHED].tolist():
            others = effects.test[sample, CHOOSING:, test]
            same_sign = int((others * changes[test] > 0).sum())
            rows.append((sample, test, changes[test], float(others.mean()), same_sign))
    pairs = pd.DataFrame(rows, columns=["sample", "test", "chosen", "change", "same_sign"])
    seeds = effects.test.shape[1] - CHOOSING
    return Influence(samples, pairs, seeds, paired_t(totals.mean(axis=0)))


def _correlation(a: Floats, b: Floats) -> float:
    """Pearson's; NaN where there is none."""
    return float(np.corrcoef(a, b)[0, 1]) if np.ptp(a) and np.ptp(b) else np.nan
