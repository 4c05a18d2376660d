"""The same training in PyTorch, on the same batches and blocks."""

import argparse
from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset

from nnlib.base.blocks import blocks
from nnlib.data.datasets import MNIST
from nnlib.data.distortion import Amounts
from nnlib.data.samples import Samples

SIDE, _ = MNIST.image_shape
SMOOTHNESS = 6  # pixels: the standard deviation of the Gaussian
LOADERS = 2  # processes


def training(
    work: argparse.Namespace,
    train_set: Samples,
    test_set: Samples,
    *,
    learning_rate: float,
    weight_decay: float,
    amounts: Amounts,
    per_epoch: int,
    seed: int,
) -> Callable[[], None]:
    """PyTorch's layers and optimizer; distorted batches come from processes of their own."""
    torch.set_num_threads(work.threads)
    sets = [
        (torch.from_numpy(np.array(x)), torch.from_numpy(t.astype(np.int64)))
        for x, t in (train_set, test_set)
    ]
    x_train, t_train = sets[0]
    model = nn.Sequential(
        nn.Linear(x_train.shape[1], work.hidden_size),
        {"sigmoid": nn.Sigmoid, "relu": nn.ReLU}[work.activation](),
        nn.Linear(work.hidden_size, 10),
    )
    cross_entropy = nn.CrossEntropyLoss()
    optimizer = (
        torch.optim.SGD(model.parameters(), lr=learning_rate)
        if work.optimizer == "sgd"
        else torch.optim.AdamW(
            model.parameters(), lr=learning_rate, weight_decay=weight_decay, fused=True
        )
    )
    rng = np.random.default_rng(seed)
    drawn = (
        torch.from_numpy(rng.integers(len(x_train), size=work.batch_size))
        for _ in range(work.iterations)
    )
    batches: Iterator[tuple[torch.Tensor, torch.Tensor]]
    if work.augment:
        loader = DataLoader(
            Distorted(x_train, t_train, amounts),
            sampler=drawn,
            batch_size=None,  # what is drawn is a batch already
            num_workers=LOADERS,
        )
        batches = iter(loader)
    else:
        batches = ((x_train[batch], t_train[batch]) for batch in drawn)

    @torch.no_grad()
    def evaluate() -> None:
        for x, t in sets:
            y = torch.cat([model(x[rows]) for rows in blocks(len(x))])
            cross_entropy(y, t).item()
            (y.argmax(dim=1) == t).float().mean().item()

    def run() -> None:
        losses = []
        if work.evaluate:
            evaluate()
        for iteration, (x, t) in enumerate(batches, start=1):
            optimizer.zero_grad()
            loss = cross_entropy(model(x), t)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
            if work.evaluate and iteration % per_epoch == 0:
                evaluate()

    return run


class Distorted(Dataset[tuple[torch.Tensor, torch.Tensor]]):
    """Batches, by their samples' indices, each image distorted in a way of its own.

    As torchvision's RandomAffine and ElasticTransform distort one image, or all of a batch alike,
    this does it with the function that they end in, `grid_sample`, for a whole batch at once.
    """

    def __init__(self, x: torch.Tensor, t: torch.Tensor, amounts: Amounts) -> None:
        self.x, self.t, self.amounts = x, t, amounts
        places = torch.arange(SIDE)
        smooth = torch.exp(-(((places[:, None] - places) / SMOOTHNESS) ** 2) / 2)
        variance = (smooth**2).sum(dim=1, keepdim=True)
        self.smooth = smooth / variance.sqrt()  # keeps the variance of what it smooths

    def __getitem__(self, batch: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The distorted images and the labels of a batch."""
        rotation, shear, scale, shift, elastic = self.amounts
        n = len(batch)
        angle, lean = torch.deg2rad(
            (2 * torch.rand(2, n) - 1) * torch.tensor([[rotation], [shear]])
        )
        height, width = 1 + scale * (2 * torch.rand(2, n) - 1)
        theta = torch.stack(
            [
                torch.stack([width * angle.cos(), width * (angle.sin() + lean.tan())], dim=1),
                torch.stack([-height * angle.sin(), height * angle.cos()], dim=1),
            ],
            dim=1,
        )
        pixel = 2 / SIDE  # in coordinates of `grid_sample`
        moved = pixel * shift * (2 * torch.rand(n, 2, 1) - 1)
        grid = functional.affine_grid(
            torch.cat([theta, moved], dim=2), [n, 1, SIDE, SIDE], align_corners=False
        )
        noise = torch.randn(n, 2, SIDE, SIDE)
        field = pixel * elastic * (self.smooth @ noise @ self.smooth.T)
        images = functional.grid_sample(
            self.x[batch].view(n, 1, SIDE, SIDE),
            grid + field.permute(0, 2, 3, 1),
            padding_mode="border",
            align_corners=False,
        )
        return images.view(n, -1), self.t[batch]
