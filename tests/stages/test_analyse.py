"""What the analysis stage writes for machines."""

import dataclasses

import numpy as np
import pytest

from nnlib.analysis.held_out import decide
from nnlib.base.errors import UserError
from nnlib.data.datasets import MNIST
from nnlib.data.encoding import Encoding, save_encoding
from nnlib.data.samples import Samples
from stages.analyse import as_csv, check_test_set, metrics, pictures_of, table_by_digit
from stages.common import ENCODING
from tests.conftest import neighbours_at_random


def test_the_table_by_digit_has_every_number_and_no_list(analysis):
    table = table_by_digit(analysis)
    assert table["digit"].tolist() == list(range(10))
    assert set(table.columns) == {"digit", *analysis.by_class.columns} - {"taken_for"}
    assert all(np.issubdtype(dtype, np.number) for dtype in table.dtypes)
    trained = analysis.trained
    for digit, confidence in zip(table["digit"], table["mean_confidence"], strict=True):
        expected = trained.loc[trained["actual"] == digit, "confidence"].mean()
        assert confidence == pytest.approx(expected)


def test_the_coverage_is_that_of_thresholds_chosen_on_the_other_half(analysis):
    # in each half the 100 most confident are right, and the last two wrong: 100 of 101 is enough
    decided = decide(np.linspace(1, 0.5, 204), np.arange(204) < 200, 0.99)
    found = metrics(dataclasses.replace(analysis, decided=[decided]))
    assert found["coverage_at_99"] == pytest.approx(202 / 204, abs=1 / 204)


def test_any_analysis_has_metrics_that_are_finite(degenerate_analysis):
    found = metrics(degenerate_analysis)
    assert all(np.isfinite(value) for value in found.values())
    assert (found["worst_pair"] == 0) == (found["errors"] == 0)


def test_the_neighbours_are_written_with_the_names_of_their_spaces(analysis):
    table = neighbours_at_random(analysis.mistakes.head(2))
    head, first, *others = as_csv(table).splitlines()
    assert head == "index,space,rank,train_index,label,distance"
    row = table.iloc[0]
    assert first == (
        f"{row['index']},activations,1,{row['train_index']},{row['label']},{row['distance']:.6g}"
    )
    assert len(others) == 19


@pytest.mark.parametrize(("mean", "std"), [(0, 1), (0.1307, 0.3081)])
def test_inputs_are_turned_back_into_images(tmp_path, monkeypatch, mean, std):
    monkeypatch.chdir(tmp_path)
    scaling = "standard" if mean else "unit"
    encoding = Encoding(scaling=scaling, pixel_mean=mean, pixel_std=std, class_names=("a", "b"))
    save_encoding(ENCODING, encoding)
    images = (np.arange(2 * 784) % 256).astype(np.uint8).reshape(2, 28, 28)
    np.testing.assert_array_equal(pictures_of(encoding.inputs(images), MNIST), images)


def test_a_test_set_of_other_images_is_the_users_to_mend():
    images = np.zeros((3, 28, 28), np.uint8)
    check_test_set(Samples(np.zeros((3, 784)), np.zeros(3, int)), images, MNIST)
    for shape in ((2, 784), (3, 783)):
        other = Samples(np.zeros(shape), np.zeros(shape[0], int))
        with pytest.raises(UserError, match=r"x_test\.npy: expected \(3, 784\), found"):
            check_test_set(other, images, MNIST)
