"""Votes on labels: what is read, what they come to, and what is said of them."""

import numpy as np
import pandas as pd
import pytest

from experiments.labels.agreement import fleiss_kappa, kappa_interval
from experiments.labels.findings import kappa_called, votes_section, votes_summary
from experiments.labels.published import Labels
from experiments.labels.votes import corrected_further, merge_votes, read_votes, with_ranks
from nnlib.base.errors import UserError
from nnlib.data.corrections import DROPPED, no_corrections
from nnlib.data.datasets import MNIST
from nnlib.stats.intervals import wilson_interval

NAMES = ("cat", "dog", "=1+1", "'=1+1", "-", "-1", "a, b", "x'-y")
PETS = MNIST.model_copy(update={"class_names": NAMES, "class_noun": "pet", "name": "Pets"})
PUBLISHED = {
    "train": np.arange(8, dtype=np.uint8),
    "test": np.array([0, 0, 1, 1, 2, 2], np.uint8),
}
LABELS = Labels(PUBLISHED, no_corrections())
HEAD = "reviewer,set,index,given,vote\n"

# Fleiss (1971) has another table; this one is Wikipedia's, which statsmodels is tested with, too:
# https://en.wikipedia.org/wiki/Fleiss%27_kappa
WORKED = [
    *([0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1]),
    *([7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7]),
]
# Four raters of 12 units, none of whom rated all; a 0 is missing. Gwet (2014), page 120.
RATINGS = [
    *("1101", "2232", "3333", "3333", "2222", "1234"),
    *("4444", "1121", "2222", "0555", "0011", "0030"),
]


def counts_of(ratings):
    return np.array([[row.count(str(k)) for k in range(1, 6)] for row in ratings])


def test_kappa_of_the_worked_example():
    assert fleiss_kappa(WORKED) == pytest.approx(0.210, abs=5e-4)
    assert fleiss_kappa(WORKED) == pytest.approx(0.20993070442195522)  # statsmodels


def test_kappa_where_raters_left_some_out():
    # as irrCAC has it; with the shares of all votes, it would be 0.76047
    assert fleiss_kappa(counts_of(RATINGS)) == pytest.approx(0.76117, abs=5e-6)


def test_kappa_worked_by_hand():
    # agreement (1 + 0 + 1) / 3; shares 1/2 and 1/2, so 1/2 by chance
    assert fleiss_kappa([[2, 0], [1, 1], [0, 2]]) == pytest.approx((2 / 3 - 1 / 2) / (1 / 2))
    assert fleiss_kappa([[2, 0], [0, 3]]) == 1
    assert fleiss_kappa([[1, 1], [1, 1]]) == -1
    # a sample with one vote says nothing of agreement, but of shares: 5/6 and 1/6
    assert fleiss_kappa([[2, 0], [1, 1], [1, 0]]) == pytest.approx((1 / 2 - 26 / 36) / (10 / 36))
    assert fleiss_kappa([[2, 0], [1, 1], [0, 2], [0, 0]]) == fleiss_kappa([[2, 0], [1, 1], [0, 2]])


@pytest.mark.parametrize("counts", [[[1, 0], [0, 1]], [[3, 0], [2, 0]], [[0, 0]], np.empty((0, 2))])
def test_kappa_is_not_always_defined(counts):
    assert fleiss_kappa(counts) is None
    assert kappa_interval(counts) is None


def test_the_interval_of_kappa():
    low, high = kappa_interval(counts_of(RATINGS))
    # irrCAC has a standard error of 0.153, by linearization
    assert (fleiss_kappa(counts_of(RATINGS)) - low) / 1.96 == pytest.approx(0.153, abs=0.02)
    assert high == 1
    # without either of the two, all votes are for one category
    assert kappa_interval([[2, 0], [0, 2]]) is None


def test_the_interval_of_kappa_holds_it_in_95_of_100_cases():
    rng = np.random.default_rng(0)

    def draw(samples):
        """Three votes of two categories; each is that of the sample with a chance of 80%."""
        is_first = rng.random((samples, 1)) < 0.5
        votes = np.where(rng.random((samples, 3)) < 0.8, is_first, ~is_first).sum(axis=1)
        return np.stack([votes, 3 - votes], axis=1)

    kappa = fleiss_kappa(draw(500_000))
    assert kappa == pytest.approx((0.8**2 + 0.2**2 - 0.5) / 0.5, abs=0.005)
    intervals = np.array([kappa_interval(draw(50)) for _ in range(200)])
    held = ((intervals[:, 0] <= kappa) & (kappa <= intervals[:, 1])).mean()
    assert 0.91 <= held <= 0.98


