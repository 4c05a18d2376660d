"""The settings of a sweep, from overrides in Hydra's grammar."""

import re
import shutil
from types import SimpleNamespace

import numpy as np
import pytest
from dvc.exceptions import InvalidArgumentError
from dvc.utils.hydra import apply_overrides, get_hydra_sweeps
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kstest

from experiments.sweep.overrides import (
    count_settings,
    make_settings,
    merge_values,
    parse_overrides,
)
from nnlib.base.errors import UserError
from stages.params import Params, read_params
from tools.checkouts import ROOT


@pytest.fixture(scope="module")
def defaults():
    return read_params(Params, ROOT / "params.yaml")


@pytest.fixture
def settings_of(defaults):
    def settings_of(*texts, samples=None):
        overrides = parse_overrides(texts, defaults)
        return make_settings(overrides, defaults, samples=samples)

    return settings_of


def swept(settings):
    return [tuple(setting.swept.values()) for setting in settings]


def test_all_combinations(settings_of, defaults):
    found = settings_of(
        "train.hidden_size=50,25", "train.learning_rate=range(1,4)", "train.iterations=5"
    )
    assert [setting.swept for setting in found] == [
        {"train.hidden_size": units, "train.learning_rate": rate}
        for units in (25, 50)
        for rate in (1, 2, 3)
    ]
    params = found[-1].params
    changed = {"hidden_size": 50, "learning_rate": 3, "iterations": 5}
    assert params == defaults.model_copy(
        update={"train": defaults.train.model_copy(update=changed)}
    )


def test_the_order_of_what_is_asked_for_does_not_matter(settings_of):
    one = settings_of("train.hidden_size=50,25,100", "train.weight_init=xavier,0.01")
    other = settings_of("train.weight_init=0.01,xavier", "train.hidden_size=100,50,25")
    assert one == other
    assert swept(one) == [(units, init) for units in (25, 50, 100) for init in (0.01, "xavier")]


@pytest.mark.parametrize(
    ("override", "values"),
    [
        ("train.hidden_size=choice(5,7)", [5, 7]),
        ("train.hidden_size=range(10,40,10)", [10, 20, 30]),
        ("train.learning_rate=range(0.1,0.4,0.1)", [0.1, 0.2, 0.3]),
        ("train.hidden_size=range(9,1,-4)", [5, 9]),
        ("train.learning_rate=1e-3,0.001,0.10,0.1", [0.001, 0.1]),  # each once
        ("train.activation='relu',tanh", ["relu", "tanh"]),
        (
            "train.optimizer={name: adam, beta1: 0.8},{name: sgd}",
            [{"name": "adam", "beta1": 0.8}, {"name": "sgd"}],
        ),
        ("train.optimizer.name=adam,momentum", ["adam", "momentum"]),
        ("data.source=mnist,synthetic", ["mnist", "synthetic"]),
        ("normalize.scaling=unit,standard", ["standard", "unit"]),
    ],
)
def test_the_values_of_a_parameter(settings_of, override, values):
    assert [value for (value,) in swept(settings_of(override))] == values


def test_a_parameter_may_be_added(settings_of):
    found = settings_of("train.optimizer.name=adam", "+train.optimizer.beta1=0.8,0.9")
    assert [setting.params.train.optimizer.beta1 for setting in found] == [0.8, 0.9]


@pytest.fixture
def dvc_params(tmp_path):
    """What `dvc exp run --queue -S` would train with; None if it or params.yaml refuses that."""

    def dvc_params(*texts):
        found = []
        path = tmp_path / "params.yaml"
        for overrides in get_hydra_sweeps({"": [*texts]}):
            shutil.copy(ROOT / "params.yaml", path)
            try:
                apply_overrides(path, overrides[""])
                found.append(read_params(Params, path).model_dump_json())
            except (InvalidArgumentError, UserError):
                return None
        return {*found}

    return dvc_params


@pytest.fixture
def our_params(settings_of):
    """What a sweep trains with; None if it refuses that."""

    def our_params(*texts):
        try:
            return {setting.params.model_dump_json() for setting in settings_of(*texts)}
        except UserError:
            return None

    return our_params


