"""The data of trials, which are those of the workspace where these are the same."""

import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from dvc.lock import LockError
from dvc.repo import Repo

from experiments import data as data_module
from experiments.data import data_of_files, data_of_params, only_one_trains
from experiments.trials import CACHE
from nnlib.base.errors import UserError
from nnlib.data.datasets import MNIST, TEST, TRAIN, read_dataset, write_dataset
from nnlib.data.idx import write_idx
from stages.common import IMPORTED, NORMALIZED, PARAMS, RAW
from stages.params import Params, read_params

# of a library that DVC uses
pytestmark = pytest.mark.filterwarnings("ignore:_NoneStep:DeprecationWarning")


@pytest.fixture
def section(checkout, monkeypatch):
    monkeypatch.chdir(checkout.path)
    return read_params(Params, PARAMS).data


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def is_same_file(path, other):
    return path.stat().st_ino == other.stat().st_ino


@pytest.mark.slow
def test_data_of_the_workspace_are_not_made_again(checkout, section):
    raw = {path.name: path.read_bytes() for path in RAW.iterdir()}
    with data_of_params(section) as data, data_of_files(raw) as same_data:
        assert same_data.digest == data.digest
        for each in (data, same_data):
            arrays = contents(each.sets("unit"))
            assert is_same_file(each.sets("unit") / "x_train.npy", NORMALIZED / "x_train.npy")
        standard = contents(data.sets("standard"))

        # they stay what they are, whatever becomes of the workspace
        checkout.set_params({"normalize.scaling": "standard", "data.synthetic.seed": 2})
        checkout.run("dvc", "repro", "normalize")
        assert contents(data.sets("unit")) == arrays
        assert contents(data.raw) == raw
    # what is made is the same as what was there
    with data_of_params(section) as data:
        assert contents(data.raw) == raw
        assert contents(data.sets("unit")) == arrays
        assert contents(data.sets("standard")) == standard
    assert contents(NORMALIZED) != standard


# Opens the data and waits for a signal.
OPEN = """
import time
from experiments.data import data_of_params, only_one_trains
from stages.params import Params, read_params

with only_one_trains(), data_of_params(read_params(Params, "params.yaml").data) as data:
    print(data.raw.parent, flush=True)
    time.sleep(600)
"""


def test_what_a_killed_process_leaves_is_removed(checkout, section):
    process = checkout.start(sys.executable, "-c", OPEN)
    folder = Path(process.stdout.readline().strip())
    with pytest.raises(UserError, match="is working on the trials"), only_one_trains():
        pytest.fail("both train")
    assert contents(folder / "raw") == contents(RAW)

    process.kill()
    process.communicate()
    assert folder.is_dir()
    (CACHE / "tmp-just-made").mkdir()
    (CACHE / ".part.0.json").touch()
    (CACHE / "0.json").touch()
    with only_one_trains():
        assert [path.name for path in CACHE.iterdir()] == ["0.json"]


@pytest.mark.slow
def test_dvc_waits_while_files_are_linked(section, monkeypatch):
    linked = []

    def link(folder, target):
        with pytest.raises(LockError):
            Repo().lock.lock()
        linked.append(folder)

    with data_of_params(section) as data:
        raw = contents(data.raw)
    monkeypatch.setattr(data_module, "_link", link)
    with data_of_files(raw):
        assert linked == [NORMALIZED]
        with Repo().lock:
            pass


def test_data_that_are_not_those_of_the_parameters_are_made_anew(checkout, section):
    arrays = contents(NORMALIZED)
    (NORMALIZED / "t_test.npy").write_bytes(b"broken")
    with data_of_params(section) as data:
        assert contents(data.sets("unit")) == arrays
    with data_of_files(contents(RAW)) as data:
        assert contents(data.sets("unit")) == arrays

    shutil.rmtree(NORMALIZED)
    shutil.rmtree(".git")
    with data_of_params(section) as data:
        assert contents(data.sets("unit")) == arrays


def import_set(folder, seed, name="letters"):
    """Write a data set as an import does."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    for files, n in ((TRAIN, 30), (TEST, 10)):
        write_idx(folder / files.images, rng.integers(256, size=(n, 5, 4), dtype=np.uint8))
        write_idx(folder / files.labels, rng.integers(3, size=n, dtype=np.uint8))
    update = {"name": name, "class_names": ("a", "b", "c"), "image_shape": (5, 4)}
    write_dataset(folder, MNIST.model_copy(update=update))


def test_an_import_is_another_one_as_soon_as_it_changes(section):
    imported = section.model_copy(update={"source": "imported"})
    with pytest.raises(UserError, match="has no data set: import one"), data_of_params(imported):
        pytest.fail("there is one")
    digests = []
    for seed, name in ((1, "letters"), (2, "letters"), (2, "others"), (1, "letters")):
        import_set(IMPORTED, seed, name)
        with data_of_params(imported) as data:
            digests.append(data.digest)
            assert data.dataset == read_dataset(IMPORTED)
            assert contents(data.raw) == contents(IMPORTED)
            assert np.load(data.sets("unit") / "x_train.npy").shape == (30, 20)
    assert len(set(digests)) == 3
    assert digests[0] == digests[3]
    shutil.rmtree(IMPORTED)
    with pytest.raises(UserError, match="has no data set: import one"), data_of_params(imported):
        pytest.fail("it is still there")


def test_only_a_workspace_with_the_same_data_set_is_asked_for_a_published_one(section, monkeypatch):
    asked = []
    monkeypatch.setattr(
        data_module,
        "provide",
        lambda raw, section, *folders: asked.append(folders) or import_set(raw, 1),
    )
    mnist = section.model_copy(update={"source": "mnist"})
    with data_of_params(mnist):  # the workspace has drawn digits
        pass
    write_dataset(RAW, MNIST)
    with data_of_params(mnist):
        pass
    shutil.rmtree(RAW)
    with data_of_params(mnist):
        pass
    assert asked == [(), (RAW,), ()]