def test_what_a_kappa_is_called():
    values = (-0.3, 0, 0.1, 0.2, 0.21, 0.5, 0.7, 0.81, 1)
    assert [kappa_called(value) for value in values] == [
        *("poor", "poor", "slight", "slight", "fair", "moderate", "substantial"),
        *("almost perfect", "almost perfect"),
    ]


@pytest.fixture
def read(tmp_path):
    """Reads the votes in texts, each of which becomes a file."""

    def read(*texts):
        paths = [tmp_path / f"{i}.csv" for i in range(len(texts))]
        for path, text in zip(paths, texts, strict=True):
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_votes(paths, PETS, LABELS)

    return read


def test_reading_votes(read):
    votes = read(
        "\ufeff"
        + HEAD.replace("\n", ",more\r\n")
        + "Ann,test,0,cat,dog,x\r\n\r\nANN,train,3,''=1+1,,\r\n",
        "vote,given,index,set,reviewer\n"
        "'=1+1,'=1+1,2,train,'=Zoë\n"
        "x'-y,x'-y,7,train,'=Zoë\n"
        "''=1+1,'-,4,train,'=Zoë\n"
        '"a, b",-1,5,train,\'=Zoë\n'
        '"a, b",-1,5,train,\'=ZOË\n',
    )
    assert votes.to_numpy().tolist() == [
        ["ann", "test", 0, "cat", "dog"],
        ["ann", "train", 3, "'=1+1", ""],
        ["=zoë", "train", 2, "=1+1", "=1+1"],
        ["=zoë", "train", 7, "x'-y", "x'-y"],
        ["=zoë", "train", 4, "-", "'=1+1"],
        ["=zoë", "train", 5, "-1", "a, b"],
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "0.csv, line 1: no column reviewer, set, index, given, vote; found nothing"),
        ("reviewer,set,index,vote\n", "0.csv, line 1: no column given; found reviewer, set"),
        ("reviewer;set;index;given;vote\n", "with commas between its columns"),
        (HEAD, "0.csv has no votes: export them once some are cast"),
        (f"{HEAD}Ann,test,0,cat\n", "0.csv, line 2: expected 5 values, as there are columns"),
        (f"{HEAD}Ann,test,0,cat,dog,\n", "0.csv, line 2: expected 5 values"),
        (f"{HEAD}\nAnn,test,0,cat,\n ,test,0,cat,\n", "0.csv, line 4: a vote must have a reviewer"),
        (f"{HEAD}Ann,valid,0,cat,\n", "0.csv, line 2: set must be train or test; found set valid"),
        (
            f"{HEAD}Ann,test,x,cat,\n",
            "line 2: index must be a whole number from 0 on; found index x",
        ),
        (f"{HEAD}Ann,test,-1,cat,\n", "index must be a whole number"),
        (f"{HEAD}Ann,test,{'9' * 30},cat,\n", "index must be a whole number"),
        (f"{HEAD}Ann,test,6,cat,\n", "line 2: there is no such sample; found set test, index 6"),
        (
            f"{HEAD}Ann,test,1,cat,dog\nAnn,test,2,cat,dog\n",
            "these are votes on other data; found set test, index 2, given cat",
        ),
        (
            f"{HEAD}Ann,test,0,cat,cow\n",
            "0.csv, line 2: vote must be a pet of Pets, or empty; found vote cow",
        ),
        (
            f"{HEAD}Ann,test,0,cat,dog\nBob,test,0,cat,cat\nann,test,0,cat,\n",
            "but an earlier line has another one; found reviewer ann, set test, index 0, vote ''",
        ),
        (f'{HEAD}"Ann"x,test,0,cat,dog\n', "0.csv cannot be read as CSV in UTF-8: "),
        (b"\xff\xfe\x00", "0.csv cannot be read as CSV in UTF-8: "),
    ],
)
def test_files_that_hold_no_such_votes(read, text, message):
    with pytest.raises(UserError) as error:
        read(text)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_one_reviewer_in_two_files(read, tmp_path):
    text = f"{HEAD}Ann,test,0,cat,dog\n"
    with pytest.raises(UserError) as error:
        read(text, f"{HEAD}Bob,test,0,cat,dog\nANN,test,1,cat,dog\n")
    assert str(error.value) == (
        f"{tmp_path}/1.csv, line 3: a reviewer's votes must be in one file, but {tmp_path}/0.csv "
        "has some too; found reviewer ann"
    )


