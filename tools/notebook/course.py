"""The source of reports/notebook.ipynb, which `make notebook` executes and writes.

A cell begins at a line of `# %%`, a text at one of `# %% [markdown]`: the "percent" format, which
editors also run cell by cell (https://jupytext.readthedocs.io/en/latest/formats-scripts.html). What
stands before the first cell, as this does, is no part of the notebook.
"""

# %% [markdown]
# # A two-layer network, from its functions to one of its mistakes
#
# This is the course of the notebook "05_3_TwoLayer_NN" with the code of this project. `nnlib` has
# the same functions under the same names; here you see what they do, train a small network,
# and answer the three exercises at the notebook's end with the network that the pipeline trained.
#
# Every number and picture below comes from a cell. Change a cell, run it, and see what
# happens. `make notebook` rewrites this file from `tools/notebook/course.py`.

# %%
import os
from pathlib import Path

# Jupyter starts in the folder of the notebook; the code and the data lie one above it.
if not Path("nnlib").is_dir():
    os.chdir("..")

import stages  # before NumPy, so that it rounds here as in the pipeline
from nnlib.base.errors import UserError
from nnlib.base.validation import read_json
from nnlib.data.datasets import MNIST, read_dataset

# The file that the pipeline writes first, and one of the last.
for needed in ("data/raw/t10k-labels-idx1-ubyte.gz", "reports/explorer.html"):
    if not Path(needed).exists():
        raise UserError(f"{needed} is missing: run `dvc repro` first, or `make repro`")

dataset = read_dataset("data/raw")
names = dataset.class_names
if (names, dataset.image_shape) != (MNIST.class_names, MNIST.image_shape):
    raise UserError(
        "this course is about the digits 0 to 9 in 28 x 28 pixels, and data/raw has "
        f"{dataset.name}: set data.source in params.yaml to mnist or synthetic, and run `dvc repro`"
    )

# %%
import math
from copy import deepcopy

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import yaml
from IPython.display import Image, Markdown, display

from nnlib.analysis.evidence import explain_pairs
from nnlib.analysis.predictions import Predictions, read_predictions
from nnlib.base.arrays import Floats
from nnlib.data import load_mnist
from nnlib.data.corrections import corrected_labels, kept_samples, read_corrections
from nnlib.data.encoding import Encoding
from nnlib.network import TwoLayerNet
from nnlib.network.functions import cross_entropy_error, sigmoid, sigmoid_grad, softmax
from nnlib.report.galleries import AGAINST_AND_FOR
from nnlib.report.numerals import count, percent
from nnlib.report.style import BLUE, ORANGE, STYLE, WEIGHTS
from nnlib.stats.intervals import Z_95, wilson_interval
from nnlib.training.history import read_history, read_losses

params = yaml.safe_load(Path("params.yaml").read_text(encoding="utf-8"))
np.set_printoptions(precision=4, suppress=True)
pd.set_option("display.precision", 4, "display.max_colwidth", None)
plt.style.use([*STYLE, {"figure.dpi": 80}])
print("data set:", dataset.name)

# %% [markdown]
# ## The samples
#
# A sample is a picture of a digit, and the digit that it shows. A picture has 28 x 28 pixels, from
# 0 (paper) to 255 (full ink). The network takes them as one row of 784 numbers.

# %%
(images_train, labels_train), (images_test, labels_test) = load_mnist(normalize=False)
print("pictures:", images_train.shape, "to train,", images_test.shape, "to test")
print("pixels:", images_train.dtype, "from", images_train.min(), "to", images_train.max())

figure, places = plt.subplots(2, 10, figsize=(9, 2.2))
for place, image, label in zip(places.flat, images_train, labels_train, strict=False):
    place.imshow(image.reshape(28, 28), cmap="gray_r", vmin=0, vmax=255)
    place.set_title(names[label])
    place.axis("off")
plt.show()

# %% [markdown]
# Two things change before the network sees them.
#
# - **Scaling**: pixels become shares of full ink, from 0 to 1. Large inputs would give large sums,
#   where the sigmoid is flat and the network hardly learns.
# - **One-hot encoding**: the label $d$ becomes a row of ten numbers, 1 in column $d$ and 0
#   elsewhere: what a perfect prediction would be.
#
# `load_mnist` does both.

