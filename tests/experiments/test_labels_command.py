"""Labels that may be wrong, end to end: errors are planted in a small data set, and found."""

import sys

import numpy as np
import pandas as pd
import pytest

from experiments.labels.__main__ import files_in_list
from nnlib.base.errors import UserError
from nnlib.data.datasets import load_mnist

PLANTED = 40  # of 2,000 training labels
# The command, with smaller networks.
LABELS = """
from experiments.labels import __main__, judges

judges.SHORTER = {**judges.SHORTER, "train.hidden_size": 64}
judges.LEAST_UPDATES = 300
__main__.main()
"""
INFLUENCE = """
from experiments.labels import influence

influence.SUSPECTS = 3
influence.control_rows.__defaults__ = (2, 0)
influence.main()
"""


def test_the_files_of_votes():
    assert files_in_list("a.csv, more votes.csv,") == ["a.csv", "more votes.csv"]
    with pytest.raises(UserError, match="VOTES names no file"):
        files_in_list(" , ")


@pytest.fixture(scope="module")
def judged(rebuilt, tmp_path_factory):
    """A checkout in which labels were made wrong by corrections, and then judged."""
    checkout = rebuilt.copy_to(tmp_path_factory.mktemp("judged") / "repo")
    (_, t), _ = load_mnist(folder=checkout.path / "data/raw")
    rows = np.arange(7, 2000, 2000 // PLANTED)[:PLANTED]
    wrong = [f"train,{row},{(t[row] + 3) % 10}" for row in rows]
    text = "\n".join(["set,index,label", *wrong, "train,5,drop", "test,3,drop", ""])
    (checkout.path / "data/corrections.csv").write_text(text)
    said = checkout.run(sys.executable, "-c", LABELS, "--seeds", "1")
    return checkout, rows, t, said


@pytest.mark.slow
def test_the_planted_errors_lead_the_list(judged):
    checkout, rows, t, _ = judged
    table = pd.read_csv(checkout.path / "reports/labels.csv")
    of_train = table[table["set"] == "train"]
    assert of_train["rank"].tolist() == list(range(1, len(of_train) + 1))
    first = of_train.head(PLANTED)
    assert np.isin(first["index"], rows).mean() >= 0.95
    found = first[np.isin(first["index"], rows)]
    assert (found["suggested"] == t[found["index"]]).mean() >= 0.95
    assert (found["label"] == (t[found["index"]] + 3) % 10).all()
    assert (table["label"] != table["suggested"]).all()


@pytest.mark.slow
def test_what_the_first_suspects_did_is_measured(judged):
    checkout, _, _t, _ = judged
    said = checkout.run(sys.executable, "-c", INFLUENCE, "--seeds", "3")
    assert "Report: reports/labels-influence.md" in said
    listed = pd.read_csv(checkout.path / "reports/labels.csv").query("set == 'train'").head(3)
    table = pd.read_csv(checkout.path / "reports/labels-influence.csv")
    assert table["index"].unique().tolist() == listed["index"].tolist()
    assert (table["own_without"] > table["own_with"]).all()  # a wrong label is learned by heart
    text = (checkout.path / "reports/labels-influence.md").read_text()
    assert "that is 18 trainings" in text  # (3 + 2 + 1) * 3
    (checkout.path / "reports/labels.csv").write_text("set,index,label,suggested\ntrain,0,11,3\n")
    failed = checkout.run(sys.executable, "-m", "experiments.labels.influence", ok=False)
    assert "is of other labels than these: `make labels` writes it anew" in failed
