"""The training loop, on sets small enough to know the outcome."""

import os
import sys
import threading

import numpy as np
import pytest

from nnlib.base.blocks import BLOCK
from nnlib.base.errors import UserError
from nnlib.data.encoding import Encoding
from nnlib.data.samples import Samples, load_samples, save_samples
from nnlib.network import TwoLayerNet
from nnlib.network.evaluation import evaluate, predict
from nnlib.network.optimizers import OPTIMIZERS, SGD
from nnlib.training.batches import Batch
from nnlib.training.fit import Settings, fit
from nnlib.training.loop import train


def random_samples(N, D=12, C=10, seed=0):
    rng = np.random.default_rng(seed)
    return Samples(rng.random((N, D), np.float32), rng.integers(C, size=N, dtype=np.uint8))


def encoding_of(classes):
    names = tuple(map(str, range(classes)))
    return Encoding(scaling="unit", pixel_mean=0, pixel_std=1, class_names=names)


DEFAULTS = Settings(
    hidden_size=8, weight_init=0.1, iterations=10, batch_size=5, learning_rate=0.1, seed=0
)


TOLD = ("test_set", "augment", "on_epoch", "held_out", "left_out", "threads")


def run(samples, **given):
    told = {key: value for key, value in given.items() if key in TOLD}
    settings = {key: value for key, value in given.items() if key not in TOLD}
    return fit(DEFAULTS._replace(**settings), samples, encoding_of(10), **told)


def counts(history):
    return [(epoch.epoch, epoch.iteration) for epoch in history]


def assert_same_network(one, other):
    for key, value in one.params.items():
        assert value.tobytes() == other.params[key].tobytes()


def test_one_step_worked_by_hand(network_worked_by_hand):
    network, ln3 = network_worked_by_hand, np.log(3)
    sample = Batch(np.array([[1.0, 2.0]]), np.array([1]))
    trained, losses = train(network, SGD(), iter([sample]), [0.8])
    assert trained.params is network.params
    # z1 = (1/2, 1/2) and y = (3/4, 1/4), so the loss is ln 4. dy = (3/4, -3/4) and
    # da1 = 1/4 * 3/4 ln 3 (1, 1); each step is 4/5 of the gradient, downwards.
    assert losses == [pytest.approx(np.log(4))]
    np.testing.assert_allclose(network.params["W2"], [[ln3 - 0.3, 0.3], [ln3 - 0.3, 0.3]])
    np.testing.assert_allclose(network.params["b2"], [-0.6, 0.6])
    np.testing.assert_allclose(
        network.params["W1"], [[-0.15 * ln3, -0.15 * ln3], [-0.3 * ln3, -0.3 * ln3]]
    )
    np.testing.assert_allclose(network.params["b1"], [-0.15 * ln3, -0.15 * ln3])


def test_weights_decay_beside_the_step_and_each_update_has_its_rate(network_worked_by_hand):
    network, ln3 = network_worked_by_hand, np.log(3)
    sample = Batch(np.array([[1.0, 2.0]]), np.array([1]))
    train(network, SGD(weight_decay=0.5), iter([sample]), [0.4])
    # as above with half the step; of the weights before it, 0.4 * 0.5 go
    np.testing.assert_allclose(
        network.params["W2"], [[0.8 * ln3 - 0.15, 0.15], [0.8 * ln3 - 0.15, 0.15]]
    )
    np.testing.assert_allclose(network.params["b2"], [-0.3, 0.3])
    np.testing.assert_allclose(network.params["b1"], [-0.075 * ln3, -0.075 * ln3])


RATES = {"sgd": 3, "momentum": 0.3, "nesterov": 0.3, "adagrad": 0.3, "rmsprop": 0.05, "adam": 0.1}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_learns_ten_samples(name):
    samples = random_samples(10)
    fitted = run(
        samples,
        iterations=300,
        batch_size=10,
        learning_rate=RATES[name],
        optimizer={"name": name},
        schedule={"name": "cosine", "warmup": 10},
        hidden_size=20,
    )
    assert fitted.trained.accuracy(*samples) == 1


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_divergence_under_any_optimizer_is_said(name):
    with pytest.raises(UserError, match=r"the training diverges: .* below 1e\+38"):
        run(random_samples(50), iterations=100, learning_rate=1e38, optimizer={"name": name})


