"""params.yaml: what is read, and what is refused."""

import re
from typing import get_args

import pytest
import yaml

from nnlib.data.datasets import DATASETS
from nnlib.errors import UserError
from stages.params.data import Data
from stages.params.sections import read_params
from stages.params.whole import Params
from tools.parameters import set_values

TEXT = """
data: {source: mnist, synthetic: {train: 60000, test: 10000, seed: 1}}
normalize: {scaling: unit}
train:
  hidden_size: 50
  weight_init_std: 0.01
  iterations: 10000
  batch_size: 100
  learning_rate: 0.1
  seed: 1
repeat: {seeds: 4}
analyse: {samples: [545, 115], pairs: 10}
"""


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


def test_the_defaults_are_the_notebooks(committed_params):
    params = read_params(Params, committed_params)
    assert params.data.source == "mnist"
    assert params.normalize.scaling == "unit"
    assert params.train.hidden_size == 50
    assert params.train.weight_init_std == 0.01
    assert params.train.iterations == 10_000
    assert params.train.batch_size == 100
    assert params.train.learning_rate == 0.1
    assert 545 in params.analyse.samples


def test_the_least_values_are_taken_and_stay(load):
    params = load({"train.seed": 0, "train.hidden_size": 1, "analyse.samples": [0]})
    assert (params.train.seed, params.train.hidden_size, params.analyse.samples) == (0, 1, [0])
    with pytest.raises(ValueError, match="frozen"):
        params.train.seed = 1


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
        ("normalize.scaling", "log"),
        ("train.hidden_size", -5),
        ("train.hidden_size", 2.5),
        ("train.iterations", "many"),
        ("train.batch_size", True),
        ("train.learning_rate", float("nan")),
        ("train.learning_rate", float("inf")),
        ("train.learning_rate", 0),
        ("train.seed", [1, 2]),
        ("train.momentum", 0.9),
        ("repeat.seeds", -1),
        ("repeat.seeds", 1),
        ("repeat.seeds", 101),
        ("analyse.samples", []),
        ("analyse.samples", [545, -1]),
    ],
)
def test_a_wrong_value_is_refused_by_its_key(load, key, value):
    with pytest.raises(UserError, match=re.escape(key)):
        load({key: value})


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


def test_every_data_set_can_be_named():
    assert set(get_args(Data.model_fields["source"].annotation)) == set(DATASETS)


@pytest.mark.parametrize("text", ["", "a: [", "- 1\n- 2", "train: {}", "\x00"])
def test_what_is_no_parameter_file_is_refused(tmp_path, text):
    path = tmp_path / "params.yaml"
    path.write_text(text)
    with pytest.raises(UserError, match=r"params\.yaml"):
        read_params(Params, path)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"params\.yaml.*No such file"):
        read_params(Params, tmp_path / "params.yaml")


# The largest value of each.
MOST = {
    "data.synthetic.train": 10_000_000,
    "data.synthetic.test": 10_000_000,
    "data.synthetic.seed": 2**32 - 1,
    "train.hidden_size": 100_000,
    "train.weight_init_std": 1e6,
    "train.iterations": 10_000_000,
    "train.batch_size": 100_000,
    "train.learning_rate": 1e6,
    "train.seed": 2**32 - 1,
    "repeat.seeds": 100,
    "analyse.pairs": 100,
}


@pytest.mark.parametrize(("key", "most"), MOST.items())
def test_every_number_has_a_bound(load, key, most):
    load({key: most})
    with pytest.raises(UserError, match=rf"{key}: Input should be less than "):
        load({key: most + 1})


def test_fifty_cards_are_the_most(load):
    load({"analyse.samples": list(range(50))})
    with pytest.raises(UserError, match=r"analyse\.samples: .* at most 50 items"):
        load({"analyse.samples": list(range(51))})


def test_a_long_value_is_cut(load):
    with pytest.raises(UserError) as caught:
        load({"train.hidden_size": "9" * 10_000})
    _, line = str(caught.value).splitlines()
    assert line.startswith("  train.hidden_size: ")
    assert line.endswith(f" (is {'9' * 40}...)")


@pytest.mark.parametrize("text", ["null", "~", ""])
def test_null_is_called_null(tmp_path, text):
    (tmp_path / "params.yaml").write_text(TEXT.replace("seed: 1\nrepeat", f"seed: {text}\nrepeat"))
    with pytest.raises(UserError, match=r"train\.seed: .* \(is null\)$"):
        read_params(Params, tmp_path / "params.yaml")


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        "a: " + "[" * 10_000 + "]" * 10_000,
        f"<<<<<<< HEAD\n{TEXT}",
        "a: [1",
        "a: &x [*x]",
        "? [a, b]\n: c",
    ],
    ids=["open", "deep", "conflict", "unfinished", "recursive", "a list as a key"],
)
def test_what_is_no_parameter_file_is_refused_in_few_lines(tmp_path, text):
    (tmp_path / "params.yaml").write_text(text)
    with pytest.raises(UserError, match=r"params\.yaml") as caught:
        read_params(Params, tmp_path / "params.yaml")
    assert len(str(caught.value)) < 1000
