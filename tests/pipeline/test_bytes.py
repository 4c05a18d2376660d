"""The same bytes whatever the environment, the path and the CPU."""

import hashlib
import os
import shutil
import subprocess
import sys

import pytest

from tests.conftest import QEMU, RUN, SMALL, needs_promise, needs_qemu
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
# Three parts of a network, and what the default leaves out, on images small enough for QEMU.
WIDE = """
import hashlib, sys
import stages
import numpy as np
from nnlib.data.distortion import Amounts, Distortion
from nnlib.data.encoding import Encoding
from nnlib.training.fit import Settings, fit
from nnlib.data.samples import Samples

rng = np.random.default_rng(0)
samples = Samples(rng.random((60, 36), np.float32), rng.integers(3, size=60, dtype=np.uint8))
settings = Settings(
    600, "he", 12, 20, 0.01, 1, activation="relu", optimizer={"name": "adam"}, weight_decay=0.1,
    schedule={"name": "cosine"}, dropout=0.1, label_smoothing=0.1, averaging=0.9,
)
encoding = Encoding(scaling="unit", pixel_mean=0, pixel_std=1, class_names=("a", "b", "c"))
augment = Distortion(Amounts(10, 10, 0.1, 1, 1), (6, 6))
fitted = fit(settings, samples, encoding, augment=augment, threads=int(sys.argv[1]))
print(fitted.losses)
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


def run_stages(checkout, stages, env, prefix=()):
    done = subprocess.run(
        [*prefix, sys.executable, "-c", RUN, *stages],
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


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_environment_changes_nothing(place, expected, environment):
    checkout = place("plain")
    run_stages(checkout, TRAINING, ENVIRONMENTS[environment])
    assert training_only(checksums(checkout)) == training_only(expected)


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
    assert found["data/normalized/x_train.npy"] == expected["data/normalized/x_train.npy"]
    assert found["data/models/trained.npz"] != expected["data/models/trained.npz"]


@needs_qemu
@pytest.mark.parametrize(
    "cpu",
    [
        pytest.param("EPYC", marks=pytest.mark.slow),
        pytest.param("Haswell", marks=pytest.mark.long),
    ],
)
def test_another_cpu_trains_the_same_network(place, expected, cpu):
    checkout = place("plain")
    run_stages(checkout, TRAINING, {}, prefix=(QEMU, "-cpu", cpu))
    assert training_only(checksums(checkout)) == training_only(expected)


def train_wide(threads, prefix=()):
    command = (*prefix, sys.executable, "-c", WIDE, str(threads))
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(command, env=env, check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def wide():
    """What the training of a wide network prints: its losses, and the digests of its weights."""
    return train_wide(threads=1)


def test_a_wide_network_is_the_same_from_any_number_of_threads(wide):
    assert train_wide(threads=3) == wide
    assert train_wide(threads=2, prefix=ONE_CORE) == wide


@pytest.mark.slow
@needs_qemu
def test_another_cpu_trains_the_same_wide_network(wide):
    assert train_wide(threads=2, prefix=(QEMU, "-cpu", "EPYC")) == wide


@pytest.mark.long
@needs_qemu
@pytest.mark.parametrize("cpu", ["EPYC", "Haswell"])
def test_another_cpu_makes_all_the_same_files(place, expected, cpu):
    checkout = place("plain")
    run_stages(checkout, (*TRAINING, *REST), {}, prefix=(QEMU, "-cpu", cpu))
    assert checksums(checkout) == expected
