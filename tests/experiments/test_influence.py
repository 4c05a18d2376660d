"""What single training labels do: against trainings and statistics that are made by hand."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import pearsonr, ttest_1samp

from experiments.labels.influence_report import (
    FIGURE,
    draw_influence,
    influence_report,
    influence_table,
)
from experiments.labels.leave_one_out import (
    Effects,
    control_rows,
    gradient_products,
    leave_each_out,
    summarise_influence,
)
from experiments.trials import data_in, load_once
from nnlib.data.datasets import MNIST
from nnlib.data.samples import Samples
from nnlib.network.two_layer_net import TwoLayerNet
from nnlib.training.fit import fit
from stages.common import PARAMS, RAW
from stages.params import Params, read_params
from stages.train import settings_of
from tests.markdown import table as table_in


@pytest.mark.parametrize("activation", ["sigmoid", "relu", "tanh"])
def test_the_products_are_those_of_the_gradients(activation):
    rng = np.random.default_rng(0)
    network = TwoLayerNet(6, 5, 4, weight_init=1, activation=activation, rng=rng)
    some, others = (Samples(rng.standard_normal((n, 6)), rng.integers(4, size=n)) for n in (3, 7))

    def gradient(samples, i):
        grads = network.gradient(samples.x[[i]], samples.t[[i]])
        return np.concatenate([grads[key].ravel() for key in ("W1", "b1", "W2", "b2")])

    expected = [[gradient(some, i) @ gradient(others, j) for j in range(7)] for i in range(3)]
    np.testing.assert_allclose(gradient_products(network, some, others), expected, rtol=1e-10)


def test_a_small_step_without_a_sample_raises_a_loss_by_the_product():
    rng = np.random.default_rng(1)
    network = TwoLayerNet(6, 5, 4, weight_init=1, rng=rng)
    left_out, other = (Samples(rng.standard_normal((1, 6)), rng.integers(4, size=1)) for _ in "ab")
    grads, step = network.gradient(*left_out), 1e-6
    stepped = network.with_params({k: v - step * grads[k] for k, v in network.params.items()})
    without_it = network.loss(*other) - stepped.loss(*other)
    product = gradient_products(network, left_out, other).item()
    assert without_it / step == pytest.approx(product, rel=1e-4)


def test_samples_for_control_are_no_suspects():
    rows = control_rows(30, np.array([3, 4, 29]), 20)
    assert len(set(rows)) == 20
    assert not {3, 4, 29} & set(rows.tolist())
    assert rows.tolist() == sorted(rows) == control_rows(30, np.array([29, 4, 3]), 20).tolist()
    assert control_rows(5, np.array([0, 2]), 20).tolist() == [1, 3, 4]


def effects_of(test, own_with=0.1, own_without=0.7, products=None):
    K, S, M = np.shape(test)
    return Effects(
        np.asarray(test, np.float32),
        np.full((K, S), own_with),
        np.full((K, S), own_without),
        np.zeros((K, M)) if products is None else products,
    )


def test_what_is_touched_is_chosen_on_some_seeds_and_measured_on_the_others():
    test = np.zeros((2, 5, 6))
    # of the first sample: by the mean over the first two seeds, 4, 0 and 2 are touched most
    test[0, :2, 4], test[0, 2:, 4] = (-3, -5), (-1, 2, -4)
    test[0, :2, 0], test[0, 2:, 0] = (3, 0), (0, 0, 6)
    test[0, :2, 2], test[0, 2:, 2] = (1, 1), (1, 2, 3)
    test[0, 2:, 5] = 100  # unseen by the first two
    test[0, :2, 1] = (9, -9)
    found = summarise_influence(effects_of(test))
    pairs = found.pairs
    assert pairs["sample"].tolist() == [0, 0, 0, 1, 1, 1]
    of_first = pairs.head(3)
    assert of_first["test"].tolist() == [4, 0, 2]
    assert of_first["chosen"].tolist() == [-4, 1.5, 1]
    assert of_first["change"].tolist() == [-1, 2, 2]
    assert of_first["same_sign"].tolist() == [2, 1, 3]
    assert pairs["same_sign"].tail(3).tolist() == [0, 0, 0]  # no change has no sign
    assert found.seeds == 3
    assert found.sign_holds == pytest.approx(6 / 18)
    assert found.touch == pytest.approx((1 + 2 + 2) / 6)


def test_the_sums_are_compared_over_the_seeds():
    rng = np.random.default_rng(2)
    test = 0.01 * rng.standard_normal((4, 5, 50)) + np.array([0.05, -0.05, 0, 0])[:, None, None]
    products = rng.standard_normal((4, 50)) + test.mean(axis=1) * 100
    products[3] = 1
    found = summarise_influence(effects_of(test, products=products))
    totals = np.float32(test).sum(axis=2, dtype=np.float64)
    p = []
    for (_, row), total in zip(found.samples.iterrows(), totals, strict=True):
        expected = ttest_1samp(total, 0)
        p.append(expected.pvalue)
        interval = expected.confidence_interval()
        assert row["total"] == pytest.approx(total.mean())
        assert [row["low"], row["high"]] == pytest.approx([interval.low, interval.high])
    # Holm: the smallest of four times 4, the next times 3, ..., and none below one before it
    order = np.argsort(p)
    adjusted = np.minimum(np.maximum.accumulate(np.array(p)[order] * [4, 3, 2, 1]), 1)
    assert found.samples["p"].to_numpy()[order] == pytest.approx(adjusted)
    assert (found.significant(1), found.significant(-1)) == (1, 1)
    of_group = ttest_1samp(totals.mean(axis=0), 0)
    assert found.total.mean == pytest.approx(totals.mean())
    assert found.total.p == pytest.approx(of_group.pvalue)
    assert found.samples["own_with"].tolist() == pytest.approx([0.1] * 4)
    assert found.samples["own_without"].tolist() == pytest.approx([0.7] * 4)
    expected = pearsonr(products[0], test[0].mean(axis=0)).statistic
    assert found.samples["correlation"][0] == pytest.approx(expected, rel=1e-4)
    assert np.isnan(found.samples["correlation"][3])


def test_of_what_is_chance_the_sign_holds_half_of_the_time():
    test = np.random.default_rng(3).standard_normal((200, 5, 300))
    found = summarise_influence(effects_of(test))
    assert found.sign_holds == pytest.approx(0.5, abs=0.04)
    assert found.touch == pytest.approx(0, abs=0.05)
    assert found.pairs["chosen"].abs().mean() > 1.5  # the largest of many
    assert found.significant(1) + found.significant(-1) <= 1


@pytest.mark.slow
def test_the_effects_are_those_of_trainings_without_the_gradient(checkout, monkeypatch):
    monkeypatch.chdir(checkout.path)
    params, data = read_params(Params, PARAMS), data_in(RAW)
    train = params.train.model_copy(update={"iterations": 40})
    params = params.model_copy(update={"train": train})
    encoding, train_set, test_set = load_once(data.sets("unit"))
    # the first batch's first sample, and one that no batch has, with these seeds
    drawn = [
        np.random.default_rng([seed, 0]).spawn(4)[1].integers(2000, size=(40, 100))
        for seed in (1, 2, 3)
    ]
    rows = [int(drawn[0][0, 0]), int(np.setdiff1d(np.arange(2000), drawn)[0])]
    holding_out = train.model_copy(update={"validation": 2000 - rows[0]})  # the first one too
    params = params.model_copy(update={"train": holding_out})
    effects = leave_each_out(rows, [1, 2, 3], params, data)

    def losses(network, samples):
        y = network.predict(samples.x)
        return -np.log(y[np.arange(len(y)), samples.t])

    for s, seed in enumerate((1, 2, 3)):
        settings = settings_of(train)._replace(seed=seed)
        whole = fit(settings, train_set, encoding).trained
        without = fit(settings, train_set, encoding, left_out=rows[0]).trained
        change = losses(without, test_set) - losses(whole, test_set)
        np.testing.assert_allclose(effects.test[0, s], change, atol=1e-6)
        assert np.abs(change).max() > 1e-5
        own = Samples(train_set.x[rows], train_set.t[rows])
        assert effects.own_with[:, s] == pytest.approx(losses(whole, own), rel=1e-5)
        assert effects.own_without[0, s] == pytest.approx(losses(without, own)[0], rel=1e-5)
    assert not effects.test[1].any()
    np.testing.assert_array_equal(effects.own_with[1], effects.own_without[1])


NAMES = MNIST.class_names


@pytest.fixture
def found():
    rng = np.random.default_rng(4)
    test = 0.05 * rng.standard_normal((3, 1, 40)) + 0.01 * rng.standard_normal((3, 5, 40))
    return summarise_influence(effects_of(test, products=rng.standard_normal((3, 40))))


@pytest.fixture
def table(found):
    samples = pd.DataFrame(
        {"index": [70, 8, 35], "label": list("419"), "suggested": list("974"), "rank": [1, 2, 3]}
    )
    test = pd.DataFrame({"index": 2 * np.arange(40), "label": [NAMES[i % 10] for i in range(40)]})
    return influence_table(found, samples, test)


def test_the_table_names_samples_as_they_were_published(found, table):
    assert table["index"].tolist() == [70] * 3 + [8] * 3 + [35] * 3
    assert table["suggested"].tolist() == list("999777444")
    assert table["test_index"].tolist() == (2 * found.pairs["test"]).tolist()
    assert table["test_label"].tolist() == [NAMES[test % 10] for test in found.pairs["test"]]
    assert table["change"].tolist() == found.pairs["change"].tolist()
    assert table["total"].tolist()[::3] == found.samples["total"].tolist()


def test_the_section_says_what_was_found(found, table):
    controls = summarise_influence(effects_of(np.zeros((2, 5, 40))))
    text = influence_report(found, controls, table, MNIST)
    assert f"({FIGURE})" in text
    assert "3 suspected labels, the first of [the list](labels.md), and 2 other digits" in text
    assert "that is 30 trainings" in text  # without each, and with all
    rows = table_in("| index |", text)
    assert [row[:3] for row in rows] == [["70", "4", "9"], ["8", "1", "7"], ["35", "9", "4"]]
    first = table.iloc[0]
    touched = f"{first['test_index']}, {first['test_label']}, {first['change']:+.3f}, "
    assert rows[0][7].startswith(touched + f"{first['same_sign']} of 3; ")
    assert rows[0][5].startswith(f"{first['total']:+.3f} (")
    assert rows[0][3:5] == ["0.100", "0.700"]
    summary = table_in("| mean over the samples,", text)
    assert [row[1:] for row in summary[:2]] == [["0.100"] * 2, ["0.700"] * 2]
    assert summary[4][2] == "+0.000 (+0.000 to +0.000)"
    assert "nan" not in text


def test_the_picture_has_each_sample_beside_what_it_touches(table, tmp_path, drawn):
    train, test = (np.full((80, 28, 28), fill, np.uint8) for fill in (1, 2))
    draw_influence(tmp_path / FIGURE, table, train, test, MNIST)
    (figure,) = drawn
    (axes,) = figure.axes
    assert [image.get_array().flat[0] for image in axes.images] == [1, 2, 2, 2] * 3
    texts = [text.get_text().split("\n") for text in axes.texts]
    by_change = table["chosen"].abs().groupby(table["index"]).max().sort_values(ascending=False)
    first = table[table["index"] == by_change.index[0]]
    assert texts[0][0] == f"without {by_change.index[0]}"
    assert texts[1] == [
        f"test {first.iloc[0]['test_index']}",
        f"label {first.iloc[0]['test_label']}",
        f"{first.iloc[0]['change']:+.3f} nats",
        f"{first.iloc[0]['same_sign']} of 3 seeds",
    ]
