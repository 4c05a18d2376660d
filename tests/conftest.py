"""What several test modules use."""

import re
import shutil
import subprocess

import stages  # before NumPy, so that the tests compute as the stages do

# isort: split
import numpy as np
import pandas as pd
import pytest
from filelock import FileLock
from matplotlib.backends.backend_agg import FigureCanvasAgg
from playwright.sync_api import sync_playwright

from nnlib.analysis.analysis import analyse_predictions
from nnlib.analysis.confusion import confusion_matrix
from nnlib.analysis.evidence import explain_pairs
from nnlib.analysis.neighbours import NEIGHBOURS, SPACES
from nnlib.analysis.predictions import Predictions
from nnlib.analysis.slices import compare_quintiles
from nnlib.analysis.units import EXAMPLES, Units
from nnlib.data.datasets import load_mnist
from nnlib.data.encoding import Encoding
from nnlib.network.functions import softmax
from nnlib.network.two_layer_net import TwoLayerNet
from nnlib.report.explorer import Published
from nnlib.report.neighbours import Neighbours
from nnlib.stats.paired import mcnemar_exact
from stages.workers import cores
from tests.corrected import corrections_of
from tools.checkouts import ROOT, STAGES, Checkout, copy_project
from tools.picture import BROWSERS, FLAGS, find_browser


def pytest_xdist_auto_num_workers() -> int:
    """One process more than there are cores: some tests wait for others, such as DVC's queue."""
    return cores() + 1


# A process runs a file as a whole, so those that take longest are begun first; and of them, first
# one that makes the checkout `rebuilt`, and beside it two that do not wait for it.
LONGEST = (
    *("pipeline", "bytes", "galleries", "compare", "browser", "faults", "memory", "record"),
    *("dvc_experiments", "declarations", "remote", "verify"),
)


def pytest_collection_modifyitems(items):
    """Put the longest files first, and leave all others in their order."""
    names = [f"test_{name}" for name in LONGEST]
    items.sort(key=lambda item: (*names, item.path.stem).index(item.path.stem))


QEMU = shutil.which("qemu-x86_64")
needs_qemu = pytest.mark.skipif(
    QEMU is None, reason="qemu-x86_64 (Debian's qemu-user) is not installed"
)
needs_promise = pytest.mark.skipif(
    stages.NOT_PROMISED is not None, reason=f"no bytes are promised: {stages.NOT_PROMISED}"
)

# Big enough to learn from, small enough to train in a second.
SMALL = {
    "data.source": "synthetic",
    "data.synthetic.train": 2000,
    "data.synthetic.test": 500,
    "data.corrections": "data/corrections.csv",
    "normalize.scaling": "unit",
    "train.hidden_size": 50,
    "train.activation": "sigmoid",
    "train.weight_init": 0.01,
    "train.iterations": 600,
    "train.epochs": 0,
    "train.batch_size": 100,
    "train.learning_rate": 0.1,
    "repeat.seeds": 0,
    "analyse.samples": [45, 11],
    "analyse.pairs": 2,
}


@pytest.fixture(scope="session")
def make_once(tmp_path_factory, worker_id):
    """Makes a checkout that all processes use, and so is not to be changed afterwards."""
    folder = tmp_path_factory.getbasetemp()
    if worker_id != "master":
        folder = folder.parent
    home = folder / "home"
    home.mkdir(exist_ok=True)

    def make_once(name, make):
        checkout, done = Checkout(folder / name, home), folder / f"{name}.done"
        with FileLock(folder / f"{name}.lock"):
            if not done.exists():
                make(checkout)
                done.touch()
        return checkout

    return make_once


@pytest.fixture(scope="session")
def rebuilt(make_once):
    """A checkout whose pipeline has run on a small synthetic data set, everything committed."""
    return make_once("rebuilt", rebuild)


def rebuild(checkout):
    copy_project(checkout.path)
    checkout.set_params(SMALL)
    (checkout.path / "data/corrections.csv").write_text("set,index,label\n")
    checkout.run("git", "init", "--quiet")
    checkout.run("git", "config", "user.name", "Test")
    checkout.run("git", "config", "user.email", "test@example.com")
    checkout.run("git", "add", "--all")
    checkout.run("git", "commit", "--quiet", "--message", "as it is")
    checkout.run("dvc", "repro")
    checkout.run("git", "add", "--all")
    checkout.run("git", "commit", "--quiet", "--message", "as it is rebuilt")


