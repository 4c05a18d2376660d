"""params.yaml: what is read, and what is refused."""

import json
import re
from typing import get_args

import pytest
import yaml

from nnlib.base.errors import UserError
from nnlib.data.sources import PUBLISHED
from nnlib.network.optimizers import OPTIMIZERS, make_optimizer
from stages.params import (
    MOST_PROBLEMS,
    Data,
    Params,
    check_params,
    is_whole,
    leaves,
    parse_params,
    read_params,
)
from tools.checkouts import set_values

TEXT = """
data: {source: mnist, synthetic: {train: 60000, test: 10000, seed: 1}, corrections: c.csv}
normalize: {scaling: unit}
train:
  hidden_size: 50
  activation: sigmoid
  weight_init: 0.01
  iterations: 10000
  epochs: 0
  batch_size: 100
  learning_rate: 0.1
  optimizer: {name: sgd}
  schedule: {name: constant, warmup: 0}
  weight_decay: 0
  label_smoothing: 0
  dropout: 0
  sampling: replacement
  augmentation:
    rotation: 0
    shear: 0
    scale: 0
    shift: 0
    elastic: 0
  averaging: 0
  members: 1
  validation: 0
  evaluate_every: 1
  seed: 1
repeat: {seeds: 4}
analyse: {samples: [545, 115], pairs: 10, strokes: auto}
"""


MOST = {
    "data.synthetic.train": 10_000_000,
    "data.synthetic.test": 1_000_000,
    "data.synthetic.seed": 2**32 - 1,
    "train.hidden_size": 100_000,
    "train.iterations": 10_000_000,
    "train.batch_size": 100_000,
    "train.epochs": 10_000,
    "train.validation": 10_000_000,
    "train.evaluate_every": 10_000_000,
    "train.seed": 2**32 - 1,
    "repeat.seeds": 100,
}


@pytest.fixture
def load(tmp_path):
    """Load a parameter file with some of its values replaced."""

    def load(values):
        content = yaml.safe_load(TEXT)
        set_values(content, values)
        path = tmp_path / "params.yaml"
        path.write_text(yaml.safe_dump(content))
        return read_params(Params, path)

    return load


def as_yaml(content):
    return parse_params(Params, yaml.safe_dump(content), "params.yaml")


def as_json(content):
    return parse_params(Params, json.dumps(content), "params.yaml")


def as_values(content):
    return check_params(Params, content, "params.yaml")


NUMBERS = [key for key, value in leaves(yaml.safe_load(TEXT)) if isinstance(value, int | float)]


@pytest.mark.parametrize("read", [as_yaml, as_json, as_values])
@pytest.mark.parametrize("key", [*NUMBERS, "train.optimizer.beta1", "analyse.samples"])
def test_true_and_false_are_no_numbers_wherever_they_come_from(read, key):
    for value in (True, False):
        content = yaml.safe_load(TEXT)
        set_values(content, {"train.optimizer.name": "adam"})
        set_values(content, {key: [value] if key == "analyse.samples" else value})
        with pytest.raises(UserError, match=rf"{key}.* \(is {str(value).lower()}\)"):
            read(content)


def test_a_whole_number_may_have_an_exponent_wherever_it_comes_from():
    text = TEXT.replace("batch_size: 100", "batch_size: 1e2")
    assert parse_params(Params, text, "params.yaml").train.batch_size == 100
    for read in (as_yaml, as_json, as_values):
        content = yaml.safe_load(TEXT)
        set_values(content, {"train.batch_size": 1e2})
        assert read(content).train.batch_size == 100
    assert "batch_size: Input should be a valid integer" in refusal(text.replace("1e2", "15e-1"))


def test_which_parameters_are_whole_numbers():
    whole = {
        key for key, value in leaves(as_values(yaml.safe_load(TEXT)).model_dump()) if is_whole(key)
    }
    assert whole == {
        *MOST,
        "data.synthetic.test",
        "train.members",
        "analyse.pairs",
        "train.schedule.warmup",
    }
    assert is_whole("train.schedule.every")
    assert not is_whole("train.schedule.factor")
    assert not is_whole("train.optimizer.beta1")
    assert not is_whole("train.nothing")
    assert not is_whole("train.weight_init.x")