@pytest.mark.parametrize(
    ("texts", "number"),
    [
        (["train.optimizer={name:adam}", "+train.optimizer.beta2=0.9,0.99"], 2),
        (["+train.optimizer.beta2=0.9,0.99", "train.optimizer={name:adam}"], 2),
        (["+train.schedule={name:step,every:100}", "train.schedule.warmup=0,100"], 2),
        (["train.schedule.warmup=0,100", "+train.schedule={name:step,every:100}"], 2),
        (["train.schedule.warmup=0,100", "train.schedule={name:cosine,warmup:5}"], 1),
        (["train.schedule={name:cosine,warmup:5}", "train.schedule.warmup=0,100"], 2),
        (["train.augmentation={shift:1},{shift:2,scale:0.1}", "train.augmentation.shear=1,2"], 4),
        (["train.optimizer={name:adam},{name:sgd}", "+train.optimizer.beta2=0.9,0.99"], None),
        (["data.synthetic={train:500,seed:2}", "data.synthetic.test=400,1000"], 2),
        (["train.hidden_size=1e2,50.0,'7'"], 3),
        (["train.hidden_size=true,true"], None),
        (["train.batch_size=10,20", "train.learning_rate=true"], None),
        (["+train.hidden_size.foo=1,2"], None),
        (["++train.optimizer=adam", "train.optimizer.name=adam", "train.batch_size=10,20"], None),
        (["+train.optimizer={name:adam,beta1:0.8},{name:momentum,momentum:0.5}"], 2),
    ],
)
def test_the_same_text_means_what_it_means_to_dvc(dvc_params, our_params, texts, number):
    found = our_params(*texts)
    assert found == dvc_params(*texts)
    assert (found and len(found)) == number


VALUES = st.sampled_from(["0", "1", "0.5", "1e2", "50.0", "'3'", "true", "null", "inf", "adam"])
DICTS = {
    "train.optimizer": ["{}", "{name:adam}", "{name:sgd}", "{name:momentum,momentum:0.5}", "adam"],
    "train.schedule": ["{name:cosine}", "{name:step,every:10,warmup:3}", "{warmup:4}", "null"],
    "train.augmentation": ["{shift:1}", "{shift:2,scale:0.5}", "{shift:true}", "1"],
}
KEYS = [
    *("train.hidden_size", "train.learning_rate", "train.weight_init", "train.averaging"),
    *("train.schedule.warmup", "train.augmentation.shift", "train.optimizer.name"),
    *("++train.optimizer.beta2", "++train.schedule.every", "++train.optimizer.momentum"),
]
OVERRIDES = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(KEYS), VALUES),
        *(st.tuples(st.just(f"++{key}"), st.sampled_from(values)) for key, values in DICTS.items()),
    ),
    max_size=4,
    unique_by=lambda override: override[0],
)


@pytest.mark.slow
def test_many_texts_mean_what_they_mean_to_dvc(dvc_params, our_params):
    refused = []

    @settings(max_examples=150, deadline=None, database=None)
    @given(OVERRIDES, st.integers(0, 4))
    def compare(overrides, place):
        texts = [f"{key}={value}" for key, value in overrides]
        texts.insert(place, "train.batch_size=10,20")
        found = our_params(*texts)
        assert found == dvc_params(*texts), texts
        refused.append(found is None)

    compare()
    assert 0.1 < np.mean(refused) < 0.9


SCALARS = st.sampled_from(
    [
        *("1", "5", "-1", "0", "0.1", "0.9", "1e-3", "1e400", "9" * 400, "9" * 5000, "inf", "nan"),
        *("true", "null", "adam", "step", "name", "every", "'1'", "", " ", "???", "${train.seed}"),
        *("é", "\0", "\n", "'", "[" * 300, "{a:" * 300, "*", "log", "\\,"),
    ]
)
FUNCTIONS = st.sampled_from(
    [
        *("interval", "range", "choice", "int", "float", "str", "bool", "sort", "shuffle", "glob"),
        *("tag", "tag(log,interval", "unknown", ""),
    ]
)


def joined(values, most=3):
    return st.lists(values, min_size=1, max_size=most).map(",".join)