# %%
(x_train, t_train), (x_test, t_test) = load_mnist(normalize=True, one_hot_label=True)
print("inputs:", x_train.shape, x_train.dtype, "from", x_train.min(), "to", x_train.max())
print("targets:", t_train.shape, t_train.dtype)
print("the same as pixel / 255:", np.array_equal(x_train, images_train / np.float32(255)))
print()
for label, target in zip(labels_train[:3], t_train[:3], strict=True):
    print(label, "becomes", target)

# %% [markdown]
# ## Sigmoid
#
# A hidden unit adds up its inputs, each times a weight. The sigmoid turns the sum $x$ into a
# number between 0 and 1, and its slope is largest in the middle:
#
# $$\sigma(x) = \frac{1}{1 + e^{-x}}, \qquad \sigma'(x) = (1 - \sigma(x))\,\sigma(x)$$

# %%
x = np.linspace(-8, 8, 161)
figure, axes = plt.subplots(figsize=(6, 2.8))
axes.plot(x, sigmoid(x), color=BLUE, label="sigmoid")
axes.plot(x, sigmoid_grad(x), color=ORANGE, linestyle="--", label="its derivative")
axes.set(xlabel="x", ylim=(0, 1))
axes.legend(frameon=False)
plt.show()

print("at 0:", sigmoid(0), "with the slope", sigmoid_grad(0))
print("far out, without overflow:", sigmoid([-1000, 1000]))

# %% [markdown]
# ## Softmax
#
# The network ends in ten numbers, the logits, one for each digit. The softmax turns them into
# probabilities: positive numbers with the sum 1.
#
# $$y_c = \frac{e^{a_c}}{\sum_k e^{a_k}}$$
#
# Only differences matter: $\log(y_c / y_k) = a_c - a_k$. So the largest logit can be subtracted
# first, and no exponential overflows.

# %%
logits = np.array([1.0, 2.0, 3.0])
y = softmax(logits)
print(f"softmax: {y} with the sum {y.sum():.4f}")
print(f"1,000 added to each: {softmax(logits + 1000)}")
print(
    f"log of a ratio: {np.log(y[2] / y[0]):.4f}, difference of the logits: {logits[2] - logits[0]}"
)

# %% [markdown]
# ## Cross-entropy
#
# How wrong is a prediction? The loss of a sample is $-\log$ of the probability of its actual
# digit, in nats: near 0 for a confident and right prediction, large for a confident and wrong one.
# The loss of a batch is the mean over its samples. A network that knows nothing gives each of the
# ten digits $1/10$, and has a loss of $\log 10$.

# %%
three = np.eye(10)[3]
for what, p in (("confident and right", 0.99), ("uncertain", 0.5), ("confident and wrong", 0.01)):
    y = np.full(10, (1 - p) / 9)
    y[3] = p
    print(f"{what}: probability {p} of the right digit, loss {cross_entropy_error(y, three):.4f}")
know_nothing = cross_entropy_error(np.full(10, 0.1), three)
print(f"knowing nothing: loss {know_nothing:.4f}, and log 10 is {math.log(10):.4f}")

# %% [markdown]
# ## The network, forward
#
# $N$ pictures $x$ go through two layers:
#
# $$a_1 = x W_1 + b_1, \quad z_1 = \sigma(a_1), \quad a_2 = z_1 W_2 + b_2, \quad
# y = \mathrm{softmax}(a_2)$$
#
# The weights begin small and random, the biases at 0.

# %%
network = TwoLayerNet(input_size=784, hidden_size=50, output_size=10)
for key, value in network.params.items():
    print(key, value.shape)
print("parameters:", count(sum(value.size for value in network.params.values())))

# %%
x, t = x_test[:5], t_test[:5]
W1, b1, W2, b2 = (network.params[key] for key in ("W1", "b1", "W2", "b2"))
z1 = sigmoid(np.dot(x, W1) + b1)
y = softmax(np.dot(z1, W2) + b2)
print("hidden units:", z1.shape, "probabilities:", y.shape)
print("the same as network.predict:", np.array_equal(y, network.predict(x)))
print(y)

# %% [markdown]
# Before training, all ten probabilities are near $1/10$, for each sample. So the loss is near
# $\log 10$.

# %%
print(f"loss {network.loss(x_test, t_test):.4f}, log 10 {math.log(10):.4f}")
print(f"accuracy {network.accuracy(x_test, t_test):.4f}")

# %% [markdown]
# ## The gradient, and how to check it
#
# Training needs the derivative of the loss by every weight. `gradient` computes all of them in one
# backward pass, by the chain rule, from $\partial L / \partial a_2 = (y - t) / N$.
#
# A mistake in such a formula hardly shows: the network would still learn something. So it is
# checked against a slow method that cannot be wrong in the same way: change one weight a little up
# and down, and see how the loss changes. On a few samples and hidden units that is quick enough.