def test_the_defaults_are_the_notebooks(committed_params):
    params = read_params(Params, committed_params)
    assert params.data.source == "mnist"
    assert params.data.corrections == "data/corrections.csv"
    assert params.normalize.scaling == "unit"
    assert params.train.hidden_size == 50
    assert params.train.weight_init == 0.01
    assert params.train.iterations == 10_000
    assert params.train.batch_size == 100
    assert params.train.learning_rate == 0.1
    assert 545 in params.analyse.samples


def test_the_least_values_are_taken_and_stay(load):
    params = load({"train.seed": 0, "train.hidden_size": 1, "analyse.samples": [0]})
    assert (params.train.seed, params.train.hidden_size, params.analyse.samples) == (0, 1, [0])
    with pytest.raises(ValueError, match="frozen"):
        params.train.seed = 1


@pytest.mark.parametrize(("key", "value"), MOST.items())
def test_the_largest_values_are_taken(load, key, value):
    section, *_, name = key.split(".")
    params = load({"train.hidden_size": 1, "train.batch_size": 1, key: value})
    found = getattr(params, section)
    assert getattr(found.synthetic if section == "data" else found, name) == value


def test_a_layer_of_a_batch_that_no_memory_holds_is_refused(load):
    load({"train.hidden_size": 10_000, "train.batch_size": 10_000})
    rule = r"train: hidden_size \* batch_size .* 100000000 \(is 100010000\)$"
    with pytest.raises(UserError, match=rule):
        load({"train.hidden_size": 10_000, "train.batch_size": 10_001})