@pytest.fixture(scope="session")
def corrected(make_once, rebuilt):
    """A copy of the checkout whose pipeline has run again, after labels were corrected."""

    def make(checkout):
        rebuilt.copy_to(checkout.path)
        (_, t_train), (_, t_test) = load_mnist(folder=checkout.path / "data/raw")
        text = corrections_of({"train": t_train, "test": t_test})
        (checkout.path / "data/corrections.csv").write_text(text)
        said = checkout.run("dvc", "repro")
        stages = ["check", "normalize", "train", "evaluate", "repeat", "analyse"]
        assert re.findall(r"Running stage '(\w+)'", said) == stages  # and no download

    return make_once("corrected", make)


@pytest.fixture(scope="session")
def experiment(make_once, rebuilt):
    """A copy of that checkout with an experiment, of another learning rate, in its workspace."""

    def make(checkout):
        rebuilt.copy_to(checkout.path)
        said = checkout.run("dvc", "exp", "run", "--name", "fast", "-S", "train.learning_rate=0.3")
        assert re.findall(r"Running stage '(\w+)'", said) == ["check", *STAGES[2:]]

    return make_once("experiment", make)


@pytest.fixture
def checkout(rebuilt, tmp_path):
    """A copy of that checkout, for a test to change."""
    return rebuilt.copy_to(tmp_path / "checkout")


def read_until(process, text):
    """Read the lines that a process prints up to one that holds the text, which there must be."""
    for line in iter(process.stdout.readline, ""):
        if text in line:
            return
    pytest.fail(f"it has ended without {text}")


# Stages in one process, as a stage's imports take longer than its work on a small data set.
RUN = """
import runpy, sys
for stage in sys.argv[1:]:
    runpy.run_module(f"stages.{stage}", run_name="__main__", alter_sys=True)
"""

# Put before a script, it lets `worker_processes` find no shared memory, so that one process does
# all the work.
NO_LOCKS = """
import _multiprocessing

class NoLock(_multiprocessing.SemLock):
    def __new__(cls, *_args):
        raise OSError(30, "Read-only file system")  # as where /dev/shm is read-only

_multiprocessing.SemLock = NoLock
"""


@pytest.fixture(scope="module")
def browser():
    executable = find_browser()
    if executable is None:
        pytest.skip(f"no browser: none of {', '.join(BROWSERS)} is installed")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def offline_page(browser):
    """A page opened offline; fails at the end if it requested anything of others, or had errors."""
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    context.set_offline(True)
    page = context.new_page()
    page.set_default_timeout(5000)
    failed, requested = [], []
    page.on("console", lambda message: message.type == "error" and failed.append(message.text))
    page.on("pageerror", lambda error: failed.append(str(error)))
    page.on("request", lambda request: requested.append(request.url))
    yield page
    context.close()
    assert failed == []
    assert [url for url in requested if not url.startswith(("file:", "data:", "blob:"))] == []


@pytest.fixture
def committed_params():
    """params.yaml as committed, which README and the results are about."""
    command = ["git", "diff", "--quiet", "HEAD", "--", "params.yaml", "dvc.lock"]
    if subprocess.run(command, cwd=ROOT, check=False).returncode:
        pytest.skip("params.yaml or dvc.lock is changed; this is about what is committed")
    return ROOT / "params.yaml"


@pytest.fixture
def network_worked_by_hand():
    """Small enough for paper: any input gives z1 = (1/2, 1/2), a2 = (ln 3, 0), y = (3/4, 1/4)."""
    ln3 = np.log(3)
    return TwoLayerNet.from_params(
        {
            "W1": np.zeros((2, 2)),
            "b1": np.zeros(2),
            "W2": np.array([[ln3, 0.0], [ln3, 0.0]]),
            "b2": np.zeros(2),
        }
    )


@pytest.fixture(scope="session")
def explain():
    """Explains the confused pairs of an analysis, by a random network and random images."""

    def explain(analysis, pairs=5):
        names = tuple("0123456789")
        encoding = Encoding(scaling="unit", pixel_mean=0, pixel_std=1, class_names=names)
        rng = np.random.default_rng(8)
        network = TwoLayerNet(784, 5, 10, weight_init=0.1, encoding=encoding, rng=rng)
        images = rng.integers(256, size=(len(analysis.trained), 28, 28), dtype=np.uint8)
        evidence = explain_pairs(network, images, analysis.trained, analysis.pairs.head(pairs))
        return network, evidence

    return explain


@pytest.fixture
def drawn(monkeypatch):
    """The figures that are saved, which are written all the same."""
    figures = []
    print_png = FigureCanvasAgg.print_png

    def keep(canvas, path):
        figures.append(canvas.figure)
        print_png(canvas, path)

    monkeypatch.setattr(FigureCanvasAgg, "print_png", keep)
    return figures


def predict_at_random(seed, t, skill):
    """Predictions that are right more often than not if `skill`, the actual digit's lead, is 4."""
    rng = np.random.default_rng(seed)
    return Predictions.of(softmax(2 * rng.standard_normal((len(t), 10)) + skill * np.eye(10)[t]), t)


