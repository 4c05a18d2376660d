"""What the analysis stage writes for machines."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from nnlib.analysis.confusion import confusion_matrix
from nnlib.analysis.held_out import decide
from nnlib.analysis.predictions import Predictions
from nnlib.base.files import write_text
from nnlib.data.datasets import MNIST, SYNTHETIC
from nnlib.data.encoding import fit_encoding, pixel_statistics
from nnlib.data.samples import save_samples
from stages import analyse
from stages.analyse import (
    has_strokes,
    measure_likeness,
    metrics,
    table_by_class,
    table_of_counts,
    table_of_slices,
    table_of_units,
    trials_of,
    write_plots,
)
from stages.common import PARAMS
from stages.params import Params, read_params
from tests.conftest import slices_at_random, units_at_random

# The name of a column, a formula, what ends a script, a number, a list of names.
NAMES = ("actual", "=1+1", "</script><b>", "-1", "a, b", *"fghij")
OTHER = MNIST.model_copy(update={"class_names": NAMES, "has_strokes": False})


def test_the_table_by_class_has_every_number_and_no_list(analysis):
    table = table_by_class(analysis, OTHER)
    assert table["class"].tolist() == list(NAMES)
    assert set(table.columns) == {"class", *analysis.by_class.columns} - {"taken_for"}
    assert all(np.issubdtype(dtype, np.number) for dtype in table.dtypes[1:])
    trained = analysis.trained.table()
    for label, confidence in enumerate(table["mean_confidence"]):
        expected = trained.loc[trained["actual"] == label, "confidence"].mean()
        assert confidence == pytest.approx(expected)


def test_the_counts_have_the_names_of_the_classes(analysis):
    table = table_of_counts(analysis, OTHER)
    assert table.columns.tolist() == ["actual", *NAMES]
    assert table.iloc[:, 0].tolist() == list(NAMES)
    t, predicted = analysis.trained.t, analysis.trained.predicted
    np.testing.assert_array_equal(table.iloc[:, 1:], confusion_matrix(t, predicted, 10))


def test_the_units_name_the_class_that_suffers(analysis):
    units = units_at_random()
    named = table_of_units(units, OTHER)
    assert named["class"].tolist() == [NAMES[label] for label in units.table["class"]]
    assert named.columns.tolist() == units.table.columns.tolist()
    assert units.table["class"].dtype.kind == "i"  # as it was, for the report


def test_the_slices_name_their_class(analysis):
    slices = slices_at_random(analysis.trained)
    columns = slices.columns.tolist()
    table = table_of_slices(slices, OTHER)
    assert table.columns.tolist() == [*columns[:2], "class", *columns[2:]]
    assert slices.columns.tolist() == columns
    names = {label: None if label < 0 else NAMES[label] for label in range(-1, 10)}
    assert table["class"].tolist() == table["label"].map(names).tolist()
    assert table_of_slices(None, OTHER).columns.tolist() == table.columns.tolist()
    assert table_of_slices(None, OTHER).empty


def test_what_dvc_plots_ends_no_script(tmp_path, monkeypatch, analysis):
    monkeypatch.setattr(analyse, "PLOTS", tmp_path)
    write_plots(analysis, OTHER)
    plotted = {path.stem: pd.read_csv(path, dtype=str) for path in tmp_path.iterdir()}
    assert set(plotted) == {"confusion", "recall", "reliability"}
    shown = [name.replace("<", "\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}") for name in NAMES]
    assert plotted["recall"]["class"].tolist() == shown
    np.testing.assert_allclose(
        plotted["recall"]["recall"].astype(float), analysis.by_class["recall"], rtol=1e-5
    )
    for column, labels in (("actual", "t"), ("predicted", "predicted")):
        expected = [shown[label] for label in getattr(analysis.trained, labels)]
        assert plotted["confusion"][column].tolist() == expected


@pytest.mark.parametrize(
    ("strokes", "of_mnist", "of_others"),
    [("auto", True, False), (True, True, True), (False, False, False)],
)
def test_the_data_set_or_a_parameter_says_whether_there_are_strokes(strokes, of_mnist, of_others):
    params = read_params(Params, PARAMS)
    section = params.analyse.model_copy(update={"strokes": strokes})
    params = params.model_copy(update={"analyse": section})
    found = [has_strokes(params, dataset) for dataset in (MNIST, SYNTHETIC, OTHER)]
    assert found == [of_mnist, of_mnist, of_others]


def test_the_coverage_is_that_of_thresholds_chosen_on_the_other_half(analysis):
    # in each half the 100 most confident are right, and the last two wrong: 100 of 101 is enough
    confidence = np.linspace(1, 0.51, 204)
    y = np.transpose([confidence, 1 - confidence])
    decided = decide(Predictions.of(y, np.repeat([0, 1], [200, 4])), 0.99)
    found = metrics(dataclasses.replace(analysis, decided=[decided]))
    assert found["coverage_at_99"] == pytest.approx(202 / 204, abs=1 / 204)


def test_any_analysis_has_metrics_that_are_finite(degenerate_analysis):
    found = metrics(degenerate_analysis)
    assert all(np.isfinite(value) for value in found.values())
    assert (found["worst_pair"] == 0) == (found["errors"] == 0)


@pytest.mark.parametrize("scaling", ["unit", "standard"])
def test_of_the_training_images_one_in_a_hundred_is_unlike_all_test_images(
    tmp_path, monkeypatch, scaling
):
    rng = np.random.default_rng(0)
    train, test = (rng.integers(256, size=(n, 4, 3), dtype=np.uint8) for n in (1000, 1500))
    dataset = MNIST.model_copy(update={"image_shape": (4, 3)})
    encoding = fit_encoding(scaling, pixel_statistics([train]), MNIST.class_names)
    save_samples(tmp_path, "train", [encoding.inputs(train)], np.zeros(1000, np.uint8))
    write_text(tmp_path / "encoding.json", encoding.model_dump_json())
    monkeypatch.setattr(analyse, "NORMALIZED", tmp_path)
    monkeypatch.setattr(analyse, "ENCODING", tmp_path / "encoding.json")
    differences = train[:, np.newaxis].astype(int) - test
    squares = np.sort((differences**2).sum(axis=(2, 3)).min(axis=1))
    # of 1,001 samples, the last ten may be beyond
    assert round(measure_likeness(test, dataset) ** 2) == squares[990]
    monkeypatch.setattr(analyse, "HELD_OUT", 50)
    assert measure_likeness(test, dataset) == np.inf


def test_trials_are_only_those_of_the_same_data_and_settings(committed_params, monkeypatch):
    monkeypatch.chdir(committed_params.parent)
    train = read_params(Params, committed_params).train
    assert trials_of(train, "unit", MNIST).data == "MNIST"
    # what changes no weight
    assert trials_of(train.model_copy(update={"seed": 7, "evaluate_every": 5}), "unit", MNIST)
    assert trials_of(train, "standard", MNIST) is None
    assert trials_of(train, "unit", SYNTHETIC) is None
    for changed in ({"learning_rate": 0.2}, {"hidden_size": 51}, {"members": 2}, {"validation": 1}):
        assert trials_of(train.model_copy(update=changed), "unit", MNIST) is None