@pytest.mark.parametrize(
    ("text", "value"), [("1e-3", 0.001), ("0.2", 0.2), ("1", 1.0), ("1_0.5", 10.5), (".5", 0.5)]
)
def test_a_number_is_the_one_that_dvc_reads(tmp_path, text, value):
    from ruamel.yaml import YAML  # noqa: PLC0415 - the parser that DVC uses

    content = TEXT.replace("0.1", text)
    path = tmp_path / "params.yaml"
    path.write_text(content)
    assert read_params(Params, path).train.learning_rate == value
    assert YAML(typ="safe").load(content)["train"]["learning_rate"] == value


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("data.source", "emnist"),
        ("data.synthetic.train", 0),
        ("data.synthetic.seed", -1),
        ("data.corrections", ""),
        ("data.corrections", None),
        ("normalize.scaling", "log"),
        ("train.hidden_size", -5),
        ("train.hidden_size", 2.5),
        ("train.iterations", "many"),
        ("train.batch_size", True),
        ("train.learning_rate", float("nan")),
        ("train.learning_rate", float("inf")),
        ("train.learning_rate", 0),
        ("train.seed", [1, 2]),
        ("train.activation", "swish"),
        ("train.weight_init", "lecun"),
        ("train.weight_init", 0),
        ("train.momentum", 0.9),
        ("train.optimizer.name", "lbfgs"),
        ("train.optimizer.beta1", 0.9),  # plain SGD has none
        ("train.optimizer", "adam"),
        ("train.schedule.every", 100),
        ("train.schedule.warmup", -1),
        ("train.weight_decay", -0.1),
        ("train.label_smoothing", 1),
        ("train.dropout", 1),
        ("train.augmentation.rotation", -1),
        ("train.augmentation.rotation", 181),
        ("train.augmentation.shear", 90),
        ("train.augmentation.scale", 1),
        ("train.augmentation.shift", -1),
        ("train.augmentation.elastic", "inf"),
        ("train.augmentation.flip", 1),
        ("train.augmentation", 0),
        ("train.averaging", 1),
        ("train.members", 0),
        ("train.members", 101),
        ("train.validation", -1),
        ("train.evaluate_every", 0),
        ("train.sampling", "ordered"),
        ("train.epochs", -1),
        ("repeat.seeds", -1),
        ("repeat.seeds", 1),
        ("analyse.samples", []),
        ("analyse.samples", [545, -1]),
        ("analyse.samples", list(range(101))),
        ("analyse.samples", [10**4000]),
        ("analyse.pairs", 101),
        ("analyse.strokes", "perhaps"),
        *((key, value + 1) for key, value in MOST.items()),
        ("train.weight_init", 1.1e6),
        ("train.learning_rate", 1.1e6),
        ("train.hidden_size", 99999999999999999999),
    ],
)
def test_a_wrong_value_is_refused_by_its_key(load, key, value):
    with pytest.raises(UserError, match=re.escape(key)):
        load({key: value})


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        (
            {"train.optimizer": {"name": "adam", "momentum": 0.9}},
            "train.optimizer.momentum: Extra inputs are not permitted (is 0.9)",
        ),
        (
            {"train.optimizer": {"name": "adam", "epsilon": 1e-60}},
            (
                "train.optimizer.epsilon: Input should be greater than or equal to "
                "0.00000000000000000001 (is 1.0e-60)"
            ),
        ),
        (
            {"train.optimizer": {"name": "momentum", "momentum": 1}},
            "train.optimizer.momentum: Input should be less than 1 (is 1)",
        ),
        (
            {"train.optimizer.name": "lbfgs"},
            (
                "train.optimizer.name: Input should be one of 'sgd', 'momentum', 'nesterov', "
                "'adagrad', 'rmsprop', 'adam' (is lbfgs)"
            ),
        ),
        ({"train.optimizer": {"beta1": 0.9}}, "train.optimizer.name: Field required"),
        ({"train.schedule": {"name": "step"}}, "train.schedule.every: Field required"),
        (
            {"train.weight_init": -1},
            (
                "train.weight_init: Input should be greater than 0, "
                "or: Input should be 'xavier' or 'he' (is -1)"
            ),
        ),
        (
            {"train.weight_init": {"name": "he"}},
            (
                "train.weight_init: Input should be a valid number, "
                "or: Input should be 'xavier' or 'he'"
            ),
        ),
    ],
)
def test_of_several_kinds_the_key_is_named_and_what_is_wrong(load, values, problem):
    with pytest.raises(UserError) as caught:
        load(values)
    assert str(caught.value).splitlines()[1:] == [f"  {problem}"]


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_what_an_optimizer_takes_besides_has_its_default(load, name):
    parsed = load({"train.optimizer": {"name": name}}).train.optimizer.model_dump()
    assert make_optimizer(**parsed) == make_optimizer(name)


def test_all_errors_are_said_at_once(load):
    with pytest.raises(UserError) as caught:
        load(
            {
                "train.hidden_size": 0,
                "train.learning_rate": "fast",
                "normalize.scaling": 3,
                "analyse.samples": [10_000],
            }
        )
    lines = str(caught.value).splitlines()
    assert len(lines) == 5
    for key in ("train.hidden_size", "train.learning_rate", "normalize.scaling", "samples"):
        assert sum(key in line for line in lines) == 1


def test_a_sample_outside_the_test_set_is_refused(load):
    with pytest.raises(UserError, match=r"analyse: samples: 10000 .* 9999"):
        load({"analyse.samples": [0, 10_000, 9_999]})
    with pytest.raises(UserError, match=r"analyse: samples: 545 .* 99"):
        load(
            {
                "data.source": "synthetic",
                "data.synthetic.test": 100,
                "analyse.samples": [99, 545],
            }
        )


def test_the_size_of_the_drawn_test_set_is_none_of_mnists(load):
    load({"data.synthetic.test": 100, "analyse.samples": [9_999]})
    with pytest.raises(UserError, match=r"analyse: samples: 10000 .* 9999"):
        load({"data.synthetic.test": 20_000, "analyse.samples": [10_000]})


@pytest.mark.parametrize(
    ("source", "last"), [("fashion", 9_999), ("qmnist", 59_999), ("emnist-letters", 20_799)]
)
def test_the_size_of_a_published_test_set_is_known(load, source, last):
    load({"data.source": source, "analyse.samples": [last]})
    with pytest.raises(UserError, match=rf"analyse: samples: {last + 1} .* {last}"):
        load({"data.source": source, "analyse.samples": [last + 1]})