# %%
small = TwoLayerNet(input_size=784, hidden_size=3, output_size=10)
fast = small.gradient(x_train[:5], t_train[:5])
slow = small.numerical_gradient(x_train[:5], t_train[:5])
check = pd.DataFrame(
    {
        "largest derivative": {key: np.abs(slow[key]).max() for key in slow},
        "difference below 1e-8": {key: np.abs(fast[key] - slow[key]).max() < 1e-8 for key in slow},
    }
)
display(check)

# %% [markdown]
# ## Training on mini-batches
#
# Draw a small batch of samples, compute the gradient of their loss, and go a small step against
# it; then draw the next one. A step is cheap and points roughly in the right direction, so many of
# them get further than a few exact ones in the same time.

# %%
untrained = deepcopy(network)
rng = np.random.default_rng(1)
updates, batch_size, learning_rate = 600, 100, 0.1

losses = []
for update in range(1, updates + 1):
    batch = rng.choice(len(x_train), batch_size)
    loss, grads = network.loss_and_gradient(x_train[batch], t_train[batch])
    for key, grad in grads.items():
        network.params[key] -= learning_rate * grad
    losses.append(loss)
    if update % 100 == 0:
        accuracy = network.accuracy(x_test, t_test)
        print(f"{update} updates: loss of the batch {loss:.3f}, test accuracy {accuracy:.3f}")

# %% [markdown]
# On the left, the loss of each batch in these updates. On the right, the training of the pipeline:
# the accuracy after each epoch. In an epoch the network is shown as many samples as the training
# set has.

# %%
history = read_history("data/training/history.csv")
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.2), layout="constrained")
left.plot(range(1, updates + 1), losses, color="0.4", linewidth=0.7)
left.axhline(math.log(10), color="black", linestyle=":", label="log 10")
left.set(xlabel="update", ylabel="loss of the batch (nats)", ylim=(0, None), title="here")
left.legend(frameon=False)
right.plot(history["epoch"], history["train_accuracy"], color=BLUE, marker="o", label="train")
right.plot(
    history["epoch"],
    history["test_accuracy"],
    color=ORANGE,
    marker="s",
    markerfacecolor="none",
    linestyle="--",
    label="test",
)
right.set(xlabel="epoch", ylabel="accuracy", ylim=(0, 1), title="in the pipeline")
right.legend(frameon=False)
plt.show()

# %% [markdown]
# What the small run has learnt, on the first test samples:

# %%
first = pd.DataFrame(
    {
        "actual": labels_test[:8],
        "predicted before": untrained.predict(x_test[:8]).argmax(axis=1),
        "p before": untrained.predict(x_test[:8]).max(axis=1),
        "predicted after": network.predict(x_test[:8]).argmax(axis=1),
        "p after": network.predict(x_test[:8]).max(axis=1),
    }
)
display(first)

# %% [markdown]
# ## The network of the pipeline
#
# The exercises are answered with the network that `dvc repro` trained. `data/predictions` has its
# probabilities for each sample of the test set, and those from before its training. If labels were
# corrected (`data.corrections` in `params.yaml`), they are of the corrected test set.

# %%
corrections = read_corrections("data/normalized/corrections.csv", names)
kept = kept_samples(corrections, "test", len(labels_test))
labels_test = corrected_labels(corrections, "test", labels_test)
images_test, x_test = images_test[kept], x_test[kept]
predictions = read_predictions("data/predictions/test.csv", labels_test, dataset.classes)
before = read_predictions("data/predictions/untrained.csv", labels_test, dataset.classes)


def describe_accuracy(predictions: Predictions) -> str:
    """The accuracy of predictions, with Wilson's 95% interval."""
    right, samples = int(predictions.right.sum()), len(predictions)
    low, high = wilson_interval(right, samples)
    return (
        f"{percent(right / samples)} of {count(samples)} test samples correctly "
        f"(95% interval: {percent(float(low))} to {percent(float(high))})"
    )


updates_made = count(len(read_losses("data/training/loss.csv")))
display(
    Markdown(
        f"After {updates_made} updates the network classifies {describe_accuracy(predictions)}; "
        f"before them, {describe_accuracy(before)}."
    )
)

