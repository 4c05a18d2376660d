"""The network: its gradient against three independent ones, and what it is used for."""

import zipfile

import autograd
import autograd.numpy as anp
import numpy as np
import pytest

from nnlib.base.errors import UserError
from nnlib.data.encoding import Encoding
from nnlib.network import TwoLayerNet


def encoding_of(C):
    names = tuple(f"class {label}" for label in range(C))
    return Encoding(scaling="standard", pixel_mean=0.13, pixel_std=0.3, class_names=names)


def make_network(D, H, C, seed, dtype=np.float64):
    rng = np.random.default_rng(seed)
    network = TwoLayerNet(D, H, C, weight_init=0.5, encoding=encoding_of(C), rng=rng, dtype=dtype)
    network.params["b1"] += rng.standard_normal(H).astype(dtype)
    network.params["b2"] += rng.standard_normal(C).astype(dtype)
    return network


def make_batch(N, D, C, seed):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((N, D)), rng.integers(C, size=N)


def relative_error(a, b):
    return np.linalg.norm(a - b) / (np.linalg.norm(a) + np.linalg.norm(b))


SIZES = [(1, 1, 1, 2), (1, 5, 3, 4), (7, 6, 5, 10), (20, 12, 9, 3)]  # N, D, H, C


@pytest.mark.parametrize(("N", "D", "H", "C"), SIZES)
@pytest.mark.parametrize("seed", range(3))
def test_gradient_agrees_with_central_differences(N, D, H, C, seed):
    network = make_network(D, H, C, seed)
    x, t = make_batch(N, D, C, seed)
    by_backpropagation = network.gradient(x, t)
    by_differences = network.numerical_gradient(x, t)
    assert by_backpropagation.keys() == by_differences.keys() == network.params.keys()
    for key, grad in by_backpropagation.items():
        assert grad.shape == network.params[key].shape
        assert relative_error(grad, by_differences[key]) < 1e-7