def test_the_length_in_epochs_is_that_in_their_batches():
    samples = random_samples(20)
    of_epochs = run(samples, iterations=1, epochs=3, batch_size=6)
    assert of_epochs.losses == run(samples, iterations=9, batch_size=6).losses
    assert len(run(samples, epochs=2, batch_size=21).losses) == 2


def test_shuffled_batches_and_dropout_are_repeated_by_the_seed_alone():
    samples = random_samples(20)
    default = run(samples)
    for options in ({"sampling": "shuffled"}, {"dropout": 0.5}):
        fitted = run(samples, **options)
        assert_same_network(fitted.untrained, default.untrained)
        assert fitted.losses == run(samples, **options).losses
        assert fitted.losses != default.losses


def test_the_average_of_the_weights_is_what_is_kept_and_measured():
    samples, decay = random_samples(20), 0.8
    fitted = run(samples, test_set=samples, averaging=decay)
    assert fitted.losses == run(samples).losses  # what is trained is not the average
    after = [run(samples, iterations=i).trained.params for i in range(1, 11)]
    for epoch in fitted.history[1:]:
        weights = decay ** np.arange(epoch.iteration)[::-1]  # the last update counts most
        average = TwoLayerNet.from_params(
            {
                key: np.average([params[key] for params in after[: epoch.iteration]], 0, weights)
                for key in after[0]
            }
        )
        assert epoch.loss == pytest.approx(average.loss(*samples), rel=1e-5)
    assert epoch.iteration < 10  # the training ends between two epochs
    assert fitted.trained.loss(*samples) != pytest.approx(epoch.loss, rel=1e-5)
    weights = decay ** np.arange(10)[::-1]
    for key, param in fitted.trained.params.items():
        average = np.average([params[key] for params in after], 0, weights)
        np.testing.assert_allclose(param, average, rtol=1e-5, atol=1e-7)


def test_an_average_too_small_for_float32_is_measured():
    samples = random_samples(20)
    fitted = run(
        samples, test_set=samples, averaging=1 - 2**-53, weight_init=1e-38, learning_rate=1e-20
    )
    assert not fitted.trained.params["W1"].any()
    assert [epoch.update_ratio_W1 for epoch in fitted.history] == [0, 0, 0]


def test_members_become_one_network_that_averages_their_logits():
    samples = random_samples(20)
    settings = {"seed": 7, "hidden_size": 5, "dropout": 0.2}
    fitted = run(samples, test_set=samples, members=3, validation=4, **settings)
    shared = run(samples, test_set=samples, validation=4, **settings)
    assert (fitted.losses, fitted.history) == (shared.losses, shared.history)
    for which in ("untrained", "trained"):
        W1, b1, W2, b2 = getattr(fitted, which).params.values()
        logits = []
        for member in range(3):
            units = slice(5 * member, 5 * member + 5)
            z1 = 1 / (1 + np.exp(-(samples.x @ W1[:, units] + b1[units])))
            logits.append(z1 @ W2[units] * 3 + b2)
        mean = np.exp(np.mean(logits, axis=0))
        np.testing.assert_allclose(
            getattr(fitted, which).predict(samples.x),
            mean / mean.sum(axis=1, keepdims=True),
            rtol=1e-5,
        )
        np.testing.assert_array_equal(W1[:, :5], getattr(shared, which).params["W1"])
        assert not np.isclose(W1[:, :5], W1[:, 5:10]).any()
        assert not np.isclose(W1[:, 5:10], W1[:, 10:]).any()
    assert not np.isclose(
        *(getattr(fitted, w).params["W2"] for w in ("untrained", "trained"))
    ).any()
    assert fitted.validation == evaluate(fitted.trained, samples, np.arange(16, 20))


