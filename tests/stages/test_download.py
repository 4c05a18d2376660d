"""The download stage: which mirrors it asks, in which order, and what it says when none answers."""

import functools
import json
import shutil
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import yaml

from nnlib.data.datasets import (
    DESCRIPTION,
    FILES,
    MNIST,
    TEST,
    TRAIN,
    open_set,
    read_dataset,
    write_dataset,
)
from nnlib.data.idx import write_idx
from nnlib.data.sources import PUBLISHED
from stages import download
from stages.common import IMPORTED, RAW, run
from tests.published import SIZES, expect, publish

CLOSED = "http://127.0.0.1:1"
VARIABLES = {
    "mnist": "MNIST_MIRROR",
    "fashion": "FASHION_MIRROR",
    "kmnist": "KMNIST_MIRROR",
    "qmnist": "QMNIST_MIRROR",
    "emnist-balanced": "EMNIST_MIRROR",
    "emnist-letters": "EMNIST_MIRROR",
    "emnist-digits": "EMNIST_MIRROR",
}


@pytest.fixture
def workspace(tmp_path, monkeypatch, committed_params):
    """A folder to run the stage in."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for variable in VARIABLES.values():
        monkeypatch.delenv(variable, raising=False)
    (tmp_path / "params.yaml").write_text(committed_params.read_text())
    choose(tmp_path, "mnist")  # whatever the committed one is
    return tmp_path


@pytest.fixture
def mirror(workspace, monkeypatch):
    """A folder with small files of MNIST's, whose public mirrors do not answer."""
    publish("mnist", workspace / "mirror")
    expect(monkeypatch, "mnist", workspace / "mirror", mirrors=(f"{CLOSED}/a/", f"{CLOSED}/b/"))
    return workspace / "mirror"


@pytest.fixture
def serve(monkeypatch):
    """Serves folders, and keeps the paths that are asked for."""
    monkeypatch.setattr("pooch.core.time.sleep", lambda seconds: None)  # between retries
    monkeypatch.setattr(SimpleHTTPRequestHandler, "log_message", lambda *args: None)
    servers = []

    def serve(folder):
        requests = []

        class Handler(SimpleHTTPRequestHandler):
            def do_GET(self):
                requests.append(self.path)
                super().do_GET()

        handler = functools.partial(Handler, directory=folder)
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, args=(0.01,)).start()
        return f"http://127.0.0.1:{server.server_port}/", requests

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


def choose(workspace, source):
    params = yaml.safe_load((workspace / "params.yaml").read_text())
    params["data"]["source"] = source
    (workspace / "params.yaml").write_text(yaml.safe_dump(params))


def complaint():
    with pytest.raises(SystemExit) as caught:
        run(download.download)
    return caught.value.code  # a text, which Python prints, and exits with 1


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_published_set_is_fetched_once_and_described(workspace, monkeypatch, serve, name):
    samples = publish(name, workspace / "published")
    url, requests = serve(workspace / "published")
    expect(monkeypatch, name, workspace / "published", mirrors=(CLOSED, url))
    choose(workspace, name)
    run(download.download)
    source = PUBLISHED[name]
    assert requests == [f"/{file}" for file in source.files]
    assert {path.name for path in RAW.iterdir()} == {*FILES, DESCRIPTION}
    assert read_dataset(RAW) == source.dataset
    for part in SIZES:
        images, labels = open_set(RAW, source.dataset, part)
        np.testing.assert_array_equal(images.read(), samples[part][0])
        assert labels.tolist() == samples[part][1]
    assert json.loads((workspace / "reports/download.json").read_text()) == {
        "data": source.dataset.name,
        "files": 4,
        "bytes": sum((RAW / file).stat().st_size for file in FILES),
        "samples": SIZES,
    }
    shutil.rmtree(RAW)
    run(download.download)  # from the cache
    assert len(requests) == len(source.files)
    assert read_dataset(RAW) == source.dataset