@pytest.mark.parametrize(("N", "D", "H", "C"), SIZES)
@pytest.mark.parametrize("seed", range(3))
def test_gradient_agrees_with_autograd(N, D, H, C, seed):
    network = make_network(D, H, C, seed)
    x, t = make_batch(N, D, C, seed)

    def loss(params):
        z1 = 1 / (1 + anp.exp(-(anp.dot(x, params["W1"]) + params["b1"])))
        y = anp.exp(anp.dot(z1, params["W2"]) + params["b2"])
        y = y / anp.sum(y, axis=1, keepdims=True)
        return -anp.mean(anp.log(y[anp.arange(N), t]))

    assert network.loss(x, t) == pytest.approx(loss(network.params), rel=1e-13)
    expected = autograd.grad(loss)(network.params)
    for key, grad in network.gradient(x, t).items():
        np.testing.assert_allclose(grad, expected[key], rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("smoothing", [0.1, 0.9])
def test_smoothed_targets_have_the_gradient_of_their_cross_entropy(smoothing):
    network = make_network(6, 5, 4, seed=0)
    x, t = make_batch(7, 6, 4, seed=0)
    targets = (1 - smoothing) * np.eye(4)[t] + smoothing / 4

    def loss(params):
        z1 = 1 / (1 + anp.exp(-(anp.dot(x, params["W1"]) + params["b1"])))
        a2 = anp.dot(z1, params["W2"]) + params["b2"]
        log_y = a2 - anp.log(anp.sum(anp.exp(a2), axis=1, keepdims=True))
        return -anp.mean(anp.sum(targets * log_y, axis=1))

    expected = autograd.grad(loss)(network.params)
    found_loss, grads = network.loss_and_gradient(x, t, label_smoothing=smoothing)
    assert found_loss == network.loss(x, t)  # of the targets as they are
    for key, grad in grads.items():
        np.testing.assert_allclose(grad, expected[key], rtol=1e-10, atol=1e-14)


def test_weights_are_those_of_the_samples_losses():
    network = make_network(6, 5, 4, seed=0)
    x, t = make_batch(7, 6, 4, seed=0)
    weights = np.array([1, 1, 0, 1, 0.5, 1, 0])
    loss, grads = network.loss_and_gradient(x, t, weights=weights)
    assert loss == network.loss(x, t)
    # the gradient of the sum over the batch is the sum of the samples' gradients
    of_each = [network.gradient(x[[n]], t[[n]]) for n in range(7)]
    for key, grad in grads.items():
        expected = sum(weights[n] * of_each[n][key] for n in range(7)) / 7
        np.testing.assert_allclose(grad, expected, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("activation", ["sigmoid", "relu"])
def test_what_is_dropped_has_no_part_in_the_gradient(activation):
    whole = make_network(6, 5, 4, seed=0)
    network = TwoLayerNet.from_params(whole.params, activation=activation)
    x, t = make_batch(7, 6, 4, seed=0)
    mask = np.array([2.0, 0, 2, 2, 0])
    # without these units, and what the others pass on twice as large
    rest = TwoLayerNet.from_params(
        {
            "W1": network.params["W1"][:, mask > 0],
            "b1": network.params["b1"][mask > 0],
            "W2": 2 * network.params["W2"][mask > 0],
            "b2": network.params["b2"],
        },
        activation=activation,
    )
    loss, grads = network.loss_and_gradient(x, t, dropout_mask=np.tile(mask, (7, 1)))
    expected = rest.gradient(x, t)
    assert loss == pytest.approx(rest.loss(x, t))
    np.testing.assert_allclose(grads["W1"][:, mask > 0], expected["W1"])
    np.testing.assert_allclose(grads["W2"][mask > 0], 2 * expected["W2"])
    np.testing.assert_allclose(grads["b2"], expected["b2"])
    for key, axis in (("W1", 1), ("b1", 0), ("W2", 0)):
        assert not np.compress(mask == 0, grads[key], axis=axis).any()


@pytest.mark.parametrize("scale", [1, 0.3, 7])
def test_loss_and_gradient_are_those_of_one_pass_and_the_gradient_is_scaled(scale):
    network = make_network(6, 5, 4, seed=0)
    x, t = make_batch(7, 6, 4, seed=0)
    loss, grads = network.loss_and_gradient(x, t, scale=scale)
    assert loss == network.loss(x, t)
    for key, grad in network.gradient(x, t).items():
        np.testing.assert_allclose(grads[key], scale * grad, rtol=1e-12)


def test_gradient_worked_by_hand(network_worked_by_hand):
    network, ln3 = network_worked_by_hand, np.log(3)
    x, t = np.array([[1.0, 2.0]]), np.array([1])
    # a1 = (0, 0), z1 = (1/2, 1/2), a2 = (ln 3, 0), y = (3/4, 1/4), loss = -ln 1/4
    np.testing.assert_allclose(network.predict(x), [[3 / 4, 1 / 4]])
    assert network.loss(x, t) == pytest.approx(np.log(4))
    assert network.accuracy(x, t) == 0
    assert network.accuracy(x, 1 - t) == 1
    # dy = (3/4, -3/4), dz1 = dy W2^T = 3/4 ln 3 (1, 1), da1 = dz1 / 4
    grad = network.gradient(x, t)
    np.testing.assert_allclose(grad["W2"], [[3 / 8, -3 / 8], [3 / 8, -3 / 8]])
    np.testing.assert_allclose(grad["b2"], [3 / 4, -3 / 4])
    np.testing.assert_allclose(grad["W1"], 3 / 16 * ln3 * np.array([[1, 1], [2, 2]]))
    np.testing.assert_allclose(grad["b1"], 3 / 16 * ln3 * np.array([1, 1]))


def test_gradient_takes_one_hot_targets_and_leaves_its_input_alone():
    network = make_network(4, 3, 5, seed=0)
    x, t = make_batch(6, 4, 5, seed=0)
    x_before, params_before = x.copy(), {k: v.copy() for k, v in network.params.items()}
    by_index, by_one_hot = network.gradient(x, t), network.gradient(x, np.eye(5)[t])
    for key in by_index:
        np.testing.assert_array_equal(by_index[key], by_one_hot[key])
        np.testing.assert_array_equal(network.params[key], params_before[key])
    np.testing.assert_array_equal(x, x_before)
    assert network.loss(x, t) == network.loss(x, np.eye(5)[t])
    assert network.accuracy(x, t) == network.accuracy(x, np.eye(5)[t])


def test_float32_stays_float32_and_is_close_to_float64():
    network = make_network(20, 8, 10, seed=0)
    single = TwoLayerNet.from_params({k: v.astype(np.float32) for k, v in network.params.items()})
    x, t = make_batch(30, 20, 10, seed=0)
    x = x.astype(np.float32)
    assert single.predict(x).dtype == np.float32
    for key, grad in single.gradient(x, t).items():
        assert grad.dtype == np.float32
        np.testing.assert_allclose(grad, network.gradient(x, t)[key], rtol=1e-4, atol=1e-6)
    # central differences are taken in float64, whatever the network's dtype
    for key, grad in single.numerical_gradient(x, t).items():
        assert relative_error(grad, network.gradient(x, t)[key]) < 1e-6


def test_initial_parameters():
    network = TwoLayerNet(784, 50, 10, weight_init=0.02, rng=np.random.default_rng(3))
    shapes = {key: value.shape for key, value in network.params.items()}
    assert shapes == {"W1": (784, 50), "b1": (50,), "W2": (50, 10), "b2": (10,)}
    assert network.params["W1"].mean() == pytest.approx(0, abs=1e-3)
    assert network.params["W1"].std() == pytest.approx(0.02, rel=0.02)
    assert network.params["W2"].std() == pytest.approx(0.02, rel=0.1)
    assert not network.params["b1"].any()
    again = TwoLayerNet(784, 50, 10, weight_init=0.02, rng=np.random.default_rng(3))
    other = TwoLayerNet(784, 50, 10, weight_init=0.02, rng=np.random.default_rng(4))
    np.testing.assert_array_equal(network.params["W2"], again.params["W2"])
    assert np.any(network.params["W2"] != other.params["W2"])


def test_the_initial_weights_are_those_of_the_seed_0_if_nothing_else_is_said():
    network = TwoLayerNet(4, 3, 5, weight_init=0.5)
    weights = np.random.default_rng(0).standard_normal(4 * 3 + 3 * 5) / 2
    np.testing.assert_array_equal(network.params["W1"].ravel(), weights[:12])
    np.testing.assert_array_equal(network.params["W2"].ravel(), weights[12:])


def test_the_rules_for_the_initial_weights():
    sizes = 400, 300, 100
    for rule, std_W1, std_W2 in (
        (0.02, 0.02, 0.02),
        ("xavier", (2 / 700) ** 0.5, (2 / 400) ** 0.5),
        ("he", (2 / 400) ** 0.5, (2 / 300) ** 0.5),
    ):
        params = TwoLayerNet(*sizes, weight_init=rule).params
        assert np.std(params["W1"]) == pytest.approx(std_W1, rel=0.01)
        assert np.std(params["W2"]) == pytest.approx(std_W2, rel=0.02)
        assert not params["b1"].any()
    with pytest.raises(ValueError, match="lecun"):
        TwoLayerNet(*sizes, weight_init="lecun")


def test_a_rule_keeps_the_size_of_what_passes_through():
    rng = np.random.default_rng(0)
    for activation, rule, shares in (("tanh", "xavier", (0.5, 1)), ("relu", "he", (0.6, 0.9))):
        network = TwoLayerNet(500, 500, 500, weight_init=rule, activation=activation)
        z1, _ = network.forward(rng.standard_normal((200, 500)))
        assert shares[0] < np.sqrt(np.mean(z1**2)) < shares[1] * 1.2


def test_another_activation_is_used_both_ways_and_is_saved(tmp_path):
    rng = np.random.default_rng(0)
    TwoLayerNet(6, 5, 4, weight_init=0.5, activation="tanh", encoding=encoding_of(4), rng=rng).save(
        tmp_path / "network.npz"
    )
    network = TwoLayerNet.load(tmp_path / "network.npz")
    assert network.activation == "tanh"
    x, t = make_batch(7, 6, 4, seed=0)
    z1, y = network.forward(x)
    np.testing.assert_allclose(z1, np.tanh(x @ network.params["W1"]))
    a2 = z1 @ network.params["W2"]
    np.testing.assert_allclose(y, np.exp(a2) / np.exp(a2).sum(axis=1, keepdims=True))
    by_differences = network.numerical_gradient(x, t)
    for key, grad in network.gradient(x, t).items():
        assert relative_error(grad, by_differences[key]) < 1e-7


def test_saved_and_loaded(tmp_path):
    network = make_network(4, 3, 5, seed=0, dtype=np.float32)
    network.save(tmp_path / "network.npz")
    loaded = TwoLayerNet.load(tmp_path / "network.npz")
    for key, value in network.params.items():
        np.testing.assert_array_equal(loaded.params[key], value)
        assert loaded.params[key].dtype == value.dtype
    assert loaded.activation == "sigmoid"
    assert loaded.encoding == encoding_of(5)


def test_a_saved_network_can_be_used_on_images(tmp_path):
    make_network(4, 3, 5, seed=0).save(tmp_path / "network.npz")
    network = TwoLayerNet.load(tmp_path / "network.npz")
    images = np.array([[[0, 255], [51, 102]]], np.uint8)
    x = (np.array([[0, 1, 0.2, 0.4]]) - 0.13) / 0.3
    inputs = network.encoding.inputs(images)
    np.testing.assert_allclose(inputs, x, rtol=1e-6)
    np.testing.assert_allclose(network.predict(inputs), network.predict(x), rtol=1e-5)


def test_the_archive_has_plain_headers_whatever_the_version_of_python(tmp_path):
    make_network(4, 3, 5, seed=0).save(tmp_path / "network.npz")
    with zipfile.ZipFile(tmp_path / "network.npz") as archive:
        for entry in archive.infolist():
            assert entry.extract_version == 20  # 45 would be that of sizes not known beforehand
            assert entry.date_time == (1980, 1, 1, 0, 0, 0)
            assert entry.extra == b""
    assert (tmp_path / "network.npz").read_bytes()[4:6] == b"\x14\x00"  # 20, in the first header


def test_a_network_that_nobody_could_use_is_not_saved(tmp_path):
    with pytest.raises(ValueError, match="encoding"):
        TwoLayerNet(4, 3, 5).save(tmp_path / "network.npz")


@pytest.mark.parametrize("name", ["network", ".npz", "network.txt", "a.part.npz"])
def test_a_network_is_saved_under_any_name(tmp_path, name):
    network = make_network(4, 3, 5, seed=0)
    network.save(tmp_path / name)
    np.testing.assert_array_equal(
        TwoLayerNet.load(tmp_path / name).params["W1"], network.params["W1"]
    )
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_the_same_network_is_saved_as_the_same_bytes(tmp_path):
    for name in ("a.npz", "b.npz"):
        make_network(4, 3, 5, seed=0).save(tmp_path / name)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


@pytest.mark.parametrize(
    "write",
    [
        lambda path: None,
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"PK\x03\x04 but no more"),
        lambda path: np.savez(path, W1=np.zeros((2, 2))),
        lambda path: np.savez(path, W1=[1], b1=[1], W2=[1], b2=[1]),
        lambda path: np.savez(
            path, W1=np.zeros((3, 2)), b1=np.zeros(2), W2=np.zeros((9, 4)), b2=np.zeros(4)
        ),
        lambda path: np.savez(path, W1=np.array([{}]), b1=[1], W2=[1], b2=[1]),
        lambda path: np.savez(path, W1=1.0, b1=1.0, W2=1.0, b2=1.0),
        lambda path: write_array(path, np.zeros(3)),
        lambda path: write_network(path, b1=np.zeros(2, int)),
        lambda path: write_network(path, W2=np.full((2, 4), np.nan)),
        lambda path: write_network(path, b2=np.full(4, np.inf)),
    ],
    ids=[
        *("missing", "empty", "no zip", "arrays missing", "no matrices", "misfit", "objects"),
        *("no dimensions", "an array", "integers", "NaN", "infinity"),
    ],
)
def test_a_broken_file_is_refused(tmp_path, write):
    path = tmp_path / "network.npz"
    write(path)
    with pytest.raises(UserError, match=r"network\.npz") as caught:
        TwoLayerNet.load(path)
    assert caught.value.file == path


def write_array(path, array):
    with path.open("wb") as file:
        np.save(file, array)


def write_network(path, *, without=(), **changed):
    arrays = {"W1": np.zeros((3, 2)), "b1": np.zeros(2), "W2": np.zeros((2, 4)), "b2": np.zeros(4)}
    arrays |= {"activation": "sigmoid", **encoding_of(4).model_dump(), **changed}
    np.savez(path, **{key: value for key, value in arrays.items() if key not in without})


def test_the_network_that_the_broken_ones_differ_from_is_read(tmp_path):
    write_network(tmp_path / "network.npz")
    TwoLayerNet.load(tmp_path / "network.npz")


@pytest.mark.parametrize(
    "key",
    [
        *("W1", "b1", "W2", "b2"),
        *("activation", "scaling", "pixel_mean", "pixel_std", "class_names"),
    ],
)
def test_what_a_file_lacks_is_named(tmp_path, key):
    path = tmp_path / "network.npz"
    write_network(path, without=[key])
    with pytest.raises(UserError, match=rf"network\.npz lacks {key}$"):
        TwoLayerNet.load(path)


def test_all_that_a_file_lacks_is_named(tmp_path):
    path = tmp_path / "network.npz"
    write_network(path, without=encoding_of(4).model_dump())
    names = "scaling, pixel_mean, pixel_std, class_names"
    with pytest.raises(UserError, match=rf"network\.npz lacks {names}$"):
        TwoLayerNet.load(path)


def test_a_network_for_other_inputs_or_classes_is_refused(tmp_path):
    path = tmp_path / "network.npz"
    write_network(path)
    names = encoding_of(4).class_names
    TwoLayerNet.load(path, input_size=3, class_names=names)
    with pytest.raises(UserError, match=r"network\.npz: .* inputs 3, the data 784$") as caught:
        TwoLayerNet.load(path, input_size=784)
    assert caught.value.file == path
    with pytest.raises(UserError, match=r"network\.npz: .* classes class 0, .* data class 0, "):
        TwoLayerNet.load(path, class_names=names[:3])
    TwoLayerNet.load(path, encoding=encoding_of(4))
    with pytest.raises(UserError, match=r"encoding scaling='standard' .*, the data scaling='unit'"):
        TwoLayerNet.load(path, encoding=encoding_of(4).model_copy(update={"scaling": "unit"}))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("activation", "softplus"),
        ("scaling", "log"),
        ("scaling", 3),
        ("pixel_mean", np.nan),
        ("pixel_std", 0.0),
        ("pixel_std", "wide"),
        ("class_names", ["a", "b", "c"]),
        ("class_names", "abcd"),
    ],
)
def test_a_wrong_value_is_named(tmp_path, key, value):
    path = tmp_path / "network.npz"
    write_network(path, **{key: value})
    with pytest.raises(UserError, match=rf"network\.npz: {key}"):
        TwoLayerNet.load(path)


def test_a_truncated_file_is_refused_wherever_it_ends(tmp_path):
    path = tmp_path / "network.npz"
    write_network(path)
    content = path.read_bytes()
    for end in range(0, len(content), 7):
        path.write_bytes(content[:end])
        with pytest.raises(UserError, match=r"network\.npz"):
            TwoLayerNet.load(path)


@pytest.mark.parametrize(
    ("key", "shape"),
    [
        *((key, (5, 5, 5)) for key in ("W1", "b1", "W2", "b2")),
        *[("W1", (3, 5)), ("b1", (5,)), ("W2", (5, 4)), ("W2", (2, 5)), ("b2", (5,))],
    ],
)
def test_the_array_that_does_not_fit_is_named(tmp_path, key, shape):
    path = tmp_path / "network.npz"
    write_network(path, **{key: np.zeros(shape)})
    with pytest.raises(UserError, match=rf"network\.npz: {key} (has the shape|has [HC] =)"):
        TwoLayerNet.load(path)