def test_the_last_samples_are_held_out_and_measured():
    samples, test_set = random_samples(20), random_samples(13, seed=1)
    fitted = run(samples, test_set=test_set, validation=5)
    rest, held_out = (
        Samples(samples.x[rows], samples.t[rows]) for rows in (np.s_[:15], np.s_[15:])
    )
    without = run(rest, test_set=test_set)
    assert fitted.losses == without.losses
    assert [epoch[:-2] for epoch in fitted.history] == [epoch[:-2] for epoch in without.history]
    assert fitted.validation.loss == pytest.approx(fitted.trained.loss(*held_out), rel=1e-6)
    assert fitted.validation.accuracy == fitted.trained.accuracy(*held_out)
    untrained = fitted.history[0]
    assert untrained.validation_loss == pytest.approx(fitted.untrained.loss(*held_out), rel=1e-6)
    assert untrained.validation_accuracy == fitted.untrained.accuracy(*held_out)
    assert without.validation is without.history[0].validation_loss is None


@pytest.mark.parametrize("validation", [20, 21])
def test_a_validation_that_leaves_nothing_to_train_on_is_refused(validation):
    message = f"the validation holds {validation} samples out, of 20"
    with pytest.raises(UserError, match=message):
        run(random_samples(20), validation=validation)


def test_the_sets_are_measured_every_so_many_epochs_and_at_the_last():
    samples = random_samples(20)
    fitted = run(samples, test_set=samples, iterations=31, evaluate_every=3)
    assert counts(fitted.history) == [(0, 0), (3, 12), (6, 24), (7, 28)]
    every = run(samples, test_set=samples, iterations=31).history
    assert fitted.history == [every[epoch.epoch] for epoch in fitted.history]


def test_batches_are_drawn_with_replacement():
    samples = random_samples(2)
    fitted = run(samples, iterations=200, batch_size=2, learning_rate=1e-9)
    each = [fitted.untrained.loss(samples.x[[i]], samples.t[[i]]) for i in range(2)]
    # of two samples twice: the one, the other, or both
    possible = [each[0], each[1], np.mean(each)]
    found = [np.isclose(fitted.losses, loss, rtol=1e-6).sum() for loss in possible]
    assert sum(found) == 200
    assert found[0] > 30
    assert found[1] > 30
    assert found[2] > 70


def test_it_overfits_ten_samples():
    samples = random_samples(10)
    _, network, losses, *_ = run(samples, iterations=4000, batch_size=10, learning_rate=1.0)
    assert network.accuracy(samples.x, samples.t) == 1
    assert losses[-1] < 0.1 < losses[0]


def test_the_same_seed_gives_the_same_weights():
    samples = random_samples(50)
    first = run(samples, seed=7, iterations=100)
    second = run(samples, seed=7, iterations=100)
    other = run(samples, seed=8, iterations=100)
    assert first.losses == second.losses
    assert_same_network(first.trained, second.trained)
    assert np.any(first.trained.params["W1"] != other.trained.params["W1"])


def test_samples_mapped_from_files_and_in_memory_give_the_same_bytes(tmp_path):
    samples = random_samples(5000, D=784)
    save_samples(tmp_path, "train", [samples.x], samples.t)
    mapped = load_samples(tmp_path, "train", 10)
    assert not mapped.x.flags.owndata
    in_memory = run(samples, test_set=samples, iterations=120, batch_size=100)
    from_files = run(mapped, test_set=mapped, iterations=120, batch_size=100)
    assert in_memory.losses == from_files.losses
    assert in_memory.history == from_files.history
    assert_same_network(in_memory.trained, from_files.trained)


@pytest.mark.parametrize("n", [1, BLOCK + 1])
def test_some_rows_are_evaluated_however_many_and_each_as_often_as_it_is_named(n):
    samples, network = random_samples(3), TwoLayerNet(12, 8, 10, weight_init=1)
    rows = np.arange(n) % 3
    y = network.predict(samples.x[rows])
    np.testing.assert_allclose(predict(network, samples.x[rows]), y, rtol=1e-6)
    found = evaluate(network, samples, rows)
    assert found.loss == pytest.approx(network.loss(samples.x[rows], samples.t[rows]))
    assert found.accuracy == network.accuracy(samples.x[rows], samples.t[rows])