GRAMMAR = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        joined(inner),
        st.builds("[{}]".format, joined(inner)),
        st.builds("{{name: {}, {}: {}}}".format, inner, inner, inner),
        st.builds("{}({})".format, FUNCTIONS, joined(inner)),
        st.builds("{}({},{})".format, FUNCTIONS, inner, inner),
    ),
    max_leaves=6,
)
TEXTS = st.one_of(
    st.tuples(st.sampled_from([*KEYS, *DICTS]), GRAMMAR).map("=".join),
    st.tuples(st.sampled_from(["train..x", "train", "~train.seed", "", "a@b"]), SCALARS).map(
        "=".join
    ),
    st.text(max_size=12),
    st.sampled_from(["--yes", "train.hidden_size", "0.2", "=", "++", "train.hidden_size=5,10"]),
)


def feed(settings_of, examples):
    """Give anything as overrides; returns what is taken."""
    taken = []

    @settings(max_examples=examples, deadline=None, database=None)
    @given(st.lists(TEXTS, min_size=1, max_size=2), st.sampled_from([None, 3]))
    def try_one(texts, samples):
        try:
            found = settings_of(*texts, samples=samples)
        except UserError as error:
            message = str(error)
            assert message.isprintable() or "\n  " in message
            assert len(message) < 3000
        else:
            taken.append(found)

    try_one()
    return taken


@pytest.mark.slow
def test_any_text_gives_settings_or_is_refused(settings_of):
    feed(settings_of, examples=150)


@pytest.mark.long
def test_very_many_texts_give_settings_or_are_refused(settings_of):
    assert len(feed(settings_of, examples=20_000)) > 100


def test_what_is_applied_is_what_was_trained(settings_of, tmp_path, defaults):
    found = settings_of(
        "+train.optimizer.beta2=0.9,0.99",
        "train.optimizer={name:adam}",
        "train.schedule={name: step, every: 100}",
        "train.schedule.warmup=0,100",
    )
    assert [tuple(setting.swept.values()) for setting in found] == [
        (beta2, warmup) for beta2 in (0.9, 0.99) for warmup in (0, 100)
    ]
    last = found[-1]
    assert last.fixed == {
        "train.optimizer": {"name": "adam"},
        "train.schedule": {"name": "step", "every": 100},
    }
    params = defaults.model_dump()
    merge_values(params, last.changes)
    assert params == last.params.model_dump() | {
        "train": last.params.model_dump()["train"]
        | {
            "optimizer": {"name": "adam", "beta2": 0.99},
            "schedule": {"name": "step", "every": 100, "warmup": 100},
        }
    }


def test_settings_that_come_out_the_same_are_known(settings_of):
    adam, sgd = settings_of("train.optimizer={name: sgd},{name: adam},{name: adam, beta1: 0.9}")
    assert adam.swept == {"train.optimizer": {"name": "adam", "beta1": 0.9}}
    assert adam.same == [{"train.optimizer": {"name": "adam"}}]
    assert sgd.same == []
    (wiped_out,) = settings_of("train.schedule.warmup=0,100,200", "train.schedule={warmup: 5}")
    assert wiped_out.same == [{"train.schedule.warmup": 100}, {"train.schedule.warmup": 200}]
    # the same number twice is no surprise
    assert [setting.same for setting in settings_of("train.hidden_size=5,5.0,7,7")] == [[], []]


def test_random_settings(settings_of):
    overrides = (
        "train.learning_rate=tag(log,interval(0.001,1))",
        "train.weight_decay=interval(0,2)",
        "train.hidden_size=int(interval(1,4))",
        "train.activation=relu,tanh",
    )
    found = settings_of(*overrides, samples=2000)
    assert settings_of(*overrides[::-1], samples=50) == found[:50]
    activations, units, rates, decays = (
        np.array(values) for values in zip(*swept(found), strict=True)
    )
    assert kstest(np.log10(rates), "uniform", (-3, 3)).pvalue > 0.01
    assert kstest(decays, "uniform", (0, 2)).pvalue > 0.01
    shares = np.unique(units, return_counts=True)[1] / len(units)
    assert shares == pytest.approx([0.25] * 4, abs=0.03)
    assert (activations == "relu").mean() == pytest.approx(0.5, abs=0.03)
    assert abs(np.corrcoef(np.log(rates), decays)[0, 1]) < 0.06
    assert all(float(f"{rate:.4g}") == rate for rate in rates)


