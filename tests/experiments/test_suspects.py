"""The list of suspects and its report: worked by hand."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from experiments.labels import report
from experiments.labels.calibration import Check
from experiments.labels.noise import Judgement
from experiments.labels.report import draw_suspects, labels_report
from experiments.labels.suspects import (
    Judged,
    contradictions,
    expect,
    summarise,
    suspects_in,
)
from nnlib.data.datasets import MNIST
from stages.params import Params, read_params
from tools.checkouts import ROOT

ANIMALS = MNIST.model_copy(
    update={"name": "Animals", "class_names": ("cat", "dog", "=owl"), "class_noun": "animal"}
)
LABELS = np.array([0, 1, 2, 0, 1])
POOLED = np.array(
    [[0.2, 0.7, 0.1], [0.1, 0.8, 0.1], [0.6, 0.1, 0.3], [0.5, 0.4, 0.1], [0.5, 0.2, 0.3]]
)
WRONG = np.array([0.9, 0.01, 0.5, 0.05, 0.8])
POSTERIOR = np.array(
    [[0.1, 0.8, 0.1], [0.005, 0.99, 0.005], [0.4, 0.1, 0.5], [0.95, 0.05, 0], [0.5, 0.2, 0.3]]
)


@pytest.fixture
def judged():
    score = np.log(WRONG / (1 - WRONG))
    images = np.arange(5, dtype=np.uint8)[:, np.newaxis, np.newaxis] + np.zeros((1, 4, 3), np.uint8)
    return Judged(
        part="train",
        index=np.array([0, 2, 3, 4, 7]),  # 1, 5 and 6 are dropped
        labels=LABELS,
        images=images,
        networks=POOLED[::-1],
        neighbours=POOLED / 2,
        judgement=Judgement(POOLED, np.array([1.2, 0.8]), np.eye(3), POSTERIOR, score),
    )


def test_suspects_are_those_that_look_like_another_class_the_likeliest_to_be_wrong_first(judged):
    table = suspects_in(judged, ANIMALS, [f"{index}.png" for index in range(8)])
    assert table.to_dict("list") == {
        "rank": [1, 2, 3],
        "set": ["train"] * 3,
        "index": [0, 7, 3],
        "file": ["0.png", "7.png", "3.png"],
        "label": ["cat", "dog", "=owl"],
        "suggested": ["dog", "cat", "cat"],
        "score": pytest.approx([2.1972, 1.3863, 0]),
        "wrong": [0.9, 0.8, 0.5],
        "networks_label": [0.5, 0.7, 0.3],
        "networks_suggested": [0.2, 0.2, 0.6],
        "neighbours_label": [0.1, 0.1, 0.15],
        "neighbours_suggested": [0.35, 0.25, 0.3],
    }
    assert judged.images_of(table)[:, 0, 0].tolist() == [0, 4, 2]
    assert "file" not in suspects_in(judged, ANIMALS, None)


def test_what_is_expected_adds_up(judged):
    found = summarise(judged)
    assert found.suspects.expected.samples == 3
    assert found.suspects.expected.wrong == pytest.approx(0.9 + 0.8 + 0.5)
    assert found.suspects.by_image == pytest.approx(0.8 + 0.8 + 0.7)
    assert (found.all.samples, found.all.wrong) == (5, pytest.approx(WRONG.sum()))
    assert [suspects for suspects, _ in found.by_class] == [1, 1, 1]
    assert [each.wrong for _, each in found.by_class] == pytest.approx([0.95, 0.81, 0.5])
    assert [(pair.label, pair.suggested, pair.suspects) for pair in found.pairs] == [
        (0, 1, 1),
        (1, 0, 1),
        (2, 0, 1),
    ]
    assert [pair.expected.wrong for pair in found.pairs] == pytest.approx([0.85, 0.505, 0.4])
    assert found.first == {}  # there are fewer than ten


def test_no_more_are_expected_than_there_are():
    found = expect(np.array([0.9, 0.8]))
    assert found.wrong == pytest.approx(1.7)
    assert found.low < 1.7 < found.high == 2


def test_the_same_image_with_two_labels_is_a_contradiction(judged):
    images = judged.images.copy()
    images[3] = images[1]  # a cat and a dog
    images[4] = images[1]
    other = dataclasses.replace(judged, part="test", images=judged.images + 9)
    assert contradictions([judged, other]) == []
    found = contradictions([other, dataclasses.replace(judged, images=images)])
    assert found == [[("train", 2, 1), ("train", 4, 0), ("train", 7, 1)]]
    same = dataclasses.replace(judged, part="test", labels=LABELS[::-1])
    assert len(contradictions([judged, same])) == 4  # all but the one in the middle


@pytest.mark.parametrize("is_mnist", [False, True])
def test_the_report_says_what_is_expected(judged, is_mnist, tmp_path, monkeypatch):
    if is_mnist:
        monkeypatch.setattr(report, "MNIST", ANIMALS)
    twenty = expect(np.full(20, 0.5))
    check = Check("pairs", 0.01, 12, twenty, {10: (9, 8.5), 50: (10, 9), 100: (10, 9.5)})
    settings = read_params(Params, ROOT / "params.yaml").train
    text = labels_report(
        [summarise(judged)],
        [check],
        [[("train", 2, 1), ("test", 4, 0)]],
        dataset=ANIMALS,
        settings=settings,
        seeds=3,
        votes="## What people found",
    ).replace("\N{NO-BREAK SPACE}", " ")
    assert "**Of 5 labels of the training set, 3 are suspected. Expect 2.3 (0.5 to 5.0) to " in text
    assert "and up to 2.3 if people err" in text
    assert "The judges disagree with 60% of the labels of the training set. Either" in text
    assert "| training set, by the image |  |  |  | 2.3 |" in text
    assert "| 1%, pairs | 12 | 10.0 (" in text
    assert "9, expected 8.5 | 10, expected 9.0 | 10, expected 9.5 |" in text
    assert "(2.3), and are not among the planted ones. The expected numbers differ from" in text
    assert "by -30 to -30%, and the 95% interval holds them in 1 of 1 cases." in text  # 10 of 14.3
    assert "- training set, index 2, labelled " in text
    assert ("of the 100 test labels of MNIST" in text) == is_mnist
    assert "| cat | 1 of 2 | " in text
    assert "## What people found" in text
    assert "15 networks (5 folds, 3 seeds)" in text
    draw_suspects(tmp_path, judged, suspects_in(judged, ANIMALS, None), ANIMALS)
    assert (tmp_path / "labels-train.png").read_bytes()[:4] == b"\x89PNG"


def test_nothing_is_said_of_what_there_is_not(judged):
    agreeing = judged.judgement._replace(pooled=np.eye(3)[LABELS])
    judged = dataclasses.replace(judged, judgement=agreeing)
    settings = read_params(Params, ROOT / "params.yaml").train
    text = labels_report(
        [summarise(judged)], [], [], dataset=ANIMALS, settings=settings, seeds=1, votes=""
    )
    assert "planted in the labels" not in text
    assert "The judges disagree" not in text
    assert "How well wrong labels are found" in text


def test_without_suspects_no_picture_is_there(judged, tmp_path):
    (tmp_path / "labels-train.png").touch()  # of earlier ones
    draw_suspects(tmp_path, judged, pd.DataFrame(columns=["index", "label", "suggested"]), ANIMALS)
    assert list(tmp_path.iterdir()) == []