def test_it_leaves_the_global_random_state_alone():
    before = np.random.get_state()[1].copy()  # noqa: NPY002 - it is what must not change
    run(random_samples(20))
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


def test_the_untrained_network_and_every_epoch_are_measured():
    samples, told = random_samples(20), []
    fitted = run(samples, test_set=samples, on_epoch=told.append, iterations=14, batch_size=5)
    assert len(fitted.losses) == 14
    assert counts(fitted.history) == [(0, 0), (1, 4), (2, 8), (3, 12)]
    assert told == fitted.history


def test_without_a_test_set_nothing_is_measured():
    assert run(random_samples(20)).history == []


def test_an_epoch_has_whole_batches_only():
    samples = random_samples(20)
    fitted = run(samples, test_set=samples, iterations=7, batch_size=6)
    assert counts(fitted.history) == [(0, 0), (1, 3), (2, 6)]


@pytest.mark.skipif(sys.platform != "linux", reason="a thread has no priority of its own here")
def test_the_training_goes_before_its_measurements():
    def niceness():
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    samples, before, seen = random_samples(20), niceness(), []
    run(samples, test_set=samples, on_epoch=lambda _: seen.append(niceness()))
    assert niceness() == before < min(seen)


def test_measurements_are_of_the_full_sets_by_the_network_as_it_was_then():
    train_set, test_set = random_samples(20), random_samples(13, seed=1)
    history = run(train_set, test_set=test_set, iterations=14).history
    for epoch in history:
        network = run(train_set, iterations=epoch.iteration).trained
        assert epoch.loss == pytest.approx(network.loss(*train_set), rel=1e-6)
        assert epoch.train_accuracy == network.accuracy(*train_set)
        assert epoch.test_accuracy == network.accuracy(*test_set)


def test_the_updates_are_compared_with_the_weights():
    samples = random_samples(20)
    history = run(samples, test_set=samples, iterations=12).history
    for epoch in history[1:]:
        after, before = (run(samples, iterations=epoch.iteration - i).trained for i in (0, 1))
        for key, found in (("W1", epoch.update_ratio_W1), ("W2", epoch.update_ratio_W2)):
            new, old = after.params[key].astype(float), before.params[key].astype(float)
            expected = np.linalg.norm(new - old) / np.linalg.norm(new)
            assert found == pytest.approx(expected, rel=1e-4)  # the weights are of float32
    assert history[0].update_ratio_W1 == history[0].update_ratio_W2 == 0


def test_weights_that_no_update_changes_have_no_ratio_to_divide():
    samples = Samples(np.zeros((5, 12), np.float32), np.arange(5, dtype=np.uint8))
    history = run(samples, test_set=samples, iterations=2).history
    assert [epoch.update_ratio_W1 for epoch in history] == [0, 0, 0]
    assert all(epoch.update_ratio_W2 > 0 for epoch in history[1:])


@pytest.mark.parametrize(
    ("iterations", "expected"),
    [(3, [0, 3]), (4, [0, 4]), (16, [0, 4, 16]), (19, [0, 4, 16, 19]), (70, [0, 4, 16, 64, 70])],
)
def test_the_weights_of_a_few_units_are_kept(iterations, expected):
    samples = random_samples(20)
    snapshots = run(samples, test_set=samples, iterations=iterations).snapshots
    assert [snapshot.iteration for snapshot in snapshots] == expected
    for iteration, W1 in snapshots:
        network = run(samples, iterations=iteration).trained
        np.testing.assert_array_equal(W1, network.params["W1"][:, :5])


def test_of_a_network_without_as_many_units_all_are_kept():
    samples = random_samples(20)
    fitted = run(samples, test_set=samples, hidden_size=2)
    assert [snapshot.W1.shape for snapshot in fitted.snapshots] == [(12, 2)] * 3


