"""The readers, fed with anything: only the project's own error comes out."""

import gzip
from functools import partial

import numpy as np
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nnlib.analysis.predictions import (
    OF_SAMPLE,
    Predictions,
    of_classes,
    read_predictions,
    write_predictions,
)
from nnlib.base.errors import UserError
from nnlib.base.validation import read_json, write_json
from nnlib.data.encoding import Encoding
from nnlib.data.idx import read_idx, write_idx
from nnlib.network import TwoLayerNet
from nnlib.training.history import (
    Epoch,
    Snapshot,
    read_history,
    read_snapshots,
    write_history,
    write_snapshots,
)
from stages.params import Params, leaves, read_params
from tools.checkouts import ROOT, set_values

LONG = 30_000  # examples, for each reader
SHORT = 200

labels = np.array([1, 0, 9], np.uint8)
ENCODING = Encoding(scaling="unit", pixel_mean=0, pixel_std=1, class_names=("a", "b"))


def settings_for(examples):
    return settings(
        max_examples=examples,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
        database=None,
    )


def mutations(content, replacement):
    """Cut out a piece of a file, and put something else in its place."""

    def mutate(start, length, new):
        return content[:start] + new + content[start + length :]

    places = st.integers(0, len(content))
    return st.builds(mutate, places, st.integers(0, 12), replacement)


@pytest.fixture(scope="module")
def idx_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("idx") / "file.gz"
    write_idx(path, np.arange(24, dtype=np.uint8).reshape(2, 3, 4))
    return path


@pytest.fixture(scope="module")
def idx_contents(idx_file):
    packed = idx_file.read_bytes()
    inside = gzip.decompress(packed)
    return st.one_of(
        st.binary(max_size=60),
        mutations(packed, st.binary(max_size=12)),
        st.builds(gzip.compress, st.binary(max_size=60)),
        st.builds(gzip.compress, mutations(inside, st.binary(max_size=12))),
        st.builds(lambda n: gzip.compress(inside + bytes(n)), st.integers(0, 10**6)),
    )


@pytest.fixture(scope="module")
def predictions_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("predictions") / "test.csv"
    y = np.random.default_rng(0).dirichlet(np.ones(10), size=3)
    write_predictions(path, Predictions.of(y, labels))
    return path


@pytest.fixture(scope="module")
def predictions_contents(predictions_file):
    table = predictions_file.read_bytes()
    pieces = st.sampled_from([b",", b"\n", b'"', b"-", b"e9", b"nan", b"inf", b"\0", b"\xff", b"1"])
    head = ",".join([*OF_SAMPLE, *of_classes(10)]).encode() + b"\n"
    return st.one_of(
        st.binary(max_size=60),
        mutations(table, st.one_of(pieces, st.binary(max_size=12))),
        st.builds(head.__add__, st.lists(pieces, max_size=40).map(b"".join)),
    )


@pytest.fixture(scope="module")
def params_file(tmp_path_factory):
    return tmp_path_factory.mktemp("params") / "params.yaml"


@pytest.fixture(scope="module")
def params_contents():
    text = (ROOT / "params.yaml").read_text(encoding="utf-8")
    keys = [key for key, _ in leaves(yaml.safe_load(text))]
    values = st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
        max_leaves=5,
    )

    def change(changes):
        params = yaml.safe_load(text)
        set_values(params, changes)
        return yaml.safe_dump(params).encode()

    return st.one_of(
        st.binary(max_size=60),
        mutations(text.encode(), st.binary(max_size=12)),
        mutations(text.encode(), st.text("0123456789.-+e_:#[]{}&*!|>%@`'\" \n\t").map(str.encode)),
        st.builds(change, st.dictionaries(st.sampled_from(keys), values, max_size=4)),
    )


# Files that are fed as they are written, but for a piece of them.
WRITERS = {
    "history.csv": lambda path: write_history(
        path, [Epoch(epoch, 600 * epoch, *[0.5] * 6) for epoch in range(3)]
    ),
    "weights.npz": lambda path: write_snapshots(
        path, [Snapshot(i, np.ones((4, 3), np.float32)) for i in (0, 600)]
    ),
    "trained.npz": TwoLayerNet(4, 3, 2, encoding=ENCODING).save,
    "encoding.json": lambda path: write_json(path, ENCODING),
}
OF_JSON = [b"[" * 200_000, b"9" * 400, b"NaN", b"-1e999", b"true", b'"', b"\\ud800"]


def feed(read, path, contents, examples):
    """Read the file with each of the contents."""

    @settings_for(examples)
    @given(contents)
    def try_one(content):
        path.write_bytes(content)
        try:
            read(path)
        except UserError as error:
            message = str(error)
        else:
            return
        assert str(path) in message
        assert len(message) < 10_000

    try_one()


READERS = {
    "idx": read_idx,
    "predictions": lambda path: read_predictions(path, labels, 10),
    "params": partial(read_params, Params),
    "history.csv": read_history,
    "weights.npz": partial(read_snapshots, input_size=4),
    "trained.npz": TwoLayerNet.load,
    "encoding.json": partial(read_json, model=Encoding),
}


@pytest.fixture(params=READERS)
def reader(request, tmp_path):
    name = request.param
    if write := WRITERS.get(name):
        path, new = tmp_path / name, st.binary(max_size=12)
        write(path)
        if path.suffix == ".json":
            new = st.one_of(st.sampled_from(OF_JSON), new)
        contents = mutations(path.read_bytes(), new)
    else:
        path, contents = (request.getfixturevalue(f"{name}_{of}") for of in ("file", "contents"))
    return READERS[name], path, contents


@pytest.mark.slow
def test_any_file_is_read_or_refused(reader):
    feed(*reader, examples=SHORT)


@pytest.mark.long
def test_very_many_files_are_read_or_refused(reader):
    feed(*reader, examples=LONG)