def test_whole_numbers_may_be_logarithmic(settings_of):
    overrides = "train.hidden_size=int(tag(log,interval(1,100)))", "train.dropout=interval(0,0.9)"
    units = np.array(swept(settings_of(*overrides, samples=3000)))[:, 1]
    assert units.min() == 1
    assert units.max() == 100
    assert (units < 10.5).mean() == pytest.approx(
        np.log(10.5 / 0.5) / np.log(100.5 / 0.5), abs=0.03
    )


@pytest.mark.parametrize(
    ("key", "interval", "low", "high"),
    [
        ("averaging", "interval(0.999,0.99999)", 0.999, 0.99999),
        ("averaging", "interval(0.99991,0.99994)", 0.99991, 0.99994),
        ("averaging", "tag(log,interval(0.999,0.99999))", 0.999, 0.99999),
        ("dropout", "interval(0,1)", 0, 1),  # 1 itself would be refused
        ("dropout", "interval(0.123456,0.123457)", 0.123456, 0.123457),
        ("learning_rate", "tag(log,interval(1e-5,1))", 1e-5, 1),
        ("learning_rate", "interval(1e-300,1e-299)", 1e-300, 1e-299),
        ("learning_rate", "interval(12345.6,123456)", 12345.6, 123456),
    ],
)
def test_what_is_drawn_lies_within_its_interval(settings_of, key, interval, low, high):
    drawn = np.array(swept(settings_of(f"train.{key}={interval}", samples=100)))
    assert len(drawn) > 97
    assert low <= drawn.min() < drawn.max() < high
    if "log" not in interval:
        assert kstest((drawn[:, 0] - low) / (high - low), "uniform").pvalue > 0.01
    assert max(len(str(value)) for (value,) in drawn.tolist()) <= 12


@pytest.mark.parametrize("end", ["low", "high"])
@pytest.mark.parametrize("interval", ["interval({},{})", "tag(log,interval({},{}))"])
@pytest.mark.parametrize("ends", [(0.1234567, 0.9), (0.1234567, 0.1234568), (0.0012345678, 0.9)])
def test_the_start_of_an_interval_can_be_drawn_but_not_its_end(
    settings_of, monkeypatch, interval, ends, end
):
    rng = SimpleNamespace(uniform=lambda low, high: low if end == "low" else high)
    monkeypatch.setattr(np.random, "default_rng", lambda _: rng)
    ((drawn,),) = swept(settings_of(f"train.dropout={interval.format(*ends)}", samples=1))
    low, high = ends
    assert low <= drawn < high
    assert drawn == pytest.approx(low if end == "low" else high, abs=1e-3 * (high - low))


@pytest.mark.parametrize(
    ("texts", "values"),
    [
        (["train.hidden_size=interval(1,5)"], range(1, 6)),
        (["train.batch_size=interval(1.5,4.5)"], range(2, 5)),
        (["train.schedule.warmup=tag(log,interval(2,4))"], range(2, 5)),
        (["+train.schedule.every=interval(6,8)", "train.schedule.name=step"], range(6, 9)),
        (["train.learning_rate=int(interval(1,3))"], range(1, 4)),
        (["train.hidden_size=interval(2.5,3.5)"], [3]),
    ],
)
def test_whole_numbers_are_drawn_where_they_are_meant(settings_of, texts, values):
    drawn = [value for (value,) in swept(settings_of(*texts, samples=60))]
    assert sorted(drawn) == [*values]
    assert all(isinstance(value, int) for value in drawn)


def test_the_number_is_known_before_they_are_made(defaults):
    texts = ["train.hidden_size=range(1,1001)", "train.iterations=range(1,1001)"]
    assert count_settings(parse_overrides(texts, defaults), None) == 1_000_000
    assert count_settings(parse_overrides(texts, defaults), 40) == 40