def test_a_file_that_is_missing(tmp_path):
    with pytest.raises(UserError, match=r"none\.csv cannot be read: No such file"):
        read_votes([tmp_path / "none.csv"], PETS, LABELS)


def votes_of(**votes_by_reviewer):
    """Votes on the first test samples, by letters; a space is no vote, and ? for none."""
    names = {"c": "cat", "d": "dog", "=": "=1+1", "?": ""}
    rows = [
        (reviewer, "test", index, NAMES[PUBLISHED["test"][index]], names[vote])
        for reviewer, votes in votes_by_reviewer.items()
        for index, vote in enumerate(votes)
        if vote != " "
    ]
    return pd.DataFrame(rows, columns=["reviewer", "set", "index", "given", "vote"])


def test_what_the_votes_come_to():
    # labels: cat, cat, dog, dog, =1+1, =1+1
    merged = merge_votes(votes_of(ann="cdc?d=", bob="cd=?c ", cid="dcc  ?"))
    columns = ["index", "votes", "for_given", "cannot_tell", "majority", "for_majority", "outcome"]
    assert merged[columns].to_numpy().tolist() == [
        [0, 3, 2, 0, "cat", 2, "confirmed"],
        [1, 3, 1, 0, "dog", 2, "corrected"],
        [2, 3, 0, 0, "cat", 2, "corrected"],
        [3, 2, 0, 2, "", 2, "cannot tell"],
        [4, 2, 0, 0, "", 1, "open"],
        [5, 2, 1, 1, "", 1, "open"],
    ]
    table = corrected_further(no_corrections(), merged, NAMES)
    assert table.to_dict("records") == [
        {"set": "test", "index": 1, "given": 0, "label": 1},
        {"set": "test", "index": 2, "given": 1, "label": 0},
    ]


def test_outcomes_count_more_than_earlier_corrections():
    rows = [
        *(("test", 0, 0, 3), ("test", 1, 0, 2), ("test", 2, 1, DROPPED), ("test", 3, 1, DROPPED)),
        ("train", 0, 0, 1),
    ]
    columns = ["set", "index", "given", "label"]
    before = pd.DataFrame(rows, columns=columns).astype(no_corrections().dtypes)
    merged = merge_votes(votes_of(ann="cdc?d=", bob="cd=?c ", cid="dcc  ?"))
    found = corrected_further(before, merged, NAMES)
    # of test samples, 0 is confirmed as published, 1 is corrected anew, and 2 and 3 stay dropped
    assert found.to_numpy().tolist() == [
        ["train", 0, 0, 1],
        ["test", 1, 0, 1],
        ["test", 2, 1, DROPPED],
        ["test", 3, 1, DROPPED],
    ]


def test_a_vote_on_a_corrected_label_is_one_on_the_published_one(tmp_path):
    rows = pd.DataFrame([("test", 1, 0, 2)], columns=["set", "index", "given", "label"])
    labels = Labels(PUBLISHED, rows)
    path = tmp_path / "a.csv"
    path.write_text(HEAD + "ann,test,1,=1+1,dog\nbob,test,1,cat,dog\n")
    assert read_votes([path], PETS, labels)["given"].tolist() == ["cat", "cat"]
    path.write_text(HEAD + "ann,test,1,dog,dog\n")
    with pytest.raises(UserError, match="votes on other data"):
        read_votes([path], PETS, labels)


def test_one_vote_decides_only_where_there_is_one_reviewer():
    assert merge_votes(votes_of(ann="dc?"))["outcome"].tolist() == [
        *("corrected", "confirmed", "cannot tell")
    ]
    assert merge_votes(votes_of(ann="dc?", bob="d"))["outcome"].tolist() == [
        *("corrected", "open", "open")
    ]