def test_every_data_set_can_be_named():
    assert set(get_args(Data.model_fields["source"].annotation)) == {
        *PUBLISHED,
        "synthetic",
        "imported",
    }


def refusal(text):
    with pytest.raises(UserError) as caught:
        parse_params(Params, text, "params.yaml")
    return str(caught.value)


@pytest.mark.parametrize("null", ["", "null", "~", "# 50"])
def test_null_is_called_null(null):
    found = refusal(TEXT.replace("hidden_size: 50", f"hidden_size: {null}"))
    assert found.splitlines()[1:] == [
        "  train.hidden_size: Input should be a valid integer (is null)"
    ]


@pytest.mark.parametrize("null", ["", "null", "~"])
def test_null_means_to_dvc_what_it_means_here(null):
    from ruamel.yaml import YAML  # noqa: PLC0415 - the parser that DVC uses

    assert YAML(typ="safe").load(f"a: {null}") == {"a": None}


@pytest.mark.parametrize("text", ["- 1", "", "a"])
def test_what_is_wrong_with_the_whole_has_no_key(text):
    rule = "Input should be a valid dictionary or instance of Params"
    assert refusal(text) == f"params.yaml:\n  {rule}"


def test_a_long_value_is_cut():
    for old, new in (("50", "9" * 5000), ("50", "x" * 5000), ("hidden_size", "h" * 900)):
        found = refusal(TEXT.replace(old, new))
        assert "train." in found
        assert len(found) < 300


def test_a_value_of_several_lines_is_shown_in_one():
    found = refusal(TEXT.replace("mnist", r'"a\nb\e[31m"'))
    (line,) = found.splitlines()[1:]
    assert line.startswith("  data.source: Input should be 'mnist', 'fashion'")
    assert line.endswith(r"'synthetic' or 'imported' (is 'a\nb\x1b[31m')")


def test_of_many_errors_the_first_are_listed():
    extra = (f"key_{i}: 1\n" for i in range(MOST_PROBLEMS + 2))
    lines = refusal(TEXT + "".join(extra)).splitlines()
    assert lines[MOST_PROBLEMS:] == [
        f"  key_{MOST_PROBLEMS - 1}: Extra inputs are not permitted (is 1)",
        "  and 2 more",
    ]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a: " + "[" * 1_000, "it is nested too deeply"),
        ("\n".join(" " * depth + "a:" for depth in range(1_000)), "it is nested too deeply"),
        ("train:\n  seed: 1\n  seed: 2\n", "line 3: the key seed occurs twice"),
        ("[1, 2]: 3\n", "line 1: while constructing a mapping, found unhashable key"),
        ("a: 1\n---\na: 2", "line 2: expected a single document in the stream"),
        ("a: *b", "line 1: found undefined alias 'b'"),
        ("a: &b [*b]", "line 1: found unconstructable recursive node"),
        ("a: \x00", "unacceptable character #x0000"),
    ],
    ids=str.split("flow block twice list documents alias loop character"),
)
def test_what_is_no_yaml_is_refused_in_one_line(text, reason):
    (line,) = refusal(text).splitlines()
    assert line.startswith(f"params.yaml: cannot be read as YAML: {reason}")


def test_an_alias_of_aliases_takes_no_time():
    tens = "".join(
        f"a{i}: &a{i} [{', '.join([f'*a{i - 1}' if i else '1'] * 10)}]\n" for i in range(12)
    )
    assert len(refusal(f"{tens}{TEXT}".replace("[545, 115]", "*a11"))) < 2_000


@pytest.mark.parametrize("text", ["", "a: [", "- 1\n- 2", "train: {}", "\x00"])
def test_what_is_no_parameter_file_is_refused(tmp_path, text):
    path = tmp_path / "params.yaml"
    path.write_text(text)
    with pytest.raises(UserError, match=r"params\.yaml"):
        read_params(Params, path)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"params\.yaml.*No such file"):
        read_params(Params, tmp_path / "params.yaml")
