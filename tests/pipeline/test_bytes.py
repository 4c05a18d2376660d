"""The same bytes whatever the environment, the path and the CPU."""

import hashlib
import json
import os
import shutil
import subprocess
import sys

import pytest

from nnlib.network.optimizers import OPTIMIZERS
from nnlib.training.fit import Settings
from tests.conftest import NO_LOCKS, QEMU, RUN, SMALL, needs_promise, needs_qemu
from tools.checkouts import ROOT, Checkout, copy_project

pytestmark = needs_promise

TRAINING = ("download", "normalize", "train", "evaluate")
REST = ("repeat", "analyse")
SHORT = SMALL | {
    "data.synthetic.train": 300,
    "data.synthetic.test": 60,
    "train.hidden_size": 10,
    "train.iterations": 6,
    "repeat.seeds": 2,
}
# What the default leaves out, in trainings small enough for QEMU; the first one's network is wide,
# so that it has three parts.
OTHERS = {
    "weight_init": "xavier",
    "hidden_size": 20,
    "activation": "tanh",
    "schedule": {"name": "step", "every": 4, "factor": 0.5, "warmup": 3},
    "sampling": "shuffled",
    "epochs": 5,
    "members": 2,
    "validation": 15,
    "evaluate_every": 2,
}
TRAININGS = [
    {
        "weight_init": "he",
        "hidden_size": 600,
        "activation": "relu",
        "optimizer": {"name": "adam"},
        "schedule": {"name": "cosine"},
        "weight_decay": 0.1,
        "label_smoothing": 0.1,
        "dropout": 0.1,
        "averaging": 0.9,
    },
    *(OTHERS | {"optimizer": {"name": name}} for name in OPTIMIZERS),
]
TRAIN = """
import hashlib, json, sys
import stages
import numpy as np
from nnlib.data.distortion import Amounts, Distortion
from nnlib.data.encoding import fit_encoding, pixel_statistics
from nnlib.data.samples import Samples
from nnlib.training.fit import Settings, fit

rng = np.random.default_rng(0)
images = rng.integers(256, size=(60, 6, 6), dtype=np.uint8)
encoding = fit_encoding("standard", pixel_statistics([images]), ("a", "b", "c"))
samples = Samples(encoding.inputs(images), rng.integers(3, size=60, dtype=np.uint8))
augment = Distortion(Amounts(10, 10, 0.1, 1, 1), (6, 6))
for given in json.loads(sys.argv[2]):
    settings = Settings(iterations=12, batch_size=20, learning_rate=0.01, seed=1, **given)
    threads = int(sys.argv[1])
    fitted = fit(settings, samples, encoding, test_set=samples, augment=augment, threads=threads)
    print(settings, fitted.losses, fitted.history, fitted.validation)
    for param in fitted.trained.params.values():
        print(hashlib.sha256(param.tobytes()).hexdigest())
"""
ONE_CORE = ("taskset", "--cpu-list", "0")
ENVIRONMENTS = {
    "threads": dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "3"),
    "kernel SkylakeX": {"OPENBLAS_CORETYPE": "SkylakeX"},
    "kernel Sandybridge": {"OPENBLAS_CORETYPE": "Sandybridge", "OPENBLAS_NUM_THREADS": "2"},
    "features": {"NPY_ENABLE_CPU_FEATURES": "AVX2", "NPY_DISABLE_CPU_FEATURES": "AVX2"},
}
USER = {
    "PYTHONHASHSEED": "7",
    "LC_ALL": "C",
    "TZ": "Asia/Kolkata",
    "USER": "jürgen",
    "MPLBACKEND": "pdf",
    "MATPLOTLIBRC": "user",
}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Makes a checkout with a short training in a folder of its own."""

    def make(name):
        checkout = Checkout(
            tmp_path_factory.mktemp("place") / name, tmp_path_factory.mktemp("home")
        )
        checkout.path.mkdir()
        copy_project(checkout.path)
        shutil.rmtree(checkout.path / "reports")
        checkout.set_params(SHORT)
        (checkout.path / "user").mkdir()
        settings = "font.size: 30\naxes.facecolor: red\n"
        (checkout.path / "user/matplotlibrc").write_text(settings)
        return checkout

    return make


def run_stages(checkout, stages, env, prefix=(), script=RUN):
    done = subprocess.run(
        [*prefix, sys.executable, "-c", script, *stages],
        cwd=checkout.path,
        env=os.environ | env,
        check=True,
        capture_output=True,
        umask=0o077 if env else -1,
    )
    assert b"promised" not in done.stderr


def checksums(checkout):
    return {
        path.relative_to(checkout.path).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for folder in ("data", "reports")
        for path in (checkout.path / folder).rglob("*.*")
        if path.is_file()
        and path.name != ".gitignore"
        # how long a trial took is kept beside what came of it, which no output holds
        and not (path.parent.name == "trials" and path.suffix == ".json")
    }


@pytest.fixture(scope="module")
def expected(place):
    """The checksums of all outputs, made in an ordinary environment."""
    checkout = place("plain")
    run_stages(checkout, (*TRAINING, *REST), {})
    found = checksums(checkout)
    assert len(found) > 30
    return found


def training_only(found):
    names = ("data/raw/", "data/normalized/", "data/models/", "data/training/", "data/predictions/")
    return {name: digest for name, digest in found.items() if name.startswith(names)}


@pytest.mark.slow
@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_environment_changes_nothing(place, expected, others, environment):
    checkout = place("plain")
    run_stages(checkout, TRAINING, ENVIRONMENTS[environment])
    assert training_only(checksums(checkout)) == training_only(expected)
    assert train_others(threads=1, env=ENVIRONMENTS[environment]) == others


@pytest.mark.slow
def test_neither_do_the_path_the_user_and_the_number_of_cores(place, expected):
    checkout = place("mit Leerzeichen, ümlaut & 'quote'")
    run_stages(checkout, (*TRAINING, *REST), USER, prefix=ONE_CORE)
    assert checksums(checkout) == expected


def test_unpinned_the_users_kernel_is_taken(place, expected):
    checkout = place("plain")
    kernel = {"UNPINNED": "1", "OPENBLAS_CORETYPE": "Sandybridge"}
    run_stages(checkout, TRAINING, kernel)
    found = checksums(checkout)
    assert found["data/models/untrained.npz"] == expected["data/models/untrained.npz"]
    assert found["data/models/trained.npz"] != expected["data/models/trained.npz"]


@needs_qemu
@pytest.mark.parametrize(
    "cpu",
    [
        pytest.param("EPYC", marks=pytest.mark.slow),
        pytest.param("Haswell", marks=pytest.mark.long),
    ],
)
def test_another_cpu_makes_the_same_files(place, expected, cpu):
    checkout = place("plain")
    # in one process: after a stage that had threads, QEMU crashes where the next one forks
    script = NO_LOCKS + RUN
    run_stages(checkout, (*TRAINING, *REST), {}, prefix=(QEMU, "-cpu", cpu), script=script)
    assert checksums(checkout) == expected


def train_others(threads, env=(), prefix=()):
    command = (*prefix, sys.executable, "-c", TRAIN, str(threads), json.dumps(TRAININGS))
    env = os.environ | {"PYTHONPATH": str(ROOT)} | dict(env)
    return subprocess.run(command, env=env, check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def others():
    """What the other trainings print: losses, measurements, and the digests of the weights."""
    return train_others(threads=1)


def test_each_setting_is_one_of_a_training():
    for name, default in Settings._field_defaults.items():
        assert any(each.get(name, default) != default for each in TRAININGS), name


def test_other_trainings_are_the_same_from_any_number_of_threads(others):
    assert train_others(threads=3) == others
    assert train_others(threads=2, prefix=ONE_CORE) == others


@pytest.mark.slow
@needs_qemu
def test_another_cpu_trains_the_same_other_networks(others):
    assert train_others(threads=2, prefix=(QEMU, "-cpu", "EPYC")) == others