# %% [markdown]
# ## Exercise 1: other samples
#
# *Test at least three other samples, and discuss the results.* These are the samples that
# `analyse.samples` in `params.yaml` names. On MNIST, 545 is the one that the notebook looks at.

# %%
display(Image("reports/figures/cards.png", width=640))

# %%
samples = params["analyse"]["samples"]


def describe(index: int) -> str:
    """What the trained network makes of a sample."""
    y = predictions.y[index]
    actual = labels_test[index]
    predicted, second = np.argsort(-y, kind="stable")[:2]
    text = f"- Sample {index} is a {names[actual]}. "
    if actual == predicted:
        text += f"It is classified correctly, with {percent(y[actual])}; next is {names[second]}, "
        return text + f"with {percent(y[second])}."
    text += f"It is classified as a {names[predicted]}, with {percent(y[predicted])}; "
    return text + f"its actual digit gets {percent(y[actual])}."


display(Markdown("\n".join(map(describe, samples))))

# %% [markdown]
# A high probability is no proof. [The report](confusion.md#confidence) measures how often the
# network is right when it is that confident.

# %% [markdown]
# ## Exercise 2: the digits that get a little probability
#
# *Which other digits get a little?* Here are all that get at least one per cent in these samples.

# %%
rows = []
for index in samples:
    y = predictions.y[index]
    order = np.argsort(-y, kind="stable")
    given = [f"{names[label]}: {percent(y[label], 1)}" for label in order if y[label] >= 0.01]
    rows.append({"sample": index, "actual": labels_test[index], "probabilities": ", ".join(given)})
display(pd.DataFrame(rows).set_index("sample"))

# %% [markdown]
# A few samples may be odd. So take all test samples that are classified correctly, and average the
# probability that they give to each other digit. The interval (95%, by the normal approximation)
# is that of the mean over such samples, for this one network. It says nothing about networks that
# are trained with other seeds.

# %%
read_right = predictions[predictions.right]


def mean_with_interval(values: Floats) -> str:
    """A mean in per cent with its 95% interval, by the normal approximation."""
    half = Z_95 * values.std(ddof=1) / math.sqrt(len(values))
    return f"{100 * values.mean():.2f} ± {100 * half:.2f}%"


rows = []
for label in range(dataset.classes):
    y = read_right.y[read_right.t == label]
    means = y.mean(axis=0)
    means[label] = 0
    second, third = np.argsort(-means, kind="stable")[:2]
    rows.append(
        {
            "digit": names[label],
            "samples": len(y),
            "largest": f"{names[second]}: {mean_with_interval(y[:, second])}",
            "second largest": f"{names[third]}: {mean_with_interval(y[:, third])}",
        }
    )
display(pd.DataFrame(rows).set_index("digit"))

# %% [markdown]
# The notebook's own guess is that a 7 gives a little to the 1, as the two look alike. Is that so?

# %%
y = read_right.y[read_right.t == 7]
means = y.mean(axis=0)
means[7] = 0
display(
    Markdown(
        f"Over the {count(len(y))} sevens that are classified correctly, the 1 gets "
        f"{mean_with_interval(y[:, 1])} on average. The {names[means.argmax()]} gets the most: "
        f"{mean_with_interval(y[:, means.argmax()])}."
    )
)

# %% [markdown]
# ## Exercise 3: before training
#
# *What does the network predict before it is trained?*

# %%
times = np.bincount(before.predicted)
display(
    Markdown(
        f"It classifies {count(times.max())} of {count(len(before))} test samples as "
        f"{names[times.argmax()]}, whatever they show. No digit of any sample gets less than "
        f"{percent(before.y.min())} or more than {percent(before.y.max())}. The mean loss is "
        f"{before.mean_loss:.4f} nats, and log 10 is {math.log(10):.4f}."
    )
)

# %% [markdown]
# The weights are small and random. So the hidden units are all near $\sigma(0) = 1/2$, and the
# logits are almost the same for every picture. Which of them is largest is a matter of chance:
# other random weights prefer another digit.

# %%
for seed in range(5):
    network = TwoLayerNet(784, 50, 10, rng=np.random.default_rng(seed))
    predicted = network.predict(x_test).argmax(axis=1)
    label = np.bincount(predicted).argmax()
    share = np.mean(predicted == label)
    print(f"seed {seed}: {percent(share, 1)} of the test samples are classified as {names[label]}")