def neighbours_at_random(mistakes, classes=10):
    """Neighbours of mistakes, about a third of them of the class that was predicted."""
    rng, columns = np.random.default_rng(9), ["index", "space", "rank"]
    places = [
        (index, space, rank)
        for index in sorted(mistakes["index"])
        for space in SPACES
        for rank in range(1, NEIGHBOURS + 1)
    ]
    table = pd.DataFrame(places, columns=columns)
    predicted = table["index"].map(mistakes.set_index("index")["predicted"])
    labels = np.where(
        rng.random(len(table)) < 0.35, predicted, rng.integers(classes, size=len(table))
    )
    return table.assign(
        train_index=rng.integers(2000, size=len(table)),
        label=labels.astype(int),
        distance=rng.random(len(table)),
    )


def units_at_random(hidden=30, samples=1500, classes=10):
    """Hidden units, some of which cost nothing, or less."""
    rng = np.random.default_rng(10)
    most = samples // 2 + 1
    fixed, broken = (rng.integers(min(end, most), size=hidden) for end in (4, 15))
    table = pd.DataFrame(
        {
            "unit": np.arange(hidden),
            "mean": rng.random(hidden),
            "std": rng.random(hidden) / 2,
            "cost": (broken - fixed) / samples,
            "fixed": fixed,
            "broken": broken,
            "p": [mcnemar_exact(*pair) for pair in zip(fixed, broken, strict=True)],
            "changed": (fixed + broken) / samples,
            "class": rng.integers(classes, size=hidden),
            "class_cost": (broken - fixed) / 20,
        }
    )
    return Units(table, rng.integers(samples, size=(hidden, EXAMPLES)))


def slices_at_random(predictions, repeats=()):
    """Quintiles of two properties that have nothing to do with the errors."""
    rng, n = np.random.default_rng(12), len(predictions)
    properties = pd.DataFrame({"thickness": 1 + rng.random(n), "strokes": rng.integers(1, 3, n)})
    return compare_quintiles(properties, predictions, repeats)


def explorer_parts(analysis, network, shape=(28, 28)):
    """What an explorer shows of units and of training samples, at random."""
    H, C = network.params["W2"].shape
    table = neighbours_at_random(analysis.mistakes, C)
    table["label"] = table["train_index"] % C
    shape = (table["train_index"].nunique(), *shape)
    images = np.random.default_rng(11).integers(256, size=shape, dtype=np.uint8)
    units = units_at_random(H, len(analysis.trained), C)
    return {
        "units": units,
        "neighbours": Neighbours(table, images),
        "unlike": 5000.0,
        "published": Published(np.arange(len(analysis.trained)), analysis.trained.t),
    }


@pytest.fixture(scope="session")
def train():
    """Random predictions of a training set."""
    return predict_at_random(3, np.random.default_rng(4).integers(10, size=2000), skill=5)


@pytest.fixture(scope="session")
def labels_of_test():
    return np.random.default_rng(0).integers(10, size=1500)


@pytest.fixture(scope="session")
def repeats(labels_of_test):
    """What three networks predict that were trained with other seeds."""
    return np.array(
        [predict_at_random(seed, labels_of_test, skill=4).predicted for seed in (5, 6, 7)]
    )


@pytest.fixture(scope="session")
def analysis(train, labels_of_test, repeats):
    """The analysis of 1,500 random predictions."""
    return analyse_predictions(
        trained=predict_at_random(1, labels_of_test, skill=4),
        untrained=predict_at_random(2, labels_of_test, skill=0),
        train_confusion=confusion_matrix(train.t, train.predicted, 10),
        repeats=repeats,
    )


# What is predicted, the labels, and the probability left to each other digit.
DEGENERATE = {
    "no errors": lambda t: (t, t, 0.01),
    "no loss": lambda t: (t, t, 0),
    "one error": lambda t: (np.where(np.arange(40) == 7, 1, t), t, 0.01),
    "all wrong": lambda t: ((t + 1) % 10, t, 0.01),
    "one digit for everything": lambda t: (np.full_like(t, 3), t, 0.01),
    "digits without samples": lambda t: (t, t % 3, 0.01),
    "one sample": lambda t: (t[:1], t[1:2], 0.01),
}


@pytest.fixture(params=DEGENERATE)
def degenerate_analysis(request):
    """Analyses of predictions that leave something out, or are all alike."""
    predicted, t, rest = DEGENERATE[request.param](np.arange(40) % 10)
    trained = Predictions.of(rest + (1 - 10 * rest) * np.eye(10)[predicted], t)
    counts = confusion_matrix(t, predicted, 10)
    return analyse_predictions(trained, trained, counts, repeats=np.array([predicted] * 2))