@pytest.mark.parametrize(
    ("texts", "complaint"),
    [
        (
            ["train.hiden_size=1,2"],
            "no parameter train.hiden_size; did you mean train.hidden",
        ),
        (["x=1,2"], "no parameter x; params.yaml lists them"),
        (["train=1,2"], "no parameter train"),
        (["train.optimizer.beta1=0.8,0.9"], "no parameter train.optimizer.beta1"),
        (["+train.x.y=1,2"], "no parameter train.x.y"),
        (["train.seed=1,2"], "SEEDS says"),
        (["analyse.pairs=1,2"], "does not change a training"),
        (["train.hidden_size=50"], "nothing to sweep over"),
        ([], "nothing to sweep over"),
        (["train.hidden_size=1,2", "train.hidden_size=3"], "given twice"),
        (["~train.seed", "train.hidden_size=1,2"], "cannot remove"),
        (["train@x=1,2"], "cannot remove or move"),
        (["train.hidden_size=1,"], "mismatched input"),
        (["train.hidden_size=choice()"], "empty choice"),
        (["train.hidden_size=range(1,1)"], "no values"),
        (["train.hidden_size=range(1,10000000)"], "more than 1,000,000 values"),
        (["train.hidden_size=glob(*)"], "train.hidden_size=glob"),
        (["train.hidden_size=0,1"], r"with train.hidden_size=0:.* greater than 0"),
        (["train.optimizer.name=adam,adams"], "train.optimizer.name"),
        (["train.learning_rate=interval(0.1,1)"], "SAMPLES=40"),
        (["train.learning_rate=range(nan,1,0.1)"], "finite numbers, and a step other than 0"),
        (["train.learning_rate=range(0,inf)"], "finite numbers, and a step other than 0"),
        (["train.hidden_size=range(true)"], "greater than 0"),
        (["train.hidden_size=range(1,5,0)"], "finite numbers, and a step other than 0"),
        (["+train.hidden_size.foo=1,2"], "no parameter train.hidden_size.foo"),
        (["train.hidden_size=5," + "9" * 400], "train.hidden_size: Input should be less than"),
        (["train.hidden_size=5," + "9" * 5000], "cannot be read: Exceeds the limit"),
        (["train.hidden_size=true,true"], "train.hidden_size: .* integer .is true.$"),
        (["train.hidden_size=5,range(1,3)"], "stands by itself"),
        (["train.augmentation={shift: interval(1,2)}"], "stands by itself"),
        (["train.hidden_size=1,${train.batch_size}"], "no reference to other parameters"),
        (["train.hidden_size=foo(1)"], "Unknown function 'foo'"),
        (["train..x=1,2"], "no parameter train..x"),
    ],
)
def test_what_is_no_sweep_is_refused(settings_of, texts, complaint):
    with pytest.raises(UserError, match=rf"(?s){complaint.replace('?', '.')}") as caught:
        settings_of(*texts)
    assert len(str(caught.value).splitlines()) <= 2


@pytest.mark.parametrize(
    "texts",
    [
        ["train.learning_rate=0.1,", "0.2"],
        ["train.optimizer={name:", "adam,", "beta1:", "0.8},{name:", "sgd}"],
        ["0.2"],
        ["--yes", "train.hidden_size=5,10"],
        ["train..x", "train.hidden_size=5,10"],
    ],
)
def test_a_value_that_needs_quotes_is_named(settings_of, texts):
    hint = re.escape("""values with spaces need quotes: OVER="train.learning_rate='0.1, 0.2'\"""")
    with pytest.raises(UserError, match=f"^{re.escape(texts[0])}.*{hint}$") as caught:
        settings_of(*texts)
    assert "expecting" not in str(caught.value)


@pytest.mark.parametrize(
    "interval",
    [
        *("interval(1,1)", "interval(2,1)", "tag(log,interval(0,1))", "interval(1e-3,inf)"),
        *("interval(-inf,1)", "interval(nan,1)", "interval(-1e308,1e308)"),
    ],
)
def test_an_interval_has_an_end_above_its_begin(settings_of, interval):
    with pytest.raises(UserError, match=r"an interval must end above its start.*, and be finite"):
        settings_of(f"train.learning_rate={interval}", samples=2)


def test_an_interval_between_whole_numbers_is_refused(settings_of):
    with pytest.raises(UserError, match="there is no whole number in the interval"):
        settings_of("train.hidden_size=interval(1.2,1.8)", samples=2)


def test_each_setting_has_the_generator_of_its_number(settings_of):
    drawn = [value for (value,) in swept(settings_of("train.dropout=interval(0.1,0.9)", samples=5))]
    expected = [np.random.default_rng(number).uniform(0.1, 0.9) for number in range(5)]
    np.testing.assert_allclose(drawn, expected, rtol=0, atol=8e-5)  # a ten-thousandth of the width
    assert all(round(value, 5) == value for value in drawn)