def test_half_of_the_votes_are_no_majority():
    merged = merge_votes(votes_of(ann="d", bob="d", cid="c", dan="c"))
    assert merged["outcome"].tolist() == ["open"]
    assert corrected_further(no_corrections(), merged, NAMES).empty


def suspects_of(indices):
    ranks = np.arange(1, len(indices) + 1)
    return pd.DataFrame({"rank": ranks, "set": "test", "index": indices, "suggested": "dog"})


def test_ranks_come_from_the_list():
    ranked = with_ranks(merge_votes(votes_of(ann="cdc?")), suspects_of([5, 2, 0]))
    assert ranked["index"].tolist() == [2, 0, 1, 3]
    assert ranked["rank"].tolist()[:2] == [2, 3]
    assert ranked["rank"].isna().tolist() == [False, False, True, True]
    assert ranked["suggested"].tolist()[:2] == ["dog", "dog"]


def test_a_summary():
    votes = votes_of(ann="cdc?d=", bob="cd=?c ", cid="dcc  ?")
    found = votes_summary(votes, suspects_of([2, 3, 1, 4, 100, 101, 102, 103, 104, 0, 105]))
    assert (found.reviewers, found.votes, found.off_list) == (3, 15, 1)
    columns = ["set", "first", "corrected", "confirmed", "cannot tell", "open", "not judged"]
    assert found.first[columns].to_numpy().tolist() == [
        ["test", 10, 2, 1, 1, 1, 5],
        ["test", 11, 2, 1, 1, 1, 6],
    ]
    assert found.judged == 5
    assert found.first["share"].tolist() == [0.5, 0.5]
    np.testing.assert_allclose(found.first[["low", "high"]], [np.ravel(wilson_interval(2, 4))] * 2)
    assert found.pairs.to_numpy().tolist() == [["cat", "dog", 1], ["dog", "cat", 1]]


def test_each_set_has_a_list_of_its_own():
    suspects = pd.concat([suspects_of([1, 0]), suspects_of([1, 5]).assign(set="train")])
    found = votes_summary(votes_of(ann="cd", bob="cd"), suspects)
    assert found.first[["set", "corrected", "confirmed", "not judged"]].to_numpy().tolist() == [
        ["test", 1, 1, 0],
        ["train", 0, 0, 2],
    ]
    assert (found.judged, found.off_list) == (2, 0)


def sections(votes, dataset=PETS, indices=range(6)):
    return votes_section(votes, suspects_of([*indices]), dataset)


def test_the_section_of_several_reviewers():
    text = sections(votes_of(ann="cdc?d=", bob="cd=?c ", cid="dcc  ?"))
    assert "3 people cast 15 votes, on 6 of the 6 pets on the list." in text
    assert "more than half of the votes on a pet, and at least two; all else is open" in text
    assert "| test set | all 6 | 2 | 1 | 1 | 2 | 0 | 50.00%" in text
    counts = [[2, 1, 0, 0], [1, 2, 0, 0], [2, 0, 1, 0], [0, 0, 0, 2], [1, 1, 0, 0], [0, 0, 1, 1]]
    assert f"Fleiss' kappa is {fleiss_kappa(counts):.2f} (95% interval " in text
    assert "| cat | dog | 1 |" in text
    assert "(corrections.csv)" in text
    assert "MNIST" not in text
    assert "\n\n\n" not in text


def test_the_section_of_one_reviewer():
    text = sections(votes_of(ann="ccdd"), indices=[0, 1, 2])
    assert "**One person judged 3 of the 3 pets on the list." in text
    assert "1 more was judged that is not on the list." in text
    assert "kappa" not in text
    assert "No label is corrected." in text
    assert "\n\n\n" not in text


def test_the_section_of_votes_off_the_list():
    text = sections(votes_of(ann="c", bob="d"), indices=[3])
    assert "| test set | all 1 | 0 | 0 | 0 | 0 | 1 |  |" in text
    text = sections(votes_of(ann="c", bob=" d"), indices=[3])
    assert "Fleiss' kappa is not defined" in text


def test_only_mnist_has_a_published_figure():
    votes = pd.DataFrame(
        [["ann", "test", 1, "3", "5"]], columns=["reviewer", "set", "index", "given", "vote"]
    )
    assert "15 were not confirmed" in sections(votes, MNIST)