def test_sets_whose_files_have_the_same_names_do_not_replace_each_other(
    workspace, monkeypatch, serve
):
    asked = []
    for name in ("mnist", "fashion", "kmnist"):
        publish(name, workspace / name)
        (workspace / name / FILES[1]).write_bytes(name.encode())  # labels of its own
        url, requests = serve(workspace / name)
        expect(monkeypatch, name, workspace / name, mirrors=(url,))
        asked.append(requests)
    for _ in range(2):
        for name in ("mnist", "fashion", "kmnist"):
            download.fetch(RAW, name, [])
            assert (RAW / FILES[1]).read_bytes() == name.encode()
    assert [len(requests) for requests in asked] == [4, 4, 4]


def test_the_sets_of_an_archive_share_a_download(workspace, monkeypatch, serve):
    publish("emnist-letters", workspace / "published")
    url, requests = serve(workspace / "published")
    for name in ("emnist-balanced", "emnist-letters", "emnist-digits"):
        expect(monkeypatch, name, workspace / "published", mirrors=(url,))
        download.fetch(RAW, name, [])
    assert requests == ["/gzip.zip"]


@pytest.mark.parametrize(("name", "variable"), VARIABLES.items())
def test_a_folder_of_the_users_is_used_without_any_mirror(workspace, monkeypatch, name, variable):
    samples = publish(name, workspace / "own")
    expect(monkeypatch, name, workspace / "own", mirrors=(CLOSED,))
    choose(workspace, name)
    monkeypatch.setenv(variable, str(workspace / "own"))
    run(download.download)
    _, labels = open_set(RAW, PUBLISHED[name].dataset, "train")
    assert labels.tolist() == samples["train"][1]
    assert not (workspace / "cache").exists()


@pytest.mark.parametrize(("name", "variable"), VARIABLES.items())
def test_a_folder_that_holds_something_else_ends_the_stage(workspace, monkeypatch, name, variable):
    publish(name, workspace / "own")
    expect(monkeypatch, name, workspace / "own", mirrors=(CLOSED,))
    choose(workspace, name)
    monkeypatch.setenv(variable, str(workspace / "own"))
    run(download.download)  # so that there are files from before
    first = next(iter(PUBLISHED[name].files))
    (workspace / "own" / first).write_bytes(b"something else")
    (line,) = complaint().splitlines()
    assert f"{workspace}/own lacks {first} as published" in line
    assert PUBLISHED[name].files[first].sha256 in line
    assert f"set {variable} to a folder or URL" in line


def test_the_files_of_the_users_mirror_are_put_in_place(mirror, monkeypatch):
    monkeypatch.setenv("MNIST_MIRROR", str(mirror))
    run(download.download)
    for name in FILES:
        assert (RAW / name).read_bytes() == (mirror / name).read_bytes()


def test_own_files_in_place_of_the_published_ones_are_replaced(workspace, mirror, monkeypatch):
    monkeypatch.setenv("MNIST_MIRROR", str(mirror))
    RAW.mkdir(parents=True)
    for files in (TRAIN, TEST):
        write_idx(RAW / files.images, np.zeros((9, 28, 28), np.uint8))
        write_idx(RAW / files.labels, np.zeros(9, np.uint8))
    write_dataset(RAW, MNIST.model_copy(update={"name": "my own"}))
    run(download.download)
    assert read_dataset(RAW) == MNIST
    for name in FILES:
        assert (RAW / name).read_bytes() == (mirror / name).read_bytes()


def test_when_none_answers_each_is_named_in_order_and_two_ways_on(workspace, mirror, monkeypatch):
    monkeypatch.setattr("nnlib.data.mirrors.RETRIES", 0)
    monkeypatch.setenv("MNIST_MIRROR", f"{CLOSED}/own")
    (line,) = complaint().splitlines()
    assert f" {CLOSED}/own, {CLOSED}/a/, {CLOSED}/b/, as said above" in line
    assert "set MNIST_MIRROR" in line
    assert "make demo" in line
    assert not RAW.exists()  # and no other data in their place
    assert not (workspace / "reports").exists()


def test_only_the_public_ones_are_named_where_there_is_no_other(mirror, monkeypatch):
    monkeypatch.setattr("nnlib.data.mirrors.RETRIES", 0)
    monkeypatch.setenv("MNIST_MIRROR", "")
    assert f" from {CLOSED}/a/, {CLOSED}/b/, as said above" in complaint()


