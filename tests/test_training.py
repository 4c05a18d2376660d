"""The training loop, on sets small enough to know the outcome."""

import numpy as np
import pytest

from nnlib.errors import UserError
from nnlib.network.training import initialise, measure, train
from nnlib.samples import Samples, load_samples, save_samples


def random_samples(N, D=12, C=10, seed=0):
    rng = np.random.default_rng(seed)
    return Samples(rng.random((N, D), np.float32), rng.integers(C, size=N, dtype=np.uint8))


def run(samples, *, seed=0, hidden_size=8, weight_init_std=0.1, **settings):
    settings = {"iterations": 10, "batch_size": 5, "learning_rate": 0.1} | settings
    network, rng_batches = initialise(
        seed,
        input_size=samples.x.shape[1],
        hidden_size=hidden_size,
        weight_init_std=weight_init_std,
    )
    epochs = []
    losses = train(
        network,
        samples,
        rng=rng_batches,
        on_epoch=lambda *told: epochs.append(told),
        **settings,
    )
    return network, losses, epochs


def test_one_step_worked_by_hand(network_worked_by_hand):
    network, ln3 = network_worked_by_hand, np.log(3)
    sample = Samples(np.array([[1.0, 2.0]]), np.array([1]))
    losses = train(
        network,
        sample,
        iterations=1,
        batch_size=1,
        learning_rate=0.8,
        rng=np.random.default_rng(0),
    )
    # z1 = (1/2, 1/2) and y = (3/4, 1/4), so the loss is ln 4. dy = (3/4, -3/4) and
    # da1 = 1/4 * 3/4 ln 3 (1, 1); each step is 4/5 of the gradient, downwards.
    assert losses == [pytest.approx(np.log(4))]
    np.testing.assert_allclose(network.params["W2"], [[ln3 - 0.3, 0.3], [ln3 - 0.3, 0.3]])
    np.testing.assert_allclose(network.params["b2"], [-0.6, 0.6])
    np.testing.assert_allclose(
        network.params["W1"], [[-0.15 * ln3, -0.15 * ln3], [-0.3 * ln3, -0.3 * ln3]]
    )
    np.testing.assert_allclose(network.params["b1"], [-0.15 * ln3, -0.15 * ln3])


def test_batches_are_drawn_with_replacement():
    samples = random_samples(2)
    untrained, _, _ = run(samples, iterations=0)
    _, losses, _ = run(samples, iterations=200, batch_size=2, learning_rate=1e-9)
    each = [untrained.loss(samples.x[[i]], samples.t[[i]]) for i in range(2)]
    # of two samples twice: the one, the other, or both
    possible = [each[0], each[1], np.mean(each)]
    counts = [np.isclose(losses, loss, rtol=1e-6).sum() for loss in possible]
    assert sum(counts) == 200
    assert counts[0] > 30
    assert counts[1] > 30
    assert counts[2] > 70


def test_it_overfits_ten_samples():
    samples = random_samples(10)
    network, losses, _ = run(samples, iterations=4000, batch_size=10, learning_rate=1.0)
    assert network.accuracy(samples.x, samples.t) == 1
    assert losses[-1] < 0.1 < losses[0]


def test_the_same_seed_gives_the_same_weights():
    samples = random_samples(50)
    first, losses, _ = run(samples, seed=7, iterations=100)
    second, losses_again, _ = run(samples, seed=7, iterations=100)
    other, _, _ = run(samples, seed=8, iterations=100)
    assert losses == losses_again
    for key, value in first.params.items():
        np.testing.assert_array_equal(value, second.params[key])
    assert np.any(first.params["W1"] != other.params["W1"])


def test_samples_mapped_from_files_and_in_memory_give_the_same_bytes(tmp_path):
    samples = random_samples(5000, D=784)
    save_samples(tmp_path, "train", [samples.x], samples.t)
    mapped = load_samples(tmp_path, "train")
    assert not mapped.x.flags.owndata
    in_memory, losses, _ = run(samples, iterations=120, batch_size=100)
    from_files, losses_again, _ = run(mapped, iterations=120, batch_size=100)
    assert losses == losses_again
    assert measure(in_memory, samples, samples) == measure(from_files, mapped, mapped)
    for key, value in in_memory.params.items():
        assert value.tobytes() == from_files.params[key].tobytes()


def test_it_leaves_the_global_random_state_alone():
    before = np.random.get_state()[1].copy()  # noqa: NPY002 - it is what must not change
    run(random_samples(20))
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


def test_the_untrained_network_and_every_epoch_are_told():
    samples = random_samples(20)
    _, losses, epochs = run(samples, iterations=14, batch_size=5)
    assert len(losses) == 14
    assert [told[:2] for told in epochs] == [(0, 0), (1, 4), (2, 8), (3, 12)]


def test_an_epoch_has_whole_batches_only():
    _, _, epochs = run(random_samples(20), iterations=7, batch_size=6)
    assert [told[:2] for told in epochs] == [(0, 0), (1, 3), (2, 6)]


def test_an_epoch_comes_with_the_network_as_it_was_then():
    samples = random_samples(20)
    _, _, epochs = run(samples, iterations=14, batch_size=5)
    for _, iteration, snapshot in epochs:
        network, _, _ = run(samples, iterations=iteration, batch_size=5)
        for key, value in network.params.items():
            np.testing.assert_array_equal(snapshot.params[key], value)


@pytest.mark.parametrize("when", [0, 1, 3])
def test_what_fails_at_an_epoch_fails(when):
    samples = random_samples(20)
    network, rng = initialise(0, input_size=12, hidden_size=8, weight_init_std=0.1)

    def on_epoch(epoch, _iteration, _snapshot):
        if epoch == when:
            raise UserError("no room")

    settings = {"iterations": 12, "batch_size": 5, "learning_rate": 0.1}
    with pytest.raises(UserError, match="no room"):
        train(network, samples, rng=rng, on_epoch=on_epoch, **settings)


def test_measure_takes_the_full_sets():
    train_set, test_set = random_samples(20), random_samples(13, seed=1)
    network, _, _ = run(train_set, iterations=4)
    loss, train_accuracy, test_accuracy = measure(network, train_set, test_set)
    assert loss == pytest.approx(network.loss(*train_set), rel=1e-6)
    assert train_accuracy == network.accuracy(*train_set)
    assert test_accuracy == network.accuracy(*test_set)


def test_a_batch_larger_than_the_set_makes_each_iteration_an_epoch():
    _, _, epochs = run(random_samples(3), iterations=2, batch_size=5)
    assert [told[:2] for told in epochs] == [(0, 0), (1, 1), (2, 2)]


def test_the_size_of_the_network_leaves_the_batches_alone():
    batches = [
        initialise(7, input_size=12, hidden_size=hidden_size, weight_init_std=1)[1].random(9)
        for hidden_size in (3, 30)
    ]
    np.testing.assert_array_equal(*batches)


def test_divergence_is_said_and_not_trained_through():
    with pytest.raises(UserError, match=r"iteration \d+ is inf.*learning_rate below 1e\+06"):
        run(random_samples(50), iterations=1000, learning_rate=1e6)
