"""The benchmarks' pieces of work: whether each can be done, and by whom; not how fast."""

import importlib.util
import sys

import numpy as np
import pytest
import yaml

from nnlib.data.distortion import Amounts
from tools.benchmarks import __main__ as benchmarks
from tools.benchmarks import notebook, work

PACKAGES = {"pytorch": "torch", "jax": "jax"}


@pytest.fixture
def do(rebuilt, monkeypatch, capsys):
    """Does a piece of work, and checks what it prints; in a process of its own for packages."""

    def do(who, options):
        package = PACKAGES.get(who)
        if package is None:
            monkeypatch.chdir(rebuilt.path)
            monkeypatch.setattr("sys.argv", ["work", who, *options.split()])
            work.main()
            printed = capsys.readouterr().out
        elif importlib.util.find_spec(package):
            module = [sys.executable, "-m", "tools.benchmarks.work"]
            printed = rebuilt.run(*module, who, *options.split())
        else:
            pytest.skip(f"{package} is not installed")
        assert float(printed) > 0

    return do


@pytest.mark.parametrize("evaluate", ["", "--evaluate"])
@pytest.mark.parametrize("who", ["ours", "products", "notebook", "pytorch", "scikit-learn", "jax"])
def test_each_prints_its_seconds(do, who, evaluate):
    do(who, f"--hidden-size 5 --batch-size 100 --iterations 30 {evaluate}")  # an epoch and a half


@pytest.mark.parametrize("augment", ["", "--augment"])
@pytest.mark.parametrize("who", ["ours", "products", "pytorch"])
def test_wide_networks_are_trained_in_threads(do, who, augment):
    size = "--hidden-size 300 --batch-size 50 --iterations 2 --threads 2"
    do(who, f"{size} --activation relu --optimizer adam {augment}")


def test_pytorch_leaves_images_as_they_are_where_nothing_is_to_be_distorted():
    torch = pytest.importorskip("torch", reason="torch is not installed")
    in_pytorch = importlib.import_module("tools.benchmarks.in_pytorch")
    x = torch.rand(3, 784)
    none = Amounts(rotation=0, shear=0, scale=0, shift=0, elastic=0)
    same, t = in_pytorch.Distorted(x, torch.arange(3), none)[torch.tensor([2, 0])]
    np.testing.assert_allclose(same, x[[2, 0]], atol=1e-5)
    assert t.tolist() == [2, 0]


@pytest.mark.parametrize(
    ("variables", "kernel"),
    [(benchmarks.PINNED, "Haswell"), (benchmarks.UNPINNED, "None"), (benchmarks.PLAIN, "None")],
)
def test_only_what_is_pinned_runs_pinned(rebuilt, monkeypatch, variables, kernel):
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Sandybridge")  # of this machine
    code = "import stages, os; print(os.environ.get('OPENBLAS_CORETYPE'))"
    assert rebuilt.run(*benchmarks.python(variables), "-c", code).strip() == kernel


def test_they_are_about_mnist_whatever_the_project_is(rebuilt, tmp_path, monkeypatch):
    monkeypatch.setattr(benchmarks, "copy_project", rebuilt.copy_to)  # of drawn digits
    copy = benchmarks.copy(tmp_path / "copy")
    assert yaml.safe_load((copy.path / "params.yaml").read_text())["data"]["source"] == "mnist"


def test_the_notebook_learns():
    x = np.eye(784)[:10].repeat(3, axis=0)
    t = np.eye(10).repeat(3, axis=0)
    losses, train_accuracies, _ = notebook.train(
        x, t, x, t, hidden_size=20, iters_num=600, batch_size=30, learning_rate=5.0
    )
    assert losses[-1] < 0.1 < losses[0]
    assert train_accuracies[-1] == 1
    assert len(train_accuracies) == 600  # each iteration is an epoch