@pytest.mark.parametrize(
    ("activation", "steepness", "share"),
    [("sigmoid", 1, 5 / 8), ("tanh", 2, 5 / 8), ("relu", 1, 0.5)],
)
@pytest.mark.parametrize("N", [1, BLOCK + 1])
def test_activations_where_the_slope_is_small_are_saturated(N, activation, steepness, share):
    # a1 is the input itself, and the logit of 0.05 and 0.95 is ln 19 = 2.944; tanh(a) is
    # 2 sigmoid(2 a) - 1; the ReLU is inactive up to 0
    x = np.array([[-50, -2.95, -2.94, 0, 2.94, 2.95, 50, 3]], np.float32) / steepness
    network = TwoLayerNet(8, 8, 10, activation=activation)
    network.params["W1"] = np.eye(8, dtype=np.float32)
    samples = Samples(np.repeat(x, N, axis=0), np.zeros(N, np.uint8))
    assert evaluate(network, samples).saturated == share
    assert evaluate(network, samples, np.zeros(3, int)).saturated == share


@pytest.mark.parametrize("when", [0, 1, 3])
def test_what_fails_at_an_epoch_fails(when):
    samples = random_samples(20)

    def on_epoch(epoch):
        if epoch.epoch == when:
            raise UserError("no room")

    with pytest.raises(UserError, match="no room"):
        run(samples, test_set=samples, on_epoch=on_epoch, iterations=12)


def test_a_batch_larger_than_the_set_makes_each_iteration_an_epoch():
    samples = random_samples(3)
    fitted = run(samples, test_set=samples, iterations=2, batch_size=5)
    assert counts(fitted.history) == [(0, 0), (1, 1), (2, 2)]


def test_the_size_of_the_network_leaves_the_batches_alone():
    samples = random_samples(500)
    batch = np.random.default_rng(7).spawn(2)[1].integers(500, size=5)
    for hidden_size in (3, 30):
        untrained, _, losses, *_ = run(samples, seed=7, hidden_size=hidden_size)
        expected = untrained.loss(samples.x[batch], samples.t[batch])
        assert losses[0] == pytest.approx(expected, rel=1e-6)


def test_the_networks_know_what_they_are_for():
    untrained, trained, *_ = run(random_samples(20))
    assert untrained.encoding == trained.encoding == encoding_of(10)
    assert trained.params["b2"].shape == (10,)


def test_the_initial_weights_have_the_deviation_asked_for():
    for std in (0.01, 0.5):
        weights = run(random_samples(20, D=784), weight_init=std).untrained.params["W1"]
        assert weights.std() == pytest.approx(std, rel=0.05)


def test_progress_is_told_of_each_iteration():
    told = []

    def progress(iterations):
        for iteration in iterations:
            told.append(iteration)
            yield iteration

    fit(DEFAULTS, random_samples(20), encoding_of(10), progress=progress)
    assert told == list(range(1, 11))


def test_divergence_is_said_and_not_trained_through():
    with pytest.raises(UserError, match=r"iteration \d+ is (inf|nan).*learning rate below 1e\+38"):
        run(random_samples(50), iterations=1000, learning_rate=1e38)


@pytest.mark.parametrize("units", [200, 1100])  # in one part, and in several
def test_what_begins_far_off_and_learns_is_no_divergence(units):
    samples = random_samples(50)
    fitted = run(
        samples,
        iterations=600,
        batch_size=25,
        learning_rate=0.05,
        hidden_size=units,
        weight_init=2,
        activation="relu",
        schedule={"name": "cosine"},
    )
    assert fitted.losses[0] > 200  # of probabilities that are 0 in float32
    assert fitted.trained.accuracy(*samples) == 1


def test_after_a_divergence_a_rate_below_the_highest_so_far_is_advised():
    schedule = {"name": "step", "every": 1, "factor": 1e-3}
    with pytest.raises(UserError, match=r"the training diverges: .* learning rate below 1e\+30,"):
        run(random_samples(50), iterations=9, learning_rate=1e30, schedule=schedule)


def test_divergence_at_the_last_iteration_is_said_too():
    with pytest.raises(UserError, match="diverges: after the last iteration the weights are not"):
        run(random_samples(50), iterations=1, learning_rate=1e300)


