"""The gradient check: it sees a wrong backpropagation, and only that."""

import numpy as np
import pytest
from scipy.optimize import check_grad

from nnlib.base.errors import UserError
from nnlib.base.validation import read_json, write_json
from nnlib.data.samples import Samples
from nnlib.network import TwoLayerNet
from nnlib.network.gradient_check import GradientCheck, check_gradient


@pytest.fixture
def network():
    return TwoLayerNet(20, 8, 10, weight_init=0.1, dtype=np.float32)


@pytest.fixture
def samples():
    rng = np.random.default_rng(0)
    return Samples(rng.random((30, 20), np.float32), rng.integers(10, size=30, dtype=np.uint8))


def test_a_right_gradient_passes(network, samples):
    before = {key: param.copy() for key, param in network.params.items()}
    check = check_gradient(network, samples).model_dump()
    assert {key: each["entries"] for key, each in check.items()} == {
        "W1": 100,
        "b1": 8,
        "W2": 80,
        "b2": 10,
    }
    for each in check.values():
        assert each["largest_difference"] < 1e-9
        assert each["largest_relative_error"] < 1e-5
    for key, param in network.params.items():
        np.testing.assert_array_equal(param, before[key])


def test_the_numbers_are_those_of_the_first_samples(network, samples):
    x, t = samples.x[:10].astype(float), samples.t[:10]
    exact = TwoLayerNet.from_params({k: v.astype(float) for k, v in network.params.items()})
    check = check_gradient(network, samples)
    grads = exact.gradient(x, t)
    for key in ("b1", "W2", "b2"):  # all of their entries are compared
        found = getattr(check, key)
        assert found.largest_gradient == pytest.approx(np.abs(grads[key]).max(), rel=1e-12)

    def loss(b2):
        return TwoLayerNet.from_params(exact.params | {"b2": b2}).loss(x, t)

    # scipy differentiates by one side, with an error of the order of its step
    error = check_grad(loss, lambda b2: grads["b2"], exact.params["b2"])
    assert check.b2.largest_difference < error < 1e-6


@pytest.mark.parametrize("wrong", ["W1", "b1", "W2", "b2"])
@pytest.mark.parametrize("factor", [1.001, -1, 0])
def test_a_wrong_gradient_is_seen(network, samples, monkeypatch, wrong, factor):
    gradient = TwoLayerNet.gradient

    def almost(self, x, t):
        grads = gradient(self, x, t)
        return grads | {wrong: factor * grads[wrong]}

    monkeypatch.setattr(TwoLayerNet, "gradient", almost)
    check = check_gradient(network, samples).model_dump()
    expected = {1.001: 0.001 / 1.001, -1: 2, 0: 1}[factor]
    for key, each in check.items():
        if key == wrong:
            assert each["largest_relative_error"] == pytest.approx(expected, rel=0.01)
        else:
            assert each["largest_relative_error"] < 1e-5


def test_entries_without_gradient_agree(network):
    blank = Samples(np.zeros((1, 20), np.float32), np.array([3], np.uint8))
    check = check_gradient(network, blank)
    assert check.W1.largest_gradient == check.W1.largest_relative_error == 0
    assert check.b1.largest_gradient > 0


@pytest.fixture
def path(tmp_path, network, samples):
    write_json(tmp_path / "check.json", check_gradient(network, samples))
    return tmp_path / "check.json"


def test_what_was_written_is_read(path, network, samples):
    assert read_json(path, GradientCheck) == check_gradient(network, samples)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('"entries": 100', '"entries": 0', "W1.entries: .* greater than or equal to 1 "),
        ('"entries": 8,', '"entries": "x",', "b1.entries: .* valid integer"),
        ('"b2"', '"b3"', "b2: Field required"),
        ("{", "", "Invalid JSON"),
    ],
)
def test_a_file_that_is_no_check_is_refused(path, old, new, problem):
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(UserError, match=rf"check\.json: {problem}") as caught:
        read_json(path, GradientCheck)
    assert caught.value.file == path


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UserError, match=r"check\.json cannot be read: No such file"):
        read_json(tmp_path / "check.json", GradientCheck)
