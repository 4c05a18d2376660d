"""Comparisons and trials where labels were corrected."""

import sys

import numpy as np
import pandas as pd
import pytest

from experiments.data import data_of_files, data_of_params
from experiments.revisions import open_revision
from experiments.trials import data_in
from nnlib.base.errors import UserError
from nnlib.data.corrections import APPLIED
from nnlib.data.datasets import DESCRIPTION, FILES, MNIST, TEST, TRAIN, write_dataset
from nnlib.data.idx import write_idx
from stages.common import PARAMS
from stages.params import Params, read_params
from tests.corrected import DROP, RELABEL
from tests.markdown import table

# of a library that DVC uses
pytestmark = pytest.mark.filterwarnings("ignore:_NoneStep:DeprecationWarning")


@pytest.mark.slow
def test_two_revisions_are_compared_on_what_both_label_alike(corrected, rebuilt, tmp_path):
    checkout = corrected.copy_to(tmp_path / "checkout")
    said = checkout.run(sys.executable, "-m", "experiments.compare", "HEAD")
    assert (
        "497 test samples are in both; 3 only before (3 dropped after), 0 only after. 5 of them "
        "have another label after and are left out: compared are the 492 with the same label. 7 of "
        "the training samples have another label too, or were dropped, so what changed may be due "
        "to the data."
    ) in said
    before = pd.read_csv(rebuilt.path / "data/predictions/test.csv")
    after = pd.read_csv(checkout.path / "data/predictions/test.csv")
    kept = np.delete(np.arange(500), DROP["test"])
    before, after = (each[~np.isin(kept, RELABEL["test"])] for each in (before.loc[kept], after))
    right = [(each["actual"] == each["predicted"]).to_numpy() for each in (before, after)]
    fixed, broken = (right[1] & ~right[0]).sum(), (right[0] & ~right[1]).sum()
    report = (checkout.path / "reports/compare.md").read_text()
    rows = {row[0]: row[1:] for row in table("| | before | after | change |", report)}
    assert rows["right"] == [str(right[0].sum()), str(right[1].sum()), f"{fixed - broken:+d}"]
    # seed 1 is that of the pipeline, whose networks are trained again, on the data of each
    checkout.run(sys.executable, "-m", "experiments.compare", "HEAD", "--seeds", "2")
    report = (checkout.path / "reports/compare.md").read_text()
    first, *_ = table("| seed |", report)
    assert first[:3] == ["1", *(f"{100 * each.mean():.2f}%" for each in right)]
    assert "on their own data, and tested on the same 492 samples." in " ".join(report.split())


@pytest.mark.slow
def test_trials_are_of_the_corrected_data(corrected, tmp_path, monkeypatch):
    checkout = corrected.copy_to(tmp_path / "checkout")
    monkeypatch.chdir(checkout.path)
    section = read_params(Params, PARAMS).data
    names = ("x_train", "t_train", "x_test", "t_test")
    with data_of_params(section) as data:
        digest = data.digest
        for scaling in ("unit", "standard"):
            folder = data.sets(scaling)
            assert len(np.load(folder / "t_train.npy")) == 1997
        of_unit = {name: (data.sets("unit") / f"{name}.npy").read_bytes() for name in names}
    for name, content in of_unit.items():
        assert content == (checkout.path / f"data/normalized/{name}.npy").read_bytes()
    with open_revision(None) as workspace, data_of_files(workspace.raw) as data:
        assert data.digest == digest
        arrays = data.sets("unit") / "x_train.npy"
        assert arrays.stat().st_ino == (checkout.path / "data/normalized/x_train.npy").stat().st_ino
    with open_revision("HEAD") as before, data_of_files(before.raw) as data:
        assert data.digest != digest
        assert len(np.load(data.sets("unit") / "t_train.npy")) == 2000
    (checkout.path / "data/other.csv").write_text("set,index,label\ntest,500,drop\n")
    wrong = section.model_copy(update={"corrections": "data/other.csv"})
    with pytest.raises(UserError, match="line 2, index: 500 lies outside"), data_of_params(wrong):
        pytest.fail("it is taken")


def test_a_workers_files_have_the_corrections(tmp_path):
    worker = pytest.importorskip("experiments.sweep.worker")
    for files in (TRAIN, TEST):
        write_idx(tmp_path / files.images, np.zeros((2, 28, 28), np.uint8))
        write_idx(tmp_path / files.labels, np.zeros(2, np.uint8))
    write_dataset(tmp_path, MNIST)
    without = data_in(tmp_path)
    (tmp_path / APPLIED).write_text("set,index,given,label\ntest,1,0,drop\n")
    data = data_in(tmp_path)
    assert data.digest != without.digest
    files = worker.DataSets([data]).files
    assert {path.name for path in files} == {*FILES, DESCRIPTION, APPLIED}
    assert len({path.parent for path in files}) == 1
