"""The benchmarks' pieces of work: whether each can be done, and by whom; not how fast."""

import importlib.util

import numpy as np
import pytest

from tools.benchmarks import notebook, work

SIZE = "--hidden-size 5 --batch-size 100 --iterations 20"


@pytest.mark.parametrize("evaluate", ["", "--evaluate"])
@pytest.mark.parametrize("who", ["ours", "products", "notebook", "pytorch", "scikit-learn"])
def test_each_prints_its_seconds(rebuilt, monkeypatch, capsys, who, evaluate):
    if who == "pytorch" and importlib.util.find_spec("torch") is None:
        pytest.skip("PyTorch is not installed")
    monkeypatch.chdir(rebuilt.path)
    monkeypatch.setattr("sys.argv", ["work", who, *SIZE.split(), *evaluate.split()])
    work.main()
    assert float(capsys.readouterr().out) > 0


@pytest.mark.parametrize("who", ["ours", "products", "pytorch"])
def test_wide_networks_are_trained_in_threads(rebuilt, monkeypatch, capsys, who):
    if who == "pytorch" and importlib.util.find_spec("torch") is None:
        pytest.skip("PyTorch is not installed")
    monkeypatch.chdir(rebuilt.path)
    options = "--hidden-size 300 --batch-size 50 --iterations 2 --activation relu --optimizer adam"
    monkeypatch.setattr("sys.argv", ["work", who, *options.split(), "--threads", "2"])
    work.main()
    assert float(capsys.readouterr().out) > 0


def test_the_notebook_learns():
    x = np.eye(784)[:10].repeat(3, axis=0)
    t = np.eye(10).repeat(3, axis=0)
    losses, train_accuracies, _ = notebook.train(
        x, t, x, t, hidden_size=20, iters_num=600, batch_size=30, learning_rate=5.0
    )
    assert losses[-1] < 0.1 < losses[0]
    assert train_accuracies[-1] == 1
    assert len(train_accuracies) == 600  # each iteration is an epoch