def test_the_inputs_of_each_batch_are_augmented_and_nothing_else_changes():
    samples = random_samples(20)
    seen = []

    def augment(x, rng):
        seen.append(rng.random())
        return x + np.float32(1)

    settings = {"iterations": 40, "batch_size": 6, "hidden_size": 20}
    shifted = Samples(samples.x + np.float32(1), samples.t)
    augmented = run(samples, test_set=shifted, augment=augment, **settings)
    expected = run(shifted, test_set=shifted, **settings)
    assert augmented.losses == expected.losses  # the batches are the same, and the test set stays
    assert augmented.history[-1].test_accuracy == expected.history[-1].test_accuracy
    assert augmented.history[-1].loss != expected.history[-1].loss  # measured as they are
    assert len(set(seen)) == len(seen)


def test_other_samples_can_be_held_out_in_place_of_the_last():
    samples, rows = random_samples(20), np.array([0, 3, 7, 19])
    rest = np.setdiff1d(np.arange(20), rows)
    fitted = run(samples, held_out=rows, validation=5)
    expected = run(Samples(samples.x[rest], samples.t[rest]))
    assert_same_network(fitted.trained, expected.trained)
    assert fitted.losses == expected.losses
    assert fitted.validation == evaluate(fitted.trained, samples, rows)
    with pytest.raises(ValueError, match="held_out"):
        run(samples, held_out=np.array([20]))


def drawn_rows(settings, n):
    """The samples of each batch, as the seed has them."""
    _, rng, _, _ = np.random.default_rng([settings.seed, 0]).spawn(4)
    return [rng.integers(n, size=settings.batch_size) for _ in range(settings.iterations)]


@pytest.mark.parametrize("held_out", [None, np.arange(6)])
def test_the_gradient_of_a_sample_can_be_left_out(held_out):
    samples, left_out = random_samples(16), 10
    fitted = run(samples, held_out=held_out, left_out=left_out, iterations=30)
    # the same in float64, with each batch's gradient from those samples of it that are left
    rows = np.setdiff1d(np.arange(16), [] if held_out is None else held_out)
    network = fitted.untrained
    params = {key: value.astype(np.float64) for key, value in network.params.items()}
    times = set()
    for drawn in drawn_rows(DEFAULTS._replace(iterations=30), len(rows)):
        picks = rows[drawn]
        left = picks[picks != left_out]
        times.add(len(picks) - len(left))
        grads = network.with_params(params).gradient(samples.x[left], samples.t[left])
        for key, grad in grads.items():
            params[key] -= 0.1 * grad * len(left) / len(picks)
    assert times >= {0, 1, 2}  # how often it is in a batch
    for key, value in fitted.trained.params.items():
        np.testing.assert_allclose(value, params[key], rtol=1e-4, atol=1e-6)
    assert fitted.losses[0] == run(samples, held_out=held_out).losses[0]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"sampling": "shuffled", "dropout": 0.5},
        {"optimizer": {"name": "adam"}, "averaging": 0.5, "label_smoothing": 0.1},
        {"hidden_size": 300, "threads": 2},
    ],
)
def test_until_a_sample_is_drawn_nothing_changes_if_it_is_left_out(options):
    samples, drawn = random_samples(40), []

    def keep(x, rng):
        drawn.append({row.tobytes() for row in x})
        return x + rng.random(x.shape, np.float32)

    settings = {"batch_size": 3, "iterations": 8, "augment": keep, **options}
    plain = run(samples, **settings)
    batches, first_drawn = drawn[:8], set()  # those behind were only read ahead
    for left_out, x in enumerate(samples.x):
        fitted = run(samples, left_out=left_out, **settings)
        first = next((i for i, batch in enumerate(batches) if x.tobytes() in batch), None)
        first_drawn.add(first)
        if first is None:
            assert_same_network(fitted.trained, plain.trained)
            assert fitted.losses == plain.losses
        else:  # the loss is that before the update
            assert fitted.losses[: first + 1] == plain.losses[: first + 1]
            assert fitted.losses[first + 1 :] != plain.losses[first + 1 :] or first == 7
            different = fitted.trained.params["b2"] != plain.trained.params["b2"]
            assert different.any()
    assert first_drawn >= {None, 0, 4}


def test_a_sample_left_out_must_be_one():
    with pytest.raises(ValueError, match="left_out"):
        run(random_samples(20), left_out=20)