# %% [markdown]
# ## Why? The evidence of one mistake
#
# Here is one mistake, taken apart: the most confident one in the pair of digits that is confused
# most. The network's choice between two digits depends on the difference of their logits alone, and
# that is exactly the sum of
#
# - the difference for a blank picture
# - and the *evidence*: one part for each pixel or, equally, one part for each hidden unit.
#
# These parts are the integrated gradients of
# [Sundararajan, Taly and Yan (2017)](https://arxiv.org/abs/1703.01365); `nnlib.analysis.evidence`
# says how they are computed.

# %%
table = predictions.table()
ranked = table.assign(
    is_wrong=~predictions.right,
    times=table.groupby(["actual", "predicted"])["index"].transform("size"),
).sort_values(["is_wrong", "times", "confidence"], ascending=False, kind="stable")
mistake = ranked.head(1)
index, actual, predicted = mistake[["index", "actual", "predicted"]].iloc[0].astype(int)

trained = TwoLayerNet.load("data/models/trained.npz", class_names=names)
image = images_test[index].reshape(28, 28)
(evidence,) = explain_pairs(trained, image[np.newaxis], predictions[index : index + 1], mistake)
pixels, units = evidence.confused.pixels, evidence.confused.units

y = predictions.y[index]
print(f"sample {index}: {names[actual]} classified as {names[predicted]}, {percent(y[predicted])}")
print(f"blank picture         {evidence.blank:+.3f}")
print(f"evidence of pixels    {pixels.sum():+.3f}")
print(f"evidence of units     {units.sum():+.3f}")
print(f"blank and evidence    {evidence.blank + pixels.sum():+.3f}")
print(f"log of the ratio      {np.log(y[predicted] / y[actual]):+.3f}, from the predictions")

# %% [markdown]
# Orange is evidence for the predicted digit, blue for the actual one. On the left are the picture's
# pixels, in the middle the hidden units, sorted. On the right are the weights of the unit with the
# most evidence for the wrong digit: ink on green raises its activation, ink on purple lowers it.

# %%
strongest = np.argsort(-units, kind="stable")[:3]
weights = trained.params["W1"][:, strongest[0]].reshape(28, 28)
figure, (left, middle, right) = plt.subplots(1, 3, figsize=(9, 3.1), layout="constrained")

left.imshow(image, cmap="gray_r", vmin=0, vmax=2 * 255)
most = np.abs(pixels).max()
left.imshow(pixels, cmap=AGAINST_AND_FOR, vmin=-most, vmax=most)
left.set_title(f"pixels: {pixels.sum():+.2f}")
left.axis("off")

ordered = np.sort(units)
middle.bar(range(len(units)), ordered, color=np.where(ordered > 0, ORANGE, BLUE))
middle.axhline(0, color="black", linewidth=0.5)
middle.set(title=f"hidden units: {units.sum():+.2f}", ylabel="evidence (nats)", xticks=[])

most = np.abs(weights).max()
right.imshow(weights, cmap=WEIGHTS, vmin=-most, vmax=most)
right.set_title(f"unit {strongest[0]}: {units[strongest[0]]:+.2f}")
right.axis("off")
plt.show()

# %% [markdown]
# The evidence of a hidden unit can be calculated by hand: how much its activation differs from that
# for a blank picture, times the difference of its weights to the two digits. For the three units
# with the most evidence for the wrong digit:

# %%
encoding = read_json("data/normalized/encoding.json", Encoding)
(z, z_blank), _ = trained.forward(encoding.inputs(np.stack([image, np.zeros_like(image)])))
W2 = trained.params["W2"]
difference = W2[:, predicted] - W2[:, actual]
by_hand = pd.DataFrame(
    {
        "activation, blank": z_blank,
        "activation, picture": z,
        f"weight to {names[predicted]} - weight to {names[actual]}": difference,
        "product": (z - z_blank) * difference,
        "evidence": units,
    }
)
display(by_hand.loc[strongest].rename_axis("unit"))

# %% [markdown]
# ## Where to go on
#
# - [The confusion report](confusion.md): all confused pairs with their evidence, the confidence,
#   and the labels that may be wrong.
# - `reports/explorer.html`: every test sample with its probabilities; open it in a browser.
# - In `params.yaml`, name other samples in `analyse.samples` or change the training; then
#   `dvc repro` and `make notebook`.
# - The book behind the notebook: "Deep Learning from Scratch" by Koki Saitoh, with its code at
#   <https://github.com/WegraLee/deep-learning-from-scratch>. The class of the network comes from
#   Stanford's [CS231n](https://cs231n.github.io/).