def test_a_cache_that_cannot_be_made_is_named(workspace, mirror, monkeypatch):
    (workspace / "cache").write_text("a file where a folder is to be")
    monkeypatch.setenv("MNIST_MIRROR", CLOSED)
    (line,) = complaint().splitlines()
    assert str(workspace / "cache") in line
    assert "XDG_CACHE_HOME" in line
    assert "MNIST_MIRROR" not in line
    monkeypatch.setenv("MNIST_MIRROR", str(mirror))  # which needs no cache
    run(download.download)


def test_where_there_is_no_home_a_cache_can_be_named(mirror, monkeypatch):
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.delenv("HOME")
    monkeypatch.setattr("pwd.getpwuid", {}.__getitem__)  # no users, as in some containers
    monkeypatch.setenv("MNIST_MIRROR", CLOSED)
    (line,) = complaint().splitlines()
    assert "XDG_CACHE_HOME" in line
    assert "MNIST_MIRROR" not in line
    monkeypatch.setenv("MNIST_MIRROR", str(mirror))
    run(download.download)


@pytest.fixture
def imported(workspace):
    """An import: three images of two classes each."""
    choose(workspace, "imported")
    (workspace / IMPORTED).mkdir(parents=True)
    for files in (TRAIN, TEST):
        write_idx(IMPORTED / files.images, np.zeros((3, 40, 24), np.uint8))
        write_idx(IMPORTED / files.labels, np.array([0, 1, 1], np.uint8))
    changes = {"name": "shapes", "class_names": ("round", "square"), "image_shape": (40, 24)}
    write_dataset(IMPORTED, MNIST.model_copy(update=changes))
    return workspace / IMPORTED


def test_an_import_is_copied(imported):
    run(download.download)
    for name in (*FILES, DESCRIPTION):
        assert (RAW / name).read_bytes() == (imported / name).read_bytes()
    assert json.loads(Path("reports/download.json").read_text())["data"] == "shapes"


def test_where_nothing_was_imported_three_ways_on_are_named(workspace):
    choose(workspace, "imported")
    (line,) = complaint().splitlines()
    assert line.startswith(f"error: {IMPORTED} has no data set")
    for way in ("make import", "dvc checkout", "dvc pull"):
        assert way in line


def lacks_a_file(folder):
    (folder / TEST.labels).unlink()
    return TEST.labels, "No such file"


def lacks_the_description(folder):
    (folder / DESCRIPTION).unlink()
    return DESCRIPTION, "No such file"


def has_a_broken_description(folder):
    (folder / DESCRIPTION).write_text("{")
    return DESCRIPTION, "JSON"


def has_a_torn_file(folder):
    content = (folder / TRAIN.images).read_bytes()
    (folder / TRAIN.images).write_bytes(content[:-9])
    return TRAIN.images, "ended"


def has_images_of_another_size(folder):
    write_idx(folder / TEST.images, np.zeros((3, 24, 40), np.uint8))
    return TEST.images, "expected images of shape (N, 40, 24), found (3, 24, 40)"


def has_more_images_than_labels(folder):
    write_idx(folder / TRAIN.images, np.zeros((4, 40, 24), np.uint8))
    return TRAIN.images, "4 images"


def has_a_label_of_no_class(folder):
    write_idx(folder / TEST.labels, np.array([0, 1, 2], np.uint8))
    return TEST.labels, "label 2 is 2, but the classes are 0 to 1"


@pytest.mark.parametrize(
    "spoil",
    [
        lacks_a_file,
        lacks_the_description,
        has_a_broken_description,
        has_a_torn_file,
        has_images_of_another_size,
        has_more_images_than_labels,
        has_a_label_of_no_class,
    ],
)
def test_a_broken_import_is_named_with_ways_to_mend_it(imported, spoil):
    name, problem = spoil(imported)
    (line,) = complaint().splitlines()
    assert str(IMPORTED) in line
    assert name in line
    assert problem in line
    assert "dvc checkout" in line
    assert "REPLACE=1" in line
    assert "dvc repro" not in line  # which would not mend it
    assert not RAW.exists()
